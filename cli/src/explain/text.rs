//! An explanation for people.

use std::fmt::Write;

use super::{About, Explanation, Relation};
use crate::request::Asked;

impl Explanation {
    /// The explanation in lines.
    pub fn text(&self, asked: &Asked) -> String {
        let mut text = format!("{}\n", asked.line());
        if asked.host.is_none() {
            text.push_str("  no host is given, so it may be any: every rule for this path is asked\n");
        }
        self.write_readings(&mut text);
        text.push_str("\nRules\n");
        for about in &self.rules {
            let _ = writeln!(text, "  {} {}", about.title, self.relation(about, asked));
        }
        if self.rules.is_empty() {
            text.push_str("  none is about this host and path\n");
        }
        let _ = writeln!(text, "\nDecision\n  {}", self.decision);
        match &self.answer {
            None => {
                text.push_str("\nThe request goes on");
                text.push_str(if self.changes.is_empty() { " as it is\n" } else { "\n" });
                for change in &self.changes {
                    let _ = writeln!(text, "  {change}");
                }
            }
            Some(answer) => {
                let _ = writeln!(text, "\nAnswer\n  {}", answer.status);
                for (name, value) in &answer.headers {
                    let _ = writeln!(text, "  {name}: {value}");
                }
                if !answer.body.is_empty() {
                    let _ = writeln!(text, "\n  {}", answer.body.replace('\n', "\n  "));
                }
                let _ = writeln!(text, "  %RESPONSE_CODE_DETAILS%: {}", answer.details);
            }
        }
        text
    }

    fn write_readings(&self, text: &mut String) {
        text.push_str("\nReadings of the path\n");
        let Some(readings) = &self.readings else {
            text.push_str("  none: nobody knows what a backend makes of it, so every rule for a path covers it\n");
            return;
        };
        let width = readings.iter().map(|reading| reading.path.chars().count()).max().unwrap_or_default().min(60);
        for (index, reading) in readings.iter().enumerate() {
            let number = index + 1;
            let _ = match reading.made {
                None => writeln!(text, "  {number:>2}  {:width$}  as it was sent", reading.path),
                Some((of, step, done_by)) => {
                    let end = if reading.for_rules_alone { ", for rules alone" } else { "" };
                    writeln!(text, "  {number:>2}  {:width$}  {} by {step} ({done_by}){end}", reading.path, of + 1)
                }
            };
        }
    }

    fn relation(&self, about: &About, asked: &Asked) -> String {
        let numbers: Vec<String> = about.readings.iter().map(|index| (index + 1).to_string()).collect();
        let by = match (&self.readings, numbers.as_slice()) {
            (None, _) | (_, []) => String::new(),
            (_, [one]) => format!(" by reading {one}"),
            _ => format!(" by readings {}", numbers.join(", ")),
        };
        match about.relation {
            Relation::Asked => format!("covers it{by}"),
            Relation::Later => "is not asked, for an earlier rule decides (`first_match`)".to_owned(),
            Relation::OtherMethod => format!("leaves {} open", asked.method.escape_ascii()),
            Relation::Excepted => "has an exception that takes it out".to_owned(),
        }
    }
}
