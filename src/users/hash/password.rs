//! The password of one login.

/// The most bytes of a password that any hash matches.
///
/// `htpasswd` takes 255 bytes, and `openssl passwd` cuts at 256. The bound keeps clients from making `$1$`, `$5$` and
/// `$6$` costly with a long password: each of their rounds hashes it up to twice.
pub const LONGEST_PASSWORD: usize = 256;

/// A password, cut to [`LONGEST_PASSWORD`]; no `Debug` and no `Display`.
pub(crate) struct Password {
    bytes: Box<[u8]>,
    usable: bool,
}

impl Password {
    /// Copies the password. One that cannot match is worked on all the same, so that it costs what others cost.
    pub(crate) fn new(password: &[u8]) -> Self {
        let bytes = password.get(..LONGEST_PASSWORD).unwrap_or(password);
        Self { bytes: bytes.into(), usable: password.len() <= LONGEST_PASSWORD && !bytes.contains(&0) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether any hash may match it.
    pub(crate) const fn usable(&self) -> bool {
        self.usable
    }
}
