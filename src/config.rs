//! A validated configuration: every value in it can be trusted wherever it is met.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::authority::HostPattern;
use crate::budget::{DEFAULT_MILLIS_PER_SECOND, MOST_MILLIS_PER_SECOND};
use crate::credential::{self, Pair};
use crate::error::{ConfigError, Problem};
use crate::json::{Fields, Node};
use crate::lockout::Threshold;
use crate::method::{MethodPattern, Methods};
use crate::path::{Exception, Matcher, PathPattern};
use crate::realm::Realm;
use crate::verification::UserList;

/// The fields of the configuration's top.
const TOP_FIELDS: &[&str] = &["basic_auth_rules", "realm", "hash_budget_ms_per_second", "lockout"];
/// The fields of a rule.
const RULE_FIELDS: &[&str] = &[
    "prefix",
    "exact",
    "suffix",
    "regex",
    "hosts",
    "request_methods",
    "except",
    "credentials",
    "htpasswd",
    "htpasswd_env",
    "realm",
];
/// The fields of an exception.
const EXCEPT_FIELDS: &[&str] = &["prefix", "exact", "suffix", "regex", "request_methods"];
/// The fields of a rule that bring users.
const USER_FIELDS: &[&str] = &["credentials", "htpasswd", "htpasswd_env"];
/// The fields of a lockout, all of which it must have.
const LOCKOUT_FIELDS: &[&str] = &["failures", "window_seconds", "lock_seconds"];
/// The most failures that a lockout may wait for.
const MOST_FAILURES: u32 = 1_000_000;
/// The most bytes of text that a configuration may have: 32 MiB.
const MOST_TEXT: usize = 32 << 20;
/// The most entries of the index of paths: what the readings of a rule's pattern and its hosts multiply to.
const MOST_ENTRIES: usize = 1_000_000;
/// The most bytes of those entries: 64 MiB, of which each takes several while the index is built.
const MOST_ENTRY_BYTES: usize = 64 << 20;
/// The most regexes. Each takes up to [`REGEX_SIZE_LIMIT`](crate::path::REGEX_SIZE_LIMIT) bytes, and more while it is
/// compiled.
const MOST_REGEXES: usize = 10_000;
/// The longest window and lock, in seconds: 30 days.
const MOST_SECONDS: u32 = 30 * 24 * 60 * 60;

/// A whole configuration.
#[non_exhaustive]
pub struct Config {
    /// `basic_auth_rules`
    pub rules: Vec<Rule>,
    /// `hash_budget_ms_per_second`: processor time that a worker may spend on slow hashes each second, in milliseconds.
    pub hash_budget_ms_per_second: u32,
    /// `lockout`
    pub lockout: Option<Threshold>,
    /// What is allowed and still deserves a look.
    pub warnings: Vec<Warning>,
}

/// What a configuration can ask the environment for: the value of a variable, if it is there.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// One of the `basic_auth_rules`. Its lists have no spare room: there may be 100,000 of it.
#[non_exhaustive]
pub struct Rule {
    /// `prefix`, `exact`, `suffix` or `regex`
    pub path: PathPattern,
    /// `hosts`; none is every host.
    pub hosts: Box<[HostPattern]>,
    /// `request_methods`
    pub methods: Methods,
    /// `except`
    pub except: Box<[Exception]>,
    /// `credentials`
    pub credentials: Box<[Pair]>,
    /// `htpasswd` and `htpasswd_env`; equal texts of all rules are one list.
    pub htpasswd: Box<[Arc<UserList>]>,
    /// `realm`: the rule's, else the configuration's, else [`Realm::DEFAULT`].
    pub realm: Arc<Realm>,
}

/// Something that is allowed and still deserves a look. Its `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, as in a [`ConfigError`].
    pub place: String,
    /// What.
    pub kind: WarningKind,
}

/// What a [`Warning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// There is no rule.
    NothingProtected,
    /// A password is empty.
    EmptyPassword,
    /// An exception matches no reading but one of the paths that it is about.
    ExceptionNeverApplies,
    /// A password in `credentials` has the form of a hash; it is compared as plain text all the same.
    LooksLikeHash,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, kind } = self;
        match kind {
            WarningKind::NothingProtected => {
                f.write_str("no `basic_auth_rules`: nothing is protected, every request passes")
            }
            WarningKind::ExceptionNeverApplies => write!(
                f,
                "{place}: it never applies, for an escape, `;`, `#`, `\\`, `//` or a dot segment has another reading, and each has to match"
            ),
            WarningKind::EmptyPassword => write!(f, "{place}: an empty password is accepted"),
            WarningKind::LooksLikeHash => write!(
                f,
                "{place}: the password looks like a hash; it is compared as plain text, so the hash itself is the password"
            ),
        }
    }
}

impl Config {
    /// Reads the text of a configuration that needs no environment. An empty one is like `{}`: it has no rules.
    ///
    /// # Errors
    /// The first [`ConfigError`]: a configuration is refused as a whole.
    pub fn read(text: &[u8]) -> Result<Self, ConfigError> {
        Self::read_in(text, &|_| None)
    }

    /// Whether a text of so many bytes can be read. A virtual machine of Envoy's has a gibibyte of memory, and a text can
    /// take thirty times its size while it is read.
    ///
    /// # Errors
    /// [`Problem::TooMuch`].
    pub fn check_size(bytes: usize) -> Result<(), ConfigError> {
        check("bytes of text", bytes, MOST_TEXT).map_err(|problem| ConfigError { place: String::new(), problem })
    }

    /// Reads the text of a configuration that may name variables of the environment.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read_in(text: &[u8], environment: Environment<'_>) -> Result<Self, ConfigError> {
        Self::check_size(text.len())?;
        let text = if text.trim_ascii().is_empty() { b"{}" } else { text };
        let document = Node::document(text)?;
        let top = document.fields(TOP_FIELDS)?;
        let realm = match read_realm(&top)? {
            Some(realm) => realm,
            None => Realm::new(Realm::DEFAULT).map_err(|problem| document.error(problem))?,
        };
        let budget = top.get("hash_budget_ms_per_second");
        let budget = budget.map(|budget| budget.whole_number(1, MOST_MILLIS_PER_SECOND)).transpose()?;
        let mut config = Self {
            rules: Vec::new(),
            hash_budget_ms_per_second: budget.unwrap_or(DEFAULT_MILLIS_PER_SECOND),
            lockout: top.get("lockout").map(|lockout| read_lockout(&lockout)).transpose()?,
            warnings: Vec::new(),
        };
        let mut realms = HashSet::new();
        let realm = shared(&mut realms, realm);
        let mut lists = Lists::default();
        let (mut entries, mut entry_bytes, mut regexes) = (0_usize, 0_usize, 0_usize);
        if let Some(rules) = top.get("basic_auth_rules") {
            rules.for_each_item(&mut |rule| {
                let fields = rule.fields(RULE_FIELDS)?;
                let read = Rule {
                    path: read_path(&rule, &fields, PathPattern::new)?,
                    hosts: read_hosts(&fields)?.into(),
                    methods: read_methods(&fields)?,
                    except: read_except(&fields, &mut config.warnings)?.into(),
                    credentials: read_credentials(&fields, &mut config.warnings)?.into(),
                    htpasswd: read_htpasswd(&fields, environment, &mut lists)?.into(),
                    realm: read_realm(&fields)?.map_or_else(|| realm.clone(), |realm| shared(&mut realms, realm)),
                };
                if read.credentials.is_empty() && read.htpasswd.is_empty() {
                    return Err(rule.error(Problem::NoUser { known: USER_FIELDS }));
                }
                let hosts = read.hosts.len().saturating_add(1);
                entries = entries.saturating_add(read.path.forms().len().saturating_mul(hosts));
                entry_bytes = entry_bytes.saturating_add(read.path.bytes().saturating_mul(hosts));
                let excepted = read.except.iter().filter(|exception| exception.is_regex()).count();
                regexes = regexes.saturating_add(read.path.regexes()).saturating_add(excepted);
                check("readings of patterns times hosts", entries, MOST_ENTRIES)
                    .and_then(|()| check("bytes in readings of patterns times hosts", entry_bytes, MOST_ENTRY_BYTES))
                    .and_then(|()| check("regexes", regexes, MOST_REGEXES))
                    .map_err(|problem| rule.error(problem))?;
                config.rules.push(read);
                Ok(())
            })?;
        }
        if config.rules.is_empty() {
            config.warnings.push(Warning { place: String::new(), kind: WarningKind::NothingProtected });
        }
        Ok(config)
    }
}

fn check(what: &'static str, number: usize, most: usize) -> Result<(), Problem> {
    if number > most { Err(Problem::TooMuch { what, number, most }) } else { Ok(()) }
}

/// The realm that equals this one, so that rules with one realm hold it once.
fn shared(realms: &mut HashSet<Arc<Realm>>, realm: Realm) -> Arc<Realm> {
    if let Some(known) = realms.get(&realm) {
        return Arc::clone(known);
    }
    let realm = Arc::new(realm);
    realms.insert(Arc::clone(&realm));
    realm
}

fn read_realm(fields: &Fields<'_>) -> Result<Option<Realm>, ConfigError> {
    let Some(node) = fields.get("realm") else { return Ok(None) };
    Realm::new(&node.text()?).map(Some).map_err(|problem| node.error(problem))
}

/// Reads the one path matcher that an object must have.
fn read_path<T>(
    object: &Node<'_>,
    fields: &Fields<'_>,
    new: impl FnOnce(Matcher, &str) -> Result<T, Problem>,
) -> Result<T, ConfigError> {
    let mut found = Matcher::FIELDS.iter().filter_map(|field| Some((*field, fields.get(field)?)));
    let Some((field, node)) = found.next() else {
        return Err(object.error(Problem::NoPathPattern { known: Matcher::FIELDS }));
    };
    if let Some((second, _)) = found.next() {
        return Err(object.error(Problem::SeveralPathPatterns { found: [field, second] }));
    }
    new(Matcher::of(field), &node.text()?).map_err(|problem| node.error(problem))
}

fn read_except(fields: &Fields<'_>, warnings: &mut Vec<Warning>) -> Result<Vec<Exception>, ConfigError> {
    let mut exceptions = Vec::new();
    if let Some(list) = fields.get("except") {
        list.for_each_item(&mut |exception| {
            let fields = exception.fields(EXCEPT_FIELDS)?;
            let names = read_method_names(&fields)?.filter(|names| !names.iter().any(|name| &**name == "*"));
            let new = |matcher, text: &str| Exception::new(matcher, text, names);
            let read = read_path(&exception, &fields, new)?;
            if read.never_applies() {
                warnings.push(Warning { place: exception.place(), kind: WarningKind::ExceptionNeverApplies });
            }
            exceptions.push(read);
            Ok(())
        })?;
    }
    Ok(exceptions)
}

fn read_hosts(fields: &Fields<'_>) -> Result<Vec<HostPattern>, ConfigError> {
    let mut hosts = Vec::new();
    if let Some(list) = fields.get("hosts") {
        list.for_each_item(&mut |host| {
            hosts.push(HostPattern::new(&host.text()?).map_err(|problem| host.error(problem))?);
            Ok(())
        })?;
    }
    Ok(hosts)
}

fn read_methods(fields: &Fields<'_>) -> Result<Methods, ConfigError> {
    let names = read_method_names(fields)?;
    Ok(names
        .map_or(Methods::Every, |names| Methods::new(names.iter().filter_map(|name| MethodPattern::new(name).ok()))))
}

/// The checked entries of `request_methods`, of which there is at least one if the field is there.
fn read_method_names(fields: &Fields<'_>) -> Result<Option<Vec<Box<str>>>, ConfigError> {
    let Some(list) = fields.get("request_methods") else { return Ok(None) };
    let mut names: Vec<Box<str>> = Vec::new();
    list.for_each_item(&mut |method| {
        let name = method.text()?;
        MethodPattern::new(&name).map_err(|problem| method.error(problem))?;
        names.push(name.into());
        Ok(())
    })?;
    if names.is_empty() { Err(list.error(Problem::NoMethod)) } else { Ok(Some(names)) }
}

fn read_credentials(fields: &Fields<'_>, warnings: &mut Vec<Warning>) -> Result<Vec<Pair>, ConfigError> {
    let mut pairs = Vec::new();
    if let Some(list) = fields.get("credentials") {
        list.for_each_item(&mut |credential| {
            let pair = credential::configured(&credential.text()?).map_err(|problem| credential.error(problem))?;
            let kind = match pair.password() {
                [] => Some(WarningKind::EmptyPassword),
                password => looks_like_hash(password).then_some(WarningKind::LooksLikeHash),
            };
            warnings.extend(kind.map(|kind| Warning { place: credential.place(), kind }));
            pairs.push(pair);
            Ok(())
        })?;
    }
    Ok(pairs)
}

/// The user lists that were read.
#[derive(Default)]
struct Lists {
    by_text: HashMap<Box<str>, Arc<UserList>>,
    /// A variable may be long and named by many rules: it is looked at once.
    by_variable: HashMap<Box<str>, Arc<UserList>>,
}

impl Lists {
    fn read(&mut self, text: &str, node: &Node<'_>) -> Result<Arc<UserList>, ConfigError> {
        if let Some(list) = self.by_text.get(text) {
            return Ok(Arc::clone(list));
        }
        let list = Arc::new(UserList::parse(text).map_err(|error| node.error(Problem::Htpasswd(error)))?);
        self.by_text.insert(text.into(), Arc::clone(&list));
        Ok(list)
    }
}

fn read_htpasswd(
    fields: &Fields<'_>,
    environment: Environment<'_>,
    lists: &mut Lists,
) -> Result<Vec<Arc<UserList>>, ConfigError> {
    let mut read = Vec::new();
    if let Some(node) = fields.get("htpasswd") {
        read.push(lists.read(&node.text()?, &node)?);
    }
    if let Some(node) = fields.get("htpasswd_env") {
        let name = node.text()?;
        if let Some(list) = lists.by_variable.get(&*name) {
            read.push(Arc::clone(list));
            return Ok(read);
        }
        let value = environment(&name).filter(|value| !value.trim().is_empty());
        let list = lists.read(&value.ok_or_else(|| node.error(Problem::NoVariable))?, &node)?;
        lists.by_variable.insert(name.into(), Arc::clone(&list));
        read.push(list);
    }
    Ok(read)
}

fn read_lockout(node: &Node<'_>) -> Result<Threshold, ConfigError> {
    let fields = node.fields(LOCKOUT_FIELDS)?;
    let number = |field, most| match fields.get(field) {
        Some(node) => node.whole_number(1, most),
        None => Err(node.error(Problem::MissingField { field })),
    };
    Ok(Threshold {
        failures: number("failures", MOST_FAILURES)?,
        window: Duration::from_secs(number("window_seconds", MOST_SECONDS)?.into()),
        lock: Duration::from_secs(number("lock_seconds", MOST_SECONDS)?.into()),
    })
}

/// Whether the password has the form of a hash: `$scheme$…` as in crypt(5), or `{SCHEME}…` as in RFC 2307.
fn looks_like_hash(password: &[u8]) -> bool {
    let (end, rest) = match password {
        [b'$', rest @ ..] => (b'$', rest),
        [b'{', rest @ ..] => (b'}', rest),
        _ => return false,
    };
    let scheme = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    scheme > 0 && rest.get(scheme) == Some(&end)
}

#[cfg(test)]
mod tests {
    use super::{Config, WarningKind, looks_like_hash};

    fn warnings(text: &str) -> Vec<WarningKind> {
        Config::read(text.as_bytes()).ok().unwrap().warnings.iter().map(|warning| warning.kind).collect()
    }

    #[test]
    fn a_configuration_without_rules_warns() {
        for text in ["", " \n", "{}", r#"{"basic_auth_rules": []}"#, r#"{"realm": "x"}"#] {
            assert_eq!(warnings(text), [WarningKind::NothingProtected], "{text:?}");
        }
    }

    #[test]
    fn a_variable_is_read_once_however_many_rules_name_it() {
        let rule = r#"{"prefix": "/", "htpasswd_env": "USERS"}"#;
        let text = format!(r#"{{"basic_auth_rules": [{rule}, {rule}, {rule}]}}"#);
        let reads = std::cell::Cell::new(0);
        let environment = |_: &str| {
            reads.set(reads.get() + 1);
            Some("alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned())
        };
        let config = Config::read_in(text.as_bytes(), &environment).ok().unwrap();
        assert!(
            config.rules.iter().all(|rule| std::sync::Arc::ptr_eq(&rule.htpasswd[0], &config.rules[0].htpasswd[0]))
        );
        assert_eq!(reads.get(), 1);
    }

    #[test]
    fn an_exception_that_never_applies_warns() {
        let except = r#"[{"prefix": "/a/"}, {"exact": "/a%20b"}, {"suffix": ".css"}]"#;
        let text =
            format!(r#"{{"basic_auth_rules": [{{"prefix": "/", "credentials": ["ok:test"], "except": {except}}}]}}"#);
        assert_eq!(warnings(&text), [WarningKind::ExceptionNeverApplies]);
    }

    #[test]
    fn odd_passwords_warn() {
        let text = r#"{"basic_auth_rules": [{"prefix": "/", "credentials": ["key:", "ok:$apr1$x$y", "ok:test"]}]}"#;
        assert_eq!(warnings(text), [WarningKind::EmptyPassword, WarningKind::LooksLikeHash]);
        for password in ["$2y$10$abc", "{SHA}abc", "{SSHA}abc", "$6$x"] {
            assert!(looks_like_hash(password.as_bytes()), "{password}");
        }
        for password in ["", "$", "$$", "{}", "{}x", "test$1$", "$money", "{open"] {
            assert!(!looks_like_hash(password.as_bytes()), "{password}");
        }
    }

    #[test]
    fn a_warning_is_one_line_with_the_place_and_no_secret() {
        let text = r#"{"basic_auth_rules": [{"prefix": "/", "credentials": ["ok:test", "secret:", "ok:$6$secret$"]}]}"#;
        let shown: Vec<String> =
            Config::read(text.as_bytes()).ok().unwrap().warnings.iter().map(ToString::to_string).collect();
        assert!(shown[0].starts_with("basic_auth_rules[0].credentials[1]: an empty password"), "{shown:?}");
        assert!(
            shown[1].starts_with("basic_auth_rules[0].credentials[2]: the password looks like a hash"),
            "{shown:?}"
        );
        assert!(!shown.iter().any(|line| line.contains("secret") || line.contains('\n')), "{shown:?}");
    }
}
