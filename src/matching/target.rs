//! What rules and exceptions are asked about.

use super::budget::MatchBudget;
use super::readings::Readings;

/// The method and the path of a request, and what matching may still do for it.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) path: &'a Readings<'a>,
    pub(crate) budget: &'a MatchBudget,
}
