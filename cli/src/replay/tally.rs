//! What is counted of a log.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::Hash;

use basic_auth::{Decision, Policy, Request};
use serde_json::{Value, json};

use super::line::Line;
use crate::rules::Written;

/// The most different paths and clients that are told apart: a log may have any number.
const MAX_COUNTED: usize = 200_000;
/// How many of them are named.
const NAMED: usize = 10;

/// What is counted.
#[derive(Default)]
pub struct Tally {
    lines: u64,
    unreadable: u64,
    open: u64,
    /// By reason, as `missing`; what passes without a password under a rule, as `allow_missing`.
    refused: HashMap<String, u64>,
    exempt: HashMap<String, u64>,
    rules: HashMap<usize, u64>,
    paths: Counted<Vec<u8>>,
    clients: Counted<std::net::IpAddr>,
}

/// Counts of what there may be any number of.
struct Counted<K> {
    counts: HashMap<K, u64>,
    others: u64,
}

impl<K> Default for Counted<K> {
    fn default() -> Self {
        Self { counts: HashMap::new(), others: 0 }
    }
}

impl<K: Eq + Hash + Ord> Counted<K> {
    fn add<Q: ?Sized + Eq + Hash + ToOwned<Owned = K>>(&mut self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
    {
        if let Some(count) = self.counts.get_mut(key) {
            *count += 1;
        } else if self.counts.len() < MAX_COUNTED {
            self.counts.insert(key.to_owned(), 1);
        } else {
            self.others += 1;
        }
    }

    /// The most frequent ones.
    fn top(&self) -> Vec<(&K, u64)> {
        let mut all: Vec<(&K, u64)> = self.counts.iter().map(|(key, count)| (key, *count)).collect();
        all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        all.truncate(NAMED);
        all
    }
}

impl Tally {
    /// Decides about a line.
    pub fn add(&mut self, line: &[u8], policy: &Policy) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.lines += 1;
        let Some(line) = Line::read(line) else {
            self.unreadable += 1;
            return;
        };
        let request = Request {
            method: &line.method,
            path: line.path.as_deref(),
            authority: line.host.as_deref(),
            // No default format tells it.
            scheme: Some(b"https"),
            source_address: line.client,
            ..Request::default()
        };
        let decision = policy.decide(&request);
        match &decision {
            Decision::Pass => self.open += 1,
            Decision::Exempt { by, .. } => *self.exempt.entry(by.to_string()).or_default() += 1,
            decision => {
                let reason = decision.reason().map(|reason| reason.to_string()).unwrap_or_default();
                *self.refused.entry(reason).or_default() += 1;
                if let Some(rule) = decision.rule() {
                    *self.rules.entry(rule).or_default() += 1;
                }
                let path = line.path.as_deref().unwrap_or_default();
                // What follows the `?` would tell every request from every other, and may hold secrets.
                self.paths.add(path.split(|byte| *byte == b'?').next().unwrap_or_default());
                if let Some(client) = line.client {
                    self.clients.add(&client);
                }
            }
        }
    }

    /// How many lines were read.
    pub fn readable(&self) -> u64 {
        self.lines - self.unreadable
    }

    fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    fn exempt(&self) -> u64 {
        self.exempt.values().sum()
    }

    fn titled_rules(&self, written: &Written) -> Vec<(String, u64)> {
        let mut rules: Vec<(usize, u64)> = self.rules.iter().map(|(rule, count)| (*rule, *count)).collect();
        rules.sort_by_key(|(rule, count)| (u64::MAX - count, *rule));
        let title = |index: usize| {
            let rule = written.rules.get(index);
            rule.map_or_else(String::new, |rule| format!("{}, {}", rule.title(index), rule.pattern_text()))
        };
        rules.into_iter().take(NAMED).map(|(rule, count)| (title(rule), count)).collect()
    }

    /// The tally in lines.
    pub fn text(&self, written: &Written) -> String {
        let (all, refused) = (self.readable(), self.refused());
        let mut text = String::new();
        let _ = writeln!(text, "{all} requests, of which without a password");
        let _ = writeln!(text, "  {:>10}  would be refused ({} %)", refused, percent(refused, all));
        for (reason, count) in sorted(&self.refused) {
            let _ = writeln!(text, "  {count:>10}    {reason}");
        }
        let _ = writeln!(text, "  {:>10}  would pass, for a rule lets them", self.exempt());
        for (by, count) in sorted(&self.exempt) {
            let _ = writeln!(text, "  {count:>10}    {by}");
        }
        let _ = writeln!(text, "  {:>10}  would pass, for no rule covers them", self.open);
        if self.unreadable > 0 {
            let _ = writeln!(text, "{} lines are of another format", self.unreadable);
        }
        let _ = writeln!(text, "Logs hold no passwords: who has the right one is among those that would be refused.");
        let mut list = |title: &str, rows: Vec<(String, u64)>, others: u64| {
            if !rows.is_empty() {
                let _ = writeln!(text, "\n{title}");
                for (name, count) in rows {
                    let _ = writeln!(text, "  {count:>10}  {name}");
                }
            }
            if others > 0 {
                let _ = writeln!(text, "  {others:>10}  beyond the first {MAX_COUNTED} different ones");
            }
        };
        let paths = self.paths.top().into_iter().map(|(path, count)| (path.escape_ascii().to_string(), count));
        let clients = self.clients.top().into_iter().map(|(client, count)| (client.to_string(), count));
        list("Refused by", self.titled_rules(written), 0);
        list("Refused paths", paths.collect(), self.paths.others);
        list("Refused clients", clients.collect(), self.clients.others);
        text
    }

    /// The tally as JSON.
    pub fn json(&self, written: &Written) -> Value {
        let rows =
            |rows: Vec<(String, u64)>| rows.into_iter().map(|(name, count)| json!([name, count])).collect::<Vec<_>>();
        let paths = self.paths.top().into_iter().map(|(path, count)| (path.escape_ascii().to_string(), count));
        let clients = self.clients.top().into_iter().map(|(client, count)| (client.to_string(), count));
        json!({
            "requests": self.readable(),
            "unreadable": self.unreadable,
            "open": self.open,
            "refused": self.refused,
            "exempt": self.exempt,
            "rules": rows(self.titled_rules(written)),
            "paths": rows(paths.collect()),
            "clients": rows(clients.collect()),
        })
    }
}

fn sorted(counts: &HashMap<String, u64>) -> Vec<(&String, u64)> {
    let mut all: Vec<_> = counts.iter().map(|(name, count)| (name, *count)).collect();
    all.sort_by_key(|(name, count)| (u64::MAX - count, *name));
    all
}

/// So many of a hundred, with one digit behind the point.
fn percent(part: u64, all: u64) -> String {
    let of_thousand = (part * 1_000).checked_div(all).unwrap_or_default();
    format!("{}.{}", of_thousand / 10, of_thousand % 10)
}
