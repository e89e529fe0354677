//! What is no user name, although it stands where one belongs: slips that would let nobody in, or the wrong ones.

use std::fmt;

/// Why a user name of a configuration is refused. Its `Display` says what to do and shows nothing of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserNameError {
    /// Nothing stands before the colon.
    Empty,
    /// White space at its beginning or end, which browsers do not send where people type none.
    Blank,
    /// A placeholder that nobody filled in.
    Placeholder,
    /// The header that a client sends: `Authorization: Basic …`, or its value.
    Header,
}

impl fmt::Display for UserNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty user name; write one before the colon",
            Self::Blank => "a blank at the beginning or end of the user name; remove it",
            Self::Placeholder => UNFILLED,
            Self::Header => "the header of a request in the place of a user name; write `user:password` without `Authorization` and `Basic`",
        })
    }
}

/// What is said of a placeholder.
pub(crate) const UNFILLED: &str = "a placeholder (`${…}`, `{{…}}` or `$(…)`) that nobody filled in; let your templates fill it in, or write the value";

/// Whether a placeholder is in a text.
pub(crate) fn has_placeholder(text: &str) -> bool {
    ["${", "{{", "$("].iter().any(|begin| text.contains(begin))
}

/// How a placeholder begins and ends: of shells, compose files and Envoy's own; of Helm, Jinja and GitHub; of Kubernetes.
const PLACEHOLDERS: [(&[u8], &[u8]); 3] = [(b"${", b"}"), (b"{{", b"}}"), (b"$(", b")")];

/// Whether all of a text is a placeholder.
pub(super) fn is_placeholder(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    // Asked of every password; most begin otherwise.
    matches!(text, [b'$' | b'{', ..])
        && PLACEHOLDERS.iter().any(|(begin, end)| text.starts_with(begin) && text.ends_with(end))
}

/// Whether a name of a configuration can be meant as one.
pub(super) fn check(name: &[u8]) -> Result<(), UserNameError> {
    let [first, ..] = name else { return Err(UserNameError::Empty) };
    let is_ordinary = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    // There may be 100,000 names, nearly all of them like this.
    if !matches!(first, b'$' | b'{' | b'A' | b'a' | b'B' | b'b' | b'P' | b'p')
        && is_ordinary(name.first())
        && is_ordinary(name.last())
    {
        return Ok(());
    }
    // `${NAME:-x}` has a colon, so the name may be the front of a placeholder.
    if PLACEHOLDERS.iter().any(|(begin, _)| name.trim_ascii_start().starts_with(begin)) {
        Err(UserNameError::Placeholder)
    } else if is_header(name) {
        Err(UserNameError::Header)
    } else if str::from_utf8(name).map_or(name.trim_ascii() != name, |name| name.trim() != name) {
        Err(UserNameError::Blank)
    } else {
        Ok(())
    }
}

/// Whether a text begins as the header of a request does, or as its value.
pub(super) fn is_header(text: &[u8]) -> bool {
    let mut words = text.split(|byte| *byte == b' ' || *byte == b':').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    match words.next() {
        _ if [&b"authorization"[..], b"proxy-authorization"].iter().any(|name| first.eq_ignore_ascii_case(name)) => {
            true
        }
        second => first.eq_ignore_ascii_case(b"basic") && second.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_names() {
        for (name, error) in [
            ("", UserNameError::Empty),
            (" ", UserNameError::Blank),
            (" ok", UserNameError::Blank),
            ("ok ", UserNameError::Blank),
            ("ok\u{a0}", UserNameError::Blank),
            ("${USER}", UserNameError::Placeholder),
            ("${USER", UserNameError::Placeholder),
            (" {{ .Values.user }}", UserNameError::Placeholder),
            ("$(USER)", UserNameError::Placeholder),
            ("Authorization", UserNameError::Header),
            ("proxy-authorization", UserNameError::Header),
            ("authorization Basic x", UserNameError::Header),
            ("Basic ok", UserNameError::Header),
            ("BASIC  ok", UserNameError::Header),
        ] {
            assert_eq!(check(name.as_bytes()), Err(error), "{name}");
            assert!(error.to_string().contains(';'), "a cure is named: {error}");
        }
        for name in [
            "ok",
            "o k",
            "ünï",
            "basic",
            "Basic",
            "basically ok",
            "authorizations",
            "$USER",
            "{user}",
            "a${b}",
            "%USER%",
        ] {
            assert_eq!(check(name.as_bytes()), Ok(()), "{name}");
        }
        assert_eq!(check(b"\xff"), Ok(()));
        assert_eq!(check(b"\xff "), Err(UserNameError::Blank));
    }

    #[test]
    fn a_placeholder_is_all_of_a_text() {
        for text in ["${PASSWORD}", "{{ .Values.password }}", "$(PASSWORD)", " ${PASSWORD}", "${A:-b}"] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["", "$", "${", "}", "pass${word}", "${a}b", "{x}", "$x", "{{x}"] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }
}
