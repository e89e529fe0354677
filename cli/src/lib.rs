//! The command line of the `basic_auth` filter: what a configuration does, before it is applied.

//!
//! Every answer is the core's own, the crate `basic_auth`; here is what finds configurations in files, and what shows
//! what the core says of them.

mod arguments;
mod cases;
mod check;
mod coverage;
mod explain;
mod fields;
mod finding;
mod outcome;
mod page;
mod plain;
mod probe;
mod range;
#[cfg(not(target_family = "wasm"))]
mod replay;
mod report;
mod request;
mod resource;
mod rules;
mod schema;
mod shell;
mod source;
mod stream;
mod values;
mod witness;

pub use page::answer;

use std::ffi::OsString;
use std::io::Write;

use arguments::{Arguments, Command};
use clap::Parser;
use outcome::{Exit, Outcome};
use plain::plain;
use report::Format;

/// Runs a command line, the program's name first: writes what it has to say, and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, mut output: impl Write, mut errors: impl Write) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; whoever closed the stream wants no more.
            let text = error.render().ansi().to_string();
            let (stream, exit) = if error.use_stderr() {
                (&mut errors as &mut dyn Write, 2)
            } else {
                (&mut output as &mut dyn Write, 0)
            };
            let _ = stream.write_all(text.as_bytes());
            return exit;
        }
    };
    let Outcome { output: text, problem, exit } = match &arguments.command {
        Command::Check(arguments) if arguments.diff => check::diff(arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Test(arguments) => cases::test(arguments),
        Command::Coverage(arguments) => coverage::coverage(arguments),
        #[cfg(not(target_family = "wasm"))]
        Command::Replay(arguments) => replay::replay(arguments),
        Command::Schema(arguments) => schema::schema(arguments),
        Command::Fields => fields::fields(),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Manual => shell::manual(),
    };
    // A report for people has colours, and sees to what others wrote itself.
    let has_colours =
        matches!(&arguments.command, Command::Check(check) if !check.diff && check.format == Format::Text);
    let text = if has_colours { text.into() } else { plain(&text) };
    // Whoever closed the stream wants no more.
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    if let Some(problem) = problem {
        let _ = writeln!(errors, "basic-auth: {}", plain(&problem));
    }
    match exit {
        Exit::Well => 0,
        Exit::Wrong => 1,
        Exit::Unreadable => 2,
    }
}
