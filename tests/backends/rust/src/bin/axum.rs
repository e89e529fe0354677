//! axum with routes and files, over HTTP/1.1 and HTTP/2.

use std::error::Error;

use axum::Router;
use axum::routing::get;
use backends::{PLACES, files, marker, port};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let routes = PLACES
        .iter()
        .fold(Router::new(), |router, (route, place)| router.route(route, get(move || async move { marker(place) })));
    let app = routes
        .route("/admin/{*rest}", get(|| async { marker("admin-below") }))
        .nest_service("/files", ServeDir::new(files()?));
    axum::serve(TcpListener::bind(("127.0.0.1", port()?)).await?, app).await?;
    Ok(())
}
