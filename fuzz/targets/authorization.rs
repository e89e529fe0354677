//! A credential header is read as RFC 7617 and RFC 4648 say it, and in no other way. A line end separates headers.

#![no_main]

use base64::prelude::{BASE64_STANDARD, Engine};
use basic_auth::Presented;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let values: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let presented = Presented::parse(values.iter().copied().collect());
    let [value] = values.as_slice() else {
        assert!(matches!(presented, Presented::Malformed), "several headers");
        return;
    };
    match presented {
        Presented::Missing => assert!(!is_basic(value) && !value.is_empty() && value[0] != b' '),
        Presented::Malformed => assert!(is_basic(value) && !is_strict(value) || value.is_empty() || value[0] == b' '),
        Presented::Pair(pair) => {
            assert!(is_strict(value));
            assert!(!pair.user().contains(&b':'));
        }
    }
});

fn is_basic(value: &[u8]) -> bool {
    let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"basic")
}

/// Whether the token is the one text that base64 has for a pair, in full or without its padding.
fn is_strict(value: &[u8]) -> bool {
    let Some(token) = value.get(5..).filter(|_| is_basic(value)) else { return false };
    let token = &token[token.iter().take_while(|byte| **byte == b' ').count()..];
    let bits: Option<Vec<u8>> = token
        .iter()
        .filter(|byte| **byte != b'=')
        .map(|byte| {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|digit| digit == byte)
        })
        .flat_map(|digit| (0..6).rev().map(move |bit| digit.map(|digit| (digit >> bit & 1) as u8)))
        .collect();
    let Some(bits) = bits else { return false };
    let bytes: Vec<u8> = bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    let canonical = BASE64_STANDARD.encode(&bytes);
    let is_canonical = token == canonical.as_bytes() || token == canonical.trim_end_matches('=').as_bytes();
    is_canonical && bytes.contains(&b':') && !bytes.iter().any(|byte| *byte < b' ' || *byte == 0x7f)
}
