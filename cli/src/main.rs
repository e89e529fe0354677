//! The program `basic-auth`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(basic_auth_cli::run(std::env::args_os(), &mut anstream::stdout(), &mut anstream::stderr()))
}
