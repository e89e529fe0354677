//! The files of a command line, and the configurations in them.

use crate::arguments::Input;
use crate::check::{Accepted, judge, syntax};
use crate::finding::{Finding, Level};
use crate::resource::{Configuration, File, configurations, lost};
use crate::source::{Opened, Source, Unreadable, open};
use crate::values::Values;

/// What is to be said of a file without anything.
pub const EMPTY: &str = "nothing but blanks and comments; see whether the program that writes it failed";

/// Files and what is in them.
pub struct Stream {
    /// The files.
    pub files: Vec<File>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// The configurations, in the order of the files.
    pub configurations: Vec<Configuration>,
    /// Rules that are in none of them.
    pub lost: Vec<Finding>,
    /// What is known of the environment.
    pub values: Values,
}

impl Stream {
    /// Reads files.
    ///
    /// # Errors
    /// A sentence about `--env`.
    pub fn open(input: &Input) -> Result<Self, String> {
        Self::new(open(input.files.iter().map(String::as_str)), input)
    }

    /// A text that is no file.
    pub fn of_text(text: String) -> Self {
        let sources = vec![Source::new("-".to_owned(), text, true)];
        let files: Vec<File> = sources.into_iter().map(File::new).collect();
        let configurations = configurations(&files);
        let lost = lost(&files, &configurations);
        Self { configurations, lost, files, unreadable: Vec::new(), values: Values::default() }
    }

    fn new(opened: Opened, input: &Input) -> Result<Self, String> {
        let files: Vec<File> = opened.sources.into_iter().map(File::new).collect();
        let values = Values::new(&files, &input.selection.env)?;
        let mut configurations = configurations(&files);
        let mut lost = lost(&files, &configurations);
        if let Some(text) = &input.selection.resource {
            lost.retain(|finding| finding.resource.contains(text.as_str()));
            configurations.retain(|configuration| configuration.title().contains(text.as_str()));
        }
        Ok(Self { configurations, lost, files, unreadable: opened.unreadable, values })
    }

    /// The configurations, all of which have to be accepted.
    ///
    /// # Errors
    /// A sentence: a file cannot be read, none has a configuration, or one is refused.
    pub fn accepted(&self) -> Result<Vec<(&Configuration, Accepted)>, String> {
        if let Some(unreadable) = self.unreadable.first() {
            return Err(format!("{}: {}", unreadable.name, unreadable.why));
        }
        let findings = syntax(&self.files, &self.configurations);
        if let Some(finding) = findings.iter().chain(&self.lost).find(|finding| finding.level == Level::Error) {
            return Err(self.sentence(finding));
        }
        if self.configurations.is_empty() {
            return Err(self.nothing_found());
        }
        let mut all = Vec::new();
        for configuration in &self.configurations {
            let Some(file) = self.files.get(configuration.file) else { continue };
            let judged = judge(configuration, file, &self.values);
            let Some(accepted) = judged.accepted else {
                let error = judged.findings.iter().find(|finding| finding.level == Level::Error);
                return Err(error.map_or_else(
                    || format!("{}: its variables are not known; give them with `--env`", file.source.name),
                    |error| self.sentence(error),
                ));
            };
            all.push((configuration, accepted));
        }
        Ok(all)
    }

    /// The one configuration that is meant.
    ///
    /// # Errors
    /// As [`Stream::accepted`], or there are several.
    pub fn one(&self) -> Result<(&Configuration, Accepted), String> {
        let mut all = self.accepted()?;
        let several = all.len() > 1;
        let names: Vec<String> = all.iter().map(|(configuration, _)| configuration.title().to_owned()).collect();
        all.pop().filter(|_| !several).ok_or_else(|| {
            format!("{} configurations ({}); choose one with `--resource`", names.len(), names.join(", "))
        })
    }

    fn sentence(&self, finding: &Finding) -> String {
        let name = self.files.get(finding.source).map_or("", |file| &file.source.name);
        format!("{name}:{}: {}", finding.position, finding.line())
    }

    /// What to say where there is no configuration.
    pub fn nothing_found(&self) -> String {
        // A template that failed leaves nothing behind, and that is no file without a configuration.
        if !self.files.is_empty() && self.files.iter().all(File::is_empty) {
            let names: Vec<&str> = self.files.iter().map(|file| file.source.name.as_str()).take(3).collect();
            let names = if names == ["-"] { "standard input".to_owned() } else { names.join(", ") };
            return format!("{names}: {EMPTY}");
        }
        let names = self.files.iter().map(|file| file.source.name.as_str()).take(3);
        let names: Vec<&str> = names.map(|name| if name == "-" { "what was given" } else { name }).collect();
        let names = if names.is_empty() { "these files".to_owned() } else { names.join(", ") };
        format!(
            "no configuration of this filter in {names}; give a WasmPlugin, an Envoy configuration, or the JSON itself"
        )
    }
}
