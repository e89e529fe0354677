//! What the path of a request may mean to whoever serves it.
//!
//! Proxies and backends undo different things before they look a path up, so one path has several readings.
//! A rule has to hold whichever of them the backend takes: [`Readings`] are all of them.
//!
//! The query is cut at the first `?` before anything else. A reading is then any text that the [steps](steps::STEPS)
//! reach, in any order and number.
//!
//! A path is unreadable, so that nothing can be known about it, if it or one of its readings has an escape that is not
//! `%` and two hexadecimal digits or holds an overlong UTF-8 sequence (`%c0%ae` is `.` to lenient decoders), if it does
//! not begin with `/` (but for the `*` of `OPTIONS`), if there is none (`CONNECT`), or if it has more than
//! [`MAX_READINGS`] readings or these more than [`max_bytes`] bytes, which no honest path has.
//!
//! A path without anything that a step acts on has one reading. It is scanned once, and nothing is allocated.

#[cfg(feature = "ablation")]
pub(crate) mod ablation;
mod decode;
#[cfg(feature = "explain")]
pub(crate) mod explain;
mod pattern;
mod scan;
mod set;
mod steps;

use std::fmt;
use std::iter::successors;

pub use pattern::PatternKind;
pub(crate) use pattern::is_well_formed;
use scan::scan_to_query;
use set::ReadingSet;
pub(crate) use steps::without_trailing_slash;
pub use steps::{STEPS, Step};

/// How many readings a path may have before it counts as unreadable.
pub const MAX_READINGS: usize = 64;

/// How many bytes the readings of a path of that length may have together before it counts as unreadable: as many as
/// three of it have, and 16 KiB for a short one.
///
/// It is a bound on work: 64 readings of 50 kB would keep a worker busy for a tenth of a second. A path of 256 bytes can
/// have all of its 64 readings, one of any length can be decoded.
#[must_use]
fn max_bytes(path: usize) -> usize {
    path.saturating_mul(3).max(16 * 1024)
}

/// The readings of a path: what it may mean to whoever serves it.
///
/// ```
/// use basic_auth::Readings;
///
/// let readings = Readings::parse(b"GET", Some(b"/x/..%2fadmin?q"));
/// assert!(readings.any(|reading| reading == b"/admin"));
/// assert!(!readings.all(|reading| reading == b"/admin"));
/// assert_eq!(format!("{:?}", Readings::parse(b"GET", Some(b"/%61"))), r#"["/%61", "/a"]"#);
/// assert_eq!(format!("{:?}", Readings::parse(b"GET", Some(b"/%zz"))), "unreadable");
/// ```
pub enum Readings<'a> {
    /// One reading: the path as it was sent, up to its `?`.
    Plain(&'a [u8]),
    /// What the steps reach.
    Several(ReadingSet),
    /// Nothing can be known about the path.
    Unreadable,
}

impl<'a> Readings<'a> {
    /// Reads the path of a request, `:path` in HTTP/2: all of the target behind the host.
    #[must_use]
    pub fn parse(method: &[u8], path: Option<&'a [u8]>) -> Self {
        let Some(sent) = path else { return Self::Unreadable };
        let (path, marks) = scan_to_query(sent);
        if path.first() != Some(&b'/') {
            let is_star = path == b"*" && method == b"OPTIONS";
            return if is_star { Self::Plain(path) } else { Self::Unreadable };
        }
        if marks.is_plain() {
            return Self::Plain(path);
        }
        ReadingSet::of_request(path).map_or(Self::Unreadable, Self::Several)
    }

    /// The readings that a rule is compared with, or `None` if the path is unreadable and covered by every rule.
    #[must_use]
    pub fn covering(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let (plain, several) = match self {
            Self::Plain(path) => (Some(*path), &[][..]),
            Self::Several(set) => (None, set.for_rules()),
            Self::Unreadable => return None,
        };
        let plain = plain.into_iter().flat_map(|path| successors(Some(path), |path| without_trailing_slash(path)));
        Some(plain.chain(several.iter().map(|reading| reading.bytes.as_slice())))
    }

    /// Whether the path has more than one reading, or none. A reading by a cut trailing `/` is none of them: it says what a
    /// rule covers, and nobody's path is ambiguous for its last slash.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Several(set) => set.for_exceptions().len() > 1,
            Self::Unreadable => true,
        }
    }

    /// Whether all readings are ASCII.
    #[must_use]
    pub(crate) fn is_ascii(&self) -> bool {
        match self {
            Self::Plain(_) | Self::Unreadable => true,
            Self::Several(set) => set.is_ascii(),
        }
    }

    /// Whether any reading satisfies `covers`. An unreadable path does.
    pub fn any(&self, covers: impl FnMut(&[u8]) -> bool) -> bool {
        self.covering().is_none_or(|mut readings| readings.any(covers))
    }

    /// Whether every reading satisfies `excepts`, those by a cut trailing `/` left aside. An unreadable path does not.
    pub fn all(&self, mut excepts: impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::Plain(path) => excepts(path),
            Self::Several(set) => set.for_exceptions().iter().all(|reading| excepts(&reading.bytes)),
            Self::Unreadable => false,
        }
    }
}

/// The readings that a rule is compared with, escaped; `unreadable` if nothing can be known.
impl fmt::Debug for Readings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.covering() {
            Some(readings) => {
                f.debug_list().entries(readings.map(|reading| reading.escape_ascii().to_string())).finish()
            }
            None => f.write_str("unreadable"),
        }
    }
}

/// Cuts the query at the first `?`.
#[must_use]
pub(crate) fn without_query(path: &[u8]) -> &[u8] {
    scan_to_query(path).0
}

#[cfg(test)]
mod tests {
    use super::{MAX_READINGS, PatternKind, Readings, max_bytes};

    /// The readings that count for a rule, sorted, and those of them that do not count for an exception; `None` if the
    /// path is unreadable.
    fn read(method: &str, path: &str) -> Option<(Vec<String>, Vec<String>)> {
        let readings = Readings::parse(method.as_bytes(), Some(path.as_bytes()));
        let (mut for_rules, mut for_exceptions) = (Vec::new(), Vec::new());
        let keep = |readings: &mut Vec<String>, reading: &[u8]| readings.push(reading.escape_ascii().to_string());
        let any = readings.any(|reading| {
            keep(&mut for_rules, reading);
            false
        });
        let every = readings.all(|reading| {
            keep(&mut for_exceptions, reading);
            true
        });
        assert_eq!(any, !every, "{path}: unreadable for both or for none");
        let mut cut: Vec<String> =
            for_rules.iter().filter(|reading| !for_exceptions.contains(reading)).cloned().collect();
        for readings in [&mut for_rules, &mut cut] {
            readings.sort();
            readings.dedup();
        }
        every.then_some((for_rules, cut))
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
            ("/a%20%2fb", &["/a%20%2fb", "/a %2fb", "/a /b", "/a/b"]),
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
            ("/a;v=1/b", &["/a", "/a/b", "/a;v=1/b"]),
            ("/a;/..;/b", &["/a", "/a/../b", "/a;/..;/b", "/b"]),
            ("/caf%C3%A9", &["/caf%C3%A9", r"/caf\xc3\xa9"]),
            ("/a%e0b", &["/a%e0b", r"/a\xe0b", r"/a\xc3\xa0b", "/ab"]),
            (
                "/a%e2%84/%ed%a0%80b%f4%90%80%80",
                &[
                    "/a%e2%84/%ed%a0%80b%f4%90%80%80",
                    r"/a\xe2\x84/\xed\xa0\x80b\xf4\x90\x80\x80",
                    r"/a\xc3\xa2\xc2\x84/\xc3\xad\xc2\xa0\xc2\x80b\xc3\xb4\xc2\x90\xc2\x80\xc2\x80",
                    "/a/b",
                ],
            ),
            ("/a;/b", &["/a", "/a/b", "/a;/b"]),
            ("/a.", &["/a", "/a."]),
            ("/a./b", &["/a./b", "/a/b"]),
            ("/a/..%20/b", &["/a/..%20/b", "/a/.. /b", "/a/../b", "/b"]),
            ("/a%20.", &["/a", "/a ", "/a .", "/a%20", "/a%20."]),
            ("/%20a/b%01", &["/%20a/b%01", r"/ a/b\x01", "/a/b"]),
            ("/a%7f%20", &["/a%7f%20", r"/a\x7f ", "/a"]),
            ("/a%20b", &["/a b", "/a%20b"]),
            ("/a+b+c", &["/a b c", "/a+b+c"]),
            ("/a%2bb", &["/a b", "/a%2bb", "/a+b"]),
        ] {
            assert_eq!(read("GET", path), Some((own(readings), Vec::new())), "{path}");
        }
    }

    #[test]
    fn raw_white_space_ends_a_path_where_it_was_sent_alone() {
        for byte in *b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0" {
            let raw = [b"/a", &[byte][..], b"/b"].concat();
            assert!(Readings::parse(b"GET", Some(&raw)).any(|reading| reading == b"/a"), "{byte}");
            // A line feed ends a path wherever it is.
            let escaped = format!("/a%{byte:02x}/b");
            let is_end = Readings::parse(b"GET", Some(escaped.as_bytes())).any(|reading| reading == b"/a");
            assert_eq!(is_end, byte == b'\n', "{byte}");
        }
        let letter = Readings::parse(b"GET", Some(b"/voil%C3%A0"));
        assert!(!letter.any(|reading| str::from_utf8(reading).is_err()), "{letter:?}");
    }

    #[test]
    fn a_path_is_ambiguous_if_it_has_more_than_one_reading_or_none() {
        for (path, is_ambiguous) in [
            ("/", false),
            ("/a/", false),
            ("/a?b#c", false),
            ("/caf\u{e9}", false),
            ("/a//", true),
            ("/%61", true),
            ("/a;b", true),
            ("/a+b", true),
            ("/a\\b", true),
            ("/%zz", true),
            ("", true),
        ] {
            assert_eq!(Readings::parse(b"GET", Some(path.as_bytes())).is_ambiguous(), is_ambiguous, "{path}");
        }
        assert!(Readings::parse(b"CONNECT", None).is_ambiguous());
        assert!(!Readings::parse(b"OPTIONS", Some(b"*")).is_ambiguous());
    }

    #[test]
    fn a_path_with_nothing_to_undo_is_looked_at_once() {
        for path in ["/", "/a.b..c/d/", "/a~b!$&'()*,:=@", "/a.b/c?//#;%zz"] {
            let sent = path.split('?').next().unwrap().as_bytes();
            assert!(
                matches!(Readings::parse(b"GET", Some(path.as_bytes())), Readings::Plain(plain) if plain == sent),
                "{path}"
            );
        }
    }

    #[test]
    fn a_trailing_slash_is_cut_for_coverage_alone() {
        for (path, readings, cut) in [
            ("/a/", &["/a", "/a/"][..], &["/a"][..]),
            ("/a//", &["/a", "/a/", "/a//"], &["/a"]),
            ("/a%2f", &["/a", "/a%2f", "/a/"], &["/a"]),
            ("/a/.", &["/a", "/a/", "/a/."], &["/a"]),
            ("/a/x/..", &["/a", "/a/", "/a/x", "/a/x/", "/a/x/.."], &["/a", "/a/x"]),
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

    /// `/A` under so many layers of percent signs; each layer is a reading.
    fn nested(layers: usize) -> String {
        format!("/%{}41", "25".repeat(layers))
    }

    #[test]
    fn readings_are_counted() {
        assert_eq!(read("GET", &nested(MAX_READINGS - 2)).map(|(readings, _)| readings.len()), Some(MAX_READINGS));
        assert_eq!(read("GET", &nested(MAX_READINGS - 1)), None);
        // Those by a cut trailing slash count as well.
        let slashes = |number| format!("/a{}", "/".repeat(number));
        assert_eq!(read("GET", &slashes(MAX_READINGS - 1)).map(|(readings, _)| readings.len()), Some(MAX_READINGS));
        assert_eq!(read("GET", &slashes(MAX_READINGS)), None);
    }

    #[test]
    fn bytes_are_counted() {
        // Each layer of percent signs is two bytes shorter than the one around it.
        let path = |layers: usize, letters: usize| format!("{}{}", nested(layers), "a".repeat(letters));
        // These 32 have 16 KiB.
        assert_eq!(read("GET", &path(30, 479)).map(|(readings, _)| readings.len()), Some(32));
        assert_eq!(read("GET", &path(30, 480)), None);
        // However long it is, a path can be decoded.
        assert_eq!(read("GET", &path(1, 100_000)).map(|(readings, _)| readings.len()), Some(3));
        assert_eq!(read("GET", &path(2, 100_000)), None);
        assert_eq!((max_bytes(5_000), max_bytes(6_000)), (16_384, 18_000));
        // A plain path has no other reading, and no limit but the proxy's.
        assert!(read("GET", &format!("/{}", "a".repeat(1_000_000))).is_some());
    }

    fn sorted(readings: Option<Vec<Vec<u8>>>) -> Option<Vec<String>> {
        let mut readings: Vec<String> = readings?.iter().map(|reading| reading.escape_ascii().to_string()).collect();
        readings.sort();
        Some(readings)
    }

    fn own(readings: &[&str]) -> Vec<String> {
        let mut readings: Vec<String> = readings.iter().map(|reading| (*reading).to_owned()).collect();
        readings.sort();
        readings
    }

    #[test]
    fn a_whole_path_in_the_configuration_has_the_readings_of_a_path() {
        for (path, readings) in [
            ("/a", &["/a"][..]),
            ("/a/", &["/a", "/a/"]),
            ("//x/a;b", &["//x/a", "//x/a;b", "/a", "/a;b", "/x/a", "/x/a;b"]),
            // A percent sign below an escape is no mistake of who wrote it.
            ("/100%25", &["/100%", "/100%25"]),
            ("/a#b", &["/a", "/a#b"]),
        ] {
            assert_eq!(sorted(PatternKind::Path.readings(path.as_bytes())), Some(own(readings)), "{path}");
        }
        for path in ["/%zz", "/%", "/%c0%ae", nested(MAX_READINGS - 1).as_str()] {
            assert_eq!(PatternKind::Path.readings(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn the_last_segment_of_a_prefix_is_no_whole_one() {
        for (prefix, readings) in [
            ("/", &["/"][..]),
            ("/a%20b", &["/a b", "/a%20b"]),
            ("/a//b", &["/a//b", "/a/b"]),
            (r"/a\b", &["/a/b", r"/a\\b"]),
            ("/a+b", &["/a b", "/a+b"]),
            ("/x/../a", &["/a", "/x/../a"]),
            ("/x/../", &["/", "/x/../"]),
            ("/x/./a", &["/x/./a", "/x/a"]),
            ("/.", &["/."]),
            ("/x/..", &["/x/.."]),
            ("/ a /b ", &["/ a /b ", "/a/b "]),
            ("/a/ ", &["/a/ "]),
            ("/a./b", &["/a./b", "/a/b"]),
            ("/a./b.", &["/a./b.", "/a/b."]),
            ("/a;b", &["/a;b"]),
            ("/a;b/c;d", &["/a/c;d", "/a;b/c;d"]),
            ("//a", &["//a", "/a"]),
            ("//a/b", &["//a/b", "/a/b", "/b"]),
            ("///a/b", &["///a/b", "/a/b", "/b"]),
            ("/a#b", &["/a#b"]),
            ("/a/", &["/a/"]),
        ] {
            assert_eq!(sorted(PatternKind::Prefix.readings(prefix.as_bytes())), Some(own(readings)), "{prefix}");
        }
        assert_eq!(PatternKind::Prefix.readings(b"/%zz"), None);
    }

    #[test]
    fn a_suffix_ends_where_the_path_ends() {
        for (suffix, readings) in [
            (".css", &[".css"][..]),
            ("%2Ecss", &["%2Ecss", ".css"]),
            ("a//b", &["a//b", "a/b"]),
            (";x/b", &["/b", ";x/b"]),
            (";x", &[";x"]),
            ("/", &["/"]),
            ("/a/", &["/a", "/a/"]),
            ("a;b/", &["a", "a/", "a;b", "a;b/"]),
            ("a+b", &["a b", "a+b"]),
            (" /b", &[" /b", "/b"]),
            (" a ", &[" a", " a "]),
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
            assert_eq!(sorted(PatternKind::Suffix.readings(suffix.as_bytes())), Some(own(readings)), "{suffix}");
        }
        assert_eq!(PatternKind::Suffix.readings(b"%zz"), None);
    }
}
