//! What the Rust backends have in common: where they listen, and what each place answers with.

use std::env;
use std::error::Error;

/// The routes without a variable part.
pub const PLACES: [(&str, &str); 4] =
    [("/admin", "admin"), ("/admin/x", "admin-x"), ("/report.pdf", "report"), ("/büro", "buero")];

/// What tells a place.
#[must_use]
pub fn marker(place: &str) -> String {
    format!("marker<{place}>")
}

/// The folder with real files that is served below `/files`.
///
/// # Errors
/// If it was not named.
pub fn files() -> Result<String, Box<dyn Error>> {
    Ok(env::var("FILES")? + "/files")
}

/// The port to listen on.
///
/// # Errors
/// If none was named.
pub fn port() -> Result<u16, Box<dyn Error>> {
    Ok(env::var("PORT")?.parse()?)
}
