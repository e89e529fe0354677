//! One JSON document.

use serde_json::{Value, json};

use super::Report;
use crate::finding::Level;

/// Writes the report.
pub fn write(report: &Report<'_>) -> String {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "level": finding.level.to_string(),
                "code": finding.code,
                "file": report.name(finding),
                "line": finding.position.line,
                "column": finding.position.column,
                "resource": finding.resource,
                "path": finding.path,
                "message": finding.sentence,
            })
        })
        .collect();
    let unreadable: Vec<Value> =
        report.unreadable.iter().map(|file| json!({"file": file.name, "message": file.why})).collect();
    let document = json!({
        "configurations": report.configurations,
        "errors": report.count(Level::Error),
        "warnings": report.count(Level::Warning),
        "notes": report.count(Level::Note),
        "findings": findings,
        "unreadable": unreadable,
    });
    format!("{document:#}\n")
}
