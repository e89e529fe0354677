//! User names and passwords: as a configuration lists them and as a request presents them.
//!
//! A pair is a secret: it has no `Debug`, no `Display`, and compares in constant time.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use hashbrown::HashTable;
use subtle::ConstantTimeEq;

use crate::error::Problem;
use crate::request::HeaderLines;

/// `user-id ":" password` (RFC 7617, section 2), in bytes. The password may be empty and hold colons.
pub struct Pair {
    bytes: Box<[u8]>,
    colon: usize,
}

/// Why bytes are no [`Pair`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairProblem {
    /// There is no colon.
    NoColon,
    /// There is a control character, which RFC 7617 forbids.
    ControlCharacter,
}

impl Pair {
    /// Splits at the first colon.
    ///
    /// # Errors
    /// [`PairProblem`].
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Result<Self, PairProblem> {
        let bytes = bytes.into();
        if has_control_character(&bytes) {
            return Err(PairProblem::ControlCharacter);
        }
        let colon = bytes.iter().position(|byte| *byte == b':').ok_or(PairProblem::NoColon)?;
        Ok(Self { bytes, colon })
    }

    /// The user name, which is no secret.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        self.bytes.get(..self.colon).unwrap_or_default()
    }

    /// The password. It must not leave this crate.
    pub(crate) fn password(&self) -> &[u8] {
        self.bytes.get(self.colon.saturating_add(1)..).unwrap_or_default()
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
    // Where a byte is lower than what is taken from it, its highest bit becomes set; a carry only goes beyond such a byte.
    let any_below = |word: u64, least| word.wrapping_sub(least) & !word & HIGHEST_BITS != 0;
    let has_any = |word: u64| any_below(word, SPACES) || any_below(word ^ DELETES, EACH);
    words.iter().any(|word| has_any(u64::from_ne_bytes(*word))) || rest.iter().any(u8::is_ascii_control)
}

/// One entry of `credentials`: `user:password`, or base64 of that.
///
/// # Errors
/// The [`Problem`] of the entry.
pub fn configured(text: &str) -> Result<Pair, Problem> {
    let is_plain = text.contains(':');
    let bytes =
        if is_plain { text.as_bytes().into() } else { decode(text.as_bytes()).ok_or(Problem::CredentialForm)? };
    let pair = Pair::new(bytes).map_err(|problem| match problem {
        PairProblem::NoColon => Problem::CredentialNoColon,
        PairProblem::ControlCharacter => Problem::ControlCharacter { what: "a credential (RFC 7617)" },
    })?;
    if pair.user().is_empty() { Err(Problem::EmptyUser) } else { Ok(pair) }
}

/// What a request presents as its credential.
pub enum Presented {
    /// No credential of the `Basic` scheme.
    Missing,
    /// Something of the `Basic` scheme, or several headers, from which no pair can be read.
    Malformed,
    /// A user name and a password.
    Pair(Pair),
}

impl Presented {
    /// Reads the credential header.
    ///
    /// ```text
    /// credentials = "Basic" 1*SP token68    ; RFC 9110, section 11.4; the scheme without case
    /// ```
    /// The token is base64 in its canonical form (RFC 4648, section 3.5), with all of its padding or none.
    #[must_use]
    pub fn of(header: HeaderLines<'_>) -> Self {
        let value = match header {
            HeaderLines::None => return Self::Missing,
            HeaderLines::One(value) => value,
            HeaderLines::Several => return Self::Malformed,
        };
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, token) = value.split_at_checked(end).unwrap_or((value, b""));
        if scheme.is_empty() {
            return Self::Malformed;
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Self::Missing;
        }
        let spaces = token.iter().take_while(|byte| **byte == b' ').count();
        let pair = decode(token.get(spaces..).unwrap_or_default()).and_then(|bytes| Pair::new(bytes).ok());
        pair.map_or(Self::Malformed, Self::Pair)
    }
}

/// Canonical base64 only: another spelling of the same pair would be a second token for it.
fn decode(token: &[u8]) -> Option<Box<[u8]>> {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let engine = if padding > 0 { &BASE64_STANDARD } else { &BASE64_STANDARD_NO_PAD };
    // Four digits are three bytes. As long as it has to be, it is not copied again.
    let length = token.len().saturating_sub(padding).saturating_mul(3) / 4;
    let mut bytes = vec![0; length].into_boxed_slice();
    let written = engine.decode_slice(token, &mut bytes).ok()?;
    (written == length && length > 0).then_some(bytes)
}

/// The users of all rules, one list a rule; equal lists are stored once.
///
/// Pairs and names are found by a keyed hash whose key is drawn when the lists are made, so how long a search takes
/// tells nothing about the pairs, and it takes as long for 100,000 users as for one. A pair is then compared in
/// constant time. An unknown user costs the same two searches as a wrong password.
pub struct PlainLists {
    key: RandomState,
    pairs: HashTable<ListedPair>,
    /// The hashes of list and user name.
    users: HashTable<u64>,
}

/// One of the lists of a [`PlainLists`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlainListId(u32);

struct ListedPair {
    hash: u64,
    list: PlainListId,
    pair: Pair,
}

/// What a user list says of a presented pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The pair is in the list.
    Accepted,
    /// The user is in the list with another password.
    WrongPassword,
    /// The user is not in the list.
    UnknownUser,
}

impl PlainLists {
    /// Stores lists of pairs and tells under which id each is found.
    /// The same user may stand in a list with several passwords.
    pub fn new(lists: impl IntoIterator<Item = Box<[Pair]>>) -> (Self, Vec<PlainListId>) {
        let mut stored = Self { key: RandomState::new(), pairs: HashTable::new(), users: HashTable::new() };
        let second_key = RandomState::new();
        let mut known = HashMap::new();
        let mut next = 0_u32;
        let ids = lists.into_iter().map(|list| {
            // 128 bits under keys that nobody knows are as good as the lists themselves, and smaller.
            *known.entry((digest(&stored.key, &list), digest(&second_key, &list))).or_insert_with(|| {
                let id = PlainListId(next);
                next = next.saturating_add(1);
                stored.add(id, list);
                id
            })
        });
        let ids = ids.collect();
        (stored, ids)
    }

    /// How many pairs are stored.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the list accepts this pair.
    #[must_use]
    pub fn verify(&self, list: PlainListId, presented: &Pair) -> Verdict {
        let (user, hash) = self.hashes(list, presented);
        if self.find(list, hash, presented).is_some() {
            return Verdict::Accepted;
        }
        match self.users.find(user, |known| *known == user) {
            Some(_) => Verdict::WrongPassword,
            None => Verdict::UnknownUser,
        }
    }

    fn find(&self, list: PlainListId, hash: u64, pair: &Pair) -> Option<&ListedPair> {
        self.pairs.find(hash, |entry| {
            entry.hash == hash && entry.list == list && bool::from(entry.pair.bytes.ct_eq(&pair.bytes))
        })
    }

    /// The hash of list and user name, and that of list and pair. The first is a station on the way to the second.
    fn hashes(&self, list: PlainListId, pair: &Pair) -> (u64, u64) {
        let (user, password) = pair.bytes.split_at_checked(pair.colon).unwrap_or_default();
        let mut hasher = self.key.build_hasher();
        hasher.write_u32(list.0);
        hasher.write(user);
        let user = hasher.finish();
        hasher.write(password);
        (user, hasher.finish())
    }

    fn add(&mut self, list: PlainListId, pairs: Box<[Pair]>) {
        for pair in pairs {
            let (user, hash) = self.hashes(list, &pair);
            // Half empty: an unknown name is then found missing where a known one is found, at the first look.
            if self.users.capacity() < self.users.len().saturating_add(1).saturating_mul(2) {
                self.users.reserve(self.users.len().saturating_add(2), |known| *known);
            }
            self.users.entry(user, |known| *known == user, |known| *known).or_insert(user);
            // Once, however often it is listed: equal ones would be searched one after the other.
            if self.find(list, hash, &pair).is_none() {
                self.pairs.insert_unique(hash, ListedPair { hash, list, pair }, |entry| entry.hash);
            }
        }
    }
}

/// A digest of all pairs of a list.
fn digest(key: &RandomState, list: &[Pair]) -> u64 {
    let mut hasher = key.build_hasher();
    list.len().hash(&mut hasher);
    for pair in list {
        pair.bytes.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{Pair, PairProblem, PlainLists, Presented, Verdict, configured, has_control_character};
    use crate::error::Problem;
    use crate::request::HeaderLines;

    fn pair(text: &str) -> Pair {
        Pair::new(text.as_bytes()).ok().unwrap()
    }

    /// What the header's value is read as: the pair's text, or the name of the problem.
    fn read(value: &str) -> String {
        match Presented::of(HeaderLines::One(value.as_bytes())) {
            Presented::Missing => "missing".into(),
            Presented::Malformed => "malformed".into(),
            Presented::Pair(pair) => String::from_utf8_lossy(&pair.bytes).into_owned(),
        }
    }

    #[test]
    fn pairs_split_at_the_first_colon() {
        let pair = pair("ok:te:st");
        assert_eq!((pair.user(), pair.password()), (&b"ok"[..], &b"te:st"[..]));
        assert_eq!(Pair::new(&b"ok"[..]).err(), Some(PairProblem::NoColon));
        assert_eq!(Pair::new(&b"o\0k:test"[..]).err(), Some(PairProblem::ControlCharacter));
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
            let pair = configured(text).ok().unwrap();
            assert_eq!((pair.user(), pair.password()), (&b"admin3"[..], &b"admin3"[..]), "{text}");
        }
        for (text, problem) in [
            ("", Problem::CredentialForm),
            ("not base64!", Problem::CredentialForm),
            ("YWRtaW4zOmFkbWluMw=", Problem::CredentialForm),
            ("YWRtaW4z", Problem::CredentialNoColon),
            (":password", Problem::EmptyUser),
            ("OnBhc3N3b3Jk", Problem::EmptyUser),
            ("a:b\n", Problem::ControlCharacter { what: "a credential (RFC 7617)" }),
        ] {
            assert_eq!(configured(text).err(), Some(problem), "{text}");
        }
    }

    #[test]
    fn the_scheme_compares_without_case_and_the_token_is_canonical() {
        for value in ["Basic b2s6dGVzdA==", "basic b2s6dGVzdA", "BASIC   b2s6dGVzdA=="] {
            assert_eq!(read(value), "ok:test", "{value}");
        }
        for value in [
            "",
            " ",
            "Basic",
            "Basic ",
            "Basic b2s6dGVzdA=",
            "Basic b2s6dGVzdB==",
            "Basic b2s",
            "Basic b2s6dGVzdA== ",
            "Basic b2s6dGVzdA==,Basic b2s6dGVzdA==",
            "Basic b2s6\tdGVzdA==",
            "Basic \u{fc}",
        ] {
            assert_eq!(read(value), "malformed", "{value}");
        }
        for value in ["Bearer b2s6dGVzdA==", "Basicb2s6dGVzdA==", "Basic\tb2s6dGVzdA=="] {
            assert_eq!(read(value), "missing", "{value}");
        }
        assert!(matches!(Presented::of(HeaderLines::None), Presented::Missing));
        assert!(matches!(Presented::of(HeaderLines::Several), Presented::Malformed));
    }

    #[test]
    fn a_list_accepts_its_pairs_and_tells_users_from_passwords() {
        let first = vec![pair("ok:test"), pair("ok:rotated"), pair("key:")];
        let second = vec![pair("other:test")];
        let (lists, ids) = PlainLists::new([first.into(), second.into()]);
        for (list, presented, verdict) in [
            (0, "ok:test", Verdict::Accepted),
            (0, "ok:rotated", Verdict::Accepted),
            (0, "key:", Verdict::Accepted),
            (0, "ok:", Verdict::WrongPassword),
            (0, "ok:test2", Verdict::WrongPassword),
            (0, "key:test", Verdict::WrongPassword),
            (0, "o:k:test", Verdict::UnknownUser),
            (0, ":test", Verdict::UnknownUser),
            (0, "other:test", Verdict::UnknownUser),
            (1, "other:test", Verdict::Accepted),
            (1, "ok:test", Verdict::UnknownUser),
        ] {
            assert_eq!(lists.verify(ids[list], &pair(presented)), verdict, "list {list}, {presented}");
        }
    }

    #[test]
    fn equal_lists_are_stored_once() {
        let list = || Box::from([pair("ok:test"), pair("key:")]);
        let (lists, ids) = PlainLists::new([list(), Box::from([pair("ok:test")]), list()]);
        assert_eq!(lists.pairs(), 3);
        assert_eq!(ids[0], ids[2]);
        assert_ne!(ids[0], ids[1]);
    }
}
