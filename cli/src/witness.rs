//! Requests that a rule covers: an example of its host, its method and its path.

use crate::rules::Rule;

/// An example of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its method.
    pub method: String,
    /// Its host.
    pub host: String,
    /// Its path.
    pub path: String,
}

/// A host that no configuration names.
pub const OTHER_HOST: &str = "other.invalid";

impl Witness {
    /// A request that a rule should cover; of a regex that is too hard, none.
    pub fn of(rule: &Rule) -> Option<Self> {
        Some(Self {
            method: rule.methods.as_ref().and_then(|methods| methods.first()).map_or("GET", String::as_str).to_owned(),
            host: rule.hosts.first().map_or_else(|| OTHER_HOST.to_owned(), |host| host_of(host)),
            path: path_of(&rule.matcher, &rule.pattern)?,
        })
    }
}

/// A host that a pattern covers.
pub fn host_of(pattern: &str) -> String {
    if pattern == "*" {
        OTHER_HOST.to_owned()
    } else if let Some(rest) = pattern.strip_prefix('*') {
        format!("any-host{rest}")
    } else if let Some(rest) = pattern.strip_suffix('*') {
        let rest = rest.trim_end_matches(':');
        if rest.starts_with('[') || rest.contains(':') { rest.to_owned() } else { format!("{rest}any-host") }
    } else {
        pattern.to_owned()
    }
}

/// A path that a pattern covers.
pub fn path_of(matcher: &str, pattern: &str) -> Option<String> {
    match matcher {
        "suffix" if pattern.starts_with('/') => Some(pattern.to_owned()),
        "suffix" => Some(format!("/x{pattern}")),
        "regex" => {
            let path = example(&mut pattern.chars().peekable(), 0)?;
            path.starts_with('/').then_some(path)
        }
        _ => Some(pattern.split('?').next().unwrap_or_default().to_owned()),
    }
}

/// How deep groups may lie in one another.
const MAX_DEPTH: usize = 32;

/// A text that a regex matches, as far as it is of the usual kinds; whoever uses it has to try.
fn example(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut text = String::new();
    let mut is_first = true;
    while let Some(next) = rest.next() {
        let piece = match next {
            ')' => return Some(text),
            '|' => {
                // The first alternative is enough; the others are read and left.
                is_first = false;
                continue;
            }
            '^' | '$' => String::new(),
            '.' => "x".to_owned(),
            '(' => {
                if rest.next_if_eq(&'?').is_some() {
                    // `(?:`, `(?i)`, `(?P<name>`
                    let flags: String =
                        std::iter::from_fn(|| rest.next_if(|next| !matches!(next, ':' | ')' | '>'))).collect();
                    if rest.next() == Some(')') || flags.starts_with(['=', '!']) {
                        continue;
                    }
                }
                example(rest, depth + 1)?
            }
            '[' => class(rest)?.to_string(),
            '\\' => match rest.next()? {
                'd' => "1".to_owned(),
                'w' | 'S' | 'D' => "x".to_owned(),
                's' => " ".to_owned(),
                'b' | 'B' | 'A' | 'z' => String::new(),
                literal if literal.is_ascii_alphanumeric() => return None,
                literal => literal.to_string(),
            },
            literal => literal.to_string(),
        };
        let times = match rest.peek() {
            Some('*' | '?') => {
                rest.next();
                0
            }
            Some('+') => {
                rest.next();
                1
            }
            Some('{') => {
                rest.next();
                let count: String = std::iter::from_fn(|| rest.next_if(|next| *next != '}')).collect();
                rest.next();
                count.split(',').next()?.parse().ok().filter(|count| *count <= 256_usize)?
            }
            _ => 1,
        };
        rest.next_if_eq(&'?');
        if is_first {
            text.push_str(&piece.repeat(times));
        }
    }
    Some(text)
}

/// A character of a class, behind its bracket.
fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    let is_negated = rest.next_if_eq(&'^').is_some();
    let mut all = String::new();
    while let Some(next) = rest.next() {
        match next {
            ']' if !all.is_empty() => break,
            '\\' => match rest.next()? {
                'd' => all.push('1'),
                'w' => all.push('x'),
                's' => all.push(' '),
                literal => all.push(literal),
            },
            literal => all.push(literal),
        }
    }
    if is_negated {
        ['x', '1', 'Z', '~'].into_iter().find(|candidate| !all.contains(*candidate))
    } else {
        all.chars().next()
    }
}

#[cfg(test)]
mod tests {
    use basic_auth::{Config, Policy, Request};
    use serde_json::json;

    use super::{host_of, path_of};

    #[test]
    fn a_witness_is_covered() {
        for (matcher, pattern) in [
            ("prefix", "/admin"),
            ("exact", "/a b"),
            ("suffix", ".php"),
            ("suffix", "/admin"),
            ("regex", "/a/.*"),
            ("regex", r"/(users|groups)/\d{2,4}/[^/]+\.json"),
            ("regex", "/(?i)x(?:a|b)+c?"),
            ("regex", "/[a-z0-9_-]+/?"),
            ("prefix", "/a?b"),
        ] {
            let path = path_of(matcher, pattern).unwrap();
            let mut rule = json!({"hosts": ["*.foo.com"], "credentials": ["a:b"]});
            rule[matcher] = pattern.into();
            let text = json!({"basic_auth_rules": [rule]}).to_string();
            let policy = Policy::new(Config::parse(text.as_bytes()).unwrap());
            let host = host_of("*.foo.com");
            let request = Request {
                method: b"GET",
                path: Some(path.as_bytes()),
                authority: Some(host.as_bytes()),
                ..Request::default()
            };
            assert_eq!(policy.covering(&request).count(), 1, "{pattern}: {path}");
        }
    }
}
