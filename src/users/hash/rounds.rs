//! The round loop that MD5-crypt and SHA-crypt share, cut into rounds.
//!
//! Drepper kept the loop of Poul-Henning Kamp's MD5-crypt and changed what is around it, so one loop serves `$1$`,
//! `$apr1$`, `$5$` and `$6$`; a [`Flavour`] is what differs.

use digest::{Digest, FixedOutputReset, Output};
use subtle::ConstantTimeEq;

use super::salt::Salt;
use super::work::Work;

/// What the first stage of a flavour hands to the rounds.
pub(super) struct Start<D: Digest> {
    /// The digest that the first round takes in.
    pub digest: Output<D>,
    /// What each round takes for the password, as long as the password.
    pub password: Vec<u8>,
    /// What each round takes for the salt, as long as the salt.
    pub salt: Salt,
}

/// One member of the family.
pub(super) trait Flavour {
    /// The digest of its rounds.
    type Digest: Digest + FixedOutputReset + Clone;

    /// The bytes of the digest in the order in which the text holds them.
    const ORDER: &'static [usize];

    /// Everything before the rounds; not divisible.
    fn start(&self, password: &[u8]) -> Start<Self::Digest>;

    /// The salt, for rounds that begin with no first stage.
    fn salt(&self) -> Salt;

    /// What [`Flavour::start`] costs with a password of that length.
    fn start_work(password_len: usize) -> Work;

    /// What a round costs with a password of that length.
    fn round_work(password_len: usize) -> Work;
}

/// A round's share of hashing `ROUND` once and `BLOCK` for each block.
///
/// Which of password and salt go into a round repeats every 42 rounds: both in 24 of them, the password alone in 12,
/// the salt alone in 4, neither in 2. Charging the mean keeps the sum exact for any password length without counting
/// blocks as they come; salts are charged as if they had the most characters, so that a shorter one is not a cheaper
/// one.
pub(super) const fn mean_round(
    password: usize,
    salt: usize,
    digest: usize,
    block: usize,
    padding: usize,
    round_nanos: u64,
    block_nanos: u64,
) -> Work {
    const fn blocks(bytes: usize, block: usize, padding: usize) -> u64 {
        bytes.saturating_add(padding).div_ceil(block) as u64
    }
    let least = digest.saturating_add(password);
    let both = least.saturating_add(salt).saturating_add(password);
    let cycle = blocks(both, block, padding)
        .saturating_mul(24)
        .saturating_add(blocks(least.saturating_add(password), block, padding).saturating_mul(12))
        .saturating_add(blocks(least.saturating_add(salt), block, padding).saturating_mul(4))
        .saturating_add(blocks(least, block, padding).saturating_mul(2));
    Work::from_nanos(round_nanos.saturating_add(block_nanos.saturating_mul(cycle).div_ceil(42)))
}

/// Some first stages and rounds of one flavour, and the digest that the last of them should give.
pub(super) struct Rounds<F: Flavour> {
    flavour: F,
    starts: u32,
    left: u32,
    /// The number of the next round; it decides what goes in.
    next: u32,
    state: Option<Box<State<F>>>,
    expected: Box<[u8]>,
}

struct State<F: Flavour> {
    hasher: F::Digest,
    from: Start<F::Digest>,
}

impl<F: Flavour> Rounds<F> {
    pub(super) fn new(flavour: F, starts: u32, rounds: u32, expected: &[u8]) -> Self {
        Self { flavour, starts, left: rounds, next: 0, state: None, expected: expected.into() }
    }

    /// What is left to do for a password of that length.
    pub(super) fn remaining(&self, password_len: usize) -> Work {
        F::start_work(password_len).times(self.starts.into()).plus(F::round_work(password_len).times(self.left.into()))
    }

    /// Works until the budget is spent or nothing is left; says how much was done.
    // Not inlined beside the other kinds of hashes: V8 compiles several small functions sooner than a large one.
    #[inline(never)]
    pub(super) fn work(&mut self, password: &[u8], budget: Work) -> Work {
        let start = F::start_work(password.len());
        let starts = self.starts.min(start.pieces_in(budget));
        for _ in 0..starts {
            self.next = 0;
            self.state = Some(Box::new(State { hasher: F::Digest::new(), from: self.flavour.start(password) }));
        }
        self.starts = self.starts.saturating_sub(starts);
        let done = start.times(starts.into());
        // While there are starts left, the budget is spent.
        let round = F::round_work(password.len());
        let count = self.left.min(round.pieces_in(budget.minus(done)));
        let state = self.state.get_or_insert_with(|| {
            Box::new(State {
                hasher: F::Digest::new(),
                from: Start {
                    digest: Output::<F::Digest>::default(),
                    password: password.to_vec(),
                    salt: self.flavour.salt(),
                },
            })
        });
        for number in self.next..self.next.saturating_add(count) {
            state.round(number);
        }
        self.next = self.next.saturating_add(count);
        self.left = self.left.saturating_sub(count);
        done.plus(round.times(count.into()))
    }

    pub(super) const fn finished(&self) -> bool {
        self.starts == 0 && self.left == 0
    }

    /// Whether the rounds gave the digest that was expected, in constant time.
    pub(super) fn right(&self) -> bool {
        let Some(state) = &self.state else {
            return false;
        };
        let found: Vec<u8> = F::ORDER.iter().filter_map(|&at| state.from.digest.get(at).copied()).collect();
        found.ct_eq(&self.expected).into()
    }
}

/// Hashes some more bytes. Not inlined: copies of the digest's buffering made the module ten kilobytes larger and no
/// faster.
#[inline(never)]
pub(super) fn feed<D: Digest>(hasher: &mut D, bytes: &[u8]) {
    hasher.update(bytes);
}

impl<F: Flavour> State<F> {
    fn round(&mut self, number: u32) {
        let Start { digest, password, salt } = &mut self.from;
        let odd = number & 1 == 1;
        let (first, last): (&[u8], &[u8]) = if odd { (password, digest) } else { (digest, password) };
        feed(&mut self.hasher, first);
        if !number.is_multiple_of(3) {
            feed(&mut self.hasher, salt.as_slice());
        }
        if !number.is_multiple_of(7) {
            feed(&mut self.hasher, password);
        }
        feed(&mut self.hasher, last);
        Digest::finalize_into_reset(&mut self.hasher, digest);
    }
}

#[cfg(test)]
mod tests {
    use super::mean_round;

    #[test]
    fn a_round_is_charged_the_mean_of_what_rounds_hash() {
        for password in [0_usize, 1, 16, 23, 24, 72, 256] {
            let blocks = |number: usize| {
                let salt = if number.is_multiple_of(3) { 0 } else { 16 };
                let again = if number.is_multiple_of(7) { 0 } else { password };
                (32 + password + salt + again + 9).div_ceil(64) as u64
            };
            let all: u64 = (0..42).map(blocks).sum();
            assert_eq!(
                mean_round(password, 16, 32, 64, 9, 65, 210).nanos(),
                65 + (210 * all).div_ceil(42),
                "{password}"
            );
        }
    }
}
