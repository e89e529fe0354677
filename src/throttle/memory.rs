//! Pairs that were verified before: in this worker, and in the whole process.

use std::rc::Rc;

use super::fingerprint::Fingerprint;
use super::shared::Process;
use super::shared::pairs::ProcessPairs;
use super::verified::{self, Verified};
use crate::decision::HashedLogin;
use crate::policy::Policy;
use crate::users::list::UserList;

/// What is remembered of pairs. The worker's own memory comes first, and a pair that the process knows is taken over into
/// it, so that the process is asked about each pair once.
pub(super) struct Memory {
    verified: Verified,
    /// `None` where nobody is hashed slowly.
    process: Option<ProcessPairs>,
}

impl Memory {
    pub(super) fn new(key: &[u8; 32], process: Option<Rc<Process>>) -> Self {
        let process = process.map(ProcessPairs);
        Self { verified: Verified::new(key, verified::DEFAULT_CAPACITY), process }
    }

    /// How many pairs this worker remembers.
    pub(super) fn len(&self) -> usize {
        self.verified.len()
    }

    /// What this worker remembers the pair of a login by; another one once its list has changed.
    pub(super) fn fingerprint(&self, policy: &Policy, login: &HashedLogin) -> Fingerprint {
        let pair = login.pair();
        self.verified.fingerprint(&login.users_version(policy), pair.user(), pair.password())
    }

    /// Whether the pair of a login was verified, and its user may pass. The fingerprint is that of the login now.
    pub(super) fn contains(&mut self, policy: &Policy, login: &HashedLogin, fingerprint: Fingerprint) -> bool {
        if login.may_pass(policy) && self.verified.contains(&fingerprint) {
            return true;
        }
        let Some(process) = &self.process else { return false };
        let is_known = login.may_pass(policy)
            && login.lists(policy).any(UserList::is_slow)
            && process.contains(login.pair(), login.lists(policy));
        if is_known {
            self.verified.insert(fingerprint);
        }
        is_known
    }

    /// The same, as far as this worker knows.
    pub(super) fn contains_here(&mut self, policy: &Policy, login: &HashedLogin) -> bool {
        login.may_pass(policy) && self.verified.contains(&self.fingerprint(policy, login))
    }

    /// Remembers the pair of a login, which was verified against a hash that is listed still.
    pub(super) fn insert(&mut self, policy: &Policy, login: &HashedLogin, hash: &str) {
        if !login.may_pass(policy) {
            return;
        }
        self.verified.insert(self.fingerprint(policy, login));
        if let Some(process) = &self.process
            && login.lists(policy).any(UserList::is_slow)
        {
            process.insert(login.pair(), hash);
        }
    }
}
