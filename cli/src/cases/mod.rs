//! Requests and what is expected of each: a table that users keep beside their configuration.

mod command;
mod read;

pub use command::test;

use basic_auth::Decision;

use crate::request::Asked;

/// A row of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Case {
    /// The line of the table, counted from 1.
    pub line: usize,
    /// The request.
    pub asked: Asked,
    /// What is expected.
    pub expect: String,
}

impl Case {
    /// Whether a decision is what is expected: the status, or the words with which the decision begins.
    pub fn is_met_by(&self, decision: &Decision<'_>) -> bool {
        if let Ok(status) = self.expect.parse::<u32>() {
            return status == decision.response().map_or(200, |response| response.status);
        }
        let text = decision.to_string();
        text.strip_prefix(&self.expect).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
    }
}
