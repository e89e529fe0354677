//! [Commands of GitHub's workflows](https://docs.github.com/actions/reference/workflow-commands-for-github-actions).

use std::fmt::Write;

use super::Report;
use crate::finding::Level;

/// Writes the report.
pub fn write(report: &Report<'_>) -> String {
    let mut text = String::new();
    for finding in report.findings {
        let level = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let (name, position) = (property(report.name(finding)), finding.position);
        let _ = writeln!(
            text,
            "::{level} file={name},line={},col={},title=basic_auth {}::{}",
            position.line,
            position.column,
            property(finding.code),
            message(&finding.line()),
        );
    }
    for file in report.unreadable {
        let _ = writeln!(text, "::error file={}::{}", property(&file.name), message(&file.why));
    }
    text
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
