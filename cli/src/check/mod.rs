//! What is wrong, or probably meant otherwise, in some files.

mod command;
mod diff;
mod place;
mod proof;
mod rules;

pub use command::{check, findings};
pub use diff::diff;

use std::cell::RefCell;
use std::collections::BTreeSet;

use basic_auth::{Config, ConfigErrors, Policy, Problem, WarningKind};
use saphyr_parser::ScalarStyle;

use crate::finding::{Finding, Level};
use crate::resource::{ConfigText, Configuration, File, Variable, doubled_keys, doubled_resources};
use crate::rules::Written;
use crate::source::{Kind, Node, Position, Source};
use crate::values::Values;

/// A user whom nobody knows, in the place of those of a variable whose value is not known: the hash of nothing in
/// particular.
const STAND_IN: &str = "basic-auth-check:{SHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What became of a configuration.
pub struct Judged {
    /// What was found, in the order of the file.
    pub findings: Vec<Finding>,
    /// What it compiles to, if it is accepted.
    pub accepted: Option<Accepted>,
}

/// A configuration that is accepted.
pub struct Accepted {
    /// What it compiles to.
    pub policy: Policy,
    /// Its rules as they are written.
    pub written: Written,
    /// The variables whose values are not known; nobody is among their users.
    pub unknown: Vec<String>,
}

impl Accepted {
    /// What to say where the values of variables are not known.
    pub fn caveat(&self) -> Option<String> {
        let name = self.unknown.first()?;
        Some(format!(
            "the value of `{name}` is not known here, so its users are unknown; give it with `--env {name}=@FILE`"
        ))
    }
}

/// Judges a configuration.
pub fn judge(configuration: &Configuration, file: &File, values: &Values) -> Judged {
    let mut judge = Judge { configuration, file, source: &file.source, findings: configuration.findings.clone() };
    let accepted = judge.read(values);
    if let Some(Accepted { policy, written, .. }) = &accepted {
        judge.rules(policy, written);
        judge.place(written);
    }
    let mut findings = judge.findings;
    findings.sort_by_key(|finding| (finding.position, finding.level));
    Judged { findings, accepted }
}

/// What is wrong with files that are neither YAML nor JSON, and keys and resources that are there twice.
pub fn syntax(files: &[File], configurations: &[Configuration]) -> Vec<Finding> {
    let mut findings = doubled_keys(files);
    findings.extend(doubled_resources(files));
    for (index, file) in files.iter().enumerate() {
        // A slip in bare JSON is told in the module's own words.
        let is_judged = configurations.iter().any(|configuration| configuration.file == index);
        if let Some(error) = file.error.as_ref().filter(|_| !is_judged) {
            findings.push(Finding {
                level: Level::Error,
                code: "syntax",
                source: index,
                position: error.position,
                resource: String::new(),
                path: String::new(),
                sentence: error.sentence.clone(),
            });
        }
    }
    findings
}

struct Judge<'j> {
    configuration: &'j Configuration,
    file: &'j File,
    source: &'j Source,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn add(&mut self, level: Level, code: &'static str, position: Position, path: &str, sentence: String) {
        self.findings.push(Finding {
            level,
            code,
            source: self.configuration.file,
            position,
            resource: self.configuration.resource.clone(),
            path: path.to_owned(),
            sentence,
        });
    }

    /// Reads the configuration as the module does.
    fn read(&mut self, values: &Values) -> Option<Accepted> {
        let text = match &self.configuration.text {
            Ok(text) => text,
            Err(problem) => {
                self.add(Level::Error, "refused", self.configuration.position, "", problem.clone());
                return None;
            }
        };
        let asked = RefCell::new(BTreeSet::new());
        let value = |name: &str| match &self.configuration.variables.declared {
            None => values.get(name).map(str::to_owned),
            Some(declared) => match declared.get(name) {
                Some(Variable::Inline(text)) => Some(text.clone()),
                Some(Variable::Host) => values.get(name).map(str::to_owned),
                None => None,
            },
        };
        let declares = |name: &str| {
            let declared = &self.configuration.variables.declared;
            // What is no name may be a secret in the wrong place.
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !name.is_empty()
                && declared.as_ref().is_none_or(|declared| declared.get(name) == Some(&Variable::Host))
        };
        let environment = |name: &str| {
            value(name).or_else(|| {
                declares(name).then(|| {
                    asked.borrow_mut().insert(name.to_owned());
                    STAND_IN.to_owned()
                })
            })
        };
        let config = Config::parse_with(text.as_str().as_bytes(), &environment);
        let unknown = asked.into_inner();
        for name in &unknown {
            let sentence = format!(
                "the value of `{name}` is not known here, and its users are not checked; give it with `--env {name}=@FILE`"
            );
            let position = self.variable_position(text, name);
            self.add(Level::Note, "unknown-variable", position, "", sentence);
        }
        let config = match config {
            Ok(config) => config,
            Err(errors) => {
                self.refuse(text, &errors, !unknown.is_empty());
                return None;
            }
        };
        for warning in &config.warnings {
            self.warn(text, warning.kind, &warning.path, warning.offset);
        }
        if config.more_warnings > 0 {
            let sentence = format!("and {} more warnings", config.more_warnings);
            self.add(Level::Warning, "more", self.configuration.position, "", sentence);
        }
        let written = Written::read(text.as_str(), &value);
        Some(Accepted { policy: Policy::new(config), written, unknown: unknown.into_iter().collect() })
    }

    fn refuse(&mut self, text: &ConfigText, errors: &ConfigErrors, has_stand_in: bool) {
        for error in errors.errors() {
            let position = match &error.problem {
                // Nobody knows whom the variable names.
                Problem::NoSuchUser if has_stand_in => continue,
                Problem::NotJson { line, column } => text.position(self.source, text.offset_of(*line, *column)),
                Problem::UnknownField { .. }
                | Problem::MisplacedField { .. }
                | Problem::ForeignField { .. }
                | Problem::DoubledField => text.key_position(self.source, error.offset),
                Problem::Htpasswd(htpasswd) => {
                    self.htpasswd_line(text.position(self.source, error.offset), htpasswd.line)
                }
                _ if error.offset == 0 => self.configuration.position,
                _ => text.position(self.source, error.offset),
            };
            // A file that is no JSON cannot be read; a string that is none is a configuration that is refused.
            let is_file = matches!((&error.problem, text), (Problem::NotJson { .. }, ConfigText::File(_)));
            let code = if is_file { "syntax" } else { "refused" };
            self.add(Level::Error, code, position, &error.path, error.problem.to_string());
        }
        if errors.more() > 0 {
            let sentence = format!("and {} more errors", errors.more());
            self.add(Level::Error, "more", self.configuration.position, "", sentence);
        }
    }

    fn warn(&mut self, text: &ConfigText, kind: WarningKind, path: &str, offset: usize) {
        let code = match kind {
            WarningKind::NothingProtected => "nothing-protected",
            WarningKind::EmptyPassword => "empty-password",
            WarningKind::ExceptionNeverApplies => "exception-never-applies",
            WarningKind::ExceptionTakesAll => "exception-takes-all",
            WarningKind::RuleTwice => "rule-twice",
            WarningKind::OpenMethods { .. } => "open-methods",
            WarningKind::UnregisteredMethod => "unregistered-method",
            WarningKind::Backslash
            | WarningKind::Bar
            | WarningKind::Comma
            | WarningKind::FinalDollar
            | WarningKind::Fragment
            | WarningKind::Parameter
            | WarningKind::Query => "plain-pattern",
            WarningKind::RegexDelimiters => "regex-delimiters",
            WarningKind::Unfilled => "unfilled",
            WarningKind::Quotes => "quotes",
            WarningKind::BlankInPassword => "blank-in-password",
            WarningKind::Dash => "dash-before-user",
            WarningKind::Challenge => "challenge-as-realm",
            WarningKind::RegexWithoutMetacharacter => "plain-regex",
            WarningKind::RegexGlob => "regex-glob",
            WarningKind::CostlyHash { .. } => "costly-hash",
            WarningKind::LooksLikeHash => "looks-like-hash",
            _ => "warning",
        };
        let position = match kind {
            // It is about all rules; the first of them is as good as any.
            WarningKind::OpenMethods { .. } => self.first_methods(text),
            WarningKind::CostlyHash { line } => self.htpasswd_line(text.position(self.source, offset), line),
            _ if offset == 0 => self.configuration.position,
            _ => text.position(self.source, offset),
        };
        self.add(Level::Warning, code, position, path, kind.to_string());
    }

    /// Where the first rule that leaves methods open names those that it covers.
    fn first_methods(&self, text: &ConfigText) -> Position {
        let written = Written::read(text.as_str(), &|_| None);
        let rule = written.rules.iter().find(|rule| rule.methods.is_some());
        rule.map_or(self.configuration.position, |rule| text.key_position(self.source, rule.methods_offset))
    }

    /// Where a line of htpasswd text stands that is written in lines; of another, where the text does.
    fn htpasswd_line(&self, text: Position, line: usize) -> Position {
        let is_text =
            |node: &Node| node.start == text && matches!(node.kind, Kind::Scalar { style: ScalarStyle::Literal, .. });
        let is_in_lines = self.file.documents.iter().any(|document| document.nodes_of_line(text.line).any(is_text));
        if is_in_lines { Position { line: text.line + line.saturating_sub(1), ..text } } else { text }
    }

    /// Where a variable is named.
    fn variable_position(&self, text: &ConfigText, name: &str) -> Position {
        let quoted = serde_json::Value::from(name).to_string();
        let found = text.as_str().match_indices("htpasswd_env").find_map(|(index, field)| {
            let value = text.as_str().get(index + field.len()..)?.trim_start_matches(['"', ' ', '\n', '\t', ':']);
            let offset = text.as_str().len() - value.len() - 1;
            text.as_str().get(offset..)?.starts_with(&quoted).then_some(offset)
        });
        found.map_or(self.configuration.position, |offset| text.position(self.source, offset))
    }
}
