//! The rules of a configuration as they are written, for what the compiled policy does not tell: texts, users, places.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use serde_json::Value;
use serde_json::value::RawValue;

/// The rules of a configuration that was accepted.
#[derive(Debug, Default)]
pub struct Written {
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// `first_match`
    pub first_match: bool,
    /// What tells the lists of `users` from others.
    pub lists: u64,
    /// `lockout` is set.
    pub has_lockout: bool,
    /// Where the first password in plain text stands, in bytes.
    pub plain_password: Option<usize>,
    /// What tells the values of each field from others that no probe shows, by the fields' names.
    pub unprobed: BTreeMap<String, BTreeSet<u64>>,
}

/// The fields of the top and of a rule that probes show, or that are words alone.
const PROBED: [&str; 20] = [
    "basic_auth_rules",
    "users",
    "first_match",
    "dry_run",
    "allow_missing",
    "cors_preflight",
    "realm",
    "name",
    "prefix",
    "exact",
    "suffix",
    "regex",
    "hosts",
    "request_methods",
    "except",
    "credentials",
    "htpasswd",
    "allow_users",
    "allow_source_ranges",
    // Whose users are not known is told by its name.
    "htpasswd_env",
];

/// A rule as it is written.
#[derive(Debug, Default)]
pub struct Rule {
    /// Where it begins, in bytes of the text.
    pub offset: usize,
    /// `name`
    pub name: Option<String>,
    /// The field of its pattern: `prefix`, `exact`, `suffix` or `regex`.
    pub matcher: String,
    /// Its pattern.
    pub pattern: String,
    /// `hosts`, and where they begin; none is every host.
    pub hosts: Vec<String>,
    /// Where `hosts` begins.
    pub hosts_offset: usize,
    /// `request_methods`; `None` is every method.
    pub methods: Option<Vec<String>>,
    /// Where `request_methods` begins.
    pub methods_offset: usize,
    /// `except`
    pub except: Vec<Except>,
    /// Who may pass: names, and what tells one password or hash from another.
    pub users: BTreeMap<String, Vec<String>>,
    /// Whether users come from a variable whose value is not known here, or are fetched.
    pub has_unknown_users: bool,
    /// `dry_run`
    pub dry_run: bool,
    /// `allow_missing`
    pub allow_missing: bool,
    /// `allow_source_ranges`
    pub source_ranges: Vec<String>,
    /// Where `allow_source_ranges` begins.
    pub ranges_offset: usize,
    /// What tells what else becomes of its requests from what becomes of those of others: `hide_credentials` and
    /// `unauthorized`.
    pub treatment: u64,
    /// A hash of its text.
    pub digest: u64,
}

/// An exception as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Except {
    /// The field of its pattern.
    pub matcher: String,
    /// Its pattern.
    pub pattern: String,
    /// `request_methods`; `None` is every method.
    pub methods: Option<Vec<String>>,
}

/// What reads the value of a variable, if it is known.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<String>;

type Members<'t> = BTreeMap<Cow<'t, str>, &'t RawValue>;

impl Written {
    /// Reads the text of a configuration that was accepted.
    pub fn read(text: &str, variable: Variable<'_>) -> Self {
        let Ok(top) = serde_json::from_str::<Members<'_>>(text) else { return Self::default() };
        let mut reader = Reader { text, variable, lists: HashMap::new(), plain_password: None };
        if let Some(lists) = top.get("users").and_then(|lists| serde_json::from_str::<Members<'_>>(lists.get()).ok()) {
            for (name, list) in lists {
                let users = reader.users(&members(list));
                reader.lists.insert(name.into_owned(), users);
            }
        }
        let rules =
            top.get("basic_auth_rules").and_then(|rules| serde_json::from_str::<Vec<&RawValue>>(rules.get()).ok());
        let flag = |name: &str| top.get(name).is_some_and(|value| value.get() == "true");
        let defaults = (flag("dry_run"), flag("allow_missing"));
        let mut unprobed = BTreeMap::new();
        note_unprobed(&top, "", &mut unprobed);
        let rules = rules.unwrap_or_default().into_iter().map(|raw| {
            let fields = members(raw);
            let rule = reader.rule(raw, &fields, defaults);
            note_unprobed(&fields, &rule.pattern_text(), &mut unprobed);
            rule
        });
        let rules = rules.collect();
        Self {
            rules,
            unprobed,
            first_match: flag("first_match"),
            lists: digest(top.get("users").map_or("", |lists| lists.get())),
            has_lockout: top.contains_key("lockout"),
            plain_password: reader.plain_password,
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    variable: Variable<'t>,
    lists: HashMap<String, Users>,
    plain_password: Option<usize>,
}

#[derive(Debug, Default, Clone)]
struct Users {
    known: BTreeMap<String, Vec<String>>,
    has_unknown: bool,
}

impl Users {
    fn add(&mut self, name: &str, secret: String) {
        self.known.entry(name.to_owned()).or_default().push(secret);
    }

    fn add_htpasswd(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some((name, rest)) = line.split_once(':') {
                let hash = rest.split(':').next().unwrap_or_default();
                self.add(name.trim_start_matches('\u{feff}'), format!("hash {hash}"));
            }
        }
    }
}

impl<'t> Reader<'t> {
    fn offset(&self, value: &RawValue) -> usize {
        value.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    fn rule(&mut self, raw: &'t RawValue, fields: &Members<'t>, (dry_run, allow_missing): (bool, bool)) -> Rule {
        let mut users = self.users(fields);
        for name in strings(fields.get("users").copied()).unwrap_or_default() {
            if let Some(list) = self.lists.get(&name) {
                users.has_unknown |= list.has_unknown;
                for (name, secrets) in &list.known {
                    users.known.entry(name.clone()).or_default().extend(secrets.iter().cloned());
                }
            }
        }
        if let Some(allowed) = strings(fields.get("allow_users").copied()) {
            users.known.retain(|name, _| allowed.contains(name));
        }
        let flag = |name: &str, default: bool| fields.get(name).map_or(default, |value| value.get() == "true");
        let offset_of = |name: &str| fields.get(name).map(|value| self.offset(value)).unwrap_or_default();
        let (matcher, pattern) = pattern(fields);
        let except = fields.get("except").and_then(|except| serde_json::from_str::<Vec<&RawValue>>(except.get()).ok());
        let except = except.unwrap_or_default().into_iter().map(|raw| {
            let fields = members(raw);
            let (matcher, pattern) = self::pattern(&fields);
            Except { matcher, pattern, methods: methods(&fields) }
        });
        Rule {
            offset: self.offset(raw),
            name: string(fields.get("name").copied()),
            matcher,
            pattern,
            hosts: strings(fields.get("hosts").copied()).unwrap_or_default(),
            hosts_offset: offset_of("hosts"),
            methods: methods(fields),
            methods_offset: offset_of("request_methods"),
            except: except.collect(),
            users: users.known,
            has_unknown_users: users.has_unknown,
            dry_run: flag("dry_run", dry_run),
            allow_missing: flag("allow_missing", allow_missing),
            source_ranges: strings(fields.get("allow_source_ranges").copied()).unwrap_or_default(),
            ranges_offset: offset_of("allow_source_ranges"),
            treatment: digest(
                &["hide_credentials", "unauthorized"]
                    .map(|name| fields.get(name).map_or("", |raw| raw.get()))
                    .join("\n"),
            ),
            digest: digest(raw.get()),
        }
    }

    /// The users of `credentials`, `htpasswd` and `htpasswd_env`. Those of `htpasswd_fetch` are not known.
    fn users(&mut self, fields: &Members<'_>) -> Users {
        let mut users = Users { has_unknown: fields.contains_key("htpasswd_fetch"), ..Users::default() };
        let credentials = fields.get("credentials").copied();
        for credential in strings(credentials).unwrap_or_default() {
            let pair = if credential.contains(':') { Some(credential) } else { decode(&credential) };
            if let Some((name, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
                users.add(name, format!("plain {password}"));
                self.plain_password = self.plain_password.or_else(|| Some(self.offset(credentials?)));
            }
        }
        if let Some(htpasswd) = fields.get("htpasswd") {
            match serde_json::from_str(htpasswd.get()) {
                Ok(Value::String(text)) => users.add_htpasswd(&text),
                _ => strings(Some(htpasswd)).unwrap_or_default().iter().for_each(|line| users.add_htpasswd(line)),
            }
        }
        if let Some(name) = string(fields.get("htpasswd_env").copied()) {
            match (self.variable)(&name) {
                Some(text) => users.add_htpasswd(&text),
                None => users.has_unknown = true,
            }
        }
        users
    }
}

impl Rule {
    /// How the rule is called: by its name, or its index.
    pub fn title(&self, index: usize) -> String {
        self.name.as_ref().map_or_else(|| format!("rule {index}"), |name| format!("rule {index} ({name})"))
    }

    /// Its pattern as it is written, `prefix: /admin`.
    pub fn pattern_text(&self) -> String {
        format!("{}: {}", self.matcher, self.pattern)
    }

    /// Whether somebody may pass it without a user.
    pub fn is_lenient(&self) -> bool {
        self.dry_run || self.allow_missing || !self.source_ranges.is_empty()
    }

    /// Whether the rule is written as another is.
    pub fn is_same_text(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// Notes the values of fields that no probe shows, with where they are.
fn note_unprobed(fields: &Members<'_>, place: &str, unprobed: &mut BTreeMap<String, BTreeSet<u64>>) {
    for (name, raw) in fields.iter().filter(|(name, _)| !PROBED.contains(&&***name)) {
        // However it is set.
        let value = serde_json::from_str::<Value>(raw.get()).unwrap_or_default();
        unprobed.entry(name.to_string()).or_default().insert(digest(&format!("{place}\n{value}")));
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn members(raw: &RawValue) -> Members<'_> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn string(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

fn strings(raw: Option<&RawValue>) -> Option<Vec<String>> {
    serde_json::from_str(raw?.get()).ok()
}

fn pattern(fields: &Members<'_>) -> (String, String) {
    let found = ["prefix", "exact", "suffix", "regex"].into_iter().find_map(|name| Some((name, fields.get(name)?)));
    found.map_or_else(Default::default, |(name, raw)| (name.to_owned(), string(Some(raw)).unwrap_or_default()))
}

/// The methods that are named, with `HEAD` where there is `GET`.
fn methods(fields: &Members<'_>) -> Option<Vec<String>> {
    strings(fields.get("request_methods").copied()).filter(|methods| !methods.iter().any(|method| method == "*"))
}

fn decode(text: &str) -> Option<String> {
    let engine = if text.ends_with('=') { &BASE64_STANDARD } else { &BASE64_STANDARD_NO_PAD };
    String::from_utf8(engine.decode(text).ok()?).ok()
}
