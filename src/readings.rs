//! What the path of a request may mean to whoever serves it.
//!
//! Proxies and backends undo different things before they look a path up, so one path has several readings.
//! A rule has to hold whichever of them the backend takes: [`Readings`] are all of them.
//!
//! The query is cut at the first `?` before anything else. A reading is then any form that these steps reach,
//! in any order and number:
//!
//! | step | from | to | done by |
//! | --- | --- | --- | --- |
//! | decode everything | `/%61%2fb` | `/a/b` | most frameworks |
//! | decode unreserved characters (RFC 3986, section 2.3) | `/%61%2fb` | `/a%2fb` | proxies that normalise, Envoy among them |
//! | end at `#` | `/a#b` | `/a` | whoever takes the target for a URL |
//! | end at a decoded `?` | `/a?b` | `/a` | whoever decodes before it cuts the query |
//! | end at NUL | `/a<NUL>b` | `/a` | whatever hands the path to C |
//! | `\` as `/` | `/a\b` | `/a/b` | Windows, browsers, IIS |
//! | merge slashes | `//a///b` | `/a/b` | nginx, Envoy if told to, most file systems |
//! | cut a leading authority | `//name/a` | `/a` | URL parsers (Node, Python) |
//! | resolve dot segments (RFC 3986, section 5.2.4), clamped at the root | `/x/../a` | `/a` | nearly everybody |
//! | cut parameters | `/a;v=1/b` | `/a/b` | Tomcat, Spring, Jetty |
//! | cut a trailing `/`, not the root's, and for coverage alone | `/a/` | `/a` | frameworks with lenient routes |
//!
//! A path is unreadable, so that nothing can be known about it, if it or one of its forms has an escape that is not
//! `%` and two hexadecimal digits or holds an overlong UTF-8 sequence (`%c0%ae` is `.` to lenient decoders), if it does
//! not begin with `/` (but for the `*` of `OPTIONS`), if there is none (`CONNECT`), or if it has more than
//! [`MOST_FORMS`] forms or [`MOST_BYTES`] bytes in all of them, which no honest path has.
//!
//! A path without any of those characters has one reading. It is looked at once, and nothing is allocated.

use std::iter;

/// How many forms a path may have before it counts as unreadable.
pub const MOST_FORMS: usize = 64;

/// How many bytes all forms of a path may have together before it counts as unreadable.
///
/// This bounds the work of a request, that of each regex included: 64 forms of a path of 4 KiB, five of one of 50 kB.
pub const MOST_BYTES: usize = 256 * 1024;

/// The readings of a path.
pub enum Readings<'a> {
    /// One reading: the path as it was sent.
    Plain(&'a [u8]),
    /// Several readings, without repetition, the path as it was sent first.
    Several {
        /// The readings.
        forms: Vec<Form>,
        /// How many of them were reached without cutting a trailing `/`; they stand first.
        uncut: usize,
    },
    /// The path cannot be read.
    Unreadable,
}

impl<'a> Readings<'a> {
    /// Reads the path of a request.
    #[must_use]
    pub fn of(method: &[u8], path: Option<&'a [u8]>) -> Self {
        let Some(sent) = path else { return Self::Unreadable };
        let path = without_query(sent);
        if path == b"*" && method == b"OPTIONS" {
            return Self::Plain(path);
        }
        if path.first() != Some(&b'/') {
            return Self::Unreadable;
        }
        let marks = Marks::of(path);
        if marks.is_plain() {
            return Self::Plain(path);
        }
        let mut closure = Closure::new(OnMalformed::Refuse);
        match closure.of(Form { bytes: path.to_vec(), marks }) {
            Some(uncut) => Self::Several { forms: closure.forms, uncut },
            None => Self::Unreadable,
        }
    }

    /// The readings that a rule is compared with, or `None` if the path is unreadable and covered by every rule.
    #[must_use]
    pub fn covering(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let (plain, forms) = match self {
            Self::Plain(path) => (Some(*path), &[][..]),
            Self::Several { forms, .. } => (None, forms.as_slice()),
            Self::Unreadable => return None,
        };
        let cut = plain.and_then(without_trailing_slash);
        Some(plain.into_iter().chain(cut).chain(forms.iter().map(|form| form.bytes.as_slice())))
    }

    /// Whether any reading satisfies `covers`. An unreadable path does.
    pub fn any(&self, covers: impl FnMut(&[u8]) -> bool) -> bool {
        self.covering().is_none_or(|mut readings| readings.any(covers))
    }

    /// Whether every reading satisfies `excepts`, those by a cut trailing `/` left aside. An unreadable path does not.
    pub fn all(&self, mut excepts: impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::Plain(path) => excepts(path),
            Self::Several { forms, uncut } => forms.iter().take(*uncut).all(|form| excepts(&form.bytes)),
            Self::Unreadable => false,
        }
    }
}

/// Cuts the query at the first `?`.
#[must_use]
pub fn without_query(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// The forms of a pattern that is a whole path, itself first; `None` if it is unreadable.
///
/// A percent sign that only decoding uncovers is left alone here: a request with one is unreadable and covered anyway.
#[must_use]
pub fn forms_of_path(path: &[u8]) -> Option<Vec<Vec<u8>>> {
    forms_of_pattern(path, |closure, form| closure.of(form).map(|_| ()))
}

/// The forms of a pattern that is the beginning of paths, itself first; `None` if it is unreadable.
///
/// What the pattern ends in may go on in the path: its last segment is no whole segment, and nothing is cut from it.
#[must_use]
pub fn forms_of_prefix(prefix: &[u8]) -> Option<Vec<Vec<u8>>> {
    forms_of_pattern(prefix, |closure, form| {
        closure.add(form)?;
        closure.expand(0, |form, add| {
            each_decoded(form, add)?;
            let whole_segments = form.bytes.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
            let (whole, rest) = form.bytes.split_at_checked(whole_segments)?;
            let mut add_with_rest = |whole: Vec<u8>| add([whole.as_slice(), rest].concat());
            // `whole` lacks the slash that ends its last segment, so a last `..` must not leave a slash of its own.
            if form.marks.has(Marks::DOT_SEGMENT) {
                let mut resolved = resolve_dot_segments(&[whole, b"/"].concat());
                resolved.pop();
                add_with_rest(resolved)?;
            }
            if form.marks.has(Marks::PARAMETER) {
                add_with_rest(cut_parameters(whole))?;
            }
            match cut_authority(&form.bytes) {
                Some(path) if form.bytes.iter().skip(2).any(|byte| *byte == b'/') => add(path),
                _ => Some(()),
            }
        })
    })
}

/// The forms of a pattern that is the end of paths, itself first; `None` if it is unreadable.
#[must_use]
pub fn forms_of_suffix(suffix: &[u8]) -> Option<Vec<Vec<u8>>> {
    forms_of_pattern(suffix, |closure, form| {
        closure.add(form)?;
        closure.expand(0, |form, add| {
            each_decoded(form, add)?;
            let cut = cut_parameters(&form.bytes);
            // Every path ends in the empty text.
            if !cut.is_empty() {
                add(cut)?;
            }
            match without_trailing_slash(&form.bytes) {
                Some(path) => add(path.to_vec()),
                None => Some(()),
            }
        })
    })
}

fn forms_of_pattern(pattern: &[u8], read: impl Fn(&mut Closure, Form) -> Option<()>) -> Option<Vec<Vec<u8>>> {
    let form = Form { bytes: pattern.to_vec(), marks: Marks::of(pattern) };
    // As written, a malformed escape is a mistake.
    if !escapes_are_well_formed(pattern) {
        return None;
    }
    let mut closure = Closure::new(OnMalformed::Keep);
    read(&mut closure, form)?;
    Some(closure.forms.into_iter().map(|form| form.bytes).collect())
}

/// The path without its trailing `/`, if it has one that is not the root.
#[must_use]
pub fn without_trailing_slash(path: &[u8]) -> Option<&[u8]> {
    path.strip_suffix(b"/").filter(|path| !path.is_empty())
}

/// One reading.
pub struct Form {
    bytes: Vec<u8>,
    marks: Marks,
}

/// What to do with a form that has a malformed escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnMalformed {
    /// The whole path is unreadable.
    Refuse,
    /// Its escapes stay as they are.
    Keep,
}

/// The forms that were reached so far.
struct Closure {
    forms: Vec<Form>,
    bytes_left: usize,
    on_malformed: OnMalformed,
}

impl Closure {
    fn new(on_malformed: OnMalformed) -> Self {
        Self { forms: Vec::new(), bytes_left: MOST_BYTES, on_malformed }
    }

    /// Adds a path and all of its forms. Returns how many were reached without cutting a trailing `/`.
    fn of(&mut self, path: Form) -> Option<usize> {
        self.add(path)?;
        self.expand(0, each_step)?;
        let uncut = self.forms.len();
        self.expand(0, |form, add| match without_trailing_slash(&form.bytes) {
            Some(path) => add(path.to_vec()),
            None => Some(()),
        })?;
        self.expand(uncut, each_step)?;
        Some(uncut)
    }

    /// Applies `steps` to the forms from `first` on, the ones that they add included.
    fn expand(
        &mut self,
        first: usize,
        steps: impl Fn(&Form, &mut dyn FnMut(Vec<u8>) -> Option<()>) -> Option<()>,
    ) -> Option<()> {
        let mut next = first;
        while next < self.forms.len() {
            let mut reached = Vec::new();
            let form = self.forms.get(next)?;
            let may_be_malformed = self.on_malformed == OnMalformed::Refuse && form.marks.has(Marks::PERCENT);
            if may_be_malformed && !escapes_are_well_formed(&form.bytes) {
                return None;
            }
            steps(form, &mut |bytes| {
                reached.push(bytes);
                Some(())
            })?;
            for bytes in reached {
                let marks = Marks::of(&bytes);
                self.add(Form { bytes, marks })?;
            }
            next = next.saturating_add(1);
        }
        Some(())
    }

    /// Adds a form that is not there yet; `None` if that is one too many, or if it holds an overlong sequence.
    fn add(&mut self, form: Form) -> Option<()> {
        let known = |other: &Form| other.marks == form.marks && other.bytes == form.bytes;
        if self.forms.iter().any(known) {
            return Some(());
        }
        let overlong = form.marks.has(Marks::NOT_ASCII) && has_overlong_sequence(&form.bytes);
        if overlong || self.forms.len() >= MOST_FORMS {
            return None;
        }
        self.bytes_left = self.bytes_left.checked_sub(form.bytes.len())?;
        self.forms.push(form);
        Some(())
    }
}

/// Calls `add` with what the steps that hold anywhere in a path make of a form.
fn each_decoded(form: &Form, add: &mut dyn FnMut(Vec<u8>) -> Option<()>) -> Option<()> {
    let marks = form.marks;
    if marks.has(Marks::PERCENT) {
        let all = decode(&form.bytes, |_| true);
        let unreserved = decode(&form.bytes, is_unreserved);
        for decoded in all.into_iter().chain(unreserved) {
            add(decoded)?;
        }
    }
    if marks.has(Marks::BACKSLASH) {
        add(form.bytes.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect())?;
    }
    if marks.has(Marks::DOUBLE_SLASH) {
        add(merge_slashes(&form.bytes))?;
    }
    Some(())
}

/// Calls `add` with what every step but the last of the table makes of a whole path.
fn each_step(form: &Form, add: &mut dyn FnMut(Vec<u8>) -> Option<()>) -> Option<()> {
    each_decoded(form, add)?;
    for (mark, end) in [(Marks::FRAGMENT, b'#'), (Marks::QUESTION, b'?'), (Marks::NUL, 0)] {
        if form.marks.has(mark) {
            add(form.bytes.split(|byte| *byte == end).next().unwrap_or_default().to_vec())?;
        }
    }
    if form.marks.has(Marks::DOT_SEGMENT) {
        add(resolve_dot_segments(&form.bytes))?;
    }
    if form.marks.has(Marks::PARAMETER) {
        add(cut_parameters(&form.bytes))?;
    }
    match cut_authority(&form.bytes) {
        Some(path) => add(path),
        None => Some(()),
    }
}

/// Whether every `%` begins an escape of RFC 3986, section 2.1.
fn escapes_are_well_formed(path: &[u8]) -> bool {
    let is_digit = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
    let mut escapes = path.split(|byte| *byte == b'%').skip(1);
    escapes.all(|escape| is_digit(escape.first()) && is_digit(escape.get(1)))
}

/// Decodes the escapes whose byte is `wanted`; `None` if one is malformed.
fn decode(path: &[u8], wanted: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (high, low) = (bytes.next()?, bytes.next()?);
        let value = hexadecimal(high)?.wrapping_shl(4) | hexadecimal(low)?;
        if wanted(value) {
            decoded.push(value);
        } else {
            decoded.extend([b'%', high, low]);
        }
    }
    Some(decoded)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut merged = path.to_vec();
    merged.dedup_by(|byte, before| *byte == b'/' && *before == b'/');
    merged
}

/// `//name/a` to `/a`, and `//name` to the root.
fn cut_authority(path: &[u8]) -> Option<Vec<u8>> {
    let name_and_path = path.strip_prefix(b"//")?;
    let end = name_and_path.iter().position(|byte| *byte == b'/');
    Some(end.and_then(|end| name_and_path.get(end..)).unwrap_or(b"/").to_vec())
}

/// RFC 3986, section 5.2.4. A `..` at the root stays there.
fn resolve_dot_segments(path: &[u8]) -> Vec<u8> {
    let mut resolved: Vec<u8> = Vec::with_capacity(path.len());
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            b"." => {}
            b".." => {
                let parent = resolved.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
                resolved.truncate(parent);
            }
            _ => {
                resolved.push(b'/');
                resolved.extend_from_slice(segment);
                continue;
            }
        }
        // A last dot segment names a folder.
        if is_last {
            resolved.push(b'/');
        }
    }
    resolved
}

fn cut_parameters(path: &[u8]) -> Vec<u8> {
    let mut in_parameters = false;
    let keep = |byte: &u8| {
        in_parameters = *byte != b'/' && (in_parameters || *byte == b';');
        !in_parameters
    };
    path.iter().copied().filter(keep).collect()
}

/// Whether the bytes hold a UTF-8 sequence that is longer than its character needs (RFC 3629, section 3).
fn has_overlong_sequence(bytes: &[u8]) -> bool {
    bytes.iter().zip(bytes.iter().skip(1)).any(|pair| {
        matches!(
            pair,
            (0xc0 | 0xc1, 0x80..=0xbf)
                | (0xe0, 0x80..=0x9f)
                | (0xf0, 0x80..=0x8f)
                | (0xf8, 0x80..=0x87)
                | (0xfc, 0x80..=0x83)
        )
    })
}

/// What there is in a path that a step acts on, found in one look, and a digest that tells most forms apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Marks {
    found: u16,
    digest: u32,
}

impl Marks {
    const PERCENT: u16 = 1;
    const FRAGMENT: u16 = 1 << 1;
    const QUESTION: u16 = 1 << 2;
    const NUL: u16 = 1 << 3;
    const BACKSLASH: u16 = 1 << 4;
    const DOUBLE_SLASH: u16 = 1 << 5;
    const DOT_SEGMENT: u16 = 1 << 6;
    const PARAMETER: u16 = 1 << 7;
    const NOT_ASCII: u16 = 1 << 8;

    fn of(path: &[u8]) -> Self {
        let mut marks = Self { found: 0, digest: 0 };
        let after = path.iter().skip(1).copied().map(Some).chain(iter::once(None));
        for (byte, after) in path.iter().copied().zip(after) {
            marks.digest = marks.digest.wrapping_mul(31).wrapping_add(u32::from(byte));
            marks.found |= match byte {
                b'/' => match after {
                    Some(b'/') => Self::DOUBLE_SLASH,
                    Some(b'.') => Self::DOT_SEGMENT,
                    _ => 0,
                },
                b'%' => Self::PERCENT,
                b'#' => Self::FRAGMENT,
                b'?' => Self::QUESTION,
                0 => Self::NUL,
                b'\\' => Self::BACKSLASH,
                b';' => Self::PARAMETER,
                0x80.. => Self::NOT_ASCII,
                _ => 0,
            };
        }
        marks
    }

    fn is_plain(self) -> bool {
        self.found == 0
    }

    fn has(self, mark: u16) -> bool {
        self.found & mark != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, MOST_FORMS, Readings, forms_of_path, forms_of_prefix, forms_of_suffix};

    /// The readings that count for a rule, sorted, and those of them that do not count for an exception; `None` if the
    /// path is unreadable.
    fn read(method: &str, path: &str) -> Option<(Vec<String>, Vec<String>)> {
        let readings = Readings::of(method.as_bytes(), Some(path.as_bytes()));
        let (mut all, mut uncut) = (Vec::new(), Vec::new());
        let keep = |forms: &mut Vec<String>, form: &[u8]| forms.push(form.escape_ascii().to_string());
        let any = readings.any(|form| {
            keep(&mut all, form);
            false
        });
        let every = readings.all(|form| {
            keep(&mut uncut, form);
            true
        });
        assert_eq!(any, !every, "{path}: unreadable for both or for none");
        let mut cut: Vec<String> = all.iter().filter(|form| !uncut.contains(form)).cloned().collect();
        all.sort();
        cut.sort();
        every.then_some((all, cut))
    }

    #[test]
    fn every_step_is_taken_in_any_order() {
        for (path, readings) in [
            ("/", &["/"][..]),
            ("/a.b..c/d", &["/a.b..c/d"]),
            ("/a?b#c%zz", &["/a"]),
            ("/%61%2fb", &["/%61%2fb", "/a%2fb", "/a/b"]),
            ("/%2561", &["/%2561", "/%61", "/a"]),
            ("/a#b", &["/a", "/a#b"]),
            ("/a%3fb", &["/a", "/a%3fb", "/a?b"]),
            ("/a%00b", &["/a", "/a%00b", r"/a\x00b"]),
            ("/a%23", &["/a", "/a#", "/a%23"]),
            (r"/a\b", &["/a/b", r"/a\\b"]),
            ("/a//b", &["/a/b", "/a//b"]),
            ("//name/a", &["//name/a", "/a", "/name/a"]),
            ("/x/../a", &["/a", "/x/../a"]),
            ("/../a", &["/../a", "/a"]),
            ("/a/./b", &["/a/./b", "/a/b"]),
            ("/.a", &["/.a"]),
            ("/a;v=1/b", &["/a/b", "/a;v=1/b"]),
            ("/a;/..;/b", &["/a/../b", "/a;/..;/b", "/b"]),
            ("/caf%C3%A9", &["/caf%C3%A9", r"/caf\xc3\xa9"]),
            ("/a%e0b", &["/a%e0b", r"/a\xe0b"]),
        ] {
            assert_eq!(read("GET", path), Some((own(readings), Vec::new())), "{path}");
        }
    }

    #[test]
    fn a_trailing_slash_is_cut_for_coverage_alone() {
        for (path, readings, cut) in [
            ("/a/", &["/a", "/a/"][..], &["/a"][..]),
            ("/a//", &["/a", "/a/", "/a//"], &["/a"]),
            ("/a%2f", &["/a", "/a%2f", "/a/"], &["/a"]),
            ("/a/.", &["/a", "/a/", "/a/."], &["/a"]),
            ("/a/x/..", &["/a", "/a/", "/a/x/.."], &["/a"]),
            ("//a", &["/", "//a", "/a"], &[]),
            ("//", &["/", "//"], &[]),
        ] {
            assert_eq!(read("GET", path), Some((own(readings), own(cut))), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_unreadable() {
        for path in [
            "",
            "a",
            "?a",
            "*",
            r"\a",
            "%2fa",
            "/%",
            "/%2",
            "/%zz",
            "/%u002e",
            "/%+1",
            "/%25",
            "/a/%25/",
            "/%c0%ae",
            "/%c1%bf",
            "/%e0%9f",
            "/%f0%8f",
            "/%f8%87",
            "/%fc%83",
            "/%25c0%25ae",
        ] {
            assert_eq!(read("GET", path), None, "{path}");
        }
        assert!(Readings::of(b"GET", None).any(|_| false));
        assert!(!Readings::of(b"GET", None).all(|_| true));
        // The least sequences that are not overlong.
        for path in ["/%c2%80", "/%e0%a0%80", "/%f0%90%80%80", "/%f8%88", "/%fc%84", "/%c0", "/%c0a", "/%c0%c0"] {
            assert!(read("GET", path).is_some(), "{path}");
        }
    }

    #[test]
    fn the_star_of_options_is_a_path() {
        assert_eq!(read("OPTIONS", "*"), Some((vec!["*".to_owned()], Vec::new())));
        assert_eq!(read("OPTIONS", "*?x"), Some((vec!["*".to_owned()], Vec::new())));
        assert_eq!(read("options", "*"), None);
        assert_eq!(read("OPTIONS", "*x"), None);
    }

    /// `/A` under so many layers of percent signs; each layer is a form.
    fn nested(layers: usize) -> String {
        format!("/%{}41", "25".repeat(layers))
    }

    #[test]
    fn forms_are_counted() {
        assert_eq!(read("GET", &nested(MOST_FORMS - 2)).map(|(forms, _)| forms.len()), Some(MOST_FORMS));
        assert_eq!(read("GET", &nested(MOST_FORMS - 1)), None);
    }

    #[test]
    fn bytes_are_counted() {
        // Two forms, one of them two bytes shorter.
        let path = |bytes: usize| format!("/%41{}", "a".repeat(bytes / 2 - 3));
        assert_eq!(read("GET", &path(MOST_BYTES)).map(|(forms, _)| forms.len()), Some(2));
        assert_eq!(read("GET", &path(MOST_BYTES + 2)), None);
        // A plain path has no other form, and no limit but the proxy's.
        assert!(read("GET", &format!("/{}", "a".repeat(2 * MOST_BYTES))).is_some());
    }

    fn sorted(forms: Option<Vec<Vec<u8>>>) -> Option<Vec<String>> {
        let mut forms: Vec<String> = forms?.iter().map(|form| form.escape_ascii().to_string()).collect();
        forms.sort();
        Some(forms)
    }

    fn own(forms: &[&str]) -> Vec<String> {
        let mut forms: Vec<String> = forms.iter().map(|form| (*form).to_owned()).collect();
        forms.sort();
        forms
    }

    #[test]
    fn a_whole_path_in_the_configuration_has_the_readings_of_a_path() {
        for (path, forms) in [
            ("/a", &["/a"][..]),
            ("/a/", &["/a", "/a/"]),
            ("//x/a;b", &["//x/a", "//x/a;b", "/a", "/a;b", "/x/a", "/x/a;b"]),
            // A percent sign below an escape is no mistake of who wrote it.
            ("/100%25", &["/100%", "/100%25"]),
            ("/a#b", &["/a", "/a#b"]),
        ] {
            assert_eq!(sorted(forms_of_path(path.as_bytes())), Some(own(forms)), "{path}");
        }
        for path in ["/%zz", "/%", "/%c0%ae", nested(MOST_FORMS - 1).as_str()] {
            assert_eq!(forms_of_path(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn the_last_segment_of_a_prefix_is_no_whole_one() {
        for (prefix, forms) in [
            ("/", &["/"][..]),
            ("/a%20b", &["/a b", "/a%20b"]),
            ("/a//b", &["/a//b", "/a/b"]),
            (r"/a\b", &["/a/b", r"/a\\b"]),
            ("/x/../a", &["/a", "/x/../a"]),
            ("/x/../", &["/", "/x/../"]),
            ("/x/./a", &["/x/./a", "/x/a"]),
            ("/.", &["/."]),
            ("/x/..", &["/x/.."]),
            ("/a;b", &["/a;b"]),
            ("/a;b/c;d", &["/a/c;d", "/a;b/c;d"]),
            ("//a", &["//a", "/a"]),
            ("//a/b", &["//a/b", "/a/b", "/b"]),
            ("/a#b", &["/a#b"]),
            ("/a/", &["/a/"]),
        ] {
            assert_eq!(sorted(forms_of_prefix(prefix.as_bytes())), Some(own(forms)), "{prefix}");
        }
        assert_eq!(forms_of_prefix(b"/%zz"), None);
    }

    #[test]
    fn a_suffix_ends_where_the_path_ends() {
        for (suffix, forms) in [
            (".css", &[".css"][..]),
            ("%2Ecss", &["%2Ecss", ".css"]),
            ("a//b", &["a//b", "a/b"]),
            (";x/b", &["/b", ";x/b"]),
            (";x", &[";x"]),
            ("/", &["/"]),
            ("/a/", &["/a", "/a/"]),
            ("a;b/", &["a", "a/", "a;b", "a;b/"]),
        ] {
            assert_eq!(sorted(forms_of_suffix(suffix.as_bytes())), Some(own(forms)), "{suffix}");
        }
        assert_eq!(forms_of_suffix(b"%zz"), None);
    }
}
