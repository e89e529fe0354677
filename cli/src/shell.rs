//! Completions for shells, and the manual page.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::outcome::Outcome;

/// Writes the completions of a shell.
pub fn completions(shell: Shell) -> Outcome {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "basic-auth", &mut bytes);
    Outcome::well(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes the manual pages: of the program and of each of its commands, one after another.
pub fn manual() -> Outcome {
    let mut bytes = Vec::new();
    let mut command = Arguments::command();
    command.build();
    let subcommands = command.get_subcommands().filter(|command| command.get_name() != "help").cloned();
    for command in [command.clone()].into_iter().chain(subcommands.collect::<Vec<_>>()) {
        if let Err(error) = clap_mangen::Man::new(command).render(&mut bytes) {
            return Outcome::problem(error.to_string());
        }
    }
    Outcome::well(String::from_utf8_lossy(&bytes).into_owned())
}
