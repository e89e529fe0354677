//! The options of a configuration and of its rules.

use std::sync::Arc;

use super::error::{Noted, Problem};
use super::json::Node;
use super::options::{Options, PlainHttp};
use super::read::{Fields, Reader};
use super::{NamedUsers, RuleExtra, fields};
use crate::distinct::Distinct;
use crate::matching::source::{SourceRange, SourceRanges};
use crate::order;
use crate::request::HeaderNames;
use crate::request::header_name::HeaderName;
use crate::response::Unauthorized;
use crate::users::list::UserList;
use crate::users::pair::Pair;

/// The most characters of a name.
const MAX_NAME: usize = 64;

/// What the rules have that do not say otherwise.
pub(super) struct Defaults {
    pub(super) unauthorized: Arc<Unauthorized>,
    pub(super) hide_credentials: bool,
    pub(super) allow_missing: bool,
    pub(super) dry_run: bool,
}

/// The users of a rule, as far as they could be read: its own, and all lists that it may name.
type Known<'k> = (Option<&'k [Pair]>, Option<&'k [Arc<UserList>]>, Option<&'k [NamedUsers]>);

impl Reader<'_> {
    /// The options that stand for all rules.
    #[inline(never)]
    pub(super) fn read_options(&mut self, top: &Fields<'_>) -> Result<Options, Noted> {
        let credential = self.read_header_name(top, "authentication_header");
        let username = self.read_header_name(top, "forward_username_header");
        let plain_http = self.read_one_of(top, "plain_http", fields::PLAIN_HTTP);
        let preflight = self.read_one_of(top, "cors_preflight", fields::CORS_PREFLIGHT);
        let first_match = self.read_switch(top, "first_match");
        let refuse_ambiguous_paths = self.read_switch(top, "refuse_ambiguous_paths");
        let filter_state = self.read_switch(top, "filter_state");
        let (credential, username) = (credential?, username?);
        let credential = credential.as_ref().map_or("authorization", HeaderName::as_str);
        let username = username.as_ref().map(HeaderName::as_str);
        if let Some(node) = top.get("forward_username_header").filter(|_| username == Some(credential)) {
            return Err(self.errors.add(&node, Problem::HeaderTaken));
        }
        let plain_http = match plain_http? {
            Some("redirect") => PlainHttp::Redirect,
            Some("refuse") => PlainHttp::Refuse,
            _ => PlainHttp::Challenge,
        };
        let allow_preflight = preflight? == Some("allow");
        Ok(Options {
            first_match: first_match?.unwrap_or(false),
            refuse_ambiguous_paths: refuse_ambiguous_paths?.unwrap_or(false),
            allow_preflight,
            plain_http,
            filter_state: filter_state?.unwrap_or(false),
            headers: HeaderNames::new(credential, username, plain_http != PlainHttp::Challenge, allow_preflight),
        })
    }

    fn read_header_name(&mut self, fields: &Fields<'_>, name: &'static str) -> Result<Option<HeaderName>, Noted> {
        let Some(node) = fields.get(name) else { return Ok(None) };
        let text = self.string(&node)?;
        self.note(&node, HeaderName::parse(&text)).map(Some)
    }

    fn read_one_of(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        known: &'static [&'static str],
    ) -> Result<Option<&'static str>, Noted> {
        let Some(node) = fields.get(name) else { return Ok(None) };
        self.note(&node, node.one_of(known)).map(Some)
    }

    fn read_switch(&mut self, fields: &Fields<'_>, name: &'static str) -> Result<Option<bool>, Noted> {
        let Some(node) = fields.get(name) else { return Ok(None) };
        self.note(&node, node.boolean()).map(Some)
    }

    /// What a rule has, or at the top those that do not say otherwise.
    #[inline(never)]
    pub(super) fn read_defaults(&mut self, fields: &Fields<'_>, others: Option<&Defaults>) -> Result<Defaults, Noted> {
        let unauthorized = match fields.get("unauthorized") {
            Some(node) => self.read_unauthorized(&node).map(Arc::new),
            None => Ok(others.map(|others| Arc::clone(&others.unauthorized)).unwrap_or_default()),
        };
        let hide_credentials = self.read_switch(fields, "hide_credentials");
        let allow_missing = self.read_switch(fields, "allow_missing");
        let dry_run = self.read_switch(fields, "dry_run");
        Ok(Defaults {
            unauthorized: unauthorized?,
            hide_credentials: hide_credentials?.unwrap_or_else(|| others.is_some_and(|others| others.hide_credentials)),
            allow_missing: allow_missing?.unwrap_or_else(|| others.is_some_and(|others| others.allow_missing)),
            dry_run: dry_run?.unwrap_or_else(|| others.is_some_and(|others| others.dry_run)),
        })
    }

    fn read_unauthorized(&mut self, node: &Node<'_>) -> Result<Unauthorized, Noted> {
        let fields = self.fields(node, fields::UNAUTHORIZED)?;
        let body = fields.get("body").map(|node| self.string(&node).map(Box::from)).transpose();
        let content_type = fields.get("content_type").map(|node| self.read_header_value(&node)).transpose();
        let headers = self.read_members(&fields, "headers", Self::read_header);
        Ok(Unauthorized { body: body?.unwrap_or_default(), content_type: content_type?, headers: headers?.into() })
    }

    /// What `read` makes of each member of an object whose names the operator chooses: it gets the object, the name, the
    /// value as JSON, and what the members before were read as.
    fn read_members<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        read: impl Fn(&mut Self, &Node<'_>, &str, &str, &[T]) -> Result<T, Noted>,
    ) -> Result<Vec<T>, Noted> {
        let mut members = Vec::new();
        let mut all = Ok(());
        let Some(node) = fields.get(name) else { return Ok(members) };
        for (name, text) in self.note(&node, node.members())? {
            match read(self, &node, &name, text, &members) {
                Ok(member) => members.push(member),
                Err(noted) => all = Err(noted),
            }
        }
        all.map(|()| members)
    }

    fn read_header(
        &mut self,
        headers: &Node<'_>,
        name: &str,
        text: &str,
        earlier: &[(HeaderName, Box<str>)],
    ) -> Result<(HeaderName, Box<str>), Noted> {
        // What is no name is repeated nowhere.
        let name = self.note(headers, Unauthorized::check_name(name))?;
        let value = headers.field(name.as_str(), text);
        if earlier.iter().any(|(earlier, _)| *earlier == name) {
            return Err(self.errors.add(&value, Problem::DoubledField));
        }
        let value = self.read_header_value(&value)?;
        Ok((name, value))
    }

    fn read_header_value(&mut self, node: &Node<'_>) -> Result<Box<str>, Noted> {
        let value = self.string(node)?;
        self.note(node, Unauthorized::check_value(&value))?;
        Ok(value.into())
    }

    /// The lists of `users`.
    #[inline(never)]
    pub(super) fn read_users(&mut self, top: &Fields<'_>) -> Result<Vec<NamedUsers>, Noted> {
        self.read_members(top, "users", |reader, users, name, text, _| reader.read_user_list(users, name, text))
    }

    #[inline(never)]
    fn read_user_list(&mut self, users: &Node<'_>, name: &str, text: &str) -> Result<NamedUsers, Noted> {
        // What is no name is repeated nowhere.
        self.note(users, check_name(name))?;
        let list = users.field(name, text);
        let fields = self.fields(&list, fields::USER_LIST)?;
        let credentials = self.read_credentials(&fields);
        let htpasswd = self.read_htpasswd(&fields);
        let fetch = self.read_fetch(&fields);
        let read = NamedUsers {
            name: name.into(),
            credentials: credentials?.into(),
            htpasswd: htpasswd?.into(),
            fetch: fetch?,
        };
        if read.credentials.is_empty() && read.htpasswd.is_empty() && read.fetch.is_none() {
            return Err(self.missing(&fields, Problem::EmptyList { known: fields::USER_LIST }));
        }
        let (_, is_new) = self.list_names.add(read.name.clone());
        if !is_new {
            return Err(self.errors.add(&list, Problem::DoubledField));
        }
        Ok(read)
    }

    /// What few rules have.
    #[inline(never)]
    pub(super) fn read_extra(&mut self, fields: &Fields<'_>, known: Known<'_>) -> Result<RuleExtra, Noted> {
        let name = self.read_name(fields);
        let users = self.read_list_names(fields, known.2.is_some());
        let fetch = self.read_fetch(fields);
        let source_ranges = self.read_items(fields, "allow_source_ranges", |reader, range| {
            let text = reader.string(range)?;
            reader.note(range, SourceRange::parse(&text))
        });
        let allow_users = match &users {
            Ok(users) => self.read_allow_users(fields, users, known, fetch.as_ref().ok().copied().flatten()),
            Err(noted) => Err(*noted),
        };
        let source_ranges = source_ranges?;
        Ok(RuleExtra {
            name: name?,
            users: users?,
            allow_users: allow_users?,
            source_ranges: (!source_ranges.is_empty()).then(|| SourceRanges::new(source_ranges)),
            fetch: fetch?,
        })
    }

    fn read_name(&mut self, fields: &Fields<'_>) -> Result<Option<Box<str>>, Noted> {
        let Some(node) = fields.get("name") else { return Ok(None) };
        let name: Box<str> = self.string(&node)?.into();
        self.note(&node, check_name(&name))?;
        let (_, is_new) = self.names.add(name.clone());
        if is_new { Ok(Some(name)) } else { Err(self.errors.add(&node, Problem::DoubledName)) }
    }

    /// The lists that a rule names. Whether they are there cannot be told where the lists could not be read.
    #[inline(never)]
    fn read_list_names(&mut self, fields: &Fields<'_>, are_lists_known: bool) -> Result<Box<[usize]>, Noted> {
        // In order, so that rules with the same lists have the same users.
        let mut indexes = Vec::new();
        self.for_each_item(fields, "users", &mut |reader, name| {
            let wanted = reader.string(name)?;
            match reader.list_names.find(&*wanted) {
                Some(index) => indexes.push(index),
                None if are_lists_known => return Err(reader.errors.add(name, Problem::NoSuchList)),
                None => {}
            }
            Ok(())
        })?;
        order::sort(&mut indexes, usize::cmp);
        indexes.dedup();
        Ok(indexes.into())
    }

    /// `allow_users`: in order, each known to the rule.
    #[inline(never)]
    fn read_allow_users(
        &mut self,
        fields: &Fields<'_>,
        named: &[usize],
        (credentials, htpasswd, lists): Known<'_>,
        fetch: Option<usize>,
    ) -> Result<Option<Box<[Box<str>]>>, Noted> {
        let Some(list) = fields.get("allow_users") else { return Ok(None) };
        let named = || named.iter().filter_map(|index| lists?.get(*index));
        // Whom a list knows that is fetched is not known here.
        let is_fetched = fetch.is_some() || named().any(|list| list.fetch.is_some());
        let is_known = credentials.is_some() && htpasswd.is_some() && lists.is_some() && !is_fetched;
        let pairs = named().flat_map(|list| &list.credentials).chain(credentials.into_iter().flatten());
        let mut plain: Distinct<&[u8]> = Distinct::default();
        for pair in pairs {
            plain.add(pair.user());
        }
        let texts: Vec<_> = named().flat_map(|list| &list.htpasswd).chain(htpasswd.into_iter().flatten()).collect();
        let knows = |user: &str| {
            plain.find(user.as_bytes()).is_some() || texts.iter().any(|text| text.contains(user.as_bytes()))
        };
        let mut users: Vec<Box<str>> = self.read_items(fields, "allow_users", |reader, user| {
            let name = reader.string(user)?;
            if is_known && !knows(&name) {
                return Err(reader.errors.add(user, Problem::NoSuchUser));
            }
            Ok(name.into())
        })?;
        if users.is_empty() {
            return Err(self.errors.add(&list, Problem::AllowsNobody));
        }
        order::sort(&mut users, Ord::cmp);
        users.dedup();
        Ok(Some(users.into()))
    }
}

/// Whether a text is the name of a rule or of a list.
fn check_name(name: &str) -> Result<(), Problem> {
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_harmless) {
        return Err(Problem::Name);
    }
    Ok(())
}
