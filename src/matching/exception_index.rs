//! The exceptions of all rules, found along the path of a request instead of one after the other.
//!
//! An exception is compared as it is written, and takes a request out only if it matches every
//! [reading](crate::matching::readings) of the path.

use std::mem;

use super::exception::{Exception, ExceptionPattern};
use super::readings::Readings;
use super::regex::PathRegex;
use super::target::Target;
use super::tree::{Forest, From, IndexedText};

/// Tells the exceptions of one rule from those of others.
#[derive(Clone, Copy)]
pub(crate) struct ExceptionsId(u32);

impl ExceptionsId {
    /// The tree of its patterns.
    fn texts(self) -> u32 {
        self.0.saturating_mul(2)
    }

    /// The tree of how its regexes begin, in lower case.
    fn beginnings(self) -> u32 {
        self.texts().saturating_add(1)
    }
}

/// Where exceptions are entered.
#[derive(Default)]
pub(crate) struct ExceptionsBuilder {
    forward: Vec<IndexedText>,
    backward: Vec<IndexedText>,
    conditions: Vec<Conditions>,
    rules: u32,
}

impl ExceptionsBuilder {
    /// Enters the exceptions of a rule; `None` if it makes none.
    // Not inlined, like the other steps of loading: V8 compiles several small functions sooner than a large one.
    #[inline(never)]
    pub(crate) fn add(&mut self, exceptions: Box<[Exception]>) -> Option<ExceptionsId> {
        if exceptions.is_empty() {
            return None;
        }
        let id = ExceptionsId(self.rules);
        self.rules = self.rules.saturating_add(1);
        for exception in exceptions {
            let value = u32::try_from(self.conditions.len()).unwrap_or(u32::MAX);
            let entry = |text, whole| IndexedText { tree: id.texts(), text, whole, value };
            let Exception { pattern, methods } = exception;
            let mut regex = None;
            match pattern {
                ExceptionPattern::Prefix(prefix) => self.forward.push(entry(prefix, false)),
                ExceptionPattern::Exact(exact) => self.forward.push(entry(exact, true)),
                ExceptionPattern::Suffix(mut suffix) => {
                    suffix.reverse();
                    self.backward.push(entry(suffix, false));
                }
                ExceptionPattern::Regex(pattern) => {
                    let beginning = entry(pattern.beginning().into(), false);
                    self.forward.push(IndexedText { tree: id.beginnings(), ..beginning });
                    regex = Some(pattern);
                }
            }
            self.conditions.push(Conditions { methods, regex });
        }
        Some(id)
    }

    /// The exceptions that were entered.
    #[inline(never)]
    pub(crate) fn build(self, untried: Untried) -> Exceptions {
        Exceptions {
            forward: Forest::new(self.forward, From::Beginning),
            backward: Forest::new(self.backward, From::End),
            conditions: self.conditions,
            untried,
        }
    }
}

/// What an exception does that is not tried, because that would take too long or the reading is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untried {
    /// It takes nothing out: so that nobody gets around the rule.
    IsNone,
    /// It may take the path out: where somebody else's rule is asked if it does.
    MayApply,
}

/// The exceptions of all rules.
pub(crate) struct Exceptions {
    /// Prefixes, whole paths and the beginnings of regexes.
    forward: Forest,
    /// Suffixes, reversed.
    backward: Forest,
    conditions: Vec<Conditions>,
    untried: Untried,
}

/// What an exception asks for beside what the trees tell.
struct Conditions {
    methods: Option<Box<[Box<str>]>>,
    regex: Option<PathRegex>,
}

impl Conditions {
    /// Methods compare to the letter.
    fn hold(&self, target: Target<'_>, reading: &[u8], untried: Untried) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(|name| name.as_bytes() == target.method))
            && self.regex.as_ref().is_none_or(|regex| match untried {
                Untried::IsNone => regex.matches(reading, target.budget),
                Untried::MayApply => regex.covers(reading, target.budget),
            })
    }
}

impl Exceptions {
    /// Whether one of a rule's exceptions takes a request out: one and the same for every reading of the path.
    pub(crate) fn except(&self, id: ExceptionsId, target: Target<'_>) -> bool {
        let untried = self.untried == Untried::MayApply;
        let check = |found: &[u32], reading: &[u8], survivors: &mut Survivors| {
            // What is found is looked up among those that matched the readings before.
            if target.budget.spend(found.len().saturating_mul(48)).is_some() {
                self.check(found, target, reading, survivors);
            }
        };
        // Two walks through the path, one more for regexes, and what comes before and behind.
        let length = |reading: &[u8]| reading.len().saturating_mul(5).saturating_add(80);
        let mut all = 0_usize;
        target.path.all(|reading| {
            all = all.saturating_add(length(reading));
            true
        });
        if target.budget.spend(all).is_none() {
            return untried;
        }
        // Regexes are asked last, for each has to go through the whole path.
        let any = any_for_all_readings(target.path, |reading, survivors| {
            self.forward.walk(id.texts(), reading, |byte| *byte, |found| check(found, reading, survivors));
            self.backward.walk(id.texts(), reading, |byte| *byte, |found| check(found, reading, survivors));
        }) || any_for_all_readings(target.path, |reading, survivors| {
            self.forward
                .walk(id.beginnings(), reading, u8::to_ascii_lowercase, |found| check(found, reading, survivors));
        });
        if target.budget.is_spent() { untried } else { any }
    }

    /// Keeps those whose conditions hold for this reading, and tries no regex that cannot matter.
    fn check(&self, found: &[u32], target: Target<'_>, reading: &[u8], survivors: &mut Survivors) {
        for exception in found {
            let conditions = usize::try_from(*exception).ok().and_then(|index| self.conditions.get(index));
            if survivors.is_candidate(*exception)
                && conditions.is_some_and(|conditions| conditions.hold(target, reading, self.untried))
            {
                survivors.now.push(*exception);
            }
        }
    }
}

/// The exceptions that matched every reading so far.
#[derive(Default)]
struct Survivors {
    /// Those that matched the readings before, in order; `None` at the first one.
    before: Option<Vec<u32>>,
    /// Those of them that match this one.
    now: Vec<u32>,
    /// Whether there is only this reading.
    is_only_reading: bool,
}

impl Survivors {
    /// Whether it matters that an exception matches this reading as well.
    fn is_candidate(&self, exception: u32) -> bool {
        match &self.before {
            Some(before) => before.binary_search(&exception).is_ok(),
            None => !self.is_only_reading || self.now.is_empty(),
        }
    }
}

/// Whether `find` finds an exception that is the same for every reading.
fn any_for_all_readings(path: &Readings<'_>, find: impl Fn(&[u8], &mut Survivors)) -> bool {
    let mut survivors = Survivors { is_only_reading: matches!(path, Readings::Plain(_)), ..Survivors::default() };
    path.all(|reading| {
        find(reading, &mut survivors);
        survivors.now.sort_unstable();
        let any = !survivors.now.is_empty();
        survivors.before = Some(mem::take(&mut survivors.now));
        any
    })
}

#[cfg(test)]
mod tests {
    use super::{ExceptionsBuilder, Untried};
    use crate::matching::budget::MatchBudget;
    use crate::matching::exception::Exception;
    use crate::matching::path::Matcher;
    use crate::matching::readings::Readings;
    use crate::matching::target::Target;

    /// Whether any of these exceptions takes a `GET` for the path out, beside a rule with others.
    fn except(patterns: &[(Matcher, &str)], path: &str) -> bool {
        let exceptions = |patterns: &[(Matcher, &str)]| -> Box<[Exception]> {
            patterns.iter().map(|(matcher, text)| Exception::new(*matcher, text, None).unwrap()).collect()
        };
        let mut builder = ExceptionsBuilder::default();
        builder.add(exceptions(&[(Matcher::Exact, "/other")]));
        let id = builder.add(exceptions(patterns)).unwrap();
        builder.add(exceptions(&[(Matcher::Suffix, "other"), (Matcher::Regex, "/oth.r")]));
        let readings = Readings::parse(b"GET", Some(path.as_bytes()));
        let target = Target { method: b"GET", path: &readings, budget: &MatchBudget::new() };
        builder.build(Untried::IsNone).except(id, target)
    }

    #[test]
    fn each_kind_compares_as_it_is_written() {
        for (matcher, text, excepted, others) in [
            (Matcher::Prefix, "/Open/", &["/Open/", "/Open/a?b", "/Open/.a"][..], &["/open/", "/Open", "/a/Open/"][..]),
            (Matcher::Exact, "/Open", &["/Open", "/Open?a"], &["/open", "/Open/a"]),
            (Matcher::Suffix, ".Css", &["/a.Css", "/.Css?a"], &["/a.css", "/a.Css/b"]),
            (Matcher::Regex, "/V[0-9]", &["/V1", "/V2?a"], &["/v1", "/V1a", "/V%ff"]),
            (Matcher::Regex, "(?i)/V[0-9]", &["/V1", "/v1"], &["/w1"]),
        ] {
            for path in excepted {
                assert!(except(&[(matcher, text)], path), "{text}, {path}");
            }
            for path in others.iter().chain(&["/other"]) {
                assert!(!except(&[(matcher, text)], path), "{text}, {path}");
            }
        }
    }

    #[test]
    fn a_regex_and_a_text_may_each_do_it() {
        let (text, regex) = ((Matcher::Prefix, "/a"), (Matcher::Regex, "/a%2F[a-z]|/a/[a-z]"));
        for path in ["/a%2Fb", "/a/b"] {
            assert!(except(&[text, regex], path) && except(&[text], path) && except(&[regex], path), "{path}");
        }
        assert!(
            !except(&[regex], "/a%2F1")
                && !except(&[(Matcher::Regex, "/a%2F[a-z]"), (Matcher::Exact, "/a/b")], "/a%2Fb")
        );
    }

    #[test]
    fn it_has_to_be_the_same_exception_for_every_reading() {
        let (raw, decoded) = ((Matcher::Exact, "/a%2Fb"), (Matcher::Exact, "/a/b"));
        let prefix = (Matcher::Prefix, "/a");
        assert!(!except(&[raw], "/a%2Fb") && !except(&[decoded], "/a%2Fb"));
        assert!(!except(&[raw, decoded], "/a%2Fb"));
        assert!(except(&[raw, decoded, prefix], "/a%2Fb") && except(&[prefix, raw], "/a%2Fb"));
        assert!(!except(&[prefix], "/a/../b") && !except(&[prefix], "/a%"));
        // The first that matches one reading is not the one that matches all.
        assert!(except(&[(Matcher::Prefix, "/a%2F"), (Matcher::Suffix, "b")], "/a%2Fb"));
    }
}
