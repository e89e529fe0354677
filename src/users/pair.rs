//! User names and passwords, as a configuration lists them.
//!
//! A pair is a secret: it has no `Display`, its `Debug` shows no password, and it compares in constant time.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use subtle::ConstantTimeEq;

use super::name::{self, UNFILLED, UserNameError};

/// `user-id ":" password` (RFC 7617, section 2), in bytes. The password may be empty and hold colons.
pub struct Pair {
    bytes: Box<[u8]>,
    colon: usize,
}

/// Why bytes are no [`Pair`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairError {
    /// There is no colon.
    NoColon,
    /// There is a line end behind the password, and no other control character.
    LineEnd,
    /// There is a control character, which RFC 7617 forbids.
    ControlCharacter,
}

impl Pair {
    /// Splits at the first colon.
    ///
    /// # Errors
    /// Bytes without a colon, or with a control character.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, PairError> {
        let bytes = bytes.into();
        if has_control_character(&bytes) {
            let line = bytes.trim_ascii_end();
            let is_ended = bytes.ends_with(b"\n") && !has_control_character(line);
            return Err(if is_ended { PairError::LineEnd } else { PairError::ControlCharacter });
        }
        let colon = bytes.iter().position(|byte| *byte == b':').ok_or(PairError::NoColon)?;
        Ok(Self { bytes, colon })
    }

    /// The user name, which is no secret.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        self.bytes.get(..self.colon).unwrap_or_default()
    }

    /// User name, colon and password.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether two pairs are the same, in a time that depends on how long they are and on nothing else.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        if self.bytes.len() != other.bytes.len() {
            return false;
        }
        let ((words, rest), (other_words, other_rest)) = (self.bytes.as_chunks(), other.bytes.as_chunks());
        let differ = |one: &[u8; 8], other: &[u8; 8]| u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other);
        let mut difference = 0;
        for (one, other) in words.iter().zip(other_words) {
            difference |= differ(one, other);
        }
        // The last eight once more, rather than the rest byte by byte.
        if let (Some(one), Some(other)) = (self.bytes.last_chunk(), other.bytes.last_chunk()) {
            difference |= differ(one, other);
        } else {
            for (one, other) in rest.iter().zip(other_rest) {
                difference |= u64::from(one ^ other);
            }
        }
        // Whether anything differs is asked once, of all of it.
        difference.ct_eq(&0).into()
    }

    /// The password. It must not leave this crate.
    pub(crate) fn password(&self) -> &[u8] {
        self.bytes.get(self.colon.saturating_add(1)..).unwrap_or_default()
    }
}

/// The user name alone.
impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pair({}, ..)", self.user().escape_ascii())
    }
}

/// Whether there is a byte below the space, or the one of DEL. Eight bytes are looked at in one step: this is done for
/// every login.
fn has_control_character(bytes: &[u8]) -> bool {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    const DELETES: u64 = u64::from_ne_bytes([0x7f; 8]);
    const HIGHEST_BITS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = bytes.as_chunks();
    // Where a byte is lower than what is taken from it, its highest bit becomes set; a carry only goes beyond such a
    // byte.
    let below = |word: u64, least| word.wrapping_sub(least) & !word;
    let marks = |bytes: &[u8; 8]| {
        let word = u64::from_ne_bytes(*bytes);
        below(word, SPACES) | below(word ^ DELETES, EACH)
    };
    // The last eight once more, rather than the rest byte by byte.
    let Some(last) = bytes.last_chunk() else { return rest.iter().any(u8::is_ascii_control) };
    let mut found = marks(last);
    for word in words {
        found |= marks(word);
    }
    found & HIGHEST_BITS != 0
}

/// One entry of `credentials`: `user:password`, or base64 of that.
///
/// # Errors
/// [`CredentialError`]
pub fn configured(text: &str) -> Result<Pair, CredentialError> {
    let is_plain = text.contains(':');
    let bytes = if is_plain { text.as_bytes().into() } else { decode(text.as_bytes()).ok_or_else(|| no_form(text))? };
    let pair = Pair::new(bytes).map_err(|error| match error {
        PairError::NoColon => CredentialError::NoColon,
        PairError::LineEnd => CredentialError::LineEnd,
        PairError::ControlCharacter => CredentialError::ControlCharacter,
    })?;
    name::check(pair.user())?;
    if name::is_placeholder(pair.password()) { Err(CredentialError::Placeholder) } else { Ok(pair) }
}

/// What is wrong with an entry that is neither a pair nor base64.
fn no_form(text: &str) -> CredentialError {
    if name::is_placeholder(text.as_bytes()) {
        CredentialError::Placeholder
    } else if name::is_header(text.as_bytes()) {
        UserNameError::Header.into()
    } else {
        CredentialError::Form
    }
}

/// Canonical base64 only: another spelling of the same pair would be a second token for it.
pub(super) fn decode(token: &[u8]) -> Option<Box<[u8]>> {
    let padding = match token {
        [.., b'=', b'='] => 2,
        [.., b'='] => 1,
        _ => 0,
    };
    let engine = if padding > 0 { &BASE64_STANDARD } else { &BASE64_STANDARD_NO_PAD };
    // Four digits are three bytes. As long as it has to be, it is not copied again.
    let length = token.len().saturating_sub(padding).saturating_mul(3) / 4;
    let mut bytes = vec![0; length].into_boxed_slice();
    let written = engine.decode_slice(token, &mut bytes).ok()?;
    (written == length && length > 0).then_some(bytes)
}

/// Why an entry of `credentials` is refused. Its `Display` says what to do and quotes nothing of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// It has no colon and is no base64 either.
    Form,
    /// It is base64 of a text that has no colon.
    NoColon,
    /// Its user name is refused.
    User(UserNameError),
    /// It is a placeholder that nobody filled in, or its password is.
    Placeholder,
    /// There is a line end behind the password, as `echo` writes it.
    LineEnd,
    /// It holds a control character, which RFC 7617 forbids.
    ControlCharacter,
}

impl From<UserNameError> for CredentialError {
    fn from(error: UserNameError) -> Self {
        Self::User(error)
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "neither `user:password` nor base64 of that (RFC 4648, section 4); write `user:password`",
            Self::NoColon => "base64 of a text without a colon; encode `user:password`",
            Self::User(error) => return error.fmt(f),
            Self::Placeholder => UNFILLED,
            Self::LineEnd => "a line end after the password; remove it, or encode with `printf` instead of `echo`",
            Self::ControlCharacter => "a control character in a credential (RFC 7617); remove it",
        })
    }
}

impl std::error::Error for CredentialError {}

#[cfg(test)]
mod tests {
    use super::{CredentialError, Pair, PairError, UserNameError, configured, has_control_character};

    #[test]
    fn pairs_split_at_the_first_colon() {
        let pair = Pair::new(&b"ok:te:st"[..]).unwrap();
        assert_eq!((pair.user(), pair.password()), (&b"ok"[..], &b"te:st"[..]));
        assert_eq!(Pair::new(&b"ok"[..]).err(), Some(PairError::NoColon));
        assert_eq!(Pair::new(&b"o\0k:test"[..]).err(), Some(PairError::ControlCharacter));
    }

    #[test]
    fn a_control_character_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..18 {
                let mut bytes = *b"\xff\x80user:pass \x80\xff~!\xfe\x81";
                bytes[place] = byte;
                assert_eq!(has_control_character(&bytes), byte.is_ascii_control(), "{byte:#x} at {place}");
            }
        }
        assert!(!has_control_character(b""));
    }

    #[test]
    fn a_configured_pair_is_plain_or_base64() {
        for text in ["admin3:admin3", "YWRtaW4zOmFkbWluMw==", "YWRtaW4zOmFkbWluMw"] {
            let pair = configured(text).unwrap();
            assert_eq!((pair.user(), pair.password()), (&b"admin3"[..], &b"admin3"[..]), "{text}");
        }
        for (text, problem) in [
            ("", CredentialError::Form),
            ("not base64!", CredentialError::Form),
            ("YWRtaW4zOmFkbWluMw=", CredentialError::Form),
            ("YWRtaW4z", CredentialError::NoColon),
            (":password", CredentialError::User(UserNameError::Empty)),
            ("OnBhc3N3b3Jk", CredentialError::User(UserNameError::Empty)),
            (" ok:test", CredentialError::User(UserNameError::Blank)),
            ("${USER}:test", CredentialError::User(UserNameError::Placeholder)),
            ("${USER:-ok}:test", CredentialError::User(UserNameError::Placeholder)),
            ("ok:${PASSWORD}", CredentialError::Placeholder),
            // ok:${PASSWORD}
            ("b2s6JHtQQVNTV09SRH0=", CredentialError::Placeholder),
            ("${CREDENTIALS}", CredentialError::Placeholder),
            ("{{ .Values.credentials }}", CredentialError::Placeholder),
            ("Authorization: Basic b2s6dGVzdA==", CredentialError::User(UserNameError::Header)),
            ("Basic b2s6dGVzdA==", CredentialError::User(UserNameError::Header)),
            ("Basic ok:test", CredentialError::User(UserNameError::Header)),
            // echo ok:test | base64
            ("b2s6dGVzdAo=", CredentialError::LineEnd),
            ("ok:test\r\n", CredentialError::LineEnd),
            ("ok:te\nst", CredentialError::ControlCharacter),
            ("ok:te\tst\n", CredentialError::ControlCharacter),
        ] {
            assert_eq!(configured(text).err(), Some(problem), "{text}");
            let shown = problem.to_string();
            assert!(shown.contains(';') && !shown.contains("test") && !shown.contains("b2s6"), "{shown}");
        }
    }
}
