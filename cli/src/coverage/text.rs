//! Coverage as a table for people.

use std::fmt::Write;

use super::{Coverage, Row};

/// Writes tables.
pub fn write(all: &[Coverage]) -> String {
    let mut text = String::new();
    for coverage in all {
        if !coverage.title.is_empty() {
            let _ = writeln!(text, "{}\n", coverage.title);
        }
        let rows = || coverage.groups.iter().flat_map(|group| &group.rows);
        let width = |of: fn(&Row) -> usize| rows().map(of).max().unwrap_or_default();
        let hosts = width(|row| row.host.chars().count());
        let paths = width(|row| row.path.chars().count() + if row.is_part { 2 } else { 0 });
        let states = || rows().flat_map(|row| &row.states);
        let methods = states().map(|state| state.methods_text().chars().count()).max().unwrap_or_default();
        let who = states().map(|state| state.who().chars().count()).max().unwrap_or_default();
        for group in &coverage.groups {
            let _ = writeln!(text, "{}", group.title);
            for row in &group.rows {
                let (mut host, mut path) = (row.host.clone(), row.path.clone());
                if row.is_part {
                    host.clear();
                    path = format!("  {path}");
                }
                for state in &row.states {
                    let (of, by, why) = (state.methods_text(), state.who(), &state.why);
                    let _ = writeln!(text, "  {host:hosts$}  {path:paths$}  {of:methods$}  {by:who$}  {why}");
                    host.clear();
                    path.clear();
                }
                if row.states.is_empty() {
                    let _ = writeln!(text, "  {host:hosts$}  {path}");
                }
            }
            text.push('\n');
        }
        let open = coverage.open();
        let _ = writeln!(text, "{open} of {} rows open to somebody without a password\n", rows().count());
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
