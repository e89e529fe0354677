//! The password hashes of an htpasswd file, verified in steps.
//!
//! A proxy worker is one event loop: while it hashes, every other request of that worker waits. So a verification is a
//! [`HashJob`] that is worked on in steps, and what it costs is known before it begins.
//!
//! | written as | scheme | a login costs | written by |
//! | --- | --- | --- | --- |
//! | `{SHA}` | one SHA-1, no salt | under a microsecond | `htpasswd -s` |
//! | `{SSHA}` | one SHA-1 with a salt | under a microsecond | `slappasswd` |
//! | `$apr1$`, `$1$` | 1,000 rounds of MD5 | 0.1 ms | `htpasswd -m`, `openssl passwd -apr1`, `-1` |
//! | `$5$`, `$6$` | 5,000 rounds (or `rounds=`) of SHA-256, SHA-512 | 2 ms | `htpasswd -2`, `-5`, `openssl passwd -5`, `-6`, `mkpasswd` |
//! | `$2a$`, `$2b$`, `$2y$` | bcrypt | cost 5: 2 ms, 10: 56 ms, 12: 224 ms, 14: 0.9 s | `htpasswd -B` |
//!
//! # Passwords
//!
//! Bytes, not text: whatever the client sent, usually UTF-8 (RFC 7617 section 2.1), with no normalisation. An empty
//! password is one like any other.
//! - Longer than [`LONGEST_PASSWORD`]: matches no hash. No `htpasswd` and no `openssl passwd` takes a longer one, and
//!   the cost of `$1$`, `$5$` and `$6$` grows with it.
//! - With a NUL: matches no hash. C ends a password there, and bcrypt repeats a short one with a NUL between, so `a`
//!   and `a␀a` would be the same password; RFC 7617 forbids control characters anyway.
//! - Longer than 72 bytes under bcrypt: the rest does not count, as in Apache, OpenBSD and libxcrypt.
//!
//! All three cost as much as any other wrong password.

mod bcrypt;
mod error;
mod job;
mod md5_crypt;
mod password;
mod rounds;
mod salt;
mod sha1;
mod sha_crypt;
#[cfg(test)]
mod tests;
mod work;

use std::fmt;

pub use error::{HashError, Scheme};
pub use job::Step;
pub(crate) use job::{Effort, HashJob};
pub use password::LONGEST_PASSWORD;
pub(crate) use password::Password;
pub use work::Work;

/// One password hash, ready to verify a password with.
///
/// It shows nothing of itself: not through `Debug`, not through errors.
#[derive(Clone)]
pub struct Hash(Kind);

#[derive(Clone)]
enum Kind {
    Sha1(sha1::SaltedSha1),
    Md5(md5_crypt::Md5Crypt),
    Bcrypt(bcrypt::Bcrypt),
    Sha256(sha_crypt::ShaCrypt<32>),
    Sha512(sha_crypt::ShaCrypt<64>),
}

impl Hash {
    /// Reads a hash as it stands after the colon of a line of htpasswd text.
    ///
    /// # Errors
    ///
    /// A scheme that is unknown or not offered, a salt, digest or cost that no implementation writes, or a cost beyond
    /// the bounds of the scheme. Scheme markers compare exactly, as in Apache.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        use md5_crypt::{Marker, Md5Crypt};
        let kind = if let Some(rest) = text.strip_prefix("{SHA}") {
            Kind::Sha1(sha1::SaltedSha1::parse(rest, Scheme::Sha)?)
        } else if let Some(rest) = text.strip_prefix("{SSHA}") {
            Kind::Sha1(sha1::SaltedSha1::parse(rest, Scheme::SaltedSha)?)
        } else if let Some(rest) = text.strip_prefix("$apr1$") {
            Kind::Md5(Md5Crypt::parse(Marker::Apache, rest)?)
        } else if let Some(rest) = text.strip_prefix("$1$") {
            Kind::Md5(Md5Crypt::parse(Marker::FreeBsd, rest)?)
        } else if let Some(rest) = ["$2a$", "$2b$", "$2y$"].iter().find_map(|marker| text.strip_prefix(marker)) {
            Kind::Bcrypt(bcrypt::Bcrypt::parse(rest)?)
        } else if let Some(rest) = text.strip_prefix("$5$") {
            Kind::Sha256(sha_crypt::ShaCrypt::parse(rest, Scheme::Sha256Crypt)?)
        } else if let Some(rest) = text.strip_prefix("$6$") {
            Kind::Sha512(sha_crypt::ShaCrypt::parse(rest, Scheme::Sha512Crypt)?)
        } else {
            return Err(unknown(text));
        };
        Ok(Self(kind))
    }

    /// Whether a login takes longer than is good: bcrypt of a cost above 12, `rounds=` above 100,000.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        match &self.0 {
            Kind::Sha1(_) | Kind::Md5(_) => false,
            Kind::Bcrypt(hash) => hash.is_costly(),
            Kind::Sha256(hash) => hash.is_costly(),
            Kind::Sha512(hash) => hash.is_costly(),
        }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(..)")
    }
}

/// What is wrong with a text whose scheme is not offered.
fn unknown(text: &str) -> HashError {
    let crypt64 = |text: &str| text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b'/');
    if text.is_empty() {
        HashError::Empty
    } else if text.starts_with("$argon2") {
        HashError::Argon2
    } else if text.starts_with("$2x$") {
        HashError::Bcrypt2x
    } else if ["$7$", "$y$", "$gy$", "$scrypt$"].iter().any(|marker| text.starts_with(marker)) {
        HashError::MemoryHard
    } else if text.starts_with("{PLAIN}") || text.starts_with("{CLEARTEXT}") {
        HashError::PlainText
    } else if text.starts_with("$$") {
        HashError::DoubledDollar
    } else if text.starts_with('$') || text.starts_with('{') {
        HashError::UnknownScheme
    } else if (text.len() == 13 && crypt64(text)) || (text.len() == 20 && text.strip_prefix('_').is_some_and(crypt64)) {
        HashError::DesCrypt
    } else {
        HashError::PlainText
    }
}
