//! What loads and protects nothing, or less than was meant.

use super::error::Problem;
use super::warning::WarningKind;
use crate::matching::path::{Matcher, PatternError};
use crate::matching::regex::{METACHARACTERS, behind_anchors};
use crate::users::name::has_placeholder;

/// Whether a path pattern was meant as it will be read: but in a regex, all of its characters are ordinary ones.
/// What deserves a look is given to `warn`.
pub(super) fn check_pattern(matcher: Matcher, pattern: &str, warn: &mut dyn FnMut(WarningKind)) -> Result<(), Problem> {
    if matcher == Matcher::Regex {
        check_regex(pattern, warn);
        return Ok(());
    }
    if pattern.trim().len() < pattern.len() {
        return Err(Problem::BlankAtEnd);
    }
    if pattern.ends_with('$') {
        warn(WarningKind::FinalDollar);
    }
    // Nearly all patterns have none of these. Long ones are many bytes, most of them small letters, so that is asked first.
    let is_special = |byte| matches!(byte, b'#' | b'$' | b'*' | b',' | b':' | b'?' | b'\\' | b'{'..=b'}');
    if pattern.bytes().all(|byte| byte.is_ascii_lowercase() || !is_special(byte)) {
        return Ok(());
    }
    if pattern.contains('*') {
        return Err(Problem::Star);
    }
    if pattern.contains(['{', '}']) {
        return Err(if has_placeholder(pattern) { PatternError::Placeholder.into() } else { Problem::Brace });
    }
    for (text, kind) in [
        ("|", WarningKind::Bar),
        ("#", WarningKind::Fragment),
        ("?", WarningKind::Query),
        ("\\", WarningKind::Backslash),
        ("/:", WarningKind::Parameter),
        ("$(", WarningKind::Unfilled),
        (",/", WarningKind::Comma),
        (", /", WarningKind::Comma),
    ] {
        if pattern.contains(text) {
            warn(kind);
        }
    }
    Ok(())
}

/// Warns of a regex that covers less than its author meant: elsewhere a regex need not match the whole path, and the `/*`
/// of a glob stands for all below.
fn check_regex(pattern: &str, warn: &mut dyn FnMut(WarningKind)) {
    if pattern.starts_with("/^") || pattern.starts_with(r"/\/") {
        return warn(WarningKind::RegexDelimiters);
    }
    if pattern.contains("$(") && !pattern.contains(r"\$") {
        return warn(WarningKind::Unfilled);
    }
    let pattern = behind_anchors(pattern).unwrap_or(pattern);
    let is_plain = |text: &str| !text.bytes().any(|byte| METACHARACTERS.as_bytes().contains(&byte));
    if pattern.split('|').all(|text| is_plain(text.strip_prefix('^').unwrap_or(text))) {
        warn(WarningKind::RegexWithoutMetacharacter);
    }
    let text = pattern.strip_suffix('$').unwrap_or(pattern);
    if text.ends_with("/*") || text.ends_with("/**") {
        warn(WarningKind::RegexGlob);
    }
}

/// What deserves a look in an entry of `credentials`.
pub(super) fn check_pair(user: &[u8], password: &[u8]) -> Option<WarningKind> {
    // Nearly all begin and end so, and there may be 100,000.
    if let [b'a'..=b'u' | b'0'..=b'9', .., b'a'..=b'z' | b'0'..=b'9'] = password {
        return None;
    }
    let is_variable = |name: &[u8]| name.len() > 2 && name.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'_'));
    Some(match (user.first(), password.first(), password.last()) {
        (_, None, _) => WarningKind::EmptyPassword,
        _ if looks_like_hash(password) => WarningKind::LooksLikeHash,
        (Some(b'"'), _, Some(b'"'))
        | (_, Some(b'"'), Some(b'"'))
        | (Some(b'\''), _, Some(b'\''))
        | (_, Some(b'\''), Some(b'\'')) => WarningKind::Quotes,
        (_, Some(b' '), _) | (_, _, Some(b' ')) => WarningKind::BlankInPassword,
        (_, Some(b'<'), Some(b'>')) | (_, Some(b'%'), Some(b'%')) | (_, Some(b'@'), Some(b'@')) => {
            WarningKind::Unfilled
        }
        (_, Some(b'$'), _) if password.get(1..).is_some_and(is_variable) => WarningKind::Unfilled,
        // What sops encrypts has a colon, and ends in `]`.
        _ if password.starts_with(b"vault:") || password.starts_with(b"ENC[") || user.starts_with(b"ENC[") => {
            WarningKind::Unfilled
        }
        _ => return None,
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

/// A hash of a rule's JSON, by which equal ones are found. It is quick, and no more than a warning hangs on it.
pub(super) fn hash_of_rule(json: &str) -> u64 {
    let (words, rest) = json.as_bytes().as_chunks();
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain(rest.iter().map(|byte| u64::from(*byte)));
    // An odd number with as many ones as zeros, in no order: the golden ratio.
    let mix = |hash: u64, word: u64| (hash.rotate_left(26) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash: u64 = words.fold(0, mix);
    hash ^ hash.wrapping_shr(32)
}

/// Whether a method is a word for every method.
pub(super) fn is_word_for_every_method(method: &str) -> bool {
    ["ALL", "ANY"].iter().any(|word| word.eq_ignore_ascii_case(method))
}

/// Whether a method is in IANA's registry (<https://www.iana.org/assignments/http-methods>).
pub(super) fn is_registered_method(method: &str) -> bool {
    const REGISTERED: &str = "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK \
        MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND \
        PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF \
        VERSION-CONTROL *";
    REGISTERED.split(' ').any(|registered| registered == method)
}

/// Whether an exception for every method takes out all paths that a rule covers, as far as both are plain texts.
pub(super) fn takes_all(exception: (Matcher, &str), rule: (Matcher, &str)) -> bool {
    match (exception, rule) {
        ((Matcher::Prefix, except), (Matcher::Prefix | Matcher::Exact, covered)) => covered.starts_with(except),
        ((Matcher::Suffix, except), (Matcher::Suffix | Matcher::Exact, covered)) => covered.ends_with(except),
        ((Matcher::Prefix, "/") | (Matcher::Regex, ".*" | "/.*"), _) => true,
        _ => exception == rule,
    }
}

#[cfg(test)]
mod tests {
    use super::{looks_like_hash, takes_all};
    use crate::matching::path::Matcher::{Exact, Prefix, Regex, Suffix};

    #[test]
    fn a_hash_is_told_from_other_passwords() {
        for password in ["$2y$10$abc", "{SHA}abc", "{SSHA}abc", "$6$x"] {
            assert!(looks_like_hash(password.as_bytes()), "{password}");
        }
        for password in ["", "$", "$$", "{}", "{}x", "test$1$", "$money", "{open"] {
            assert!(!looks_like_hash(password.as_bytes()), "{password}");
        }
    }

    #[test]
    fn an_exception_that_takes_all_is_known() {
        for (exception, rule, all) in [
            ((Prefix, "/"), (Suffix, ".php"), true),
            ((Prefix, "/"), (Regex, "/a.*"), true),
            ((Prefix, "/a"), (Prefix, "/admin"), true),
            ((Prefix, "/admin/"), (Prefix, "/admin"), false),
            ((Prefix, "/admin"), (Exact, "/admin"), true),
            ((Prefix, "/admin"), (Suffix, "/admin"), false),
            ((Suffix, "php"), (Suffix, ".php"), true),
            ((Suffix, ".php"), (Exact, "/a.php"), true),
            ((Suffix, ".php"), (Prefix, "/a.php"), false),
            ((Exact, "/a"), (Exact, "/a"), true),
            ((Exact, "/a"), (Prefix, "/a"), false),
            ((Regex, "/.*"), (Prefix, "/a"), true),
            ((Regex, "/a.*"), (Prefix, "/a"), false),
            ((Regex, "/a.*"), (Regex, "/a.*"), true),
        ] {
            assert_eq!(takes_all(exception, rule), all, "{exception:?} {rule:?}");
        }
    }
}
