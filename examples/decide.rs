//! The core as a library, with no proxy near: decides about one request.
//!
//! ```sh
//! cargo run --example decide -- examples/rules.json GET example.com /productpage ok:test
//! ```

use std::error::Error;
use std::process::ExitCode;

use base64::prelude::{BASE64_STANDARD, Engine};
use basic_auth::{Config, Policy, Request};

#[allow(clippy::print_stderr, reason = "a program that prints")]
fn main() -> ExitCode {
    match decide() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Returned from `main`, it would be printed in the form of `Debug`.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints")]
fn decide() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, method, authority, path, user @ ..] = arguments.as_slice() else {
        return Err("usage: decide CONFIGURATION.json METHOD HOST PATH [USER:PASSWORD]".into());
    };
    let config = Config::parse(&std::fs::read(file)?)?;
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
    if config.more_warnings > 0 {
        eprintln!("and {} more warnings", config.more_warnings);
    }
    let policy = Policy::new(config);
    let authorization = user.first().map(|pair| format!("Basic {}", BASE64_STANDARD.encode(pair)));
    let request = Request {
        method: method.as_bytes(),
        path: Some(path.as_bytes()),
        authority: Some(authority.as_bytes()),
        credential: authorization.iter().map(String::as_bytes).collect(),
        ..Request::default()
    };
    println!("{}", policy.decide(&request));
    Ok(())
}
