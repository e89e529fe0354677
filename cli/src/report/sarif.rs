//! [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), for code scanning.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Report;

/// Writes the report.
pub fn write(report: &Report<'_>) -> String {
    let codes: BTreeSet<&str> = report.findings.iter().map(|finding| finding.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| json!({"id": code})).collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "ruleId": finding.code,
                "level": finding.level.to_string(),
                "message": {"text": finding.line()},
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": {"uri": report.name(finding)},
                        "region": {"startLine": finding.position.line, "startColumn": finding.position.column},
                    },
                    "logicalLocations": [{"fullyQualifiedName": finding.path}],
                }],
            })
        })
        .collect();
    let notifications: Vec<Value> = report
        .unreadable
        .iter()
        .map(|file| json!({"level": "error", "message": {"text": format!("{}: {}", file.name, file.why)}}))
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "basic-auth", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "invocations": [{
                "executionSuccessful": report.unreadable.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    format!("{document:#}\n")
}
