//! Who may pass: user names, passwords and their hashes.

pub(crate) mod hash;
pub(crate) mod header;
pub(crate) mod htpasswd;
pub(crate) mod list;
pub(crate) mod pair;
pub(crate) mod plain;
pub(crate) mod verification;
