//! The path of a request and the patterns that a rule compares it with.

use crate::error::Problem;

/// The one place where the path of a request is read: the query and the fragment are cut.
#[must_use]
pub fn read(path: &[u8]) -> &[u8] {
    path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
}

/// How a rule compares a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPattern {
    /// The path begins so; `/api` covers `/apiary`.
    Prefix(Box<[u8]>),
    /// The path is this.
    Exact(Box<[u8]>),
    /// The path ends so.
    Suffix(Box<[u8]>),
}

impl PathPattern {
    /// The fields that hold a path pattern.
    pub const FIELDS: &[&str] = &["prefix", "exact", "suffix"];

    /// Takes the pattern of one of [`PathPattern::FIELDS`] from the configuration.
    ///
    /// # Errors
    /// [`Problem::EmptyPattern`].
    pub fn new(field: &str, text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::EmptyPattern);
        }
        let pattern = text.as_bytes().into();
        Ok(match field {
            "exact" => Self::Exact(pattern),
            "suffix" => Self::Suffix(pattern),
            _ => Self::Prefix(pattern),
        })
    }

    /// Whether the pattern covers the path of a request; `None` is a request without one, and covered.
    #[must_use]
    pub fn covers(&self, path: Option<&[u8]>) -> bool {
        let Some(path) = path else { return true };
        let path = read(path);
        match self {
            Self::Prefix(prefix) => path.starts_with(prefix),
            Self::Exact(exact) => path == &**exact,
            Self::Suffix(suffix) => path.ends_with(suffix),
        }
    }
}
