//! What the tests of the program share.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

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
    run_with(arguments.iter().map(OsString::from))
}

/// Runs the program with arguments that need not be text.
pub fn run_with(arguments: impl IntoIterator<Item = OsString>) -> Said {
    let all = [OsString::from("basic-auth")].into_iter().chain(arguments);
    let (mut output, mut errors) = (anstream::StripStream::new(Vec::new()), anstream::StripStream::new(Vec::new()));
    let exit = basic_auth_cli::run(all, &mut output, &mut errors);
    let text = |stream: anstream::StripStream<Vec<u8>>| String::from_utf8(stream.into_inner()).unwrap();
    Said { output: text(output), errors: text(errors), exit }
}

/// A file with a text, which is removed when this is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str, text: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("basic-auth-{}-{number}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    pub fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
