//! Waves of guessing: many wrong logins of one client within a minute.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::account::presented_user;
use crate::decision::{Decision, Reason};

/// How long failures are gathered, and how often at most a wave is logged.
const WINDOW: Duration = Duration::from_mins(1);
/// How long after a wave is seen it is logged, so that its count says something.
const DELAY: Duration = Duration::from_secs(10);
/// How many failures of a worker within a window draw no attention: nobody's address is asked for.
const USUAL: u32 = 20;
/// How many more of one client are a wave.
const MANY: u32 = 10;
/// How many clients are told apart; the one with the fewest failures makes room.
const MAX_CLIENTS: usize = 16;

/// How much of a name is kept, in bytes. What somebody typed may be as long as headers can be.
const MAX_NAME: usize = 256;

/// The wrong logins of one worker.
#[derive(Default)]
pub(crate) struct Wave {
    /// All of this window.
    failures: u32,
    clients: Vec<Guesser>,
    /// When the window began, as of the first tick in it.
    began: Option<Duration>,
    /// When a client was found to have many.
    seen: Option<Duration>,
    is_logged: bool,
}

struct Guesser {
    client: Option<IpAddr>,
    failures: u32,
    /// The beginning of the last user's name, of no meaning until one was looked at.
    user: Vec<u8>,
    /// Whether a list holds that name; `None` until one was looked at.
    is_user_known: Option<bool>,
}

/// The client with the most wrong logins. Its `Display` is a part of a log line.
pub(crate) struct Report<'w> {
    guesser: &'w Guesser,
    seconds: u64,
}

impl Wave {
    /// Takes note of a decision. The client's address is asked for only while there are more wrong logins than usual.
    pub(crate) fn note(&mut self, decision: &Decision<'_>, client: impl FnOnce() -> Option<IpAddr>) {
        // As the lockout counts them; who may not pass with the right password is told apart by nothing.
        if !matches!(
            decision.reason(),
            Some(Reason::UnknownUser | Reason::WrongPassword | Reason::NotAllowed | Reason::Locked)
        ) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures <= USUAL || self.is_logged {
            return;
        }
        let client = client();
        if let Some(guesser) = self.guesser(client) {
            guesser.failures = guesser.failures.saturating_add(1);
            if let Some((user, is_known)) = presented_user(decision) {
                // In the memory of the user before: what is allocated could tell one kind of failure from another.
                guesser.user.clear();
                guesser.user.extend_from_slice(user.get(..MAX_NAME).unwrap_or(user));
                guesser.is_user_known = Some(is_known);
            }
        }
    }

    /// A client, perhaps a new one.
    fn guesser(&mut self, client: Option<IpAddr>) -> Option<&mut Guesser> {
        let known = self.clients.iter().position(|guesser| guesser.client == client);
        if let Some(index) = known {
            return self.clients.get_mut(index);
        }
        if self.clients.len() < MAX_CLIENTS {
            self.clients.push(Guesser { client, failures: 0, user: Vec::new(), is_user_known: None });
            return self.clients.last_mut();
        }
        // So nobody hides behind many others: who comes anew takes the count over.
        let fewest = self.clients.iter_mut().min_by_key(|guesser| guesser.failures)?;
        (fewest.client, fewest.is_user_known) = (client, None);
        Some(fewest)
    }

    /// What is to be logged now, once for each wave; and whether another look is due although nothing else may happen.
    pub(crate) fn look(&mut self, now: Duration) -> (Option<Report<'_>>, bool) {
        if self.failures == 0 {
            return (None, false);
        }
        let began = *self.began.get_or_insert(now);
        let Some(guesser) = self.clients.iter().max_by_key(|guesser| guesser.failures) else {
            self.end_window(began, now);
            return (None, false);
        };
        if self.is_logged || guesser.failures < MANY {
            self.end_window(began, now);
            return (None, false);
        }
        let seen = *self.seen.get_or_insert(now);
        if now.saturating_sub(seen) < DELAY {
            return (None, true);
        }
        self.is_logged = true;
        let guesser = self.clients.iter().max_by_key(|guesser| guesser.failures);
        let seconds = now.saturating_sub(began).as_secs().max(1);
        (guesser.map(|guesser| Report { guesser, seconds }), false)
    }

    fn end_window(&mut self, began: Duration, now: Duration) {
        if now.saturating_sub(began) >= WINDOW {
            *self = Self::default();
        }
    }
}

/// As `client 192.0.2.1 sent 40 wrong logins within 12 s, the last for user "alice"`
impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { guesser: Guesser { client, failures, user, is_user_known }, seconds } = self;
        match client {
            Some(client) => write!(f, "client {client}")?,
            None => f.write_str("a client without an address")?,
        }
        write!(f, " sent {failures} wrong logins within {seconds} s, ")?;
        match is_user_known {
            Some(true) => write!(f, "the last for user \"{}\"", user.escape_ascii()),
            // What somebody typed in a user's place may be a password.
            Some(false) => f.write_str("the last for a user that no list holds"),
            None => f.write_str("while it was locked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use super::{MAX_CLIENTS, MAX_NAME, USUAL, Wave};
    use crate::decision::{Decision, Reason};
    use crate::request::{HeaderLines, Request};
    use crate::test_support::policy;

    const LOCKED: Decision<'_> = Decision::Throttled { reason: Reason::Locked, retry_after: 1, rule: 0 };

    fn client(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    fn look(wave: &mut Wave, seconds: u64) -> (Option<String>, bool) {
        let (report, again) = wave.look(Duration::from_secs(seconds));
        (report.map(|report| report.to_string()), again)
    }

    #[test]
    fn a_few_failures_ask_for_no_address_and_are_no_wave() {
        let mut wave = Wave::default();
        for _ in 0..USUAL {
            wave.note(&LOCKED, || panic!("asked"));
        }
        wave.note(&Decision::Pass, || panic!("asked"));
        assert_eq!(look(&mut wave, 0), (None, false));
        // A new window begins with nothing.
        assert_eq!(look(&mut wave, 60), (None, false));
        wave.note(&LOCKED, || panic!("asked"));
    }

    #[test]
    fn a_wave_is_logged_once_a_minute_with_the_client_that_has_the_most() {
        let mut wave = Wave::default();
        for number in 0..100 {
            // Many others come once each; one comes every second time.
            wave.note(&LOCKED, || Some(client(if number % 2 == 0 { 1 } else { number })));
        }
        assert!(wave.clients.len() <= MAX_CLIENTS);
        assert_eq!(look(&mut wave, 5), (None, true));
        assert_eq!(look(&mut wave, 14), (None, true));
        let line = "client 0.0.0.1 sent 40 wrong logins within 10 s, while it was locked";
        assert_eq!(look(&mut wave, 15), (Some(line.to_owned()), false));
        wave.note(&LOCKED, || panic!("asked"));
        assert_eq!(look(&mut wave, 16), (None, false));
        assert_eq!(look(&mut wave, 65), (None, false));
        for _ in 0..100 {
            wave.note(&LOCKED, || Some(client(2)));
        }
        assert_eq!(look(&mut wave, 66), (None, true));
        assert!(look(&mut wave, 76).0.is_some_and(|line| line.starts_with("client 0.0.0.2 sent 80 ")));
    }

    #[test]
    fn of_a_name_of_any_length_no_more_than_a_beginning_is_kept() {
        let policy = policy(r#"{"basic_auth_rules": [{"prefix": "/", "credentials": ["ok:test"]}]}"#);
        // Zeros in base64, and `:x`: a name and a password that no list holds.
        let credential = format!("Basic {}Ong=", "MDAw".repeat(10_000));
        let credential = HeaderLines::One(credential.as_bytes());
        let request = Request { method: b"GET", path: Some(b"/"), credential, ..Request::default() };
        let decision = policy.decide(&request);
        assert_eq!(decision.reason(), Some(Reason::UnknownUser));
        let mut wave = Wave::default();
        for number in 0..100 {
            wave.note(&decision, || Some(client(number)));
        }
        assert_eq!(wave.clients.len(), MAX_CLIENTS);
        assert!(wave.clients.iter().all(|guesser| guesser.user.capacity() <= 2 * MAX_NAME));
    }
}
