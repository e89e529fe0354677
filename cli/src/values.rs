//! What is known of the proxies' environment: from the stream, and from `--env` on the command line.

use std::collections::HashMap;
use std::fs::File;

use crate::resource;
use crate::resource::host_values;
use crate::source::read_text;

/// The values of variables, by name.
#[derive(Debug, Default)]
pub struct Values(HashMap<String, String>);

impl Values {
    /// The values that a stream of files tells, and those of the command line: `NAME=text` or `NAME=@file`.
    ///
    /// # Errors
    /// A sentence: an entry has no `=`, or its file cannot be read.
    pub fn new(files: &[resource::File], given: &[String]) -> Result<Self, String> {
        let mut values = host_values(files);
        for entry in given {
            // What stands before a missing `=` may be a value.
            let (name, value) = entry.split_once('=').ok_or("--env: write NAME=@FILE or NAME=TEXT")?;
            let value = match value.strip_prefix('@') {
                Some(file) => {
                    let text = File::open(file).map_err(|error| error.to_string()).and_then(read_text);
                    text.map_err(|error| format!("--env {name}: {file}: {error}"))?
                }
                None => value.to_owned(),
            };
            values.insert(name.to_owned(), value);
        }
        Ok(Self(values))
    }

    /// The value of a variable, if it is known.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
