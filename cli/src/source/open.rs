//! Files, folders and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Source;

/// The most bytes of a file: twice what a configuration may have, and more than an API server takes.
const MAX_BYTES: u64 = 64 << 20;
/// The endings of the names that count in a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// How deep folders may lie in one another.
const MAX_DEPTH: usize = 32;

/// What could be read and what could not.
#[derive(Debug, Default)]
pub struct Opened {
    /// The files, in the order of their names.
    pub sources: Vec<Source>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// A file that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its name.
    pub name: String,
    /// Why, in one sentence.
    pub why: String,
}

/// Reads files, folders (their `.yaml`, `.yml` and `.json` files, however deep) and, for `-`, standard input.
pub fn open<'n>(names: impl IntoIterator<Item = &'n str>) -> Opened {
    let mut opened = Opened::default();
    for name in names {
        if name == "-" {
            opened.read(name, io::stdin().lock(), true);
        } else if Path::new(name).is_dir() {
            opened.folder(Path::new(name), 0);
        } else {
            opened.file(Path::new(name), true);
        }
    }
    opened
}

/// The text of a file.
///
/// # Errors
/// Why it cannot be read, in one sentence.
pub fn read_text(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let length = from.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if length as u64 > MAX_BYTES {
        return Err(format!("more than {MAX_BYTES} bytes; give the part that matters"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8; save it as UTF-8".to_owned())
}

impl Opened {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let entries = folder.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match entries {
            Ok(entries) if depth <= MAX_DEPTH => entries,
            Ok(_) => return self.refuse(&folder.to_string_lossy(), "too many folders in one another".to_owned()),
            Err(error) => return self.refuse(&folder.to_string_lossy(), error.to_string()),
        };
        let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            // A link could lead round in a circle.
            if is_hidden || path.is_symlink() {
                continue;
            }
            // A pipe would never end.
            if path.is_dir() {
                self.folder(&path, depth + 1);
            } else if path.is_file()
                && path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
            {
                self.file(&path, false);
            }
        }
    }

    fn file(&mut self, path: &Path, is_named: bool) {
        let name = path.to_string_lossy();
        match File::open(path) {
            Ok(file) => self.read(&name, file, is_named),
            Err(error) => self.refuse(&name, error.to_string()),
        }
    }

    fn read(&mut self, name: &str, from: impl Read, is_named: bool) {
        match read_text(from) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                self.sources.push(Source::new(name.to_owned(), text, is_named));
            }
            Err(why) => self.refuse(name, why),
        }
    }

    fn refuse(&mut self, name: &str, why: String) {
        self.unreadable.push(Unreadable { name: name.to_owned(), why });
    }
}
