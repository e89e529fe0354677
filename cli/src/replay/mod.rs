//! What yesterday's requests would have got.

mod command;
mod line;
mod tally;

pub use command::replay;
