//! A decision in words: for the log and for the proxy's access log.

use std::borrow::Cow;
use std::fmt;

use crate::decision::{Decision, Reason};
use crate::policy::Policy;

/// What is told of a decision. A user is told only where a list holds that name: what somebody typed in its place may be a
/// password.
pub(crate) struct Account<'d> {
    /// The user of the login, if there is one; a dash for one that no list holds, so that who is told of it is told as
    /// much as of others, and in the same time.
    pub(crate) user: Option<&'d [u8]>,
    /// The rule that refused, or would have; else the first one that covers the request.
    pub(crate) rule: Option<Cow<'d, str>>,
    /// Why the request was refused, `dry_run.` and why it would have been, or why it was asked for no user.
    pub(crate) reason: Option<Cow<'static, str>>,
}

impl<'d> Account<'d> {
    pub(crate) fn new(policy: Option<&'d Policy>, decision: &'d Decision<'_>) -> Self {
        let dry_run = decision.dry_run();
        let rule = dry_run.map(|dry_run| dry_run.rule).or(decision.rule());
        let reason: Option<Cow<'_, str>> = match (decision, dry_run) {
            (_, Some(dry_run)) => Some(format!("dry_run.{}", dry_run.reason).into()),
            (Decision::Exempt { by, .. }, None) => Some(by.name().into()),
            (decision, None) => decision.reason().map(|reason| reason.name().into()),
        };
        let user = presented_user(decision).map(|(user, is_known)| if is_known { user } else { b"-" });
        Self { user, rule: rule.map(|rule| rule_name(policy, rule)), reason }
    }
}

/// The user of a login, and whether a list is known to hold that name and it is a text: what is none would be read in as
/// many ways as there are readers. Control characters are in no pair.
pub(super) fn presented_user<'d>(decision: &'d Decision<'_>) -> Option<(&'d [u8], bool)> {
    let (pair, is_known) = match decision {
        Decision::Accepted { pair, .. } => (pair, true),
        Decision::Refused { pair: Some(pair), reason, .. } => {
            (pair, matches!(reason, Reason::WrongPassword | Reason::NotAllowed))
        }
        _ => return None,
    };
    let is_text = str::from_utf8(pair.user()).is_ok();
    Some((pair.user(), is_known && is_text))
}

/// A rule's name, or its index where it has none.
fn rule_name(policy: Option<&Policy>, rule: usize) -> Cow<'_, str> {
    let name = policy.and_then(|policy| policy.rule(rule)?.name());
    name.map_or_else(|| rule.to_string().into(), Cow::Borrowed)
}

/// `missing, rule admin, user "alice"`
impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.as_deref().unwrap_or("accepted"))?;
        if let Some(rule) = &self.rule {
            write!(f, ", rule {rule}")?;
        }
        if let Some(user) = self.user {
            write!(f, ", user \"{}\"", user.escape_ascii())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Account;
    use crate::request::{HeaderLines, Request};
    use crate::test_support::policy;

    fn told(credential: &str) -> String {
        let policy = policy(
            r#"{"basic_auth_rules": [
                {"prefix": "/", "credentials": ["ok:test", "Yv86dGVzdA=="]},
                {"name": "trial", "prefix": "/", "dry_run": true, "credentials": ["ok:test", "boss:test"]}]}"#,
        );
        let credential = HeaderLines::One(credential.as_bytes());
        let request = Request { method: b"GET", path: Some(b"/"), credential, ..Request::default() };
        Account::new(Some(&policy), &policy.decide(&request)).to_string()
    }

    #[test]
    fn a_user_is_told_only_where_a_list_holds_the_name_and_it_is_a_text() {
        for (credential, account) in [
            ("Basic b2s6dGVzdA==", r#"accepted, rule 0, user "ok""#),
            ("Basic b2s6d3Jvbmc=", r#"wrong_password, rule 0, user "ok""#),
            // `test:ok`, the password in the user's place.
            ("Basic dGVzdDpvaw==", r#"unknown_user, rule 0, user "-""#),
            // `b\xff:test`
            ("Basic Yv86dGVzdA==", r#"dry_run.unknown_user, rule trial, user "-""#),
            ("Basic !", "malformed, rule 0"),
            ("Bearer x", "missing, rule 0"),
        ] {
            assert_eq!(told(credential), account, "{credential}");
        }
    }
}
