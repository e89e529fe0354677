//! What the tests of the program share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the program writes on standard output and standard error, without colours, and its exit code.
pub struct Said {
    pub output: String,
    pub errors: String,
    pub exit: u8,
}

/// Runs the program.
pub fn run(arguments: &[&str]) -> Said {
    let all = ["basic-auth"].iter().chain(arguments).map(OsString::from);
    let (mut output, mut errors) = (anstream::StripStream::new(Vec::new()), anstream::StripStream::new(Vec::new()));
    let exit = basic_auth_cli::run(all, &mut output, &mut errors);
    let text = |stream: anstream::StripStream<Vec<u8>>| String::from_utf8(stream.into_inner()).unwrap();
    Said { output: text(output), errors: text(errors), exit }
}
