//! `basic-auth check --diff`: which requests a change decides otherwise.

use std::fmt::Write;

use crate::arguments::Check;
use crate::check::Accepted;
use crate::coverage::{State, state_of};
use crate::outcome::{Exit, Outcome};
use crate::probe::{Probe, probes};
use crate::stream::Stream;
use crate::witness::OTHER_HOST;

/// The most lines of a kind: a change of one rule may concern many requests.
const MAX_LINES: usize = 50;

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
    for (title, (_, was)) in old_titles.iter().zip(&old) {
        let index = if are_alone { Some(0) } else { new_titles.iter().position(|other| other == title) };
        changes.add(title, Some(was), index.and_then(|index| new.get(index)).map(|(_, is)| is));
    }
    for (title, (_, is)) in new_titles.iter().zip(&new).filter(|(title, _)| !are_alone && !old_titles.contains(title)) {
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
        for probe in probes([was, is].into_iter().flatten().map(|accepted| &accepted.written)) {
            let [old, new] = [was, is].map(|accepted| accepted.map(|accepted| state_at(accepted, &probe)));
            let is_open = |state: &Option<State>| state.as_ref().is_none_or(|state| state.kind.is_open());
            let words = |state: &Option<State>| match state {
                None => "open".to_owned(),
                Some(state) if state.kind.is_open() => format!("open ({})", state.why),
                Some(state) => format!("for {} ({})", state.who(), state.why),
            };
            let host = if probe.host == OTHER_HOST { "" } else { &probe.host };
            let line = format!("{title}{} {host}{}: was {}, is {}", probe.method, probe.path, words(&old), words(&new));
            match (is_open(&old), is_open(&new)) {
                (false, true) => self.opens.add(line),
                (true, false) => self.closes.add(line),
                (false, false) if who(old.as_ref()) != who(new.as_ref()) => self.users.add(line),
                _ => {}
            }
        }
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
        if text.is_empty() { "no request is decided otherwise\n".to_owned() } else { text }
    }
}

fn who(state: Option<&State>) -> Option<(&'static str, &[String])> {
    state.map(|state| (state.kind.name(), state.users.as_slice()))
}

fn state_at(accepted: &Accepted, probe: &Probe) -> State {
    state_of(accepted, &probe.method, &probe.host, &probe.path)
}
