//! What is protected, by whom, and what is open: by host and path, or route by route.

mod command;
mod html;
mod state;
mod svg;
mod text;

pub use command::coverage;
use serde_json::{Value, json};
pub use state::{State, covering, passes_as_preflight, passes_from, ranges, state_of};

use crate::check::Accepted;
use crate::resource::{Configuration, Route};
use crate::rules::{Except, Rule};
use crate::witness::{OTHER_HOST, host_of, path_of};

/// What a configuration covers.
pub struct Coverage {
    /// The configuration.
    pub title: String,
    /// Its rows, in groups: a resource with routes, or the rules.
    pub groups: Vec<Group>,
}

/// Rows that belong together.
pub struct Group {
    /// What they belong to.
    pub title: String,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A host and a path.
pub struct Row {
    /// The host, `*` for every one.
    pub host: String,
    /// The path, in the words of the route or the rule.
    pub path: String,
    /// Whether it is a part of the row before.
    pub is_part: bool,
    /// What holds there, by methods.
    pub states: Vec<State>,
}

impl Coverage {
    /// What a configuration covers of these routes; by its own rules where there are none.
    pub fn new(configuration: &Configuration, accepted: &Accepted, routes: &[Route]) -> Self {
        let is_attached = |route: &&Route| {
            let (own, others) = (&configuration.gateways, &route.gateways);
            own.is_empty() || others.is_empty() || own.iter().any(|name| others.contains(name))
        };
        let routes: Vec<&Route> = routes.iter().filter(is_attached).collect();
        let groups = if routes.is_empty() { vec![by_rules(accepted)] } else { by_routes(accepted, &routes) };
        Self { title: configuration.title().to_owned(), groups }
    }

    /// How many rows are open for some method, to somebody.
    pub fn open(&self) -> usize {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.filter(|row| row.states.iter().any(State::is_open_to_some)).count()
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let state = |state: &State| {
            json!({
                "methods": state.methods,
                "state": state.kind.name(),
                "users": state.users,
                "ranges_without_password": state.ranges,
                "preflight_without_password": state.preflight,
                "why": state.why,
            })
        };
        let row = |row: &Row| {
            json!({
                "host": row.host,
                "path": row.path,
                "part": row.is_part,
                "states": row.states.iter().map(state).collect::<Vec<_>>(),
            })
        };
        let group =
            |group: &Group| json!({"title": group.title, "rows": group.rows.iter().map(row).collect::<Vec<_>>()});
        json!({"configuration": self.title, "groups": self.groups.iter().map(group).collect::<Vec<_>>()})
    }
}

/// A row for each pattern and each exception, and one for everything else.
fn by_rules(accepted: &Accepted) -> Group {
    let mut rows = Vec::new();
    for rule in &accepted.written.rules {
        for host in hosts_of(&rule.hosts) {
            rows.extend(row(accepted, &host, &rule.pattern_text(), &rule.matcher, &rule.pattern, false));
            for except in &rule.except {
                let words = format!("{}: {}", except.matcher, except.pattern);
                rows.extend(row(accepted, &host, &words, &except.matcher, &except.pattern, true));
            }
        }
    }
    rows.extend(row(accepted, "*", "any other path", "exact", "/~", false));
    Group { title: "Rules".to_owned(), rows }
}

/// A row for each route, those of rules for a part of it below, and the rules that no route reaches.
fn by_routes(accepted: &Accepted, routes: &[&Route]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for route in routes {
        if groups.last().is_none_or(|group| group.title != route.resource) {
            groups.push(Group { title: route.resource.clone(), rows: Vec::new() });
        }
        let Some(group) = groups.last_mut() else { continue };
        for host in hosts_of(&route.hosts) {
            let rows = rows_of_route(accepted, &host, route);
            group.rows.extend(rows.into_iter().map(|row| row.of_method(route.method.as_deref())));
        }
    }
    let unreached = accepted.written.rules.iter().enumerate();
    let unreached = unreached.filter(|(_, rule)| !routes.iter().any(|route| reaches(route, rule)));
    let rows: Vec<Row> = unreached
        .map(|(index, rule)| Row {
            host: hosts_of(&rule.hosts).join(", "),
            path: format!("{}, {}", rule.title(index), rule.pattern_text()),
            is_part: false,
            states: Vec::new(),
        })
        .collect();
    if !rows.is_empty() {
        groups.push(Group { title: "Rules that no route reaches".to_owned(), rows });
    }
    groups
}

/// A row for the route, and one for each part of its paths for which something else may hold.
fn rows_of_route(accepted: &Accepted, host: &str, route: &Route) -> Vec<Row> {
    let Some(first) = row(accepted, host, &route.words, route.matcher, &route.path, false) else {
        let path = format!("{}, too hard for an example", route.words);
        return vec![Row { host: host.to_owned(), path, is_part: false, states: Vec::new() }];
    };
    let mut rows = vec![first];
    if route.matcher == "prefix" {
        let below = format!("{}/~", route.path.trim_end_matches('/'));
        rows.extend(row(accepted, host, "any other path below", "exact", &below, true));
        // Mostly one says it all.
        rows.dedup_by(|below, route| below.states == route.states);
    }
    for rule in accepted.written.rules.iter().filter(|rule| reaches(route, rule)) {
        if is_part(&rule.matcher, &rule.pattern, route) {
            rows.extend(row(accepted, host, &rule.pattern_text(), &rule.matcher, &rule.pattern, true));
        }
        for Except { matcher, pattern, .. } in &rule.except {
            if is_part(matcher, pattern, route) {
                rows.extend(row(accepted, host, &format!("{matcher}: {pattern}"), matcher, pattern, true));
            }
        }
    }
    rows
}

fn hosts_of(hosts: &[String]) -> Vec<String> {
    if hosts.is_empty() { vec!["*".to_owned()] } else { hosts.to_vec() }
}

/// Whether a pattern is about a part of a route's paths and not about all of them.
fn is_part(matcher: &str, pattern: &str, route: &Route) -> bool {
    let is_below = pattern.starts_with(route.path.trim_end_matches('/')) && pattern.len() > route.path.len();
    route.matcher == "prefix" && (is_below || matcher == "suffix")
}

/// Whether requests that a rule covers go by a route, as far as their texts tell.
fn reaches(route: &Route, rule: &Rule) -> bool {
    let (path, pattern) = (route.path.as_str(), rule.pattern.as_str());
    match (route.matcher, rule.matcher.as_str()) {
        ("regex", _) | (_, "regex") | ("prefix", "suffix") => true,
        ("prefix", "exact") => pattern.starts_with(path.trim_end_matches('/')),
        ("prefix", _) => pattern.starts_with(path.trim_end_matches('/')) || path.starts_with(pattern),
        (_, "suffix") => path.ends_with(pattern),
        (_, "prefix") => path.starts_with(pattern),
        _ => path == pattern,
    }
}

/// A row, by an example of its paths; none of a regex that is too hard.
fn row(accepted: &Accepted, host: &str, words: &str, matcher: &str, pattern: &str, is_part: bool) -> Option<Row> {
    let path = path_of(matcher, pattern)?;
    let of_host = if host == "*" { OTHER_HOST.to_owned() } else { host_of(host) };
    let states = state::states(accepted, &of_host, &path);
    Some(Row { host: host.to_owned(), path: words.to_owned(), is_part, states })
}

impl Row {
    /// The same for one method alone.
    fn of_method(mut self, method: Option<&str>) -> Self {
        if let Some(method) = method {
            let named = self.states.iter().position(|state| state.methods.iter().any(|known| known == method));
            let index = named.or_else(|| self.states.iter().position(|state| state.has_others));
            self.states = index.map(|index| vec![self.states.swap_remove(index)]).unwrap_or_default();
            for state in &mut self.states {
                state.methods = vec![method.to_owned()];
                state.has_others = false;
            }
        }
        self
    }
}
