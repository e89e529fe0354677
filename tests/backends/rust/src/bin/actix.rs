//! actix-web with routes and files, under its `NormalizePath`, over HTTP/1.1 and HTTP/2.

use std::error::Error;

use actix_files::Files;
use actix_web::middleware::NormalizePath;
use actix_web::{App, HttpServer, web};
use backends::{PLACES, files, marker, port};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = files()?;
    let serve = move || {
        let app = App::new().wrap(NormalizePath::trim());
        let app = PLACES
            .iter()
            .fold(app, |app, (route, place)| app.route(route, web::get().to(move || async move { marker(place) })));
        app.route("/admin/{name}", web::get().to(|| async { marker("admin-below") }))
            .service(Files::new("/files", &folder))
    };
    HttpServer::new(serve).workers(1).bind_auto_h2c(("127.0.0.1", port()?))?.run().await?;
    Ok(())
}
