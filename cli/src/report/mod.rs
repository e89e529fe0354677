//! Findings as people and machines read them.

mod excerpt;
mod github;
mod json;
mod sarif;
mod text;

use clap::ValueEnum;
use excerpt::Excerpts;

use crate::finding::{Finding, Level};
use crate::resource::File;
use crate::source::Unreadable;

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the lines of the files.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// Commands of GitHub's workflows, which put findings beside the lines of a change.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// What is reported.
pub struct Report<'r> {
    /// The files.
    pub files: &'r [File],
    /// What was found in them, in their order.
    pub findings: &'r [Finding],
    /// What could not be read.
    pub unreadable: &'r [Unreadable],
    /// How many configurations there are.
    pub configurations: usize,
    /// Whether lines are shown as they are, passwords included.
    pub shows_secrets: bool,
}

impl Report<'_> {
    /// The report, in a form.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Text => text::write(self),
            Format::Json => json::write(self),
            Format::Github => github::write(self),
            Format::Sarif => sarif::write(self),
        }
    }

    /// The name of a finding's file.
    fn name(&self, finding: &Finding) -> &str {
        self.files.get(finding.source).map_or("", |file| &file.source.name)
    }

    /// What may be shown of the lines of a file that findings are about.
    fn excerpts(&self, source: usize) -> Option<Excerpts<'_>> {
        let lines =
            self.findings.iter().filter(|finding| finding.source == source).map(|finding| finding.position.line);
        Some(Excerpts::new(self.files.get(source)?, lines, self.shows_secrets))
    }

    /// How many findings there are of a level.
    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}

impl Finding {
    /// Path and sentence in one line, as the module logs them.
    pub fn line(&self) -> String {
        match (self.path.is_empty(), self.code) {
            (false, _) => format!("{}: {}", self.path, self.sentence),
            (true, "refused") => format!("the configuration: {}", self.sentence),
            (true, _) => self.sentence.clone(),
        }
    }
}
