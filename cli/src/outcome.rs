//! How a command ends.

/// What a command writes, and how it ends.
#[derive(Debug)]
pub struct Outcome {
    /// For standard output.
    pub output: String,
    /// A sentence for standard error.
    pub problem: Option<String>,
    /// How it ends.
    pub exit: Exit,
}

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: all is well.
    Well,
    /// 1: something is wrong.
    Wrong,
    /// 2: something cannot be read, so nothing is known.
    Unreadable,
}

impl Outcome {
    /// Something that cannot be read.
    pub fn problem(problem: String) -> Self {
        Self { output: String::new(), problem: Some(problem), exit: Exit::Unreadable }
    }

    /// An output, and all is well.
    pub fn well(output: String) -> Self {
        Self { output, problem: None, exit: Exit::Well }
    }
}
