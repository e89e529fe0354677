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
//! | decode everything but `/` | `/%5c%2fb` | `/\%2fb` | Tomcat if told to, Kestrel, `decodeURI` of JavaScript |
//! | decode unreserved characters (RFC 3986, section 2.3) | `/%61%2fb` | `/a%2fb` | proxies that normalise, Envoy among them |
//! | end at `#` | `/a#b` | `/a` | whoever takes the target for a URL |
//! | end at a decoded `?` | `/a?b` | `/a` | whoever decodes before it cuts the query |
//! | end at NUL | `/a<NUL>b` | `/a` | whatever hands the path to C |
//! | end at a line feed | `/a<LF>b` | `/a` | routes that end in the `$` of a regex (Starlette, Rails, nginx) |
//! | `\` as `/` | `/a\b` | `/a/b` | Windows, browsers, IIS |
//! | merge slashes | `//a///b` | `/a/b` | nginx, Envoy if told to, most file systems |
//! | cut a leading authority | `//name/a` | `/a` | URL parsers (Node, Python) |
//! | resolve dot segments (RFC 3986, section 5.2.4), clamped at the root | `/x/../a` | `/a` | nearly everybody |
//! | cut parameters | `/a;v=1/b` | `/a/b` | Tomcat, Spring, Jetty |
//! | letters that are ASCII in the other case (`İ`, `ı`, `K` of kelvin, `ſ`) | `/adm<ı>n` | `/admin` | Spring, Caddy where case does not count |
//! | cut a trailing `/`, not the root's, and for coverage alone | `/a/` | `/a` | frameworks with lenient routes |
//!
//! A path is unreadable, so that nothing can be known about it, if it or one of its forms has an escape that is not
//! `%` and two hexadecimal digits or holds an overlong UTF-8 sequence (`%c0%ae` is `.` to lenient decoders), if it does
//! not begin with `/` (but for the `*` of `OPTIONS`), if there is none (`CONNECT`), or if it has more than
//! [`MAX_FORMS`] forms or these more than [`most_bytes`] bytes, which no honest path has.
//!
//! A path without any of those characters has one reading. It is looked at once, and nothing is allocated.

use std::iter::successors;

/// How many forms a path may have before it counts as unreadable.
pub const MAX_FORMS: usize = 64;

/// How many bytes the forms of a path of that length may have together before it counts as unreadable: as many as
/// three of it have, and 16 KiB for a short one.
///
/// It is a bound on work: 64 forms of 50 kB would keep a worker busy for a tenth of a second. A path of 256 bytes can
/// have all of its 64 forms, one of any length can be decoded.
#[must_use]
pub fn most_bytes(sent: usize) -> usize {
    sent.saturating_mul(3).max(16 * 1024)
}

/// The readings of a path.
pub enum Readings<'a> {
    /// One reading: the path as it was sent.
    Plain(&'a [u8]),
    /// More than one.
    Several {
        /// The readings without repetition: first the path as it was sent, last those by a cut trailing `/`.
        forms: Vec<Form>,
        /// How many of them come before those by a cut trailing `/`.
        uncut: usize,
    },
    /// The path cannot be read.
    Unreadable,
}

impl<'a> Readings<'a> {
    /// Reads the path of a request.
    #[must_use]
    pub fn parse(method: &[u8], path: Option<&'a [u8]>) -> Self {
        let Some(sent) = path else { return Self::Unreadable };
        let (path, found) = look_at(sent);
        if path == b"*" && method == b"OPTIONS" {
            return Self::Plain(path);
        }
        if path.first() != Some(&b'/') {
            return Self::Unreadable;
        }
        if found == 0 {
            return Self::Plain(path);
        }
        let mut closure = Closure::new(path.len(), OnMalformed::Refuse);
        match closure.of(path.to_vec()) {
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
        let plain = plain.into_iter().flat_map(|path| successors(Some(path), |path| without_trailing_slash(path)));
        Some(plain.chain(forms.iter().map(|form| form.bytes.as_slice())))
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
    look_at(path).0
}

/// Whether every escape in a pattern is one, and none stands for an overlong sequence.
#[must_use]
pub fn is_well_formed(pattern: &[u8]) -> bool {
    decode(pattern, |_| true).is_some_and(|decoded| !has_overlong_sequence(&decoded))
}

/// The forms of a pattern that is a whole path, itself first; `None` if it is unreadable.
///
/// A percent sign that only decoding uncovers is left alone here: a request with one is unreadable and covered anyway.
#[must_use]
pub fn forms_of_path(path: &[u8]) -> Option<Vec<Vec<u8>>> {
    forms_of_pattern(path, |closure, form| closure.of(form).map(drop))
}

/// The forms of a pattern that is the beginning of paths, itself first; `None` if it is unreadable.
///
/// What the pattern ends in may go on in the path: its last segment is no whole segment, and nothing is cut from it.
#[must_use]
pub fn forms_of_prefix(prefix: &[u8]) -> Option<Vec<Vec<u8>>> {
    if look_at(prefix).1 == 0 {
        return Some(vec![prefix.to_vec()]);
    }
    forms_of_pattern(prefix, |closure, form| {
        closure.add(form)?;
        closure.expand(each_step_of_prefix)
    })
}

/// The forms of a pattern that is the end of paths, itself first; `None` if it is unreadable.
#[must_use]
pub fn forms_of_suffix(suffix: &[u8]) -> Option<Vec<Vec<u8>>> {
    forms_of_pattern(suffix, |closure, form| {
        closure.add(form)?;
        closure.expand(each_step_of_suffix)
    })
}

fn forms_of_pattern(pattern: &[u8], read: impl Fn(&mut Closure, Vec<u8>) -> Option<()>) -> Option<Vec<Vec<u8>>> {
    if look_at(pattern).1 == 0 && without_trailing_slash(pattern).is_none() {
        return Some(vec![pattern.to_vec()]);
    }
    // As written, a malformed escape is a mistake.
    if !is_well_formed(pattern) {
        return None;
    }
    let mut closure = Closure::new(pattern.len(), OnMalformed::Keep);
    read(&mut closure, pattern.to_vec())?;
    Some(closure.forms.into_iter().map(|form| form.bytes).collect())
}

fn leading_slashes(path: &[u8]) -> usize {
    path.iter().take_while(|byte| **byte == b'/').count()
}

/// The path without its trailing `/`, if it has one that is not the root.
#[must_use]
pub fn without_trailing_slash(path: &[u8]) -> Option<&[u8]> {
    path.strip_suffix(b"/").filter(|path| !path.is_empty())
}

/// One reading.
pub struct Form {
    bytes: Vec<u8>,
    /// What there is in it that a step acts on.
    found: u16,
    digest: u32,
}

impl Form {
    fn new(bytes: Vec<u8>, digest: u32) -> Self {
        let mut found = 0;
        // A `?` in a form was decoded, and what follows it is part of the form.
        let mut rest = bytes.as_slice();
        loop {
            let (part, found_there) = look_at(rest);
            found |= found_there;
            let Some(after) = rest.get(part.len()..).filter(|after| !after.is_empty()) else { break };
            found |= QUESTION;
            rest = after.get(1..).unwrap_or_default();
        }
        Self { bytes, found, digest }
    }

    fn has(&self, mark: u16) -> bool {
        self.found & mark != 0
    }
}

/// Tells most forms apart.
fn digest(form: &[u8]) -> u32 {
    let (words, rest) = form.as_chunks();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(byte, left)| *byte = *left);
    words.iter().chain([&last]).fold(0_u32, |digest, word| {
        digest.rotate_left(5).wrapping_add(u32::from_le_bytes(*word)).wrapping_mul(0x9e37_79b1)
    })
}

/// What to do with a form that has a malformed escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnMalformed {
    /// The whole path is unreadable.
    Refuse,
    /// Its escapes stay as they are.
    Keep,
}

/// Whether a form was there before it was added.
#[derive(PartialEq, Eq)]
enum Added {
    New,
    Known,
}

/// The forms that were reached so far.
struct Closure {
    forms: Vec<Form>,
    bytes: usize,
    most_bytes: usize,
    on_malformed: OnMalformed,
}

impl Closure {
    fn new(sent: usize, on_malformed: OnMalformed) -> Self {
        Self { forms: Vec::new(), bytes: 0, most_bytes: most_bytes(sent), on_malformed }
    }

    /// Adds a path and its forms, and says how many they are without those by a cut trailing `/`, which come last; `None`
    /// if the path is unreadable.
    fn of(&mut self, path: Vec<u8>) -> Option<usize> {
        self.add(path)?;
        self.expand(each_step)?;
        let uncut = self.forms.len();
        for place in 0..uncut {
            let mut cut =
                self.forms.get(place).and_then(|form| without_trailing_slash(&form.bytes)).map(<[u8]>::to_vec);
            // What is known already was cut further on its own account.
            while let Some(path) = cut
                && self.add(path)? == Added::New
            {
                cut = self.forms.last().and_then(|form| without_trailing_slash(&form.bytes)).map(<[u8]>::to_vec);
            }
        }
        Some(uncut)
    }

    /// Applies `steps` to the forms, the ones that they add included.
    fn expand(&mut self, steps: impl Fn(&Form, OnMalformed, &mut Vec<Vec<u8>>) -> Option<()>) -> Option<()> {
        let mut next = 0;
        let mut reached = Vec::new();
        while let Some(form) = self.forms.get(next) {
            steps(form, self.on_malformed, &mut reached)?;
            for bytes in reached.drain(..) {
                self.add(bytes)?;
            }
            next = next.saturating_add(1);
        }
        Some(())
    }

    /// Adds a form that is not there yet; `None` if there are too many, or if it holds an overlong sequence.
    fn add(&mut self, form: Vec<u8>) -> Option<Added> {
        let digest = digest(&form);
        if self.forms.iter().any(|known| known.digest == digest && known.bytes == form) {
            return Some(Added::Known);
        }
        self.bytes = self.bytes.saturating_add(form.len());
        if self.forms.len() >= MAX_FORMS || self.bytes > self.most_bytes {
            return None;
        }
        let form = Form::new(form, digest);
        if form.has(NOT_ASCII) && has_overlong_sequence(&form.bytes) {
            return None;
        }
        self.forms.push(form);
        Some(Added::New)
    }
}

/// Collects what the steps that hold anywhere in a path make of a form.
fn each_decoded(form: &Form, on_malformed: OnMalformed, reached: &mut Vec<Vec<u8>>) -> Option<()> {
    if form.has(PERCENT) {
        let mut has_slash = false;
        let note_slash = |byte| {
            has_slash |= byte == b'/';
            true
        };
        match decode(&form.bytes, note_slash) {
            Some(all) => reached.push(all),
            None if on_malformed == OnMalformed::Refuse => return None,
            None => {}
        }
        if has_slash {
            reached.extend(decode(&form.bytes, |byte| byte != b'/'));
        }
        reached.extend(decode(&form.bytes, is_unreserved));
    }
    if form.has(BACKSLASH) {
        reached.push(form.bytes.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect());
    }
    if form.has(DOUBLE_SLASH) {
        reached.push(merge_slashes(&form.bytes));
    }
    if form.has(NOT_ASCII) {
        reached.push(fold_letters(&form.bytes));
    }
    Some(())
}

/// Collects what every step but the last of the table makes of a whole path; `None` if an escape is malformed.
fn each_step(form: &Form, on_malformed: OnMalformed, reached: &mut Vec<Vec<u8>>) -> Option<()> {
    each_decoded(form, on_malformed, reached)?;
    reached.extend(each_ended(form));
    if form.has(DOT_SEGMENT) {
        reached.push(resolve_dot_segments(&form.bytes));
    }
    if form.has(PARAMETER) {
        reached.push(cut_parameters(&form.bytes));
    }
    reached.extend(cut_authority(&form.bytes));
    Some(())
}

/// What is left of a form where somebody stops reading.
fn each_ended(form: &Form) -> impl Iterator<Item = Vec<u8>> {
    let ends = [(FRAGMENT, b'#'), (QUESTION, b'?'), (NUL, 0), (LINE_FEED, b'\n')]
        .into_iter()
        .filter(|(mark, _)| form.has(*mark));
    ends.map(|(_, end)| form.bytes.split(|byte| *byte == end).next().unwrap_or_default().to_vec())
}

/// Collects what the steps make of a text with which paths begin: nothing is cut from its last segment.
fn each_step_of_prefix(form: &Form, on_malformed: OnMalformed, reached: &mut Vec<Vec<u8>>) -> Option<()> {
    each_decoded(form, on_malformed, reached)?;
    let end = form.bytes.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    let (whole, rest) = form.bytes.split_at_checked(end)?;
    if form.has(DOT_SEGMENT) {
        // The slash behind the whole segments is no part of them, or a last `..` would leave two.
        let mut resolved = resolve_dot_segments(&[whole, b"/"].concat());
        resolved.pop();
        reached.push([resolved.as_slice(), rest].concat());
    }
    if form.has(PARAMETER) {
        reached.push([cut_parameters(whole).as_slice(), rest].concat());
    }
    // Without a slash behind it the name may go on in the path.
    let name_is_whole = |path: &Vec<u8>| path.len() > 1 || form.bytes.ends_with(b"/");
    reached.extend(cut_authority(&form.bytes).filter(name_is_whole));
    Some(())
}

/// Collects what the steps make of a text with which paths end.
fn each_step_of_suffix(form: &Form, on_malformed: OnMalformed, reached: &mut Vec<Vec<u8>>) -> Option<()> {
    each_decoded(form, on_malformed, reached)?;
    // Every path ends in the empty text.
    reached.extend(each_ended(form).chain([cut_parameters(&form.bytes)]).filter(|cut| !cut.is_empty()));
    if form.has(DOT_SEGMENT) {
        let resolved = resolve_dot_segments(&[b"/", form.bytes.as_slice()].concat());
        // The first segment may begin earlier in the path, unless a `..` took it back.
        let first = form.bytes.split_inclusive(|byte| *byte == b'/').next().unwrap_or_default();
        let end = resolved.strip_prefix(b"/").filter(|end| end.starts_with(first)).unwrap_or(&resolved);
        reached.push(end.to_vec());
    }
    reached.extend(without_trailing_slash(&form.bytes).map(<[u8]>::to_vec));
    Some(())
}

/// The path with the escapes of `wanted` bytes decoded; `None` if an escape is malformed.
fn decode(path: &[u8], mut wanted: impl FnMut(u8) -> bool) -> Option<Vec<u8>> {
    let mut decoded = vec![0; path.len()];
    let mut length = 0_usize;
    let mut rest = path.iter();
    // As long as there is a byte there is a place for it; writing there is half of what pushing costs.
    for slot in &mut decoded {
        let Some(&byte) = rest.next() else { break };
        *slot = byte;
        length = length.wrapping_add(1);
        if byte == b'%' {
            let (&[high, low], after) = rest.as_slice().split_first_chunk()?;
            let value = hexadecimal(high)?.wrapping_shl(4) | hexadecimal(low)?;
            if wanted(value) {
                *slot = value;
                rest = after.iter();
            }
        }
    }
    decoded.truncate(length);
    Some(decoded)
}

/// The value of a hexadecimal digit.
fn hexadecimal(digit: u8) -> Option<u8> {
    HEXADECIMAL.get(usize::from(digit)).copied().filter(|value| *value < 16)
}

/// The value of each hexadecimal digit, and 16 for what is none.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "checked by the compiler, once")]
static HEXADECIMAL: [u8; 256] = {
    let mut values = [16; 256];
    let digits = b"0123456789abcdef";
    let mut value = 0;
    while value < 16 {
        values[digits[value as usize] as usize] = value;
        values[digits[value as usize].to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

/// The path with the ASCII letters for which Unicode has another letter in the other case: `İ` and `ı`, the sign of
/// kelvin, and the long `s`.
fn fold_letters(path: &[u8]) -> Vec<u8> {
    let mut folded = Vec::with_capacity(path.len());
    let mut rest = path;
    loop {
        rest = match rest {
            [0xc4, 0xb0 | 0xb1, rest @ ..] => {
                folded.push(b'i');
                rest
            }
            [0xe2, 0x84, 0xaa, rest @ ..] => {
                folded.push(b'k');
                rest
            }
            [0xc5, 0xbf, rest @ ..] => {
                folded.push(b's');
                rest
            }
            [byte, rest @ ..] => {
                folded.push(*byte);
                rest
            }
            [] => return folded,
        }
    }
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

/// `//name/a` to `/a`, and `//name` to the root: with the name right behind the first two slashes, where it may be
/// empty, and with the one behind all of them, for URL parsers take any number of slashes for two.
fn cut_authority(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cut = |name: usize| {
        let name_and_path = path.get(name..)?;
        let end = name_and_path.iter().position(|byte| *byte == b'/');
        Some(end.and_then(|end| name_and_path.get(end..)).unwrap_or(b"/").to_vec())
    };
    let slashes = leading_slashes(path);
    let first = (slashes >= 2).then(|| cut(2)).flatten();
    let last = (slashes >= 3).then(|| cut(slashes)).flatten();
    first.into_iter().chain(last)
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

const PERCENT: u16 = 1;
const FRAGMENT: u16 = 1 << 1;
const QUESTION: u16 = 1 << 2;
const NUL: u16 = 1 << 3;
const LINE_FEED: u16 = 1 << 4;
const BACKSLASH: u16 = 1 << 5;
const PARAMETER: u16 = 1 << 6;
const NOT_ASCII: u16 = 1 << 7;

/// A byte that means something behind a `/`, but nothing alone.
const SLASH: u16 = 1 << 8;
/// As [`SLASH`].
const DOT: u16 = 1 << 9;
/// How far it is from [`SLASH`] and [`DOT`] to what they mean behind a `/`.
const BEHIND_SLASH: u32 = 2;
const DOUBLE_SLASH: u16 = SLASH << BEHIND_SLASH;
const DOT_SEGMENT: u16 = DOT << BEHIND_SLASH;

/// What a step acts on: all of the above but [`SLASH`] and [`DOT`].
const MARKS: u16 = 0xcff;

/// What each byte means to the steps.
#[allow(clippy::indexing_slicing, reason = "checked by the compiler, once")]
static MEANING: [u16; 256] = {
    let mut meaning = [NOT_ASCII; 256];
    meaning.split_at_mut(0x80).0.copy_from_slice(&[0; 0x80]);
    meaning[b'%' as usize] = PERCENT;
    meaning[b'#' as usize] = FRAGMENT;
    meaning[b'?' as usize] = QUESTION;
    meaning[0] = NUL;
    meaning[b'\n' as usize] = LINE_FEED;
    meaning[b'\\' as usize] = BACKSLASH;
    meaning[b'/' as usize] = SLASH;
    meaning[b'.' as usize] = DOT;
    meaning[b';' as usize] = PARAMETER;
    meaning
};

/// Looks once at a text up to its first `?`: what stands before that, and what there is in it that a step acts on.
fn look_at(text: &[u8]) -> (&[u8], u16) {
    let mut found = 0;
    let mut before = 0;
    for (place, byte) in text.iter().enumerate() {
        let here = MEANING.get(usize::from(*byte)).copied().unwrap_or_default();
        if here != 0 {
            if here == QUESTION {
                return (text.get(..place).unwrap_or_default(), found & MARKS);
            }
            if before == SLASH {
                found |= (here & (SLASH | DOT)).wrapping_shl(BEHIND_SLASH);
            }
            found |= here;
        }
        before = here;
    }
    (text, found & MARKS)
}

#[cfg(test)]
mod tests {
    use super::{MAX_FORMS, Readings, digest, forms_of_path, forms_of_prefix, forms_of_suffix, most_bytes};

    /// The readings that count for a rule, sorted, and those of them that do not count for an exception; `None` if the
    /// path is unreadable.
    fn read(method: &str, path: &str) -> Option<(Vec<String>, Vec<String>)> {
        let readings = Readings::parse(method.as_bytes(), Some(path.as_bytes()));
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
        for forms in [&mut all, &mut cut] {
            forms.sort();
            forms.dedup();
        }
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
            ("/a%0ab", &["/a", "/a%0ab", r"/a\nb"]),
            ("/a%20%2fb", &["/a%20%2fb", "/a %2fb", "/a /b"]),
            ("/%5c%2fa", &["/%5c%2fa", r"/\\%2fa", r"/\\/a", "//%2fa", "/%2fa", "///a", "//a", "/a", "/"]),
            ("/%C4%B0%c4%b1", &["/%C4%B0%c4%b1", r"/\xc4\xb0\xc4\xb1", "/ii"]),
            ("/%e2%84%aa%C5%BF%c5%be", &["/%e2%84%aa%C5%BF%c5%be", r"/\xe2\x84\xaa\xc5\xbf\xc5\xbe", r"/ks\xc5\xbe"]),
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
    fn a_path_with_nothing_to_undo_is_looked_at_once() {
        for path in ["/", "/a.b..c/d/", "/a~b!$&'()*+,:=@", "/a.b/c?//#;%zz"] {
            let sent = path.split('?').next().unwrap().as_bytes();
            assert!(
                matches!(Readings::parse(b"GET", Some(path.as_bytes())), Readings::Plain(plain) if plain == sent),
                "{path}"
            );
        }
    }

    #[test]
    fn forms_that_share_a_digest_are_both_kept() {
        // The digest of `/vobwebubvxnr/..` is zero, as is that of nothing.
        assert_eq!(digest(b"/vobwebubvxnr/../.a"), digest(b"/.a"));
        let readings = own(&["/vobwebubvxnr/../.a", "/.a"]);
        assert_eq!(read("GET", "/vobwebubvxnr/../.a"), Some((readings, Vec::new())));
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
        assert!(Readings::parse(b"GET", None).any(|_| false));
        assert!(!Readings::parse(b"GET", None).all(|_| true));
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
        assert_eq!(read("GET", &nested(MAX_FORMS - 2)).map(|(forms, _)| forms.len()), Some(MAX_FORMS));
        assert_eq!(read("GET", &nested(MAX_FORMS - 1)), None);
        // Those by a cut trailing slash count as well.
        let slashes = |number| format!("/a{}", "/".repeat(number));
        assert_eq!(read("GET", &slashes(MAX_FORMS - 1)).map(|(forms, _)| forms.len()), Some(MAX_FORMS));
        assert_eq!(read("GET", &slashes(MAX_FORMS)), None);
    }

    #[test]
    fn bytes_are_counted() {
        // Each layer of percent signs is two bytes shorter than the one around it.
        let path = |layers: usize, letters: usize| format!("{}{}", nested(layers), "a".repeat(letters));
        // These 32 have 16 KiB.
        assert_eq!(read("GET", &path(30, 479)).map(|(forms, _)| forms.len()), Some(32));
        assert_eq!(read("GET", &path(30, 480)), None);
        // However long it is, a path can be decoded.
        assert_eq!(read("GET", &path(1, 100_000)).map(|(forms, _)| forms.len()), Some(3));
        assert_eq!(read("GET", &path(2, 100_000)), None);
        assert_eq!((most_bytes(5_000), most_bytes(6_000)), (16_384, 18_000));
        // A plain path has no other form, and no limit but the proxy's.
        assert!(read("GET", &format!("/{}", "a".repeat(1_000_000))).is_some());
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
        for path in ["/%zz", "/%", "/%c0%ae", nested(MAX_FORMS - 1).as_str()] {
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
            (".css#x", &[".css", ".css#x"]),
            ("#x", &["#x"]),
            ("/x/../a", &["/a", "/x/../a"]),
            ("x/../a", &["/a", "x/../a"]),
            ("b/./a", &["b/./a", "b/a"]),
            ("/../a", &["/../a", "/a"]),
            ("/..", &["/", "/.."]),
            ("/.git", &["/.git"]),
            ("./a", &["./a"]),
        ] {
            assert_eq!(sorted(forms_of_suffix(suffix.as_bytes())), Some(own(forms)), "{suffix}");
        }
        assert_eq!(forms_of_suffix(b"%zz"), None);
    }
}
