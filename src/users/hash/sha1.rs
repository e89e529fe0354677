//! `{SHA}` and `{SSHA}`: one SHA-1.
//!
//! RFC 2307, and Netscape's salted form. A graphics card tries ten thousand million of them a second: they only suit
//! long random tokens. Two pairs of passwords with one SHA-1 can be made, a second password for a given hash can not.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::work::Work;
use super::{HashError, Scheme};

/// The longest salt of an `{SSHA}` hash. `OpenLDAP` writes 4 or 8 bytes, Dovecot 4.
const SALT: usize = 32;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One `{SHA}` or `{SSHA}` hash: the digest, and after it the salt.
#[derive(Clone, Copy)]
pub(crate) struct SaltedSha1 {
    digest: [u8; 20],
    salt: [u8; SALT],
    salt_len: usize,
}

impl SaltedSha1 {
    /// The base64 that follows the marker.
    pub(super) fn parse(text: &str, scheme: Scheme) -> Result<Self, HashError> {
        let mut bytes = [0; 20 + SALT];
        let len = BASE64.decode_slice(text, &mut bytes).map_err(|_| HashError::Digest(scheme))?;
        let salt_len = len.checked_sub(20).ok_or(HashError::Digest(scheme))?;
        match scheme {
            Scheme::Sha if salt_len != 0 => return Err(HashError::Digest(scheme)),
            Scheme::SaltedSha if salt_len == 0 => return Err(HashError::Salt(scheme)),
            _ => {}
        }
        let mut hash = Self { digest: [0; 20], salt: [0; SALT], salt_len };
        let (digest, salt) = bytes.split_at(20);
        hash.digest.copy_from_slice(digest);
        hash.salt.copy_from_slice(salt);
        Ok(hash)
    }

    /// A hash that is worked on although nobody asks for the result.
    pub(super) const fn blank() -> Self {
        Self { digest: [0; 20], salt: [0; SALT], salt_len: 0 }
    }

    /// Whether the password has this digest, in constant time; not divisible.
    pub(super) fn right(&self, password: &[u8]) -> bool {
        let salt = self.salt.get(..self.salt_len).unwrap_or_default();
        let found = Sha1::new().chain_update(password).chain_update(salt).finalize();
        found.as_slice().ct_eq(&self.digest).into()
    }

    /// What [`SaltedSha1::right`] costs with a password of that length.
    pub(super) fn cost(password_len: usize) -> Work {
        Work::from_nanos(150)
            .plus(Work::from_nanos(BLOCK_NANOS).times((password_len.saturating_add(8 + 9)).div_ceil(64) as u64))
    }
}

/// A block of SHA-1, nominally: measured in Node's V8, scaled to bcrypt's.
const BLOCK_NANOS: u64 = 150;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_charged_with_a_salt_and_the_padding() {
        assert_eq!(SaltedSha1::cost(0), Work::from_nanos(150 + BLOCK_NANOS));
        assert_eq!(SaltedSha1::cost(64 - 8 - 9), SaltedSha1::cost(0));
        assert_eq!(SaltedSha1::cost(64 - 8 - 8), Work::from_nanos(150 + 2 * BLOCK_NANOS));
    }
}
