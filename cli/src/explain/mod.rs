//! How a decision comes about.

mod command;
mod text;

use basic_auth::{Decision, Policy, Readings, STEPS, header_map};
pub use command::explain;
use serde_json::{Value, json};

use crate::check::Accepted;
use crate::request::Asked;

/// A decision, and all that led to it.
pub struct Explanation {
    /// The readings of the path; `None` if nothing can be known about it.
    pub readings: Option<Vec<Reading>>,
    /// The rules that are about the request.
    pub rules: Vec<About>,
    /// The decision in one line, as the core displays it.
    pub decision: String,
    /// The answer, if the request does not go on.
    pub answer: Option<Answer>,
    /// What is changed in a request that goes on.
    pub changes: Vec<String>,
}

/// A reading of the path.
pub struct Reading {
    /// The path.
    pub path: String,
    /// The index of the reading that it was made of, the step that made it, and who takes that step.
    pub made: Option<(usize, &'static str, &'static str)>,
    /// Whether exceptions do not look at it.
    pub for_rules_alone: bool,
}

/// A rule that is about a request.
pub struct About {
    /// Its index.
    pub rule: usize,
    /// Its title and its pattern.
    pub title: String,
    /// What it has to do with the request.
    pub relation: Relation,
    /// The indexes of the readings that its pattern matches.
    pub readings: Vec<usize>,
}

/// What a rule whose host and path match has to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is asked.
    Asked,
    /// It is not, for an earlier rule decides: `first_match`.
    Later,
    /// It is not, for its methods are others.
    OtherMethod,
    /// It is not, for an exception takes the request out.
    Excepted,
}

/// An answer in the upstream's place.
pub struct Answer {
    /// The status.
    pub status: u32,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// `%RESPONSE_CODE_DETAILS%`
    pub details: &'static str,
}

impl Explanation {
    /// Explains what becomes of a request.
    pub fn new(accepted: &Accepted, asked: &Asked) -> Self {
        let Accepted { policy, written, .. } = accepted;
        let map = asked.header_map(policy);
        let request = asked.facts(&map, &policy.options().headers);
        let path = Readings::parse(request.method, request.path);
        let reached = path.reached();
        let covering: Vec<usize> = policy.covering(&request).map(|(index, _)| index).collect();
        let index_of = |reading: &Vec<u8>| reached.as_ref()?.iter().position(|known| known.bytes == reading);
        let rules = policy.matches(&request).into_iter().map(|known| About {
            rule: known.rule,
            title: written
                .rules
                .get(known.rule)
                .map_or_else(String::new, |rule| format!("{}, {}", rule.title(known.rule), rule.pattern_text())),
            relation: if covering.contains(&known.rule) {
                Relation::Asked
            } else if !known.method {
                Relation::OtherMethod
            } else if known.excepted {
                Relation::Excepted
            } else {
                Relation::Later
            },
            readings: known.readings.iter().filter_map(index_of).collect(),
        });
        let decision = policy.decide(&request);
        Self {
            rules: rules.collect(),
            readings: reached.as_ref().map(|reached| reached.iter().map(Reading::new).collect()),
            decision: decision.to_string(),
            answer: Answer::new(&decision, asked),
            changes: changes(&decision, policy, &request.username_headers),
        }
    }

    /// The explanation as JSON.
    pub fn json(&self, asked: &Asked) -> Value {
        let readings = self.readings.as_ref().map(|readings| {
            let reading = |reading: &Reading| {
                json!({
                    "path": reading.path,
                    "of": reading.made.map(|(of, _, _)| of),
                    "step": reading.made.map(|(_, step, _)| step),
                    "for_rules_alone": reading.for_rules_alone,
                })
            };
            readings.iter().map(reading).collect::<Vec<_>>()
        });
        let rule = |about: &About| {
            json!({
                "rule": about.rule,
                "title": about.title,
                "relation": about.relation.name(),
                "readings": about.readings,
            })
        };
        let answer = self.answer.as_ref().map(|answer| {
            let headers: Vec<Value> = answer.headers.iter().map(|(name, value)| json!([name, value])).collect();
            json!({"status": answer.status, "headers": headers, "body": answer.body, "details": answer.details})
        });
        json!({
            "request": asked.line(),
            "readings": readings,
            "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
            "decision": self.decision,
            "answer": answer,
            "changes": self.changes,
        })
    }
}

impl Relation {
    /// Its name in reports for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Later => "later",
            Self::OtherMethod => "other_method",
            Self::Excepted => "excepted",
        }
    }
}

impl Reading {
    fn new(reached: &basic_auth::ReachedReading<'_>) -> Self {
        let made = reached.made.map(|(of, name)| {
            let done_by = STEPS.iter().find(|step| step.name == name).map_or("", |step| step.done_by);
            (of, name, done_by)
        });
        Self { path: reached.bytes.escape_ascii().to_string(), made, for_rules_alone: reached.for_rules_alone }
    }
}

impl Answer {
    fn new(decision: &Decision<'_>, asked: &Asked) -> Option<Self> {
        let response = decision.response()?;
        let mut headers = Vec::new();
        // The core wrote the map itself.
        let _: Option<()> = header_map::for_each(&response.headers, |name, value| {
            headers.push((String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()));
        });
        // The proxy leaves the body of an answer to `HEAD` out.
        let body = if asked.method == b"HEAD" { "" } else { response.body };
        Some(Self { status: response.status, headers, body: body.to_owned(), details: response.details })
    }
}

/// What the upstream does not get as it was sent.
fn changes(decision: &Decision<'_>, policy: &Policy, username_headers: &[&[u8]]) -> Vec<String> {
    if decision.response().is_some() {
        return Vec::new();
    }
    let names = &policy.options().headers;
    let mut changes: Vec<String> =
        username_headers.iter().map(|name| format!("removed: {}, which a client sent", name.escape_ascii())).collect();
    if let Decision::Accepted { pair, hide_credential, .. } = decision {
        if *hide_credential {
            changes.push(format!("removed: {}", names.credential));
        }
        if let Some(name) = &names.username {
            changes.push(format!("added: {name}: {}", pair.user().escape_ascii()));
        }
    }
    changes
}
