//! Why a hash is refused.

use std::fmt;

/// The schemes that are understood, by the name that their users know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `{SHA}`: one SHA-1, no salt (RFC 2307, Netscape; Apache's `htpasswd -s`).
    Sha,
    /// `{SSHA}`: one SHA-1 with a salt (Netscape, `OpenLDAP`; read by nginx).
    SaltedSha,
    /// `$apr1$`: Apache's variant of MD5-crypt (`htpasswd -m`).
    Apr1,
    /// `$1$`: MD5-crypt (Poul-Henning Kamp, FreeBSD).
    Md5Crypt,
    /// `$2a$`, `$2b$`, `$2y$`: bcrypt (Provos and Mazières; `htpasswd -B`).
    Bcrypt,
    /// `$5$`: SHA-256-crypt (Drepper; `htpasswd -2`).
    Sha256Crypt,
    /// `$6$`: SHA-512-crypt (Drepper; `htpasswd -5`).
    Sha512Crypt,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha => "{SHA}",
            Self::SaltedSha => "{SSHA}",
            Self::Apr1 => "$apr1$",
            Self::Md5Crypt => "$1$",
            Self::Bcrypt => "bcrypt",
            Self::Sha256Crypt => "$5$",
            Self::Sha512Crypt => "$6$",
        })
    }
}

/// Why a text is not taken for a password hash.
///
/// Its `Display` names a cure and never a part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashError {
    /// Nothing stands after the colon.
    Empty,
    /// `$$` in the place of `$`, as compose files and Traefik's labels want it.
    DoubledDollar,
    /// Thirteen characters of crypt's alphabet, or BSD's `_` form: DES crypt, broken by any laptop, and only eight
    /// characters of the password count.
    DesCrypt,
    /// No scheme at the front: most likely the password itself.
    PlainText,
    /// argon2, which would cost every worker 19 MiB of memory for good and cannot be done in slices.
    Argon2,
    /// `$2x$`: written by a PHP that computed bcrypt wrongly.
    Bcrypt2x,
    /// scrypt or yescrypt (`$7$`, `$y$`, `$gy$`): memory-hard, as argon2.
    MemoryHard,
    /// A scheme that is not one of those above.
    UnknownScheme,
    /// The salt is too long, too short or holds a character that it cannot.
    Salt(Scheme),
    /// The digest is cut short, too long or holds a character that it cannot.
    Digest(Scheme),
    /// `rounds=` without a plain decimal number, or a cost without two digits.
    Rounds(Scheme),
    /// Cheaper than the scheme itself allows.
    CostTooLow {
        /// The scheme of the hash.
        scheme: Scheme,
        /// The lowest cost or number of rounds that it may name.
        min: u32,
    },
    /// Costlier than a proxy worker can bear.
    CostTooHigh {
        /// The scheme of the hash.
        scheme: Scheme,
        /// The highest cost or number of rounds that it may name.
        max: u32,
    },
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CURE: &str = "write a bcrypt hash with `htpasswd -nB -C 10 USER`";
        // A shell replaces what looks like a variable.
        const QUOTE: &str = "put the hash in single quotes where a shell sees it";
        match self {
            Self::Empty => write!(f, "no hash after the colon; {QUOTE}, or {CURE}"),
            Self::DoubledDollar => {
                f.write_str("`$$` in the place of `$`; write each `$` once (only compose files double it)")
            }
            Self::DesCrypt => write!(f, "a DES crypt hash (or a plain password), which is not safe; {CURE}"),
            Self::PlainText => {
                write!(f, "no hash but plain text, by the look of it; {QUOTE}, {CURE}, or use `credentials`")
            }
            Self::Argon2 => write!(f, "argon2 needs more memory than a proxy worker has to give; {CURE}"),
            Self::Bcrypt2x => write!(f, "$2x$ marks a hash that was computed wrongly; {CURE}"),
            Self::MemoryHard => {
                write!(f, "scrypt and yescrypt need more memory than a proxy worker has to give; {CURE}")
            }
            Self::UnknownScheme => write!(
                f,
                "an unknown hash scheme (known are {{SHA}}, {{SSHA}}, $apr1$, $1$, $2a$, $2b$, $2y$, $5$ and $6$); {CURE}"
            ),
            Self::Salt(scheme) => {
                write!(f, "the salt of this {scheme} hash is damaged; copy the line again, or {CURE}")
            }
            Self::Digest(scheme) => {
                write!(f, "the digest of this {scheme} hash is damaged or cut short; copy the line again, or {CURE}")
            }
            Self::Rounds(scheme) => {
                write!(f, "the cost of this {scheme} hash is not a plain number; copy the line again, or {CURE}")
            }
            Self::CostTooLow { scheme, min } => {
                write!(f, "this {scheme} hash names a cost below {min}, which no tool writes; {CURE}")
            }
            Self::CostTooHigh { scheme, max } => {
                write!(f, "this {scheme} hash costs more than a proxy worker can bear, {max} is the limit; {CURE}")
            }
        }
    }
}

impl std::error::Error for HashError {}
