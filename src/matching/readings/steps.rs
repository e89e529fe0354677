//! The steps by which proxies and backends read a path as another: one table, [`STEPS`], and a function for each.

#![allow(clippy::unnecessary_wraps, reason = "all steps have one type")]

use super::decode::{Escapes, decode};
use super::scan::{Marks, WHITE_SPACE};

/// What a step makes of a text; `None` if that is nothing new, or if nothing can be decoded for a malformed escape.
type Apply = fn(&[u8]) -> Option<Vec<u8>>;

/// A step from one reading to another.
#[derive(Clone, Copy)]
pub struct Step {
    /// What it is called where steps are told apart.
    pub name: &'static str,
    /// A path that it acts on.
    pub from: &'static [u8],
    /// What it makes of that.
    pub to: &'static [u8],
    /// Who takes it.
    pub done_by: &'static str,
    /// What it acts on: a text without any of these is left as it is.
    acts_on: Marks,
    /// How it is taken in what texts.
    applies: Applies,
}

/// How a step is taken, by the kind of text.
#[derive(Clone, Copy)]
struct Applies {
    /// In a path as it was sent, before all other steps.
    sent: Option<Apply>,
    /// In whole paths, of requests and of patterns.
    path: Option<Apply>,
    /// In whole paths that a rule is compared with, and in none that an exception is: after all steps of `path`.
    coverage: Option<Apply>,
    /// In a pattern with which paths begin. What it ends in may go on in the path: its last segment is no whole segment,
    /// and nothing is cut from it.
    prefix: Option<Apply>,
    /// In a pattern with which paths end. Its first segment may begin earlier.
    suffix: Option<Apply>,
}

/// A step that acts on bytes wherever they stand.
const fn everywhere(apply: Apply) -> Applies {
    Applies { sent: None, path: Some(apply), coverage: None, prefix: Some(apply), suffix: Some(apply) }
}

/// A step that cuts what follows a byte. What a prefix goes on with is not known to be cut.
const fn at_the_end(apply: Apply) -> Applies {
    Applies { sent: None, path: Some(apply), coverage: None, prefix: None, suffix: Some(apply) }
}

/// A step that looks at segments.
const fn by_segments(path: Apply, prefix: Apply, suffix: Apply) -> Applies {
    Applies { sent: None, path: Some(path), coverage: None, prefix: Some(prefix), suffix: Some(suffix) }
}

/// A step that acts on how a path begins.
const fn at_the_beginning(path: Apply, prefix: Apply) -> Applies {
    Applies { sent: None, path: Some(path), coverage: None, prefix: Some(prefix), suffix: None }
}

/// A step that is taken where the request is read, before anything is decoded.
const fn as_sent(apply: Apply) -> Applies {
    Applies { sent: Some(apply), path: None, coverage: None, prefix: None, suffix: None }
}

/// A step that counts for rules alone.
const fn for_coverage(apply: Apply) -> Applies {
    Applies { sent: None, path: None, coverage: Some(apply), prefix: None, suffix: Some(apply) }
}

/// Every step. They are taken in any order and number.
#[rustfmt::skip]
pub const STEPS: [Step; 23] = [
    Step {
        name: "decode_all",
        from: b"/%61%2fb", to: b"/a/b",
        done_by: "most frameworks",
        acts_on: Marks::PERCENT, applies: everywhere(decode_all),
    },
    Step {
        name: "decode_all_but_slashes",
        from: b"/%5c%2fb", to: b"/\\%2fb",
        done_by: "Tomcat if told to, Kestrel, `decodeURI` of JavaScript",
        acts_on: Marks::ESCAPED_SLASH, applies: everywhere(decode_all_but_slashes),
    },
    Step {
        name: "decode_unreserved",
        from: b"/%61%2fb", to: b"/a%2fb",
        done_by: "proxies that normalise (RFC 3986, section 2.3), Envoy among them",
        acts_on: Marks::PERCENT, applies: everywhere(decode_unreserved),
    },
    Step {
        name: "end_at_fragment",
        from: b"/a#b", to: b"/a",
        done_by: "whoever takes the target for a URL",
        acts_on: Marks::FRAGMENT, applies: at_the_end(|text| end_at(text, b'#')),
    },
    Step {
        name: "end_at_decoded_question_mark",
        from: b"/a?b", to: b"/a",
        done_by: "whoever decodes before it cuts the query",
        acts_on: Marks::QUESTION, applies: at_the_end(|text| end_at(text, b'?')),
    },
    Step {
        name: "end_at_nul",
        from: b"/a\0b", to: b"/a",
        done_by: "whatever hands the path to C",
        acts_on: Marks::NUL, applies: at_the_end(|text| end_at(text, 0)),
    },
    Step {
        name: "end_at_line_feed",
        from: b"/a\nb", to: b"/a",
        done_by: "routes that end in the `$` of a regex (Starlette, Rails, nginx)",
        acts_on: Marks::LINE_FEED, applies: at_the_end(|text| end_at(text, b'\n')),
    },
    Step {
        name: "end_at_semicolon",
        from: b"/a;/b", to: b"/a",
        done_by: "Fastify 4 (find-my-way 8)",
        acts_on: Marks::SEMICOLON, applies: at_the_end(|text| end_at(text, b';')),
    },
    Step {
        name: "end_at_white_space",
        from: b"/a\x85", to: b"/a",
        done_by: "Python's http.server, wsgiref, Werkzeug: they split the request line as ISO 8859-1",
        acts_on: Marks::WHITE_SPACE, applies: as_sent(end_at_white_space),
    },
    Step {
        name: "drop_what_is_not_utf_8",
        from: b"/a\xffb", to: b"/ab",
        done_by: "Bottle",
        acts_on: Marks::NOT_ASCII, applies: everywhere(drop_what_is_not_utf_8),
    },
    Step {
        name: "read_as_latin_1",
        from: b"/b\xfcro", to: "/b\u{fc}ro".as_bytes(),
        done_by: "Jetty with UriCompliance.UNSAFE, Tomcat before 8: what is not UTF-8 is ISO 8859-1",
        acts_on: Marks::NOT_ASCII, applies: everywhere(read_as_latin_1),
    },
    Step {
        name: "trim_segments",
        from: b"/ a/\x01b ", to: b"/a/b",
        done_by: "Spring's AntPathMatcher before 4.3, Windows: blanks and control characters",
        acts_on: Marks::BLANK, applies: by_segments(trim_segments, trim_segments_of_prefix, trim_segments_of_suffix),
    },
    Step {
        name: "trim_dots_of_segments",
        from: b"/a. ./b", to: b"/a/b",
        done_by: "Windows: dots and blanks behind a name",
        acts_on: Marks::LAST_DOT,
        applies: by_segments(trim_dots_of_segments, trim_dots_of_segments_of_prefix, trim_dots_of_segments),
    },
    Step {
        name: "trim_dots_at_end",
        from: b"/a/.. .", to: b"/a/",
        done_by: "Caddy 2.6: dots and blanks, whatever stands before them",
        acts_on: Marks::LAST_DOT, applies: at_the_end(trim_dots_at_end),
    },
    Step {
        name: "backslash_as_slash",
        from: b"/a\\b", to: b"/a/b",
        done_by: "Windows, browsers, IIS",
        acts_on: Marks::BACKSLASH, applies: everywhere(backslash_as_slash),
    },
    Step {
        name: "plus_as_blank",
        from: b"/a+b+", to: b"/a b ",
        done_by: "Sinatra (Mustermann): a route with a blank is served for a `+` as well",
        acts_on: Marks::PLUS, applies: everywhere(plus_as_blank),
    },
    Step {
        name: "merge_slashes",
        from: b"//a///b", to: b"/a/b",
        done_by: "nginx, Envoy if told to, most file systems",
        acts_on: Marks::DOUBLE_SLASH, applies: everywhere(merge_slashes),
    },
    Step {
        name: "cut_authority",
        from: b"//name/a", to: b"/a",
        done_by: "URL parsers (Node, Python)",
        acts_on: Marks::DOUBLE_SLASH, applies: at_the_beginning(cut_authority, cut_authority_of_prefix),
    },
    Step {
        name: "cut_authority_behind_slashes",
        from: b"///name/a", to: b"/a",
        done_by: "URL parsers that take any number of slashes for two",
        acts_on: Marks::DOUBLE_SLASH,
        applies: at_the_beginning(cut_authority_behind_slashes, cut_authority_behind_slashes_of_prefix),
    },
    Step {
        name: "resolve_dot_segments",
        from: b"/x/../a", to: b"/a",
        done_by: "nearly everybody (RFC 3986, section 5.2.4), clamped at the root",
        acts_on: Marks::DOT_SEGMENT,
        applies: by_segments(resolve_dot_segments, resolve_dot_segments_of_prefix, resolve_dot_segments_of_suffix),
    },
    Step {
        name: "cut_parameters",
        from: b"/a;v=1/b", to: b"/a/b",
        done_by: "Tomcat, Spring, Jetty",
        acts_on: Marks::SEMICOLON,
        applies: by_segments(cut_parameters, cut_parameters_of_prefix, cut_parameters),
    },
    Step {
        name: "fold_letters",
        from: "/adm\u{131}n".as_bytes(), to: b"/admin",
        done_by: "Spring, Caddy where case does not count: four letters are ASCII in the other case",
        acts_on: Marks::NOT_ASCII, applies: everywhere(fold_letters),
    },
    Step {
        name: "cut_trailing_slash",
        from: b"/a/", to: b"/a",
        done_by: "frameworks with lenient routes",
        acts_on: Marks::SLASH, applies: for_coverage(cut_trailing_slash),
    },
];

/// What a text is, which decides on the steps that are taken in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// A whole path as it was sent.
    Sent,
    /// A whole path.
    Path,
    /// A reading of a whole path, for coverage.
    Coverage,
    /// How paths begin.
    Prefix,
    /// How paths end.
    Suffix,
}

impl Text {
    /// The steps that are taken in such a text.
    pub(super) fn actions(self) -> &'static [Action] {
        static SENT: [Action; number_of_actions(Text::Sent)] = actions(Text::Sent);
        static PATH: [Action; number_of_actions(Text::Path)] = actions(Text::Path);
        static COVERAGE: [Action; number_of_actions(Text::Coverage)] = actions(Text::Coverage);
        static PREFIX: [Action; number_of_actions(Text::Prefix)] = actions(Text::Prefix);
        static SUFFIX: [Action; number_of_actions(Text::Suffix)] = actions(Text::Suffix);
        match self {
            Self::Sent => &SENT,
            Self::Path => &PATH,
            Self::Coverage => &COVERAGE,
            Self::Prefix => &PREFIX,
            Self::Suffix => &SUFFIX,
        }
    }
}

/// What the module holds of a [`Step`]: the rest is for people.
#[derive(Clone, Copy)]
pub(super) struct Action {
    /// What it acts on.
    pub(super) acts_on: Marks,
    /// What it makes of a text.
    pub(super) apply: Apply,
    /// The name of the step.
    #[cfg(any(feature = "ablation", feature = "explain"))]
    pub(super) name: &'static str,
}

impl Step {
    /// What the step makes of a text of that kind; `None` if nothing, or if it is not taken there.
    pub(super) const fn apply(&self, text: Text) -> Option<Apply> {
        match text {
            Text::Sent => self.applies.sent,
            Text::Path => self.applies.path,
            Text::Coverage => self.applies.coverage,
            Text::Prefix => self.applies.prefix,
            Text::Suffix => self.applies.suffix,
        }
    }
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "run by the compiler, once")]
const fn number_of_actions(text: Text) -> usize {
    let (mut step, mut number) = (0, 0);
    while step < STEPS.len() {
        if STEPS[step].apply(text).is_some() {
            number += 1;
        }
        step += 1;
    }
    number
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "run by the compiler, once")]
const fn actions<const NUMBER: usize>(text: Text) -> [Action; NUMBER] {
    let nothing = Action {
        acts_on: Marks::NOTHING,
        apply: |_| None,
        #[cfg(any(feature = "ablation", feature = "explain"))]
        name: "",
    };
    let mut actions = [nothing; NUMBER];
    let (mut step, mut number) = (0, 0);
    while step < STEPS.len() {
        let Step { acts_on, .. } = STEPS[step];
        if let Some(apply) = STEPS[step].apply(text) {
            actions[number] = Action {
                acts_on,
                apply,
                #[cfg(any(feature = "ablation", feature = "explain"))]
                name: STEPS[step].name,
            };
            number += 1;
        }
        step += 1;
    }
    actions
}

fn decode_all(text: &[u8]) -> Option<Vec<u8>> {
    decode(text, Escapes::All)
}

fn decode_all_but_slashes(text: &[u8]) -> Option<Vec<u8>> {
    decode(text, Escapes::AllButSlashes)
}

fn decode_unreserved(text: &[u8]) -> Option<Vec<u8>> {
    decode(text, Escapes::Unreserved)
}

/// What is left of a text where somebody stops reading.
fn end_at(text: &[u8], end: u8) -> Option<Vec<u8>> {
    text.split(|byte| *byte == end).next().map(<[u8]>::to_vec)
}

fn end_at_white_space(text: &[u8]) -> Option<Vec<u8>> {
    text.split(|byte| WHITE_SPACE.contains(byte)).next().map(<[u8]>::to_vec)
}

/// The text without the bytes that are part of no character: surrogates and numbers beyond U+10FFFF are none either.
fn drop_what_is_not_utf_8(text: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        kept.extend_from_slice(chunk.valid().as_bytes());
    }
    Some(kept).filter(|kept| kept.len() < text.len())
}

/// The text with each of the bytes that are part of no character as the character of that number.
fn read_as_latin_1(text: &[u8]) -> Option<Vec<u8>> {
    let mut read = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        read.extend_from_slice(chunk.valid().as_bytes());
        for byte in chunk.invalid() {
            // None of them is ASCII: the upper two bits stand alone in the first byte.
            read.extend_from_slice(&[0xc0 | byte.wrapping_shr(6), 0x80 | byte & 0x3f]);
        }
    }
    Some(read).filter(|read| read.len() > text.len())
}

fn trim_segments(text: &[u8]) -> Option<Vec<u8>> {
    let mut trimmed: Vec<u8> = Vec::with_capacity(text.len());
    let mut is_start = true;
    for byte in text {
        if *byte == b'/' {
            trimmed.truncate(trim_end(&trimmed, is_blank).len());
            is_start = true;
        } else if is_start && is_blank(*byte) {
            continue;
        } else {
            is_start = false;
        }
        trimmed.push(*byte);
    }
    trimmed.truncate(trim_end(&trimmed, is_blank).len());
    Some(trimmed)
}

fn trim_dots_of_segments(text: &[u8]) -> Option<Vec<u8>> {
    let mut changed = Vec::with_capacity(text.len());
    for segment in text.split(|byte| *byte == b'/') {
        let trimmed = trim_end(segment, is_dot_or_blank);
        changed.extend_from_slice(if trimmed.is_empty() { segment } else { trimmed });
        changed.push(b'/');
    }
    changed.pop();
    Some(changed)
}

/// The last segment may go on.
fn trim_dots_of_segments_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut trimmed = trim_dots_of_segments(&[prefix, b"x"].concat())?;
    trimmed.pop();
    Some(trimmed)
}

fn trim_dots_at_end(text: &[u8]) -> Option<Vec<u8>> {
    Some(trim_end(text, is_dot_or_blank).to_vec())
}

/// The end of the last segment may go on. What is blank as a whole says nothing without that.
fn trim_segments_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut trimmed = trim_segments(&[prefix, b"x"].concat())?;
    trimmed.pop();
    Some(trimmed).filter(|trimmed| trimmed.ends_with(b"/") == prefix.ends_with(b"/"))
}

/// The beginning of the first segment may be earlier in the path.
fn trim_segments_of_suffix(suffix: &[u8]) -> Option<Vec<u8>> {
    let trimmed = trim_segments(&[b"x", suffix].concat())?;
    trimmed.get(1..).map(<[u8]>::to_vec)
}

fn trim_end(segment: &[u8], is_cut: fn(u8) -> bool) -> &[u8] {
    let end = segment.iter().rposition(|byte| !is_cut(*byte)).map_or(0, |last| last.saturating_add(1));
    segment.get(..end).unwrap_or_default()
}

fn is_dot_or_blank(byte: u8) -> bool {
    byte == b'.' || is_blank(byte)
}

fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

fn backslash_as_slash(text: &[u8]) -> Option<Vec<u8>> {
    Some(text.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect())
}

fn plus_as_blank(text: &[u8]) -> Option<Vec<u8>> {
    Some(text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect())
}

fn merge_slashes(text: &[u8]) -> Option<Vec<u8>> {
    let mut merged = text.to_vec();
    merged.dedup_by(|byte, before| *byte == b'/' && *before == b'/');
    Some(merged)
}

/// `//name/a` to `/a`, and `//name` to the root; the name may be empty.
fn cut_authority(path: &[u8]) -> Option<Vec<u8>> {
    let name_and_path = path.strip_prefix(b"//")?;
    let end = name_and_path.iter().position(|byte| *byte == b'/');
    Some(end.and_then(|end| name_and_path.get(end..)).unwrap_or(b"/").to_vec())
}

/// As [`cut_authority`], behind any number of slashes.
fn cut_authority_behind_slashes(path: &[u8]) -> Option<Vec<u8>> {
    let slashes = path.iter().take_while(|byte| **byte == b'/').count();
    cut_authority(path.get(slashes.checked_sub(2)?..)?)
}

fn cut_authority_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    cut_authority(prefix).filter(|path| is_whole_authority(prefix, path))
}

fn cut_authority_behind_slashes_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    cut_authority_behind_slashes(prefix).filter(|path| is_whole_authority(prefix, path))
}

/// Whether the name that was cut from a prefix ends there: without a slash behind it, it may go on in the path.
fn is_whole_authority(prefix: &[u8], path: &[u8]) -> bool {
    path.len() > 1 || prefix.ends_with(b"/")
}

/// RFC 3986, section 5.2.4. A `..` at the root stays there.
fn resolve_dot_segments(path: &[u8]) -> Option<Vec<u8>> {
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
    Some(resolved)
}

fn resolve_dot_segments_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let (whole, last) = split_last_segment(prefix)?;
    // The slash behind the whole segments is no part of them, or a last `..` would leave two.
    let mut resolved = resolve_dot_segments(&[whole, b"/"].concat())?;
    resolved.pop();
    Some([resolved.as_slice(), last].concat())
}

fn resolve_dot_segments_of_suffix(suffix: &[u8]) -> Option<Vec<u8>> {
    let resolved = resolve_dot_segments(&[b"/", suffix].concat())?;
    // The first segment may begin earlier in the path, unless a `..` took it back.
    let first = suffix.split_inclusive(|byte| *byte == b'/').next().unwrap_or_default();
    match resolved.strip_prefix(b"/").filter(|end| end.starts_with(first)) {
        Some(end) => Some(end.to_vec()),
        None => Some(resolved),
    }
}

fn cut_parameters(text: &[u8]) -> Option<Vec<u8>> {
    let mut in_parameters = false;
    let keep = |byte: &u8| {
        in_parameters = *byte != b'/' && (in_parameters || *byte == b';');
        !in_parameters
    };
    Some(text.iter().copied().filter(keep).collect())
}

fn cut_parameters_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let (whole, last) = split_last_segment(prefix)?;
    Some([cut_parameters(whole)?.as_slice(), last].concat())
}

/// The whole segments of a prefix, and the one that it ends in with the slash before it.
fn split_last_segment(prefix: &[u8]) -> Option<(&[u8], &[u8])> {
    prefix.split_at_checked(prefix.iter().rposition(|byte| *byte == b'/').unwrap_or_default())
}

/// The text with the ASCII letters for which Unicode has another letter in the other case: `İ` and `ı`, the sign of
/// kelvin, and the long `s`.
fn fold_letters(text: &[u8]) -> Option<Vec<u8>> {
    let mut folded = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        let (letter, after) = match rest {
            [0xc4, 0xb0 | 0xb1, after @ ..] => (b'i', after),
            [0xe2, 0x84, 0xaa, after @ ..] => (b'k', after),
            [0xc5, 0xbf, after @ ..] => (b's', after),
            [byte, after @ ..] => (*byte, after),
            [] => return Some(folded),
        };
        folded.push(letter);
        rest = after;
    }
}

/// The path without its trailing `/`, if it has one that is not the root's.
pub(crate) fn without_trailing_slash(path: &[u8]) -> Option<&[u8]> {
    path.strip_suffix(b"/").filter(|path| !path.is_empty())
}

fn cut_trailing_slash(path: &[u8]) -> Option<Vec<u8>> {
    without_trailing_slash(path).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::{STEPS, Text};

    #[test]
    fn each_step_does_what_its_row_says() {
        for step in STEPS {
            let kinds = [Text::Path, Text::Sent, Text::Coverage];
            let apply = kinds.iter().find_map(|kind| step.apply(*kind)).unwrap();
            assert!(scan(step.from).has(step.acts_on), "{} does not act on its own example", step.name);
            assert_eq!(apply(step.from).as_deref(), Some(step.to), "{}", step.name);
        }
    }

    #[test]
    fn no_two_steps_share_a_name() {
        for (index, step) in STEPS.iter().enumerate() {
            assert!(!STEPS[..index].iter().any(|other| other.name == step.name), "{}", step.name);
        }
    }

    #[test]
    fn an_authority_is_cut_behind_two_slashes_and_behind_all() {
        let named = |name| STEPS.iter().find(|step| step.name == name).unwrap().apply(Text::Path).unwrap();
        let (behind_two, behind_all) = (named("cut_authority"), named("cut_authority_behind_slashes"));
        for (path, two, all) in [
            ("/a", None, None),
            ("//", Some("/"), Some("/")),
            ("//a", Some("/"), Some("/")),
            ("///a/b", Some("/a/b"), Some("/b")),
            ("////a/b", Some("//a/b"), Some("/b")),
        ] {
            let cut = |apply: super::Apply| apply(path.as_bytes()).map(|cut| String::from_utf8(cut).unwrap());
            assert_eq!((cut(behind_two).as_deref(), cut(behind_all).as_deref()), (two, all), "{path}");
        }
    }
}
