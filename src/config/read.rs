//! From the text of a configuration to a [`Config`].

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::error::{ConfigError, ConfigErrors, ErrorList, JsonType, Noted, Problem};
use super::json::Node;
use super::limits::{Limits, MAX_FAILURES, MAX_FETCHES, MAX_SECONDS};
use super::options::{DEFAULT_HASH_BUDGET_MS_PER_SECOND, Lockout, MAX_HASH_BUDGET_MS_PER_SECOND};
use super::read_options::Defaults;
use super::warning::{Warning, WarningKind};
use super::{Config, Environment, NamedUsers, Rule, RuleExtra, fields, other_format, slips, unknown};
use crate::distinct::Distinct;
use crate::matching::exception::Exception;
use crate::matching::host::HostPattern;
use crate::matching::method::{MethodPattern, Methods};
use crate::matching::path::{Matcher, PathPattern};
use crate::response::Realm;
use crate::users::fetched::FetchSource;
use crate::users::htpasswd::HtpasswdError;
use crate::users::list::UserList;
use crate::users::name::has_placeholder;
use crate::users::pair::{self, Pair};

impl Config {
    /// Reads the text of a configuration that names no variable of the environment. An empty text is like `{}`: it has no
    /// rules, and nothing is protected.
    ///
    /// # Errors
    /// All that is wrong with it: a configuration is refused as a whole.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigErrors> {
        Self::parse_with(text, &|_| None)
    }

    /// Whether a text of so many bytes can be read. A virtual machine of Envoy's has a gibibyte of memory, and a text can
    /// take thirty times its size while it is read.
    ///
    /// # Errors
    /// [`Problem::TooMuch`].
    pub fn check_size(bytes: usize) -> Result<(), ConfigErrors> {
        Limits::check_text(bytes).map_err(|problem| ConfigError::of_document(problem).into())
    }

    /// Reads the text of a configuration that may name variables of the environment.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn parse_with(text: &[u8], environment: Environment<'_>) -> Result<Self, ConfigErrors> {
        Self::check_size(text.len())?;
        let text = if text.trim_ascii().is_empty() { b"{}" } else { text };
        let text = str::from_utf8(text).map_err(|_| {
            let problem = if other_format::is_protobuf(text) { Problem::Protobuf } else { Problem::NotUtf8 };
            ConfigError::of_document(problem)
        })?;
        Reader::new(environment).read(&Node::document(text))
    }
}

/// The fields of an object, as far as they are known.
pub(super) struct Fields<'a> {
    pub(super) object: &'a Node<'a>,
    found: Vec<(&'static str, &'a str)>,
    /// Whether there are others.
    unknown: Option<Noted>,
}

impl Fields<'_> {
    /// The field of that name, if the object has it.
    pub(super) fn get(&self, name: &'static str) -> Option<Node<'_>> {
        let (name, text) = self.found.iter().find(|(found, _)| *found == name)?;
        Some(self.object.field(name, text))
    }
}

/// What is known while a configuration is read. Where its methods fail, the error is noted and reading can go on.
pub(super) struct Reader<'e> {
    environment: Environment<'e>,
    pub(super) errors: ErrorList,
    warnings: Vec<Warning>,
    more_warnings: usize,
    limits: Limits,
    realms: Distinct<Arc<Realm>>,
    /// The names of rules.
    pub(super) names: Distinct<Box<str>>,
    /// The names of the lists of `users`, in their order.
    pub(super) list_names: Distinct<Box<str>>,
    lists: Lists,
    fetches: Vec<(FetchSource, Box<str>)>,
    /// How many rules name some methods.
    open_methods: usize,
    /// The hashes of the rules' JSON.
    written: HashTable<u64>,
    /// Of all that is no secret.
    digest: DefaultHasher,
}

impl<'e> Reader<'e> {
    fn new(environment: Environment<'e>) -> Self {
        Self {
            environment,
            errors: ErrorList::default(),
            warnings: Vec::new(),
            more_warnings: 0,
            limits: Limits::default(),
            realms: Distinct::default(),
            names: Distinct::default(),
            list_names: Distinct::default(),
            lists: Lists::default(),
            fetches: Vec::new(),
            open_methods: 0,
            written: HashTable::new(),
            digest: DefaultHasher::new(),
        }
    }

    fn read(mut self, document: &Node<'_>) -> Result<Config, ConfigErrors> {
        let config = self.read_top(document);
        let config = self.errors.finish(config);
        #[cfg(feature = "explain")]
        let config = config.map_err(|errors| errors.relative_to(document));
        let mut config = config?;
        let about_all = if config.rules.is_empty() {
            Some(WarningKind::NothingProtected)
        } else {
            let rules = self.open_methods;
            (rules > 0).then_some(WarningKind::OpenMethods { rules })
        };
        let about_all = about_all.into_iter().map(|kind| Warning {
            path: String::new(),
            kind,
            #[cfg(feature = "explain")]
            offset: document.position(),
        });
        config.warnings = about_all.collect();
        config.warnings.append(&mut self.warnings);
        #[cfg(feature = "explain")]
        for warning in &mut config.warnings {
            warning.offset = warning.offset.saturating_sub(document.position());
        }
        config.more_warnings = self.more_warnings;
        Ok(config)
    }

    /// Notes what is wrong with a node, if anything is.
    pub(super) fn note<T>(&mut self, node: &Node<'_>, result: Result<T, impl Into<Problem>>) -> Result<T, Noted> {
        result.map_err(|problem| self.errors.add(node, problem.into()))
    }

    /// Notes that an object lacks something, unless a field that is not known may be meant by it.
    pub(super) fn missing(&mut self, fields: &Fields<'_>, problem: Problem) -> Noted {
        fields.unknown.unwrap_or_else(|| self.errors.add(fields.object, problem))
    }

    fn warn(&mut self, node: &Node<'_>, kind: WarningKind) {
        if self.warnings.len() < Warning::MAX {
            self.warnings.push(Warning {
                path: node.path().to_string(),
                kind,
                #[cfg(feature = "explain")]
                offset: node.position(),
            });
        } else {
            self.more_warnings = self.more_warnings.saturating_add(1);
        }
    }

    /// The object's fields, all of which must be among `known` and none of which may be there twice.
    pub(super) fn fields<'n>(
        &mut self,
        object: &'n Node<'n>,
        known: &'static [&'static str],
    ) -> Result<Fields<'n>, Noted> {
        let members = self.note(object, object.members())?;
        let mut fields = Fields { object, found: Vec::with_capacity(members.len().min(known.len())), unknown: None };
        for (written, text) in members {
            let Some(name) = known.iter().find(|name| **name == written) else {
                fields.unknown = Some(self.errors.add(&object.at_member(text), unknown::problem(&written, known)));
                continue;
            };
            if fields.found.iter().any(|(earlier, _)| earlier == name) {
                self.errors.add(&object.field(name, text), Problem::DoubledField);
            } else {
                self.add_to_digest(name, text);
                fields.found.push((name, text));
            }
        }
        Ok(fields)
    }

    /// Objects add their own fields when they are read.
    fn add_to_digest(&mut self, name: &str, text: &str) {
        let is_secret = matches!(name, "credentials" | "htpasswd" | "path");
        let is_parent = matches!(name, "basic_auth_rules" | "except") || (name != "headers" && text.starts_with('{'));
        self.digest.write(name.as_bytes());
        if !is_secret && !is_parent {
            self.digest.write(text.as_bytes());
        }
        self.digest.write_u8(0xff);
    }

    fn digest(&self) -> u32 {
        let [first, second, third, fourth, ..] = self.digest.finish().to_be_bytes();
        u32::from_be_bytes([first, second, third, fourth])
    }

    pub(super) fn string<'n>(&mut self, node: &Node<'n>) -> Result<Cow<'n, str>, Noted> {
        self.note(node, node.string())
    }

    fn read_top(&mut self, document: &Node<'_>) -> Result<Config, Noted> {
        let top = self.fields(document, fields::TOP)?;
        let realm = self.read_realm(&top).unwrap_or_default();
        let budget = top.get("hash_budget_ms_per_second");
        let budget =
            budget.map(|node| self.note(&node, node.whole_number(1, MAX_HASH_BUDGET_MS_PER_SECOND))).transpose();
        let lockout = top.get("lockout").map(|node| self.read_lockout(&node)).transpose();
        let options = self.read_options(&top);
        let defaults = self.read_defaults(&top, None);
        let users = self.read_users(&top);
        let rules = self.read_rules(&top, realm, defaults.as_ref().ok(), users.as_deref().ok());
        defaults?;
        Ok(Config {
            options: options?,
            users: users?,
            rules: rules?,
            fetches: std::mem::take(&mut self.fetches),
            digest: self.digest(),
            hash_budget_ms_per_second: budget?.unwrap_or(DEFAULT_HASH_BUDGET_MS_PER_SECOND),
            lockout: lockout?,
            warnings: Vec::new(),
            more_warnings: 0,
        })
    }

    #[inline(never)]
    fn read_rules(
        &mut self,
        top: &Fields<'_>,
        realm: Option<Realm>,
        defaults: Option<&Defaults>,
        users: Option<&[NamedUsers]>,
    ) -> Result<Vec<Rule>, Noted> {
        let realm = match realm {
            Some(realm) => realm,
            None => self.note(top.object, Realm::new(Realm::DEFAULT))?,
        };
        let realm = self.shared(realm);
        let mut read = Vec::new();
        if let Some(rules) = top.get("basic_auth_rules") {
            let items = self.note(&rules, rules.items())?;
            let are_several = items.len() > 1;
            for node in items {
                let rule = self.read_rule(&node, &realm, defaults, users);
                if are_several {
                    self.warn_of_double(&node);
                }
                if let Ok(rule) = rule {
                    // Beyond a limit there is no room to go on.
                    let charged = self.limits.charge(&rule);
                    self.note(&node, charged)?;
                    read.push(rule);
                }
            }
        }
        Ok(read)
    }

    fn warn_of_double(&mut self, rule: &Node<'_>) {
        let hash = slips::hash_of_rule(rule.text());
        match self.written.entry(hash, |earlier| *earlier == hash, |earlier| *earlier) {
            Entry::Occupied(_) => self.warn(rule, WarningKind::RuleTwice),
            Entry::Vacant(new) => {
                new.insert(hash);
            }
        }
    }

    #[inline(never)]
    fn read_rule(
        &mut self,
        rule: &Node<'_>,
        realm: &Arc<Realm>,
        defaults: Option<&Defaults>,
        users: Option<&[NamedUsers]>,
    ) -> Result<Rule, Noted> {
        let fields = self.fields(rule, fields::RULE)?;
        let pattern = self.read_pattern(&fields);
        let path = match &pattern {
            Ok(Pattern { matcher, text, node }) => {
                self.note(node, PathPattern::new(*matcher, text).map_err(|error| error.explain(text)))
            }
            Err(noted) => Err(*noted),
        };
        let hosts = self.read_hosts(&fields);
        let methods = self.read_method_names(&fields);
        let except = self.read_except(&fields, pattern.as_ref().ok());
        let credentials = self.read_credentials(&fields);
        let htpasswd = self.read_htpasswd(&fields);
        let own_realm = self.read_realm(&fields);
        let own = self.read_defaults(&fields, defaults);
        let extra = self.read_extra(&fields, (credentials.as_deref().ok(), htpasswd.as_deref().ok(), users));
        let has_no_user = matches!(
            (&credentials, &htpasswd, &extra),
            (Ok(plain), Ok(hashed), Ok(extra))
                if plain.is_empty() && hashed.is_empty() && extra.users.is_empty() && extra.fetch.is_none()
        );
        // Lists that are refused themselves may have some.
        if has_no_user && (users.is_some() || fields.get("users").is_none()) {
            return Err(self.missing(&fields, Problem::NoUser { known: fields::USERS }));
        }
        let methods = match methods? {
            None => Methods::Every,
            Some(names) => Methods::new(names.iter().filter_map(|name| MethodPattern::new(name).ok())),
        };
        if methods != Methods::Every {
            self.open_methods = self.open_methods.saturating_add(1);
        }
        let (own, extra) = (own?, extra?);
        Ok(Rule {
            unauthorized: own.unauthorized,
            hide_credentials: own.hide_credentials,
            allow_missing: own.allow_missing,
            dry_run: own.dry_run,
            extra: (extra != RuleExtra::default()).then(|| Box::new(extra)),
            path: path?,
            hosts: hosts?.into(),
            methods,
            except: except?.into(),
            credentials: credentials?.into(),
            htpasswd: htpasswd?.into(),
            realm: own_realm?.map_or_else(|| Arc::clone(realm), |realm| self.shared(realm)),
        })
    }

    /// The realm that equals this one, so that rules with one realm hold it once.
    fn shared(&mut self, realm: Realm) -> Arc<Realm> {
        if let Some(known) = self.realms.get(&realm) {
            return Arc::clone(known);
        }
        let realm = Arc::new(realm);
        self.realms.add(Arc::clone(&realm));
        realm
    }

    fn read_realm(&mut self, fields: &Fields<'_>) -> Result<Option<Realm>, Noted> {
        let Some(node) = fields.get("realm") else { return Ok(None) };
        let text = self.string(&node)?;
        if has_placeholder(&text) {
            self.warn(&node, WarningKind::Unfilled);
        }
        let challenge = "basic realm";
        if text.get(..challenge.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(challenge)) {
            self.warn(&node, WarningKind::Challenge);
        }
        self.note(&node, Realm::new(&text)).map(Some)
    }

    /// The one path matcher that an object must have.
    #[inline(never)]
    fn read_pattern<'f>(&mut self, fields: &'f Fields<'_>) -> Result<Pattern<'f>, Noted> {
        let mut found = Matcher::FIELDS.iter().filter_map(|field| Some((*field, fields.get(field)?)));
        let Some((field, node)) = found.next() else {
            return Err(self.missing(fields, Problem::NoPathPattern { known: Matcher::FIELDS }));
        };
        if let Some((second, _)) = found.next() {
            return Err(self.errors.add(fields.object, Problem::SeveralPathPatterns { found: [field, second] }));
        }
        let text = self.string(&node)?;
        let matcher = Matcher::from_field(field);
        let checked = slips::check_pattern(matcher, &text, &mut |kind| self.warn(&node, kind));
        self.note(&node, checked)?;
        Ok(Pattern { matcher, text, node })
    }

    #[inline(never)]
    fn read_except(&mut self, fields: &Fields<'_>, rule: Option<&Pattern<'_>>) -> Result<Vec<Exception>, Noted> {
        self.read_items(fields, "except", |reader, exception| {
            if exception.json_type() == JsonType::String {
                return Err(reader.errors.add(exception, Problem::ExceptionAsText));
            }
            let fields = reader.fields(exception, fields::EXCEPTION)?;
            let names = reader.read_method_names(&fields);
            let Pattern { matcher, text, node } = reader.read_pattern(&fields)?;
            let names = names?.filter(|names| !names.iter().any(|name| &**name == "*"));
            let is_for_every_method = names.is_none();
            let read = Exception::new(matcher, &text, names).map_err(|error| error.explain(&text));
            let read = reader.note(&node, read)?;
            if read.never_applies() {
                reader.warn(exception, WarningKind::ExceptionNeverApplies);
            }
            if rule.is_some_and(|rule| slips::takes_all((matcher, &text), (rule.matcher, &rule.text)))
                && is_for_every_method
            {
                reader.warn(exception, WarningKind::ExceptionTakesAll);
            }
            Ok(read)
        })
    }

    /// What is read of the items of a field, all of which are looked at; no items where there is no field.
    pub(super) fn read_items<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        read: impl Fn(&mut Self, &Node<'_>) -> Result<T, Noted>,
    ) -> Result<Vec<T>, Noted> {
        let mut all = Vec::new();
        self.for_each_item(fields, name, &mut |reader, item| {
            all.push(read(reader, item)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Calls `read` with every item of a field, if it is there, and goes on where it fails.
    pub(super) fn for_each_item(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        read: &mut dyn FnMut(&mut Self, &Node<'_>) -> Result<(), Noted>,
    ) -> Result<(), Noted> {
        let Some(node) = fields.get(name) else { return Ok(()) };
        let mut all = Ok(());
        for item in self.note(&node, node.items())? {
            all = read(self, &item).and(all);
        }
        all
    }

    #[inline(never)]
    fn read_hosts(&mut self, fields: &Fields<'_>) -> Result<Vec<HostPattern>, Noted> {
        self.read_items(fields, "hosts", |reader, host| {
            let text = reader.string(host)?;
            reader.note(host, HostPattern::new(&text))
        })
    }

    /// The checked entries of `request_methods`, of which there is at least one if the field is there.
    #[inline(never)]
    fn read_method_names(&mut self, fields: &Fields<'_>) -> Result<Option<Vec<Box<str>>>, Noted> {
        let Some(list) = fields.get("request_methods") else { return Ok(None) };
        let names: Vec<Box<str>> = self.read_items(fields, "request_methods", |reader, method| {
            let name = reader.string(method)?;
            if slips::is_word_for_every_method(&name) {
                return Err(reader.errors.add(method, Problem::EveryMethod));
            }
            reader.note(method, MethodPattern::new(&name))?;
            if !slips::is_registered_method(&name) {
                reader.warn(method, WarningKind::UnregisteredMethod);
            }
            Ok(name.into())
        })?;
        if names.is_empty() { Err(self.errors.add(&list, Problem::NoMethod)) } else { Ok(Some(names)) }
    }

    #[inline(never)]
    pub(super) fn read_credentials(&mut self, fields: &Fields<'_>) -> Result<Vec<Pair>, Noted> {
        self.read_items(fields, "credentials", |reader, credential| {
            if credential.json_type() == JsonType::Object && credential.members().is_ok_and(|fields| fields.len() > 1) {
                return Err(reader.errors.add(credential, Problem::PairAsObject));
            }
            let text = reader.string(credential)?;
            let pair = reader.note(credential, pair::configured(&text))?;
            if let Some(kind) = slips::check_pair(pair.user(), pair.password()) {
                reader.warn(credential, kind);
            }
            Ok(pair)
        })
    }

    #[inline(never)]
    pub(super) fn read_htpasswd(&mut self, fields: &Fields<'_>) -> Result<Vec<Arc<UserList>>, Noted> {
        let text = fields.get("htpasswd").map(|node| match node.json_type() {
            JsonType::Array => self.read_lines(fields, &node),
            _ => self.string(&node).and_then(|text| self.user_list(&text, &node, |_| None)),
        });
        let variable = fields.get("htpasswd_env").map(|node| {
            let name = self.string(&node)?;
            self.variable(&name, &node)
        });
        text.into_iter().chain(variable).collect()
    }

    /// The users of htpasswd text that is an array of lines.
    fn read_lines(&mut self, fields: &Fields<'_>, node: &Node<'_>) -> Result<Arc<UserList>, Noted> {
        let lines = self.read_items(fields, "htpasswd", |reader, line| {
            let text = reader.string(line)?;
            // YAML's `|` ends a text with one.
            let text = text.strip_suffix('\n').unwrap_or(&text);
            if text.contains('\n') {
                return Err(reader.errors.add(line, Problem::SeveralLines));
            }
            Ok(text.to_owned())
        })?;
        let item = |line: usize| node.items().ok().and_then(|mut items| items.nth(line.checked_sub(1)?));
        self.user_list(&lines.join("\n"), node, item)
    }

    /// The users of htpasswd text. Where each line is an item of its own, the item says which line it is.
    fn user_list<'n>(
        &mut self,
        text: &str,
        node: &Node<'n>,
        item: impl Fn(usize) -> Option<Node<'n>>,
    ) -> Result<Arc<UserList>, Noted> {
        match self.lists.parse(text) {
            Ok((list, is_new)) => {
                // One line like this has others for company.
                if is_new && text.starts_with("- ") {
                    self.warn(node, WarningKind::Dash);
                }
                for line in list.costly_lines().iter().filter(|_| is_new) {
                    match item(*line) {
                        Some(item) => self.warn(&item, WarningKind::CostlyHash { line: 0 }),
                        None => self.warn(node, WarningKind::CostlyHash { line: *line }),
                    }
                }
                Ok(list)
            }
            Err(HtpasswdError { line, kind }) => Err(match item(line) {
                Some(item) => self.errors.add(&item, HtpasswdError { line: 0, kind }.into()),
                None => self.errors.add(node, HtpasswdError { line, kind }.into()),
            }),
        }
    }

    /// The users of a variable. It may be long and named by many rules: it is looked at once.
    fn variable(&mut self, name: &str, node: &Node<'_>) -> Result<Arc<UserList>, Noted> {
        if let Some(list) = self.lists.of_variable(name) {
            return Ok(Arc::clone(list));
        }
        let Some(value) = (self.environment)(name).filter(|value| !value.trim().is_empty()) else {
            let has_dollar = name.starts_with('$');
            return Err(self
                .errors
                .add(node, if has_dollar { Problem::VariableWithDollar } else { Problem::NoVariable }));
        };
        let list = self.user_list(&value, node, |_| None)?;
        self.lists.variables.add(name.into());
        self.lists.of_variables.push(Arc::clone(&list));
        Ok(list)
    }

    /// `htpasswd_fetch`: the index of where it is fetched from, of which equal ones are one.
    pub(super) fn read_fetch(&mut self, fields: &Fields<'_>) -> Result<Option<usize>, Noted> {
        let Some(node) = fields.get("htpasswd_fetch") else { return Ok(None) };
        let fields = self.fields(&node, fields::FETCH)?;
        let cluster = self.read_required(&fields, "cluster", check_visible);
        let path = self.read_required(&fields, "path", |path| {
            let is_path = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
            if is_path { Ok(()) } else { Err(Problem::FetchPath) }
        });
        let authority = fields.get("authority").map(|node| {
            let authority = self.string(&node)?;
            self.note(&node, check_visible(&authority))?;
            Ok(authority.into())
        });
        let mut seconds = |field, default: u32| match fields.get(field) {
            Some(node) => self.note(&node, node.whole_number(1, FetchSource::MAX_SECONDS)),
            None => Ok(default),
        };
        let refresh = seconds("refresh_seconds", FetchSource::DEFAULT_REFRESH_SECONDS);
        let timeout = seconds("timeout_seconds", FetchSource::DEFAULT_TIMEOUT_SECONDS);
        let authority: Option<Box<str>> = authority.transpose()?;
        let cluster = cluster?;
        let source = FetchSource {
            authority: authority.unwrap_or_else(|| cluster.clone()),
            cluster,
            path: path?,
            refresh: Duration::from_secs(refresh?.into()),
            timeout: Duration::from_secs(timeout?.into()),
        };
        if let Some(known) = self.fetches.iter().position(|(known, _)| *known == source) {
            return Ok(Some(known));
        }
        // Each is asked for by every worker, ever again.
        if self.fetches.len() >= MAX_FETCHES {
            let number = self.fetches.len().saturating_add(1);
            return Err(self.errors.add(&node, Problem::TooMuch { what: "lists to fetch", number, max: MAX_FETCHES }));
        }
        self.fetches.push((source, node.path().to_string().into()));
        Ok(self.fetches.len().checked_sub(1))
    }

    /// A string that an object must have.
    fn read_required(
        &mut self,
        fields: &Fields<'_>,
        field: &'static str,
        check: impl FnOnce(&str) -> Result<(), Problem>,
    ) -> Result<Box<str>, Noted> {
        let Some(node) = fields.get(field) else { return Err(self.missing(fields, Problem::MissingField { field })) };
        let text = self.string(&node)?;
        self.note(&node, check(&text))?;
        Ok(text.into())
    }

    #[inline(never)]
    fn read_lockout(&mut self, node: &Node<'_>) -> Result<Lockout, Noted> {
        let fields = self.fields(node, fields::LOCKOUT)?;
        let mut number = |field, max| match fields.get(field) {
            Some(node) => self.note(&node, node.whole_number(1, max)),
            None => Err(self.missing(&fields, Problem::MissingField { field })),
        };
        let failures = number("failures", MAX_FAILURES);
        let window = number("window_seconds", MAX_SECONDS);
        let lock = number("lock_seconds", MAX_SECONDS);
        Ok(Lockout {
            failures: failures?,
            window: Duration::from_secs(window?.into()),
            lock: Duration::from_secs(lock?.into()),
        })
    }
}

/// Whether a text could be a host or the name of a cluster.
fn check_visible(text: &str) -> Result<(), Problem> {
    let is_visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_visible { Ok(()) } else { Err(Problem::NotVisible) }
}

/// The path pattern of an object.
struct Pattern<'a> {
    matcher: Matcher,
    text: Cow<'a, str>,
    node: Node<'a>,
}

/// The user lists that were read.
#[derive(Default)]
struct Lists {
    texts: Distinct<Box<str>>,
    /// By the numbers of their texts.
    of_texts: Vec<Arc<UserList>>,
    variables: Distinct<Box<str>>,
    /// By the numbers of their variables.
    of_variables: Vec<Arc<UserList>>,
}

impl Lists {
    /// The users of a text, of which equal ones are one list, and whether it is a new one.
    fn parse(&mut self, text: &str) -> Result<(Arc<UserList>, bool), HtpasswdError> {
        if let Some(list) = self.texts.find(text).and_then(|number| self.of_texts.get(number)) {
            return Ok((Arc::clone(list), false));
        }
        let list = Arc::new(UserList::parse(text)?);
        self.texts.add(text.into());
        self.of_texts.push(Arc::clone(&list));
        Ok((list, true))
    }

    /// The users of a variable that was read.
    fn of_variable(&self, name: &str) -> Option<&Arc<UserList>> {
        self.of_variables.get(self.variables.find(name)?)
    }
}

#[cfg(test)]
mod tests {
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
