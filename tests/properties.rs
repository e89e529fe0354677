//! Properties that hold for every rule and every request, each tried with a thousand random ones.
//!
//! A failure prints the smallest example that was found and adds its seed to `tests/properties.regressions`, which is
//! tried first from then on. `PROPTEST_CASES=100000 cargo test --test properties` tries harder.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    missing_docs,
    reason = "tests panic when they fail"
)]

mod oracle;

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use base64::prelude::{BASE64_STANDARD, Engine};
use basic_auth::{Config, Decision, HeaderLines, Policy, Readings, Reason, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

fn proptest_config() -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/properties.regressions"))),
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    }
}

/// What becomes of requests under one rule.
struct Rule(Policy);

impl Rule {
    /// The rule with these fields, and a user.
    fn new(mut fields: Value) -> Option<Self> {
        fields["credentials"] = json!(["ok:test"]);
        let text = json!({"basic_auth_rules": [fields]}).to_string();
        Config::parse(text.as_bytes()).ok().map(|config| Self(Policy::new(config)))
    }

    fn protects(&self, method: &[u8], authority: Option<&[u8]>, path: Option<&[u8]>) -> bool {
        let request = Request { method, path, authority, credential: HeaderLines::None, ..Request::default() };
        match self.0.decide(&request) {
            Decision::Pass => false,
            Decision::Refused { reason: Reason::Missing, .. } => true,
            other => panic!("{other}"),
        }
    }

    fn protects_path(&self, path: &[u8]) -> bool {
        self.protects(b"GET", Some(b"test"), Some(path))
    }
}

// Paths and patterns.

/// A path of plain segments: it has one reading, a trailing slash aside.
fn plain_path() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "ab", "A", "admin", "Admin", "x.css", ".git", "caf", "1", "\u{e9}", "\u{c9}a"]);
    (vec(segment, 0..4), any::<bool>()).prop_map(|(segments, slash)| {
        let path = format!("/{}", segments.join("/"));
        // A segment that begins with a dot is plain to a server; `.` and `..` are not.
        if slash && path.len() > 1 { path + "/" } else { path }
    })
}

/// What an attacker would write: everything that a step acts on, close together.
fn hostile_path() -> impl Strategy<Value = Vec<u8>> {
    #[rustfmt::skip]
    let piece = select(vec![
        &b"/"[..], b"//", b"a", b"b", b"A", b"admin", b".css", b".", b"..", b"...", b"/../", b"/./", b"\\", b";", b";x", b"?",
        b"#", b"\0", b"%", b"%2", b"%zz", b"%25", b"%2525", b"%2f", b"%2F", b"%5c", b"%2e", b"%2E%2e", b"%61", b"%41", b"%3b",
        b"%23", b"%3f", b"%00", b"%0a", b"\n", b"%c4%b0", b"\xc4\xb1", b"%e2%84%aa", b"%c5%bf", b"\xc5", b"\xe2\x84", b"%ff", b"%c0%ae", b"%e0%80", b"\xff", b"\xc3\xa9", b"\xc0\xaf", b"*", b" ", b"1", b"%20", b"%01", b"\x7f", b"\x85", b"\xa0", b"%85", b"%ed%a0%80", b"\xc3\x89",
    ]);
    vec(piece, 0..10).prop_map(|pieces| [&b"/"[..], &pieces.concat()].concat())
}

fn any_path() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => hostile_path(),
        2 => plain_path().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..12),
        1 => vec(any::<u8>(), 0..12).prop_map(|bytes| [&b"/"[..], &bytes].concat()),
    ]
}

/// A way to write a path so that one of the steps gives it back.
#[derive(Debug, Clone)]
enum Rewrite {
    /// Escapes the bytes at these places, and every percent sign.
    Escape(Vec<Index>, bool),
    /// Escapes unreserved characters at these places, and leaves other escapes alone.
    EscapeUnreserved(Vec<Index>),
    /// Appends a character at which somebody stops reading, and something.
    End(u8, Vec<u8>),
    /// Turns slashes around.
    Backslash(Vec<Index>),
    /// Doubles slashes.
    Slashes(Vec<Index>),
    /// Puts `//name` in front.
    Authority(Vec<u8>),
    /// Inserts `/.`, or `/segment/..`, before a slash.
    Dots(Index, Option<Vec<u8>>),
    /// Goes above the root.
    AboveRoot,
    /// Appends `;parameters` to a segment.
    Parameters(Index, Vec<u8>),
    /// Appends a slash.
    TrailingSlash,
    /// Puts a blank or a control character before a segment, behind it, or both.
    Blanks(Index, u8, bool, bool),
    /// Puts dots and blanks behind a segment, of which the last is a dot.
    LastDots(Index, Vec<u8>),
    /// Inserts bytes that are part of no character.
    NotUtf8(Index, Vec<u8>),
    /// Changes the case of letters.
    Case(Vec<Index>),
    /// Writes letters as those that are not ASCII, but are the same in the other case.
    Letters(Vec<Index>),
}

impl Rewrite {
    /// Rewrites a path; `None` where the step would not give it back, because it acts on something else in it as well.
    fn apply(&self, path: &[u8]) -> Option<Vec<u8>> {
        let slashes: Vec<usize> = (0..path.len()).filter(|place| path[*place] == b'/').collect();
        let chosen = |places: &[Index], from: &[usize]| -> BTreeSet<usize> {
            places.iter().filter(|_| !from.is_empty()).map(|place| *place.get(from)).collect()
        };
        let all: Vec<usize> = (0..path.len()).collect();
        let each = |places: &BTreeSet<usize>, write: &dyn Fn(u8) -> Vec<u8>| -> Vec<u8> {
            let write = |place: usize| if places.contains(&place) { write(path[place]) } else { vec![path[place]] };
            (0..path.len()).flat_map(write).collect()
        };
        let without = |bytes: &[u8]| !path.iter().any(|byte| bytes.contains(byte));
        let escape = |byte: u8| format!("%{byte:02x}").into_bytes();
        match self {
            Self::Escape(places, upper) => {
                // The first slash has to stay: a target without it is no path.
                let mut places = chosen(places, all.get(1..).unwrap_or_default());
                places.extend(all.iter().filter(|place| path[**place] == b'%'));
                Some(each(&places, &|byte| if *upper { format!("%{byte:02X}").into_bytes() } else { escape(byte) }))
            }
            Self::EscapeUnreserved(places) => {
                let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
                let may: Vec<usize> = all.into_iter().filter(|place| unreserved(path[*place])).collect();
                // An escape that is there stays one only if it is not of an unreserved character: none is, here.
                without(b"%").then(|| each(&chosen(places, &may), &escape))
            }
            Self::End(end, rest) => without(&[*end]).then(|| [path, &[*end], rest].concat()),
            Self::Backslash(places) => {
                without(b"\\").then(|| each(&chosen(places, slashes.get(1..).unwrap_or_default()), &|_| b"\\".to_vec()))
            }
            Self::Slashes(places) => {
                let single = !path.windows(2).any(|pair| pair == b"//");
                single.then(|| each(&chosen(places, &slashes), &|_| b"//".to_vec()))
            }
            Self::Authority(name) => Some([b"//", name.as_slice(), path].concat()),
            Self::Dots(..) if slashes.is_empty() => None,
            Self::Dots(place, segment) => {
                let place = place.get(&slashes);
                let inserted = segment.as_ref().map_or(b"/.".to_vec(), |name| [b"/", name.as_slice(), b"/.."].concat());
                without_dot_segments(path).then(|| [&path[..*place], &inserted, &path[*place..]].concat())
            }
            Self::AboveRoot => without_dot_segments(path).then(|| [b"/..", path].concat()),
            Self::Parameters(place, text) => {
                // A segment ends before a slash or with the path.
                let ends: Vec<usize> = slashes.into_iter().skip(1).chain([path.len()]).collect();
                let end = *place.get(&ends);
                without(b";").then(|| [&path[..end], b";", text, &path[end..]].concat())
            }
            Self::Blanks(place, blank, before, behind) => {
                let mut segments: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
                let chosen = segments.iter_mut().skip(1).collect::<Vec<_>>();
                if chosen.is_empty() {
                    return None;
                }
                let index = place.index(chosen.len());
                let segment = chosen.into_iter().nth(index)?;
                let put = |there: bool| if there { vec![*blank] } else { Vec::new() };
                *segment = [put(*before), segment.clone(), put(*behind)].concat();
                // Blanks that are there already would be cut as well.
                let is_blank = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
                (!path.iter().any(is_blank)).then(|| segments.join(&b'/'))
            }
            Self::LastDots(place, dots) => {
                let mut segments: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
                // What is cut from the end of the other segments must not be theirs, and an empty one would be a dot segment.
                let ends_so =
                    |segment: &[u8]| segment.last().is_some_and(|byte| *byte == b'.' || *byte <= b' ' || *byte == 0x7f);
                let named: Vec<usize> = (0..segments.len()).filter(|place| !segments[*place].is_empty()).collect();
                if named.is_empty() || segments.iter().any(|segment| ends_so(segment)) {
                    return None;
                }
                segments[*place.get(&named)].extend(dots);
                Some(segments.join(&b'/'))
            }
            Self::NotUtf8(place, bytes) => {
                let text = str::from_utf8(path).ok()?;
                let places: Vec<usize> =
                    text.char_indices().map(|(place, _)| place).skip(1).chain([path.len()]).collect();
                let place = *place.get(&places);
                Some([&path[..place], bytes, &path[place..]].concat())
            }
            Self::TrailingSlash => Some([path, b"/"].concat()),
            Self::Letters(places) => Some(each(&chosen(places, &all), &|byte| match byte {
                b'i' => "\u{131}".into(),
                b'I' => "\u{130}".into(),
                b'k' | b'K' => "\u{212a}".into(),
                b's' | b'S' => "\u{17f}".into(),
                byte => vec![byte],
            })),
            Self::Case(places) => {
                let Ok(text) = str::from_utf8(path) else { return Some(path.to_vec()) };
                let letters: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
                let chosen = chosen(places, &letters);
                let change = |(place, letter): (usize, char)| match letter {
                    _ if !chosen.contains(&place) => letter,
                    '\u{e9}' => '\u{c9}',
                    '\u{c9}' => '\u{e9}',
                    letter if letter.is_ascii_lowercase() => letter.to_ascii_uppercase(),
                    letter => letter.to_ascii_lowercase(),
                };
                Some(text.char_indices().map(change).collect::<String>().into_bytes())
            }
        }
    }
}

fn without_dot_segments(path: &[u8]) -> bool {
    !path.split(|byte| *byte == b'/').any(|segment| segment == b"." || segment == b"..")
}

/// Rewrites a path by each of `rewrites`, the ones aside that do not fit, so that it can be sent: without a bare `?`.
fn rewritten(path: &[u8], rewrites: &[Rewrite]) -> Vec<u8> {
    let mut path = path.to_vec();
    for rewrite in rewrites {
        path = rewrite.apply(&path).unwrap_or(path);
        // Further rewriting could move what stands behind the `?` in front of it.
        if path.contains(&b'?') {
            let question = |byte: &u8| match byte {
                b'?' => b"%3f".to_vec(),
                b'%' => b"%25".to_vec(),
                byte => vec![*byte],
            };
            path = path.iter().flat_map(question).collect();
        }
    }
    path
}

fn places() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 1..4)
}

fn text_without(bytes: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    #[rustfmt::skip]
    let pieces = vec![&b"x"[..], b"admin", b".", b"..", b"/", b";", b"#", b"\\", b"=1", b":80", b"@", b".css", b"%41", b"a"];
    vec(select(pieces), 0..4)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("a byte that does not belong", |text| !text.iter().any(|byte| bytes.contains(byte)))
}

/// The rewritings that hold for whole paths, prefixes and suffixes alike.
fn rewrite_anywhere() -> BoxedStrategy<Rewrite> {
    prop_oneof![
        (places(), any::<bool>()).prop_map(|(places, upper)| Rewrite::Escape(places, upper)),
        places().prop_map(Rewrite::EscapeUnreserved),
        places().prop_map(Rewrite::Backslash),
        places().prop_map(Rewrite::Slashes),
        places().prop_map(Rewrite::Case),
        places().prop_map(Rewrite::Letters),
        (any::<Index>(), select(vec![&b"\xff"[..], b"\xc3", b"\xe2\x84", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]))
            .prop_map(|(place, bytes)| Rewrite::NotUtf8(place, bytes.to_vec())),
    ]
    .boxed()
}

/// The rewritings that hold for whole paths and for the whole segments of a prefix.
fn rewrite_segments() -> BoxedStrategy<Rewrite> {
    let segment = text_without(b"/\\#%").prop_filter("a dot segment", |text| text != b"." && text != b"..");
    prop_oneof![
        3 => rewrite_anywhere(),
        1 => text_without(b"/\\#%;").prop_map(Rewrite::Authority),
        1 => (any::<Index>(), proptest::option::of(segment)).prop_map(|(place, segment)| Rewrite::Dots(place, segment)),
        1 => Just(Rewrite::AboveRoot),
    ]
    .boxed()
}

/// The rewritings of a whole path.
fn rewrite_path() -> BoxedStrategy<Rewrite> {
    prop_oneof![
        3 => rewrite_segments(),
        1 => (select(vec![b'#', b'?', 0, b'\n', b';']), text_without(b"")).prop_map(|(end, rest)| Rewrite::End(end, rest)),
        1 => (any::<Index>(), text_without(b"/\\")).prop_map(|(place, text)| Rewrite::Parameters(place, text)),
        1 => Just(Rewrite::TrailingSlash),
        1 => (any::<Index>(), select(vec![&b"."[..], b"..", b" .", b"...", b". ."]))
            .prop_map(|(place, dots)| Rewrite::LastDots(place, dots.to_vec())),
        1 => (any::<Index>(), select(vec![b' ', 1, b'\t', 0x1f, 0x7f]), any::<(bool, bool)>())
            .prop_map(|(place, blank, (before, behind))| Rewrite::Blanks(place, blank, before, behind)),
    ]
    .boxed()
}

/// Where a character of a path begins.
fn cut_at(path: &str, place: Index) -> usize {
    path.floor_char_boundary(place.index(path.len()))
}

/// A rule's path pattern that has one reading, with what it says in words of the oracle.
fn plain_pattern() -> impl Strategy<Value = (&'static str, String)> {
    (select(vec!["prefix", "exact", "suffix"]), plain_path(), any::<Index>()).prop_map(|(kind, path, place)| {
        // A suffix begins anywhere, a prefix ends anywhere; a dot at the edge could be half of a `..`.
        let cut = cut_at(&path, place);
        let pattern = match kind {
            "prefix" => path.get(..path.ceil_char_boundary(cut + 1)).unwrap().trim_end_matches('.').to_owned(),
            "suffix" => path.get(cut..).unwrap().to_owned(),
            _ => path,
        };
        (kind, pattern)
    })
}

/// Any path matcher.
fn matcher() -> impl Strategy<Value = (&'static str, String)> {
    let regex = select(vec!["/a.*", "/a|/b", "/(admin|ab)/.*", "(?i)/ADMIN", ".*[.]css", "^/a/?b?"]);
    prop_oneof![4 => plain_pattern(), 1 => regex.prop_map(|regex| ("regex", regex.to_owned()))]
}

/// Whether a pattern with one reading matches a reading, by the words of `docs/matching.md`.
fn matches(kind: &str, pattern: &str, reading: &[u8], same_case: bool) -> bool {
    let fold = |text: &[u8]| if same_case { text.to_vec() } else { oracle::fold(text) };
    let (pattern, reading) = (fold(pattern.as_bytes()), fold(reading));
    match kind {
        "prefix" => reading.starts_with(&pattern),
        "exact" => reading == pattern,
        _ => reading.ends_with(&pattern),
    }
}

/// What a rule covers besides: `/api/` covers `/api`.
fn matches_without_slash(kind: &str, pattern: &str, reading: &[u8]) -> bool {
    let Some(cut) = oracle::cut_slash(pattern.as_bytes()) else { return false };
    matches(if kind == "prefix" { "exact" } else { kind }, str::from_utf8(&cut).unwrap(), reading, false)
}

proptest! {
    #![proptest_config(proptest_config())]

    /// The readings are those of the oracle: none is forgotten, none is invented.
    #[test]
    fn the_readings_are_those_of_the_oracle(
        path in proptest::option::weighted(0.99, prop_oneof![9 => any_path(), 1 => Just(b"*".to_vec())]),
        method in select(vec![&b"GET"[..], b"OPTIONS", b"options"]),
    ) {
        let readings = Readings::parse(method, path.as_deref());
        let mut for_rules = BTreeSet::new();
        let mut for_exceptions = BTreeSet::new();
        let any = readings.any(|reading| {
            for_rules.insert(reading.to_vec());
            false
        });
        let every = readings.all(|reading| {
            for_exceptions.insert(reading.to_vec());
            true
        });
        match oracle::readings(method, path.as_deref()) {
            None => prop_assert!(any && !every, "readable"),
            Some(expected) => {
                prop_assert!(!any && every, "unreadable");
                prop_assert_eq!(for_rules, expected.for_rules);
                prop_assert_eq!(for_exceptions, expected.for_exceptions);
            }
        }
    }

    /// No way to write a path leads around a rule that covers it.
    #[test]
    fn rewriting_a_protected_path_keeps_it_protected(
        (kind, pattern) in plain_pattern(),
        below in text_without(b"#\\%;"),
        rewrites in vec(rewrite_path(), 1..7),
    ) {
        let rule = Rule::new(json!({kind: pattern})).unwrap();
        let path = match kind {
            "prefix" => [pattern.as_bytes(), &below].concat(),
            "suffix" => [b"/", below.as_slice(), b"/", pattern.as_bytes()].concat(),
            _ => pattern.into_bytes(),
        };
        prop_assume!(rule.protects_path(&path));
        let written = rewritten(&path, &rewrites);
        prop_assert!(rule.protects_path(&written), "open: {}", written.escape_ascii());
    }

    /// That holds for paths that are hostile to begin with, too, and for rules with exceptions.
    #[test]
    fn rewriting_a_hostile_path_keeps_it_protected(
        (kind, pattern) in plain_pattern(),
        (except_kind, except) in plain_pattern(),
        path in hostile_path(),
        rewrites in vec(rewrite_path(), 1..4),
    ) {
        let rule = Rule::new(json!({kind: pattern, "except": [{except_kind: except}]})).unwrap();
        let sent = path.split(|byte| *byte == b'?').next().unwrap();
        // What ends a path as it was sent is no end in another spelling.
        prop_assume!(!sent.iter().any(|byte| b"\n \x85\xa0".contains(byte)));
        prop_assume!(rule.protects_path(sent));
        let rewrites: Vec<_> =
            rewrites.into_iter().filter(|rewrite| !matches!(rewrite, Rewrite::TrailingSlash | Rewrite::Case(_))).collect();
        let written = rewritten(sent, &rewrites);
        prop_assert!(rule.protects_path(&written), "open: {}", written.escape_ascii());
    }

    /// A regex is matched with every reading as well. Its letters are its own affair.
    #[test]
    fn rewriting_a_path_that_a_regex_covers_keeps_it_protected(
        (regex, path) in select(vec![("/a/[^/]*", "/a/b"), ("/ad.in(/.*)?", "/admin/x"), ("/(?i)ADMIN|/b", "/Admin"), (".*[.]css", "/x.css")]),
        rewrites in vec(rewrite_path(), 1..7),
    ) {
        let rule = Rule::new(json!({"regex": regex})).unwrap();
        prop_assert!(rule.protects_path(path.as_bytes()));
        let rewrites: Vec<_> = rewrites.into_iter().filter(|rewrite| !matches!(rewrite, Rewrite::Case(_))).collect();
        let written = rewritten(path.as_bytes(), &rewrites);
        prop_assert!(rule.protects_path(&written), "open: {}", written.escape_ascii());
    }

    /// A rule covers a path if any of the oracle's readings matches, and an exception takes it out only if all do.
    #[test]
    fn rules_and_exceptions_decide_as_the_oracle_does(
        (kind, pattern) in plain_pattern(),
        exceptions in vec((plain_pattern(), proptest::option::of(select(vec!["GET", "HEAD", "*"]))), 0..3),
        method in select(vec!["GET", "HEAD", "get"]),
        path in any_path(),
    ) {
        let entries: Vec<Value> = exceptions.iter().map(|((kind, pattern), method)| match method {
            Some(method) => json!({*kind: pattern, "request_methods": [method]}),
            None => json!({*kind: pattern}),
        }).collect();
        let rule = Rule::new(json!({kind: pattern, "except": entries})).unwrap();
        let expected = oracle::readings(method.as_bytes(), Some(&path)).is_none_or(|readings| {
            let covered = readings.for_rules.iter().any(|reading| {
                matches(kind, &pattern, reading, false) || matches_without_slash(kind, &pattern, reading)
            });
            let excepted = exceptions.iter().any(|((kind, pattern), only)| {
                only.is_none_or(|only| only == "*" || only == method)
                    && readings.for_exceptions.iter().all(|reading| matches(kind, pattern, reading, true))
            });
            covered && !excepted
        });
        prop_assert_eq!(rule.protects(method.as_bytes(), Some(b"test"), Some(&path)), expected);
    }

    /// Rules side by side cover what each of them covers alone, and the first in the order of the configuration answers.
    #[test]
    fn rules_side_by_side_cover_what_each_covers_alone(
        entries in vec((matcher(), vec(host_pattern(), 0..3), proptest::option::of(select(vec!["GET", "HEAD", "POST", "*"]))), 1..9),
        path in any_path(),
        authority in prop_oneof![4 => name(), 1 => Just("user@foo.com".to_owned()), 1 => Just("[::1]".to_owned())],
        method in select(vec!["GET", "HEAD", "POST", ""]),
    ) {
        let rules: Vec<Value> = entries.iter().map(|((kind, pattern), hosts, method)| match method {
            Some(method) => json!({*kind: pattern, "hosts": hosts, "request_methods": [method]}),
            None => json!({*kind: pattern, "hosts": hosts}),
        }).collect();
        let alone = |rule: &Value| {
            Rule::new(rule.clone()).unwrap().protects(method.as_bytes(), Some(authority.as_bytes()), Some(&path))
        };
        let expected: Vec<usize> = (0..rules.len()).filter(|place| alone(&rules[*place])).collect();
        let mut rules = rules;
        for rule in &mut rules {
            rule["credentials"] = json!(["ok:test"]);
        }
        let policy = Policy::new(Config::parse(json!({"basic_auth_rules": rules}).to_string().as_bytes()).ok().unwrap());
        let request = Request {
            method: method.as_bytes(),
            path: Some(&path),
            authority: Some(authority.as_bytes()),
            credential: HeaderLines::None, ..Request::default() };
        let covering: Vec<usize> = policy.covering(&request).map(|(place, _)| place).collect();
        prop_assert_eq!(covering, expected);
    }

    /// A regex covers what it says, whatever is known of its beginning without running it.
    #[test]
    fn a_regex_covers_what_it_matches(
        pieces in vec(select(vec![
            "/", "a", "b", "ab", ".", ".*", "a+", "a*", "a?", "a+*", "a+?", "b{0,2}", "(a|b)", "(a)?", "(?:/a|b)*", "|", "[ab|]", "[(]", r"\|", r"\(", r"\.",
            "(?i)", "(?i:A)", "(?x)", " ", "#", "^", "$", "\u{e9}", "\u{e9}?", "(?:)", "()",
        ]), 1..7),
        path in prop_oneof![plain_path(), "/[ab/]{0,5}", "[ab|(.# /\u{e9}]{0,4}".prop_map(|end| format!("/{end}"))],
    ) {
        let pattern = pieces.concat();
        let (rule, regex) = (Rule::new(json!({"regex": pattern})), regex_lite::Regex::new(&pattern));
        prop_assume!(rule.is_some() && regex.is_ok());
        // The whole of a reading has to match, and the longest match is not always the first: `a|ab`.
        let whole = regex_lite::Regex::new(&format!("^(?:{pattern}\n)$"))
            .ok()
            .filter(|_| pattern.contains("(?x)"))
            .or_else(|| regex_lite::Regex::new(&format!("^(?:{pattern})$")).ok());
        prop_assume!(whole.is_some());
        if oracle::readings(b"GET", Some(path.as_bytes())).is_some_and(|readings| {
            readings.for_rules.iter().any(|reading| str::from_utf8(reading).map_or(true, |path| whole.as_ref().unwrap().is_match(path)))
        }) {
            let is_covered = rule.unwrap().protects_path(path.as_bytes());
            prop_assert!(is_covered, "{} leaves {} open", pattern, path);
        }
    }

    /// However a whole path is written in the configuration, it protects what it names.
    #[test]
    fn an_exact_pattern_protects_however_it_is_written(path in plain_path(), rewrites in vec(rewrite_path(), 1..5)) {
        let written = String::from_utf8(rewritten(path.as_bytes(), &rewrites));
        let rule = written.ok().and_then(|pattern| Rule::new(json!({"exact": pattern})));
        // Only a pattern with too many readings is refused.
        prop_assume!(rule.is_some());
        prop_assert!(rule.unwrap().protects_path(path.as_bytes()));
    }

    /// However the beginning of a path is written in the configuration, it protects what it names.
    #[test]
    fn a_prefix_protects_however_it_is_written(
        path in plain_path(),
        below in text_without(b"#\\%;./"),
        rewrites in vec(rewrite_segments(), 1..5),
    ) {
        let written = String::from_utf8(rewritten(path.as_bytes(), &rewrites));
        let rule = written.ok().and_then(|pattern| Rule::new(json!({"prefix": pattern})));
        prop_assume!(rule.is_some());
        let rule = rule.unwrap();
        prop_assert!(rule.protects_path(path.as_bytes()));
        prop_assert!(rule.protects_path(&[path.as_bytes(), &below].concat()));
    }

    /// However the end of a path is written in the configuration, it protects what it names.
    #[test]
    fn a_suffix_protects_however_it_is_written(
        above in plain_path(),
        path in plain_path(),
        cut in any::<Index>(),
        rewrites in vec(prop_oneof![
            3 => rewrite_anywhere(),
            1 => (any::<Index>(), text_without(b"/\\")).prop_map(|(place, text)| Rewrite::Parameters(place, text)),
            1 => Just(Rewrite::TrailingSlash),
            1 => (select(vec![b'#', b'?', 0, b';']), text_without(b"")).prop_map(|(end, rest)| Rewrite::End(end, rest)),
            1 => (any::<Index>(), proptest::option::of(Just(b"x".to_vec())))
                .prop_map(|(place, segment)| Rewrite::Dots(place, segment)),
        ], 1..5),
    ) {
        let suffix = path.get(cut_at(&path, cut)..).unwrap();
        let written = String::from_utf8(rewritten(suffix.as_bytes(), &rewrites));
        let rule = written.ok().and_then(|pattern| Rule::new(json!({"suffix": pattern})));
        prop_assume!(rule.is_some());
        let rule = rule.unwrap();
        prop_assert!(rule.protects_path(path.as_bytes()));
        let below = [above, path].concat();
        prop_assert!(rule.protects_path(below.as_bytes()));
    }
}

// Hosts.

fn name() -> impl Strategy<Value = String> {
    let label = select(vec!["foo", "com", "a", "b-c", "x_y", "1", "127", "0"]);
    vec(label, 1..5).prop_map(|labels| labels.join("."))
}

fn host_pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        name().prop_map(|name| format!("*.{name}")),
        name().prop_map(|name| format!("{name}.*")),
        (name(), any::<Index>(), any::<bool>()).prop_map(|(name, place, is_suffix)| {
            let place = place.index(name.len() + 1);
            if is_suffix { format!("*{}", &name[place..]) } else { format!("{}*", &name[..place]) }
        }),
        ipv6().prop_map(|address| format!("[{address}]")),
        Just("*".to_owned()),
    ]
}

fn ipv6() -> impl Strategy<Value = Ipv6Addr> {
    prop_oneof![any::<u128>(), 0..4_u128, any::<u32>().prop_map(|low| 0xffff_0000_0000 | u128::from(low))]
        .prop_map(Ipv6Addr::from)
}

/// Spells an address without the help of the library that reads it.
fn spelled(address: Ipv6Addr, style: u8, upper: bool) -> String {
    let groups = address.segments();
    let four = |group: &u16| format!("{group:04x}");
    let short = |group: &u16| format!("{group:x}");
    let spelled = match style % 4 {
        0 => groups.iter().map(four).collect::<Vec<_>>().join(":"),
        1 => groups.iter().map(short).collect::<Vec<_>>().join(":"),
        2 => {
            let [a, b, c, d] = address.to_bits().to_be_bytes()[12..] else { panic!("four bytes") };
            format!("{}:{a}.{b}.{c}.{d}", groups[..6].iter().map(short).collect::<Vec<_>>().join(":"))
        }
        _ => match groups.iter().position(|group| *group != 0) {
            Some(first) if first > 0 => {
                format!("::{}", groups[first..].iter().map(short).collect::<Vec<_>>().join(":"))
            }
            None => "::".to_owned(),
            Some(_) => groups.iter().map(short).collect::<Vec<_>>().join(":"),
        },
    };
    if upper { spelled.to_ascii_uppercase() } else { spelled }
}

fn port() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just(":".to_owned()), "[0-9]{1,6}".prop_map(|port| format!(":{port}"))]
}

proptest! {
    #![proptest_config(proptest_config())]

    /// Case, port and a trailing dot of a name change no decision, and the decision is that of the words.
    #[test]
    fn spellings_of_a_name_get_one_decision(
        patterns in vec(host_pattern(), 0..4),
        name in name(),
        letters in places(),
        dot in any::<bool>(),
        (port, pattern_port) in (port(), port()),
    ) {
        let written: Vec<String> = patterns.iter().map(|pattern| format!("{pattern}{pattern_port}").to_uppercase()).collect();
        let (rule, twin) = (Rule::new(json!({"prefix": "/", "hosts": patterns})), Rule::new(json!({"prefix": "/", "hosts": written})));
        let (rule, twin) = (rule.unwrap(), twin.unwrap());
        let expected = patterns.is_empty() || patterns.iter().any(|pattern| match pattern.split_once('*') {
            Some(("", "")) => true,
            Some(("", end)) => name.ends_with(end),
            Some((start, _)) => name.starts_with(start),
            None => *pattern == name,
        });
        let mut spelled = name.clone().into_bytes();
        for letter in &letters {
            letter.get_mut(&mut spelled).make_ascii_uppercase();
        }
        let spelled = [spelled.as_slice(), if dot { b"." } else { b"" }, port.as_bytes()].concat();
        for rule in [rule, twin] {
            prop_assert_eq!(rule.protects(b"GET", Some(name.as_bytes()), Some(b"/")), expected);
            prop_assert_eq!(rule.protects(b"GET", Some(&spelled), Some(b"/")), expected, "{}", spelled.escape_ascii());
        }
    }

    /// An IPv6 address is one host, however it is spelled, in a request and in the configuration.
    #[test]
    fn spellings_of_an_address_get_one_decision(
        (listed, asked) in (ipv6(), ipv6()),
        (style, other_style) in any::<(u8, u8)>(),
        upper in any::<bool>(),
        port in port(),
    ) {
        for address in [listed, asked] {
            let rule = Rule::new(json!({"prefix": "/", "hosts": [format!("[{}]{port}", spelled(listed, style, upper))]})).unwrap();
            let authority = format!("[{}]{port}", spelled(address, other_style, !upper));
            let is = rule.protects(b"GET", Some(authority.as_bytes()), Some(b"/"));
            prop_assert_eq!(is, address == listed, "{}", authority);
        }
    }

    /// What is no host by the grammar is every host.
    #[test]
    fn an_unreadable_authority_is_covered(
        authority in proptest::option::of(vec(any::<u8>(), 0..10)),
        pattern in host_pattern(),
    ) {
        let readable = authority.as_deref().and_then(|authority| str::from_utf8(authority).ok()).is_some_and(|authority| {
            let host = authority.split_once(':').map_or(authority, |(host, _)| host);
            let port = authority.get(host.len()..).unwrap().trim_start_matches(':');
            let name = host.strip_suffix('.').unwrap_or(host);
            let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            authority.starts_with('[') || (name.split('.').all(label) && port.chars().all(|c| c.is_ascii_digit()))
        });
        prop_assume!(!readable);
        let rule = Rule::new(json!({"prefix": "/", "hosts": [pattern]})).unwrap();
        prop_assert!(rule.protects(b"GET", authority.as_deref(), Some(b"/")));
    }

    // Methods.

    /// A rule compares without case, and `GET` covers `HEAD`; an empty intersection stays open.
    #[test]
    fn methods_decide_as_the_words_say(
        listed in vec(select(vec!["GET", "HEAD", "POST", "PROPFIND", "x-Own", "*"]), 1..4),
        method in prop_oneof![
            select(vec!["GET", "HEAD", "POST", "PUT", "PROPFIND", "X-OWN", "*", "GE"]).prop_map(|name| name.as_bytes().to_vec()),
            vec(any::<u8>(), 0..4),
        ],
        letters in places(),
    ) {
        let rule = Rule::new(json!({"prefix": "/", "request_methods": listed})).unwrap();
        let expected = listed.iter().any(|name| {
            *name == "*" || method.is_empty() || name.as_bytes().eq_ignore_ascii_case(&method)
                || (*name == "GET" && method.eq_ignore_ascii_case(b"HEAD"))
        });
        let mut spelled = method;
        for letter in letters.iter().filter(|_| !spelled.is_empty()).copied().collect::<Vec<_>>() {
            letter.get_mut(&mut spelled).make_ascii_lowercase();
        }
        prop_assert_eq!(rule.protects(&spelled, Some(b"test"), Some(b"/")), expected);
    }

    // Credentials.

    /// A header is accepted exactly if it is `Basic`, spaces, and the base64 of a listed pair, padded in full or not at all.
    #[test]
    fn only_a_listed_pair_in_canonical_base64_is_accepted(
        pairs in vec("[a-c]{1,2}:[a-c:]{0,4}", 1..4),
        chosen in any::<Index>(),
        scheme in select(vec!["Basic", "basic", "BASIC", "bAsIC", "Basi", "Bearer", "Basic\t", ""]),
        spaces in 0..3_usize,
        padding in 0..4_usize,
        change in proptest::option::of((any::<Index>(), any::<u8>())),
    ) {
        let text = json!({"basic_auth_rules": [{"prefix": "/", "credentials": pairs}]}).to_string();
        let policy = Policy::new(Config::parse(text.as_bytes()).ok().unwrap());
        let encoded = BASE64_STANDARD.encode(chosen.get(&pairs));
        let mut token = encoded.trim_end_matches('=').as_bytes().to_vec();
        if let Some((place, byte)) = change {
            *place.get_mut(&mut token) = byte;
        }
        token.extend(b"=".repeat(padding));
        let value = [scheme.as_bytes(), b" ".repeat(spaces).as_slice(), &token].concat();
        let request = Request { method: b"GET", path: Some(b"/"), authority: None, credential: HeaderLines::One(&value), ..Request::default() };
        let is = match policy.decide(&request) {
            Decision::Accepted { pair, .. } => Some(pair.user().to_vec()),
            _ => None,
        };
        let spelled = |pair: &&String| {
            let full = BASE64_STANDARD.encode(pair).into_bytes();
            token == full || token == full.strip_suffix(b"==").or(full.strip_suffix(b"=")).unwrap_or(&full)
        };
        let expected = pairs.iter().find(spelled).filter(|_| scheme.eq_ignore_ascii_case("basic") && spaces > 0);
        let expected = expected.map(|pair| pair.split(':').next().unwrap().as_bytes().to_vec());
        prop_assert_eq!(is, expected);
    }

    /// More than one header is refused, whatever they say.
    #[test]
    fn several_headers_are_never_accepted(values in vec(select(vec!["Basic b2s6dGVzdA==", "Basic b2s6dGVzdA", "Bearer x", ""]), 2..5)) {
        let rule = Rule::new(json!({"prefix": "/"})).unwrap();
        let credential = values.iter().map(|value| value.as_bytes()).collect();
        let request = Request { method: b"GET", path: Some(b"/"), authority: None, credential, ..Request::default() };
        let is_refused = matches!(rule.0.decide(&request), Decision::Refused { reason: Reason::Malformed, .. });
        prop_assert!(is_refused);
    }
}

// The first match.

/// A rule for `first_match`: its users, what it covers, and what it does not.
fn first_match_rule() -> impl Strategy<Value = Value> {
    let users = select(vec![json!(["a:1"]), json!(["b:1"]), json!(["a:1", "b:1"])]);
    let except = proptest::option::weighted(0.4, (plain_pattern(), proptest::option::of(select(vec!["GET", "PUT"]))));
    let methods = proptest::option::weighted(0.2, select(vec!["GET", "PUT"]));
    (matcher(), users, except, methods).prop_map(|((kind, pattern), users, except, methods)| {
        let mut rule = json!({kind: pattern, "credentials": users});
        if let Some(((kind, pattern), methods)) = except {
            rule["except"] = json!([{kind: pattern}]);
            if let Some(method) = methods {
                rule["except"][0]["request_methods"] = json!([method]);
            }
        }
        if let Some(method) = methods {
            rule["request_methods"] = json!([method]);
        }
        rule
    })
}

proptest! {
    #![proptest_config(proptest_config())]

    /// With `first_match`, no spelling of a path gives a user, or somebody without one, what its plain forms do not all
    /// give him: a backend may serve any of them.
    #[test]
    fn no_spelling_walks_around_the_first_match(
        rules in vec(first_match_rule(), 1..5),
        plain in plain_path(),
        rewrites in vec(rewrite_path(), 0..4),
        hostile in proptest::option::weighted(0.3, hostile_path()),
        method in select(vec!["GET", "PUT", "get"]),
    ) {
        let text = json!({"first_match": true, "basic_auth_rules": rules}).to_string();
        // Rules that protect nothing are refused.
        let config = Config::parse(text.as_bytes());
        prop_assume!(config.is_ok());
        let policy = Policy::new(config.unwrap());
        let written = hostile.unwrap_or_else(|| rewritten(plain.as_bytes(), &rewrites));
        let mut forms = Vec::new();
        let sent = Readings::parse(method.as_bytes(), Some(&written));
        sent.all(|reading| {
            if !Readings::parse(b"GET", Some(reading)).is_ambiguous() {
                forms.push(reading.to_vec());
            }
            true
        });
        for credential in [None, Some("Basic YTox"), Some("Basic Yjox")] {
            let may_pass = |method: &str, path: &[u8]| {
                let credential = credential.map(str::as_bytes).into_iter().collect();
                let request = Request {
                    method: method.as_bytes(), path: Some(path), authority: Some(b"test"), credential, ..Request::default()
                };
                policy.decide(&request).reason().is_none()
            };
            if may_pass(method, &written) {
                for form in &forms {
                    let upper = method.to_ascii_uppercase();
                    prop_assert!(
                        may_pass(&upper, form),
                        "{credential:?} passes as {} and not as {} under {text}", written.escape_ascii(), form.escape_ascii()
                    );
                }
            }
        }
    }
}
