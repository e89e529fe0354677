//! Which requests a rule covers.

pub(crate) mod budget;
pub(crate) mod exception;
pub(crate) mod exception_index;
pub(crate) mod fold;
pub(crate) mod host;
pub(crate) mod index;
pub(crate) mod method;
pub(crate) mod path;
pub(crate) mod readings;
pub(crate) mod regex;
pub(crate) mod source;
pub(crate) mod target;
mod tree;
