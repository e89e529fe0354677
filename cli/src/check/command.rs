//! `basic-auth check`

use super::{judge, syntax};
use crate::arguments::Check;
use crate::finding::{Finding, Level};
use crate::outcome::{Exit, Outcome};
use crate::report::Report;
use crate::source::Position;
use crate::stream::{EMPTY, Stream};

/// Checks files and reports.
pub fn check(arguments: &Check) -> Outcome {
    let stream = match Stream::open(&arguments.input) {
        Ok(stream) => stream,
        Err(problem) => return Outcome::problem(problem),
    };
    let findings = findings(&stream);
    let report = Report {
        files: &stream.files,
        findings: &findings,
        unreadable: &stream.unreadable,
        configurations: stream.configurations.len(),
        shows_secrets: arguments.show_secrets,
    };
    let worst = findings.iter().map(|finding| finding.level).min();
    let is_bad = worst == Some(Level::Error) || arguments.strict && worst == Some(Level::Warning);
    let is_unreadable = !stream.unreadable.is_empty() || findings.iter().any(|finding| finding.code == "syntax");
    let output = report.write(arguments.format);
    if is_unreadable {
        Outcome { output, problem: None, exit: Exit::Unreadable }
    } else if stream.configurations.is_empty() && worst != Some(Level::Error) {
        Outcome { output, problem: Some(stream.nothing_found()), exit: Exit::Unreadable }
    } else {
        Outcome { output, problem: None, exit: if is_bad { Exit::Wrong } else { Exit::Well } }
    }
}

/// All findings about a stream, in the order of its files.
pub fn findings(stream: &Stream) -> Vec<Finding> {
    let mut findings = syntax(&stream.files, &stream.configurations);
    findings.extend(stream.lost.iter().cloned());
    // Where there is nothing else the command says so.
    let empty = stream.files.iter().enumerate().filter(|_| !stream.configurations.is_empty());
    findings.extend(empty.filter(|(_, file)| file.source.is_named && file.is_empty()).map(|(source, _)| Finding {
        level: Level::Warning,
        code: "empty",
        source,
        position: Position::START,
        resource: String::new(),
        path: String::new(),
        sentence: EMPTY.to_owned(),
    }));
    for configuration in &stream.configurations {
        if let Some(file) = stream.files.get(configuration.file) {
            findings.extend(judge(configuration, file, &stream.values).findings);
        }
    }
    findings.sort_by_key(|finding| finding.source);
    findings
}
