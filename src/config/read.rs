//! From the text of a configuration to a [`Config`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::error::{ConfigError, Problem};
use super::fields;
use super::json::{Fields, Node};
use super::limits::{Limits, MAX_FAILURES, MAX_SECONDS};
use super::options::{DEFAULT_HASH_BUDGET_MS_PER_SECOND, Lockout, MAX_HASH_BUDGET_MS_PER_SECOND};
use super::warning::{Warning, WarningKind};
use super::{Config, Environment, Rule};
use crate::matching::exception::Exception;
use crate::matching::host::HostPattern;
use crate::matching::method::{MethodPattern, Methods};
use crate::matching::path::{Matcher, PathPattern, PatternError};
use crate::response::Realm;
use crate::users::list::UserList;
use crate::users::pair::{self, Pair};

impl Config {
    /// Reads the text of a configuration that names no variable of the environment. An empty text is like `{}`: it has no
    /// rules, and nothing is protected.
    ///
    /// # Errors
    /// The first [`ConfigError`]: a configuration is refused as a whole.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        Self::parse_with(text, &|_| None)
    }

    /// Whether a text of so many bytes can be read. A virtual machine of Envoy's has a gibibyte of memory, and a text can
    /// take thirty times its size while it is read.
    ///
    /// # Errors
    /// [`Problem::TooMuch`].
    pub fn check_size(bytes: usize) -> Result<(), ConfigError> {
        Limits::check_text(bytes).map_err(ConfigError::of_document)
    }

    /// Reads the text of a configuration that may name variables of the environment.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn parse_with(text: &[u8], environment: Environment<'_>) -> Result<Self, ConfigError> {
        Self::check_size(text.len())?;
        let text = if text.trim_ascii().is_empty() { b"{}" } else { text };
        let document = Node::document(text)?;
        let top = document.fields(fields::TOP)?;
        let realm = match read_realm(&top)? {
            Some(realm) => realm,
            None => Realm::new(Realm::DEFAULT).map_err(|error| document.error(error))?,
        };
        let budget = top.get("hash_budget_ms_per_second");
        let budget = budget.map(|budget| budget.whole_number(1, MAX_HASH_BUDGET_MS_PER_SECOND)).transpose()?;
        let mut config = Self {
            rules: Vec::new(),
            hash_budget_ms_per_second: budget.unwrap_or(DEFAULT_HASH_BUDGET_MS_PER_SECOND),
            lockout: top.get("lockout").map(|lockout| read_lockout(&lockout)).transpose()?,
            warnings: Vec::new(),
        };
        let mut realms = HashSet::new();
        let realm = shared(&mut realms, realm);
        let mut lists = Lists::default();
        let mut limits = Limits::default();
        if let Some(rules) = top.get("basic_auth_rules") {
            rules.for_each_item(&mut |rule| {
                let fields = rule.fields(fields::RULE)?;
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
                    return Err(rule.error(Problem::NoUser { known: fields::USERS }));
                }
                limits.charge(&read).map_err(|problem| rule.error(problem))?;
                config.rules.push(read);
                Ok(())
            })?;
        }
        if config.rules.is_empty() {
            config.warnings.push(Warning { path: String::new(), kind: WarningKind::NothingProtected });
        }
        Ok(config)
    }
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
    Realm::new(&node.string()?).map(Some).map_err(|error| node.error(error))
}

/// Reads the one path matcher that an object must have.
fn read_path<T>(
    object: &Node<'_>,
    fields: &Fields<'_>,
    new: impl FnOnce(Matcher, &str) -> Result<T, PatternError>,
) -> Result<T, ConfigError> {
    let mut found = Matcher::FIELDS.iter().filter_map(|field| Some((*field, fields.get(field)?)));
    let Some((field, node)) = found.next() else {
        return Err(object.error(Problem::NoPathPattern { known: Matcher::FIELDS }));
    };
    if let Some((second, _)) = found.next() {
        return Err(object.error(Problem::SeveralPathPatterns { found: [field, second] }));
    }
    new(Matcher::from_field(field), &node.string()?).map_err(|problem| node.error(problem))
}

fn read_except(fields: &Fields<'_>, warnings: &mut Vec<Warning>) -> Result<Vec<Exception>, ConfigError> {
    let mut exceptions = Vec::new();
    if let Some(list) = fields.get("except") {
        list.for_each_item(&mut |exception| {
            let fields = exception.fields(fields::EXCEPTION)?;
            let names = read_method_names(&fields)?.filter(|names| !names.iter().any(|name| &**name == "*"));
            let new = |matcher, text: &str| Exception::new(matcher, text, names);
            let read = read_path(&exception, &fields, new)?;
            if read.never_applies() {
                warnings.push(Warning { path: exception.path(), kind: WarningKind::ExceptionNeverApplies });
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
            hosts.push(HostPattern::new(&host.string()?).map_err(|problem| host.error(problem))?);
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
        let name = method.string()?;
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
            let pair = pair::configured(&credential.string()?).map_err(|problem| credential.error(problem))?;
            let kind = match pair.password() {
                [] => Some(WarningKind::EmptyPassword),
                password => looks_like_hash(password).then_some(WarningKind::LooksLikeHash),
            };
            warnings.extend(kind.map(|kind| Warning { path: credential.path(), kind }));
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
        let list = Arc::new(UserList::parse(text).map_err(|error| node.error(error))?);
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
        read.push(lists.read(&node.string()?, &node)?);
    }
    if let Some(node) = fields.get("htpasswd_env") {
        let name = node.string()?;
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

fn read_lockout(node: &Node<'_>) -> Result<Lockout, ConfigError> {
    let fields = node.fields(fields::LOCKOUT)?;
    let number = |field, most| match fields.get(field) {
        Some(node) => node.whole_number(1, most),
        None => Err(node.error(Problem::MissingField { field })),
    };
    Ok(Lockout {
        failures: number("failures", MAX_FAILURES)?,
        window: Duration::from_secs(number("window_seconds", MAX_SECONDS)?.into()),
        lock: Duration::from_secs(number("lock_seconds", MAX_SECONDS)?.into()),
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
    use super::looks_like_hash;
    use crate::config::{Config, WarningKind};

    fn warnings(text: &str) -> Vec<WarningKind> {
        Config::parse(text.as_bytes()).ok().unwrap().warnings.iter().map(|warning| warning.kind).collect()
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
        let config = Config::parse_with(text.as_bytes(), &environment).ok().unwrap();
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
    fn a_warning_is_one_line_with_the_path_and_no_secret() {
        let text = r#"{"basic_auth_rules": [{"prefix": "/", "credentials": ["ok:test", "secret:", "ok:$6$secret$"]}]}"#;
        let shown: Vec<String> =
            Config::parse(text.as_bytes()).ok().unwrap().warnings.iter().map(ToString::to_string).collect();
        assert!(shown[0].starts_with("basic_auth_rules[0].credentials[1]: an empty password"), "{shown:?}");
        assert!(
            shown[1].starts_with("basic_auth_rules[0].credentials[2]: the password looks like a hash"),
            "{shown:?}"
        );
        assert!(!shown.iter().any(|line| line.contains("secret") || line.contains('\n')), "{shown:?}");
    }
}
