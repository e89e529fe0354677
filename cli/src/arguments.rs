//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::report::Format;

/// Know before you apply: what a configuration of the filter `basic_auth` does, by the very code of the filter.
///
/// Exit codes: 0 all is well, 1 something is wrong, 2 something cannot be read.
#[derive(Debug, Parser)]
#[command(name = "basic-auth", version, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Finds every configuration in some files and says all that is wrong with each.
    Check(Check),
}

/// The files that configurations are in.
#[derive(Debug, Args)]
pub struct Input {
    /// Files, folders, or - for standard input: configurations as JSON or YAML, WasmPlugins, TrafficExtensions,
    /// EnvoyFilters, Envoy's own files, `config_dump`, what istioctl and Helm print.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// The value of a variable that `htpasswd_env` names; Secrets and ConfigMaps in the files tell it, too.
    #[arg(long, value_name = "NAME=@FILE")]
    pub env: Vec<String>,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// Where to look.
    #[command(flatten)]
    pub input: Input,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Ends with 1 for a warning, too.
    #[arg(long)]
    pub strict: bool,
    /// Shows the lines of files as they are, with passwords and hashes.
    #[arg(long)]
    pub show_secrets: bool,
}
