//! What is found in a file: an error, a warning or a note, with its place.

use std::fmt;

use crate::source::Position;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// What kind of finding it is, for filters and reports.
    pub code: &'static str,
    /// The index of the source.
    pub source: usize,
    /// Where in it.
    pub position: Position,
    /// The resource, as `WasmPlugin default/basic-auth`; empty of a bare configuration.
    pub resource: String,
    /// The path of the value in its document; empty for the document.
    pub path: String,
    /// What is wrong, and what to do.
    pub sentence: String,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The configuration is refused: the proxy answers 500, or keeps what it had.
    Error,
    /// It is accepted, and probably meant otherwise.
    Warning,
    /// It is accepted, and could be better.
    Note,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}
