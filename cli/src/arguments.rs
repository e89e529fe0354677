//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

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
    /// Tells what becomes of a request, and why: readings, rules, decision, answer.
    Explain(Explain),
    /// Compares decisions with a table of cases, or writes one.
    Test(Test),
    /// Shows what is protected, by whom, and what is open; route by route where the files have routes.
    Coverage(CoverageOptions),
    #[cfg(not(target_family = "wasm"))]
    /// Tells what the requests of an access log would get: how many would be refused, which, and why.
    Replay(Replay),
    /// Writes the JSON Schema of the configuration, for editors.
    Schema(Schema),
    /// Writes all fields of the configuration, what they mean and what holds without them, as Markdown.
    Fields,
    /// Writes the completions of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Writes the manual page.
    Manual,
}

/// Where configurations are.
#[derive(Debug, Args)]
pub struct Input {
    /// Files, folders, or - for standard input: configurations as JSON or YAML, WasmPlugins, TrafficExtensions,
    /// EnvoyFilters, Envoy's own files, `config_dump`, what istioctl and Helm print.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// What is known.
    #[command(flatten)]
    pub selection: Selection,
}

/// What else is known of configurations, and which of them are meant.
#[derive(Debug, Clone, Args)]
pub struct Selection {
    /// The value of a variable that `htpasswd_env` names; Secrets and ConfigMaps in the files tell it, too.
    #[arg(long, value_name = "NAME=@FILE")]
    pub env: Vec<String>,
    /// Only configurations of resources whose kind or name has this text.
    #[arg(long, value_name = "TEXT")]
    pub resource: Option<String>,
}

impl Selection {
    /// The same for a file.
    pub fn with_file(&self, file: &str) -> Input {
        Input { files: vec![file.to_owned()], selection: self.clone() }
    }
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// A file with a configuration, or - for standard input.
    pub file: String,
    /// The method.
    pub method: OsString,
    /// A URL, or a path for any host over https.
    pub url: OsString,
    /// The request's other parts.
    #[command(flatten)]
    pub request: RequestOptions,
    /// What is known.
    #[command(flatten)]
    pub input: Selection,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t)]
    pub format: Shape,
}

/// The parts of a request that few have.
#[derive(Debug, Args)]
pub struct RequestOptions {
    /// Sends a credential.
    #[arg(short, long, value_name = "USER:PASSWORD")]
    pub user: Option<OsString>,
    /// Sends a header; `:path`, `:scheme` and `host` replace the URL's.
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub header: Vec<OsString>,
    /// The client's address.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<IpAddr>,
    /// A body follows.
    #[arg(long)]
    pub body: bool,
}

/// The form of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// A table for people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One page that needs nothing else.
    Html,
    /// A picture for documents.
    Svg,
}

/// `coverage`
#[derive(Debug, Args)]
pub struct CoverageOptions {
    /// Where to look.
    #[command(flatten)]
    pub input: Input,
    /// The form.
    #[arg(long, value_enum, default_value_t)]
    pub format: Picture,
}

/// `replay`
#[cfg(not(target_family = "wasm"))]
#[derive(Debug, Args)]
pub struct Replay {
    /// A log in the default format of Envoy or Istio, as text or JSON, or - for standard input.
    pub log: String,
    /// A file with a configuration.
    pub file: String,
    /// What is known.
    #[command(flatten)]
    pub input: Selection,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t)]
    pub format: Shape,
}

/// `schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what.
    #[arg(long = "for", value_enum, default_value_t)]
    pub of: SchemaOf,
}

/// What a schema is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The configuration itself.
    #[default]
    Configuration,
    /// A WasmPlugin or a TrafficExtension that holds it.
    Plugin,
}

/// `test`
#[derive(Debug, Args)]
pub struct Test {
    /// A file with a configuration, or - for standard input.
    pub file: String,
    /// A table of cases, in YAML or JSON: a list of `request`, `expect` and, where needed, `user`, `headers`, `from`.
    pub cases: Option<String>,
    /// Writes the table of today's decisions to standard output, without passwords.
    #[arg(long)]
    pub init: bool,
    /// What is known.
    #[command(flatten)]
    pub input: Selection,
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
    /// Compares two files, the old one first: which requests are decided otherwise. Ends with 1 if one opens.
    #[arg(long, conflicts_with_all = ["strict", "format", "show_secrets"])]
    pub diff: bool,
    /// Shows the lines of files as they are, with passwords and hashes.
    #[arg(long)]
    pub show_secrets: bool,
}
