//! What a plain scalar of YAML is to kubectl and Helm: both read YAML with `sigs.k8s.io/yaml`, whose rules are those of
//! YAML 1.1 but for numbers of base 60.

use std::borrow::Cow;

/// The value of a scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'t> {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites.
    Boolean(bool),
    /// A number, as JSON writes it.
    Number(String),
    /// Anything else.
    Text(Cow<'t, str>),
}

/// Reads a scalar that stands without quotes.
pub fn resolve(text: &str) -> Scalar<'_> {
    const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];
    const TRUE: [&str; 11] = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
    const FALSE: [&str; 11] = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
    if NULL.contains(&text) {
        Scalar::Null
    } else if TRUE.contains(&text) {
        Scalar::Boolean(true)
    } else if FALSE.contains(&text) {
        Scalar::Boolean(false)
    } else {
        number(text).map_or(Scalar::Text(Cow::Borrowed(text)), Scalar::Number)
    }
}

/// A number as JSON writes it.
fn number(text: &str) -> Option<String> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return None;
    }
    let plain: String = text.chars().filter(|character| *character != '_').collect();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix = |prefix: &str, radix| {
        let digits =
            digits.strip_prefix(prefix).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
        u64::from_str_radix(digits, radix).ok()
    };
    let with_base = radix("0x", 16).or_else(|| radix("0b", 2)).or_else(|| radix("0o", 8)).or_else(|| radix("0", 8));
    if let Some(value) = with_base {
        return Some(format!("{sign}{value}"));
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let trimmed = digits.trim_start_matches('0');
        return Some(format!("{sign}{}", if trimmed.is_empty() { "0" } else { trimmed }));
    }
    // `[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?` or `\.[0-9]+…`
    let is_float = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    let value: f64 = if is_float { digits.parse().ok()? } else { return None };
    value.is_finite().then(|| format!("{sign}{value:?}"))
}

/// Whether YAML 1.1 takes a text for a number of base 60, as `1234:56`. kubectl does not; other programs do.
pub fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts.next().unwrap_or_default().trim_start_matches(['-', '+']);
    let mut rest = parts.peekable();
    is_number(first) && rest.peek().is_some() && rest.all(|part| is_number(part) && part.len() <= 2 && part < "60")
}

#[cfg(test)]
mod tests {
    use super::{Scalar, is_sexagesimal, resolve};

    #[test]
    fn scalars_are_read_as_kubectl_reads_them() {
        for (text, json) in [
            ("1", "1"),
            ("-1", "-1"),
            ("+12", "12"),
            ("1_000", "1000"),
            ("0x1f", "31"),
            ("010", "8"),
            ("0o10", "8"),
            ("0b11", "3"),
            ("0", "0"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
            ("09", "9"),
            ("12345678901234567890", "12345678901234567890"),
        ] {
            assert_eq!(resolve(text), Scalar::Number(json.into()), "{text}");
        }
        for text in ["1234:56", "1.2.3", "2020-01-01", "-", ".", "+", "ok:test", "e1", "1e", "/1", "0x", "0xg", "trUe"]
        {
            assert!(matches!(resolve(text), Scalar::Text(_)), "{text}");
        }
        for (text, truth) in [("yes", true), ("On", true), ("y", true), ("NO", false), ("off", false)] {
            assert_eq!(resolve(text), Scalar::Boolean(truth), "{text}");
        }
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(resolve(text), Scalar::Null, "{text}");
        }
    }

    #[test]
    fn numbers_of_base_60_are_known() {
        for text in ["1234:56", "1:00", "-1:2:3"] {
            assert!(is_sexagesimal(text), "{text}");
        }
        for text in ["1234", "1:60", "1:", ":1", "a:1", "1:234", "1:5a"] {
            assert!(!is_sexagesimal(text), "{text}");
        }
    }
}
