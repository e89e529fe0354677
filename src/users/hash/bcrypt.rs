//! `$2a$`, `$2b$` and `$2y$`: bcrypt.
//!
//! Provos and Mazières, "A Future-Adaptable Password Scheme" (USENIX 1999). The three letters name bugs of old
//! implementations that a right one does not have; all are computed the same way here, as OpenBSD, Apache and libxcrypt
//! do. `$2x$` marks hashes that were computed with one of the bugs.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use blowfish::Blowfish;
use subtle::ConstantTimeEq;

use super::work::Work;
use super::{HashError, Scheme};

/// The lowest cost of a bcrypt hash: sixteen rounds, as OpenBSD has it.
pub(super) const BCRYPT_MIN_COST: u32 = 4;

/// The highest cost of a bcrypt hash that is taken.
///
/// A cost of 14 (what `caddy hash-password` writes) is 0.9 s of a worker's processor: 3.6 s for a lone login under the
/// default of `hash_budget_ms_per_second`. Each step further doubles that, and a cost of 31 would take 33 hours.
pub(super) const BCRYPT_MAX_COST: u32 = 14;

/// The highest cost that draws no warning: 224 ms, 0.9 s for a lone login.
const BCRYPT_COST_WITHOUT_WARNING: u32 = 12;

/// How many bytes of a password bcrypt looks at.
///
/// Longer ones are cut, as Apache, OpenBSD and libxcrypt do, because `htpasswd -B` writes such hashes without a
/// warning.
pub(super) const BCRYPT_PASSWORD_BYTES: usize = 72;

/// bcrypt's own order of the base64 alphabet. The four and two unused bits in the last characters of salt and digest
/// are ignored, as OpenBSD does: some old writers leave noise there.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// One bcrypt hash.
#[derive(Clone, Copy)]
pub(crate) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    /// The last of the 24 bytes was lost by the first implementation.
    digest: [u8; 23],
}

impl Bcrypt {
    /// `cost$salt-and-digest`, what follows the marker.
    pub(super) fn parse(text: &str) -> Result<Self, HashError> {
        let scheme = Scheme::Bcrypt;
        let (cost, text) = text.split_once('$').ok_or(HashError::Digest(scheme))?;
        if cost.len() != 2 || !cost.bytes().all(|c| c.is_ascii_digit()) {
            return Err(HashError::Rounds(scheme));
        }
        let cost = cost.parse().map_err(|_| HashError::Rounds(scheme))?;
        if cost < BCRYPT_MIN_COST {
            return Err(HashError::CostTooLow { scheme, min: BCRYPT_MIN_COST });
        }
        if cost > BCRYPT_MAX_COST {
            return Err(HashError::CostTooHigh { scheme, max: BCRYPT_MAX_COST });
        }
        let (salt, digest) = text.split_at_checked(22).ok_or(HashError::Salt(scheme))?;
        Ok(Self {
            cost,
            salt: decode(salt).ok_or(HashError::Salt(scheme))?,
            digest: decode(digest).ok_or(HashError::Digest(scheme))?,
        })
    }

    pub(super) fn is_costly(&self) -> bool {
        self.cost > BCRYPT_COST_WITHOUT_WARNING
    }

    pub(super) fn rounds(&self) -> u32 {
        1_u32.checked_shl(self.cost).unwrap_or(u32::MAX)
    }

    pub(super) fn rounds_of(&self, starts: u32, rounds: u32) -> Expansion {
        Expansion { starts, rounds, salt: self.salt, expected: self.digest, state: None, key: Key::default() }
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    // One decoded length fits each text length, so that a longer text never fills it.
    let len = BASE64.decode_slice(text, &mut out).ok()?;
    (len == N).then_some(out)
}

/// Some first stages and rounds of bcrypt's key schedule, and the digest that they should give.
pub(super) struct Expansion {
    starts: u32,
    rounds: u32,
    salt: [u8; 16],
    expected: [u8; 23],
    /// Four kilobytes, there only while it is worked on.
    state: Option<Box<Blowfish>>,
    key: Key,
}

/// The password's first bytes and the NUL that C has there.
#[derive(Default)]
struct Key(Vec<u8>);

/// The first stage, and the encryption at the end: reckoned from the number of Blowfish blocks in them, against that of
/// a round.
const START: Work = Work::from_micros(42);
/// A round: the key schedule twice, in Envoy's V8.
const ROUND: Work = Work::from_micros(55);

impl Expansion {
    /// Work whose result is not used.
    pub(super) fn blank(starts: u32, rounds: u32) -> Self {
        Self { starts, rounds, salt: [0; 16], expected: [0; 23], state: None, key: Key::default() }
    }

    pub(super) fn remaining(&self) -> Work {
        Self::cost(self.starts, self.rounds)
    }

    pub(super) fn cost(starts: u32, rounds: u32) -> Work {
        START.times(starts.into()).plus(ROUND.times(rounds.into()))
    }

    /// Works until the budget is spent or nothing is left; says how much was done.
    // Not inlined beside the other kinds of hashes: V8 compiles several small functions sooner than a large one.
    #[inline(never)]
    pub(super) fn work(&mut self, password: &[u8], budget: Work) -> Work {
        if self.key.0.is_empty() {
            self.key.0 = password.iter().copied().chain([0]).take(BCRYPT_PASSWORD_BYTES).collect();
        }
        let starts = self.starts.min(START.pieces_in(budget));
        for _ in 0..starts {
            let mut state = Blowfish::bc_init_state();
            state.salted_expand_key(&self.salt, &self.key.0);
            self.state = Some(Box::new(state));
        }
        self.starts = self.starts.saturating_sub(starts);
        let done = START.times(starts.into());
        // While there are starts left, the budget is spent.
        let rounds = self.rounds.min(ROUND.pieces_in(budget.minus(done)));
        let state = self.state.get_or_insert_with(|| Box::new(Blowfish::bc_init_state()));
        for _ in 0..rounds {
            state.bc_expand_key(&self.key.0);
            state.bc_expand_key(&self.salt);
        }
        self.rounds = self.rounds.saturating_sub(rounds);
        done.plus(ROUND.times(rounds.into()))
    }

    pub(super) const fn finished(&self) -> bool {
        self.starts == 0 && self.rounds == 0
    }

    /// Whether the key schedule encrypts bcrypt's text to the digest that was expected, in constant time. Charged with
    /// the first stage.
    pub(super) fn right(&self) -> bool {
        let Some(state) = &self.state else {
            return false;
        };
        let mut found = [0; 24];
        for (pair, text) in found.chunks_exact_mut(8).zip(TEXT) {
            let mut block = text;
            for _ in 0..64 {
                block = state.bc_encrypt(block);
            }
            let bytes = block.iter().flat_map(|word| word.to_be_bytes());
            pair.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
        found.get(..23).unwrap_or_default().ct_eq(&self.expected).into()
    }
}

/// `OrpheanBeholderScryDoubt`, as words.
const TEXT: [[u32; 2]; 3] = [[0x4f72_7068, 0x6561_6e42], [0x6568_6f6c, 0x6465_7253], [0x6372_7944, 0x6f75_6274]];
