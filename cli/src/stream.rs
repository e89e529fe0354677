//! The files of a command line, and the configurations in them.

use crate::arguments::Input;
use crate::resource::{Configuration, File, configurations};
use crate::source::{Unreadable, open};
use crate::values::Values;

/// Files and what is in them.
pub struct Stream {
    /// The files.
    pub files: Vec<File>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// The configurations, in the order of the files.
    pub configurations: Vec<Configuration>,
    /// What is known of the environment.
    pub values: Values,
}

impl Stream {
    /// Reads files.
    ///
    /// # Errors
    /// A sentence about `--env`.
    pub fn open(input: &Input) -> Result<Self, String> {
        let opened = open(input.files.iter().map(String::as_str));
        let files: Vec<File> = opened.sources.into_iter().map(File::new).collect();
        let values = Values::new(&files, &input.env)?;
        Ok(Self { configurations: configurations(&files), files, unreadable: opened.unreadable, values })
    }

    /// What to say where there is no configuration.
    pub fn nothing_found(&self) -> String {
        let names: Vec<&str> = self.files.iter().map(|file| file.source.name.as_str()).take(3).collect();
        let names = if names.is_empty() { "these files".to_owned() } else { names.join(", ") };
        format!(
            "no configuration of this filter in {names}; give a WasmPlugin, an Envoy configuration, or the JSON itself"
        )
    }
}
