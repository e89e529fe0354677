//! `basic-auth check --diff`: which requests a change decides otherwise.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::net::IpAddr;

use super::proof::unproven;
use crate::arguments::Check;
use crate::check::Accepted;
use crate::coverage::{State, covering, passes_as_preflight, passes_from, ranges, state_of};
use crate::outcome::{Exit, Outcome};
use crate::probe::{Probe, probes};
use crate::stream::Stream;
use crate::witness::OTHER_HOST;

/// The most lines of a kind: a change of one rule may concern many requests.
const MAX_LINES: usize = 50;
/// The most rules that are named because not all of their requests were compared.
const MAX_NAMED: usize = 5;

/// Compares two files, the old one first.
pub fn diff(arguments: &Check) -> Outcome {
    compare(arguments).unwrap_or_else(Outcome::problem)
}

fn compare(arguments: &Check) -> Result<Outcome, String> {
    let [old, new] = arguments.input.files.as_slice() else {
        return Err("`--diff` compares two files, the old one first".to_owned());
    };
    let [old, new] = [old, new].map(|file| Stream::open(&arguments.input.selection.with_file(file)));
    let (old, new) = (old?, new?);
    let (old, new) = (old.accepted()?, new.accepted()?);
    let titles = |all: &[(&crate::resource::Configuration, Accepted)]| {
        all.iter().map(|(configuration, _)| configuration.title().to_owned()).collect::<Vec<_>>()
    };
    let (old_titles, new_titles) = (titles(&old), titles(&new));
    // Alone they are one, whatever they are called.
    let are_alone = old.len() == 1 && new.len() == 1;
    let mut changes = Changes::default();
    // One resource may have several, which are told apart by their order.
    let mut rest: Vec<_> = new_titles.iter().zip(&new).collect();
    for (title, (configuration, was)) in old_titles.iter().zip(&old) {
        let index = if are_alone { Some(0) } else { rest.iter().position(|(other, _)| *other == title) };
        let counterpart = index.map(|index| rest.remove(index).1);
        changes.add(title, Some(was), counterpart.map(|(_, is)| is));
        if let Some((other, _)) = counterpart {
            changes.add_fields(&configuration.fields, &other.fields);
        }
    }
    for (title, (_, is)) in rest {
        changes.add(title, None, Some(is));
    }
    let exit = if changes.opens.lines.is_empty() { Exit::Well } else { Exit::Wrong };
    Ok(Outcome { output: changes.text(), problem: None, exit })
}

/// What changes, by kind.
#[derive(Default)]
struct Changes {
    opens: Lines,
    closes: Lines,
    users: Lines,
    /// What differs and is not looked at, in words.
    unknown: BTreeSet<String>,
}

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    more: usize,
}

impl Lines {
    fn add(&mut self, line: String) {
        if self.lines.len() < MAX_LINES { self.lines.push(line) } else { self.more += 1 }
    }
}

impl Changes {
    /// Compares two configurations of that title; one that is not there protects nothing.
    fn add(&mut self, title: &str, was: Option<&Accepted>, is: Option<&Accepted>) {
        let title = if title.is_empty() { String::new() } else { format!("{title}: ") };
        let mut opened = HashSet::new();
        for probe in probes([was, is].into_iter().flatten().map(|accepted| &accepted.written)) {
            let [old, new] = [was, is].map(|accepted| accepted.map(|accepted| state_at(accepted, &probe)));
            let is_open = |state: &Option<State>| state.as_ref().is_none_or(|state| state.kind.is_open());
            let words = |state: &Option<State>| match state {
                None => "open".to_owned(),
                Some(state) if state.kind.is_open() => format!("open ({})", state.why),
                Some(state) => format!("for {} ({})", state.who(), state.why),
            };
            let host = host_text(&probe.host);
            let line = format!("{title}{} {host}{}: was {}, is {}", probe.method, probe.path, words(&old), words(&new));
            match (is_open(&old), is_open(&new)) {
                (false, true) => {
                    self.opens.add(line);
                    opened
                        .extend(was.into_iter().flat_map(|was| covering(was, &probe.method, &probe.host, &probe.path)));
                }
                (true, false) => self.closes.add(line),
                (false, false) if who(old.as_ref()) != who(new.as_ref()) => self.users.add(line),
                _ => {}
            }
            if let (Some(was), Some(is)) = (was, is) {
                if is_open(&old) == is_open(&new) {
                    self.add_addresses(&title, (was, is), (&words(&old), &words(&new)), &probe);
                }
                if probe.method == "GET" {
                    self.add_preflight(&title, (was, is), &probe);
                }
            }
        }
        if let (Some(was), Some(is)) = (was, is) {
            self.unknown.extend(not_compared(was, is));
        }
        if let Some(was) = was {
            // Of what opens an example is there.
            let unproven: Vec<usize> = unproven(was, is).into_iter().filter(|index| !opened.contains(index)).collect();
            let rules = &was.written.rules;
            let named = unproven.iter().filter_map(|index| Some((index, rules.get(*index)?))).take(MAX_NAMED);
            self.unknown.extend(named.map(|(index, rule)| {
                format!("{title}all requests of {} (`{}`)", rule.title(*index), rule.pattern_text())
            }));
            if let Some(more) = unproven.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
                self.unknown.insert(format!("{title}those of {more} more rules"));
            }
        }
    }

    /// Compares what a resource says beside its configuration.
    fn add_fields(&mut self, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
        let names = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name));
        self.unknown.extend(names.map(|name| format!("`{name}`")));
    }

    /// Compares what clients get by their addresses.
    fn add_addresses(
        &mut self,
        title: &str,
        (was, is): (&Accepted, &Accepted),
        (old, new): (&str, &str),
        probe: &Probe,
    ) {
        let Probe { method, host, path } = probe;
        let ranges = ranges([was, is], method, host, path);
        let passes = |accepted: &Accepted| -> BTreeSet<IpAddr> {
            ranges.addresses().filter(|address| passes_from(accepted, method, host, path, *address)).collect()
        };
        let (before, after) = (passes(was), passes(is));
        let host = host_text(host);
        // Named by the ranges of the side that lets them pass.
        for (ours, others, old, new, lines) in
            [(&after, &before, old, "open", &mut self.opens), (&before, &after, "open", new, &mut self.closes)]
        {
            let differing: BTreeSet<IpAddr> = ours.difference(others).copied().collect();
            if differing.is_empty() {
                continue;
            }
            for range in ranges.where_all(|address| ours.contains(&address)) {
                if range.has_any(&differing) {
                    lines.add(format!("{title}{method} {host}{path} from {range}: was {old}, is {new}"));
                }
            }
        }
    }

    /// Compares what a CORS preflight gets, where that is not what every request with its method gets.
    fn add_preflight(&mut self, title: &str, (was, is): (&Accepted, &Accepted), probe: &Probe) {
        let Probe { host, path, .. } = probe;
        let [old, new] = [was, is].map(|accepted| passes_as_preflight(accepted, host, path));
        if old == new {
            return;
        }
        let [was_open, is_open] = [was, is].map(|accepted| state_of(accepted, "OPTIONS", host, path).kind.is_open());
        if was_open != is_open {
            return;
        }
        let words = |passes: bool| if passes { "open" } else { "asked for a password" };
        let lines = if new { &mut self.opens } else { &mut self.closes };
        let host = host_text(host);
        lines.add(format!("{title}OPTIONS {host}{path} as a CORS preflight: was {}, is {}", words(old), words(new)));
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, lines) in [("Opens", &self.opens), ("Closes", &self.closes), ("Lets others in", &self.users)] {
            if lines.lines.is_empty() {
                continue;
            }
            let _ = writeln!(text, "{name}");
            for line in &lines.lines {
                let _ = writeln!(text, "  {line}");
            }
            if lines.more > 0 {
                let _ = writeln!(text, "  and {} more", lines.more);
            }
        }
        if self.unknown.is_empty() {
            return if text.is_empty() { "no request is decided otherwise\n".to_owned() } else { text };
        }
        if text.is_empty() {
            text.push_str("no request that was compared is decided otherwise\n");
        }
        let unknown: Vec<&str> = self.unknown.iter().map(String::as_str).collect();
        let _ = writeln!(text, "not compared: {}", unknown.join(", "));
        text
    }
}

/// What differs between two configurations, and no request of these shows.
fn not_compared(was: &Accepted, is: &Accepted) -> BTreeSet<String> {
    let mut unknown = BTreeSet::new();
    let (old, new) = (&was.written.unprobed, &is.written.unprobed);
    for name in old.keys().chain(new.keys()) {
        if old.get(name) != new.get(name) {
            unknown.insert(format!("`{name}`"));
        }
    }
    for name in was.unknown.iter().chain(&is.unknown) {
        unknown.insert(format!("the users of `{name}`"));
    }
    let (old, new) = (secrets(was), secrets(is));
    // Who comes or goes is told as such.
    if old.iter().any(|(place, secrets)| new.get(place).is_some_and(|others| others != secrets)) {
        unknown.insert("passwords and hashes".to_owned());
    }
    unknown
}

/// What tells the passwords of each user of each rule from others, and of each user of all.
fn secrets(accepted: &Accepted) -> BTreeMap<(String, &str), BTreeSet<&str>> {
    let mut secrets: BTreeMap<(String, &str), BTreeSet<&str>> = BTreeMap::new();
    for rule in &accepted.written.rules {
        for (name, own) in &rule.users {
            for place in [rule.pattern_text(), String::new()] {
                secrets.entry((place, name)).or_default().extend(own.iter().map(String::as_str));
            }
        }
    }
    secrets
}

fn host_text(host: &str) -> &str {
    if host == OTHER_HOST { "" } else { host }
}

fn who(state: Option<&State>) -> Option<(&'static str, &[String])> {
    state.map(|state| (state.kind.name(), state.users.as_slice()))
}

fn state_at(accepted: &Accepted, probe: &Probe) -> State {
    state_of(accepted, &probe.method, &probe.host, &probe.path)
}
