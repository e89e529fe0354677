//! The program as its users call it. One crate, so that it is linked once.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

mod cases;
mod check;
mod core;
mod coverage;
mod diff;
mod explain;
mod hostile;
mod replay;
mod schema;
mod support;
#[path = "../../tests/table/mod.rs"]
mod table;
