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
//! [`MOST_FORMS`] forms or these more than [`MOST_BYTES`] bytes, which no honest path has.
//!
//! A path without any of those characters has one reading. It is looked at once, and nothing is allocated.

use std::iter::successors;

/// How many forms a path may have before it counts as unreadable.
pub const MOST_FORMS: usize = 64;

/// How many bytes the forms of a path may have together before it counts as unreadable.
///
/// It is a bound on work: 64 forms of 50 kB would keep a worker busy for a tenth of a second. A path of up to 2 kB can
/// have all of its 64 forms, one of 40 kB still has three.
pub const MOST_BYTES: usize = 128 * 1024;

/// The readings of a path.
pub enum Readings<'a> {
    /// One reading: the path as it was sent.
    Plain(&'a [u8]),
    /// The readings without repetition, the path as it was sent first, but for those by a cut trailing `/`: they are
    /// beginnings of these, for no other step finds anything new in a path that lost its trailing `/`.
    Several(Vec<Form>),
    /// The path cannot be read.
    Unreadable,
}

impl<'a> Readings<'a> {
    /// Reads the path of a request.
    #[must_use]
    pub fn of(method: &[u8], path: Option<&'a [u8]>) -> Self {
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
        let mut closure = Closure { forms: Vec::new(), on_malformed: OnMalformed::Refuse };
        match closure.of(Form::new(path.to_vec())) {
            Some(()) => Self::Several(closure.forms),
            None => Self::Unreadable,
        }
    }

    /// The readings that a rule is compared with, or `None` if the path is unreadable and covered by every rule.
    #[must_use]
    pub fn covering(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let (plain, forms) = match self {
            Self::Plain(path) => (Some(*path), &[][..]),
            Self::Several(forms) => (None, forms.as_slice()),
            Self::Unreadable => return None,
        };
        let forms = forms.iter().map(|form| form.bytes.as_slice());
        Some(
            plain.into_iter().chain(forms).flat_map(|form| successors(Some(form), |form| without_trailing_slash(form))),
        )
    }

    /// Whether any reading satisfies `covers`. An unreadable path does.
    pub fn any(&self, covers: impl FnMut(&[u8]) -> bool) -> bool {
        self.covering().is_none_or(|mut readings| readings.any(covers))
    }

    /// Whether every reading satisfies `excepts`, those by a cut trailing `/` left aside. An unreadable path does not.
    pub fn all(&self, mut excepts: impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::Plain(path) => excepts(path),
            Self::Several(forms) => forms.iter().all(|form| excepts(&form.bytes)),
            Self::Unreadable => false,
        }
    }
}

/// Cuts the query at the first `?`.
#[must_use]
pub fn without_query(path: &[u8]) -> &[u8] {
    look_at(path).0
}

/// The forms of a pattern that is a whole path, itself first; `None` if it is unreadable.
///
/// A percent sign that only decoding uncovers is left alone here: a request with one is unreadable and covered anyway.
#[must_use]
pub fn forms_of_path(path: &[u8]) -> Option<Vec<Vec<u8>>> {
    forms_of_pattern(path, |closure, form| {
        closure.of(form)?;
        let cut: Vec<Vec<u8>> = closure.cut_forms().map(<[u8]>::to_vec).collect();
        cut.into_iter().try_for_each(|path| closure.add(Form::new(path)))
    })
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

fn forms_of_pattern(pattern: &[u8], read: impl Fn(&mut Closure, Form) -> Option<()>) -> Option<Vec<Vec<u8>>> {
    let form = Form::new(pattern.to_vec());
    if look_at(pattern).1 == 0 && without_trailing_slash(pattern).is_none() {
        return Some(vec![pattern.to_vec()]);
    }
    // As written, a malformed escape is a mistake.
    decode(pattern)?;
    let mut closure = Closure { forms: Vec::new(), on_malformed: OnMalformed::Keep };
    read(&mut closure, form)?;
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
    /// Tells most forms apart.
    digest: u32,
}

impl Form {
    fn new(bytes: Vec<u8>) -> Self {
        let mut form = Self { found: 0, digest: 0, bytes };
        // A `?` in a form was decoded, and what follows it is part of the form.
        let mut rest = form.bytes.as_slice();
        loop {
            let (part, found) = look_at(rest);
            form.found |= found;
            let Some(after) = rest.get(part.len()..).filter(|after| !after.is_empty()) else { break };
            form.found |= QUESTION;
            rest = after.get(1..).unwrap_or_default();
        }
        for word in form.bytes.chunks(4) {
            let value = word.iter().fold(0_u32, |value, byte| value.wrapping_shl(8) | u32::from(*byte));
            form.digest = form.digest.rotate_left(5).wrapping_add(value).wrapping_mul(0x9e37_79b1);
        }
        form
    }

    fn has(&self, mark: u16) -> bool {
        self.found & mark != 0
    }
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
    on_malformed: OnMalformed,
}

impl Closure {
    /// Adds a path and its forms, but for those by a cut trailing `/`; `None` if it is unreadable.
    fn of(&mut self, path: Form) -> Option<()> {
        self.add(path)?;
        self.expand(each_step)?;
        // Those count as well, although they are not kept.
        let known = |path: &[u8]| self.forms.iter().any(|form| form.bytes == path);
        let mut cut: Vec<&[u8]> = self.cut_forms().filter(|path| !known(path)).collect();
        cut.sort_unstable();
        cut.dedup();
        (self.forms.len().saturating_add(cut.len()) <= MOST_FORMS).then_some(())
    }

    /// The forms by a cut trailing `/`, perhaps with repetition. So many of one form are too many in any case.
    fn cut_forms(&self) -> impl Iterator<Item = &[u8]> {
        self.forms.iter().flat_map(|form| {
            successors(without_trailing_slash(&form.bytes), |path| without_trailing_slash(path)).take(MOST_FORMS)
        })
    }

    /// Applies `steps` to the forms, the ones that they add included.
    fn expand(&mut self, steps: impl Fn(&Form, OnMalformed, &mut Vec<Vec<u8>>) -> Option<()>) -> Option<()> {
        let mut next = 0;
        let mut reached = Vec::new();
        while let Some(form) = self.forms.get(next) {
            steps(form, self.on_malformed, &mut reached)?;
            for bytes in reached.drain(..) {
                self.add(Form::new(bytes))?;
            }
            next = next.saturating_add(1);
        }
        Some(())
    }

    /// Adds a form that is not there yet; `None` if there are too many, or if it holds an overlong sequence.
    fn add(&mut self, form: Form) -> Option<()> {
        let known = |other: &Form| other.digest == form.digest && other.bytes == form.bytes;
        if self.forms.iter().any(known) {
            return Some(());
        }
        let bytes = self.forms.iter().map(|form| form.bytes.len()).fold(form.bytes.len(), usize::saturating_add);
        let too_many = self.forms.len() >= MOST_FORMS || (bytes > MOST_BYTES && !self.forms.is_empty());
        if too_many || (form.has(NOT_ASCII) && has_overlong_sequence(&form.bytes)) {
            return None;
        }
        self.forms.push(form);
        Some(())
    }
}

/// Collects what the steps that hold anywhere in a path make of a form.
fn each_decoded(form: &Form, on_malformed: OnMalformed, reached: &mut Vec<Vec<u8>>) -> Option<()> {
    if form.has(PERCENT) {
        match decode(&form.bytes) {
            Some(decoded) => reached.extend(decoded),
            None if on_malformed == OnMalformed::Refuse => return None,
            None => {}
        }
    }
    if form.has(BACKSLASH) {
        reached.push(form.bytes.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect());
    }
    if form.has(DOUBLE_SLASH) {
        reached.push(merge_slashes(&form.bytes));
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
    let ends = [(FRAGMENT, b'#'), (QUESTION, b'?'), (NUL, 0)].into_iter().filter(|(mark, _)| form.has(*mark));
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

/// The path with every escape decoded, and with those of unreserved characters alone; `None` if one is malformed.
fn decode(path: &[u8]) -> Option<[Vec<u8>; 2]> {
    let mut all = Vec::with_capacity(path.len());
    let mut unreserved = Vec::with_capacity(path.len());
    let mut parts = path.split(|byte| *byte == b'%');
    let before = parts.next().unwrap_or_default();
    all.extend_from_slice(before);
    unreserved.extend_from_slice(before);
    for part in parts {
        let (digits, rest) = part.split_first_chunk::<2>()?;
        let [high, low] = *digits;
        let value = hexadecimal(high)?.wrapping_shl(4) | hexadecimal(low)?;
        all.push(value);
        all.extend_from_slice(rest);
        if is_unreserved(value) {
            unreserved.push(value);
        } else {
            unreserved.push(b'%');
            unreserved.extend_from_slice(digits);
        }
        unreserved.extend_from_slice(rest);
    }
    Some([all, unreserved])
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
const BACKSLASH: u16 = 1 << 4;
const DOUBLE_SLASH: u16 = 1 << 5;
const DOT_SEGMENT: u16 = 1 << 6;
const PARAMETER: u16 = 1 << 7;
const NOT_ASCII: u16 = 1 << 8;

/// What a step acts on, all of the above.
const MARKS: u16 = 0x1ff;

/// A byte that means something behind a `/`, but nothing alone.
const SLASH: u16 = 1 << 9;
/// As [`SLASH`].
const DOT: u16 = 1 << 10;

/// What each byte means to the steps.
#[allow(clippy::indexing_slicing, reason = "checked by the compiler, once")]
static MEANING: [u16; 256] = {
    let mut meaning = [NOT_ASCII; 256];
    meaning.split_at_mut(0x80).0.copy_from_slice(&[0; 0x80]);
    meaning[b'%' as usize] = PERCENT;
    meaning[b'#' as usize] = FRAGMENT;
    meaning[b'?' as usize] = QUESTION;
    meaning[0] = NUL;
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
                found |= match here {
                    SLASH => DOUBLE_SLASH,
                    DOT => DOT_SEGMENT,
                    _ => 0,
                };
            }
            found |= here;
        }
        before = here;
    }
    (text, found & MARKS)
}

#[cfg(test)]
mod tests {
    use super::{Form, MOST_BYTES, MOST_FORMS, Readings, forms_of_path, forms_of_prefix, forms_of_suffix};

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
                matches!(Readings::of(b"GET", Some(path.as_bytes())), Readings::Plain(plain) if plain == sent),
                "{path}"
            );
        }
    }

    #[test]
    fn forms_that_share_a_digest_are_both_kept() {
        // The digest of `/aslssofa/..` is zero, as is that of nothing.
        let digest = |path: &str| Form::new(path.into()).digest;
        assert_eq!(digest("/aslssofa/../.a"), digest("/.a"));
        let readings = own(&["/aslssofa/../.a", "/.a"]);
        assert_eq!(read("GET", "/aslssofa/../.a"), Some((readings, Vec::new())));
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
        // Those by a cut trailing slash count as well.
        let slashes = |number| format!("/a{}", "/".repeat(number));
        assert_eq!(read("GET", &slashes(MOST_FORMS - 1)).map(|(forms, _)| forms.len()), Some(MOST_FORMS));
        assert_eq!(read("GET", &slashes(MOST_FORMS)), None);
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
