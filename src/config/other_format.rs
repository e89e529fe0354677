//! What a text that is not JSON is instead, where that can be told.
//!
//! A plain Envoy hands over the bytes of `configuration` as they are, whatever message they are of; only of a
//! `google.protobuf.StringValue` or `BytesValue` it takes the value out. In Istio all of this is done already.

use super::error::Problem;

/// What is wrong with a text that is not JSON, if it is known to be something else.
pub(super) fn recognise(text: &str) -> Option<Problem> {
    if is_protobuf(text.as_bytes()) { Some(Problem::Protobuf) } else { is_yaml(text).then_some(Problem::Yaml) }
}

/// Whether the bytes are a `google.protobuf.Struct`, or a `Value` that holds more than a number: nothing but fields of the
/// wire type that has a length, up to the very end.
pub(super) fn is_protobuf(mut bytes: &[u8]) -> bool {
    /// The wire type for what has a length, in the lowest bits of a field's tag.
    const HAS_LENGTH: u8 = 2;
    while let [tag, rest @ ..] = bytes {
        let field = length(rest).and_then(|(length, rest)| rest.split_at_checked(length));
        let Some((_, rest)) = field.filter(|_| tag & 7 == HAS_LENGTH && *tag >> 3 <= 6) else { return false };
        bytes = rest;
    }
    true
}

/// The length at the front, seven bits in a byte and the lowest first, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_usize;
    let mut rest = bytes;
    for shift in [0, 7, 14, 21] {
        let (byte, following) = rest.split_first()?;
        rest = following;
        length |= usize::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Some((length, rest));
        }
    }
    None
}

/// Whether the first line that is no comment begins an array or an object as YAML writes them in lines.
fn is_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(line) = lines.next() else { return false };
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    line == "---"
        || line.starts_with("- ")
        || line.split_once(':').is_some_and(|(name, rest)| is_name(name) && (rest.is_empty() || rest.starts_with(' ')))
}

#[cfg(test)]
mod tests {
    use super::{is_protobuf, is_yaml};

    #[test]
    fn messages_of_protobuf_are_recognised() {
        // `{"realm": "x"}` as a Struct, and the same as a Value.
        let structure = b"\x0a\x0c\x0a\x05realm\x12\x03\x1a\x01x";
        assert!(is_protobuf(structure));
        assert!(is_protobuf(&[b"\x2a\x0e", &structure[..]].concat()));
        // A text as a Value, and one with a length of two bytes.
        assert!(is_protobuf(b"\x1a\x02{}"));
        assert!(is_protobuf(&[b"\x1a\x80\x02", &[b'x'; 256][..]].concat()));
        for other in [
            &structure[..structure.len() - 1],
            b"\n",
            b"\nbasic_auth_rules: []\n",
            b"SECRET",
            b"{\"a\": 1",
            b"\x1a",
            b"\x1a\x80\x80\x80\x80\x01",
        ] {
            assert!(!is_protobuf(other), "{other:?}");
        }
    }

    #[test]
    fn yaml_is_recognised_by_its_first_line() {
        for yaml in [
            "basic_auth_rules:\n- prefix: /",
            "# comment\n\nrealm: shop",
            "---\nrealm: shop",
            "- prefix: /",
            "  realm: x",
            "realm:",
        ] {
            assert!(is_yaml(yaml), "{yaml}");
        }
        for other in ["", "SECRET", "user:SECRET", "{\"realm\": \"x\"", "[", "# comment", "an error: x", "<html>"] {
            assert!(!is_yaml(other), "{other}");
        }
    }
}
