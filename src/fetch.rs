//! Lists of users that are fetched: when each is asked for, and what is made of an answer.
//!
//! Each worker fetches for itself. What was good stays in force until something else is good.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::host::HostError;
use crate::request::header_map;
use crate::users::fetched::FetchSource;
use crate::users::htpasswd::HtpasswdError;
use crate::users::list::UserList;

/// How often a session looks whether a list is to be asked for.
pub(crate) const LOOK: Duration = Duration::from_millis(250);

/// How soon a list is asked for again that never came.
const RETRY: Duration = Duration::from_secs(1);

/// How long after its timeout an answer is given up that the proxy never reported.
const LOST: Duration = Duration::from_secs(10);

/// Where the lists of a policy stand, in its order.
pub(crate) struct Fetches {
    lists: Vec<FetchState>,
    /// Draws how much earlier each is asked for, so that workers do not all ask at once.
    jitter: u64,
}

/// Where a list stands.
#[derive(Default)]
struct FetchState {
    /// When it is asked for next, or given up.
    due: Duration,
    /// What the proxy calls the request that is under way.
    token: Option<u32>,
    /// What the server called the text in force.
    etag: Option<Box<str>>,
    /// When the last good answer came.
    good_at: Option<Duration>,
    /// Why the last answer was not good.
    failure: Option<FetchError>,
}

/// What came of an answer.
pub(crate) enum Fetched {
    /// Other users than before.
    New {
        /// The index of the list.
        index: usize,
        /// The users.
        users: UserList,
    },
    /// The same as before.
    Unchanged,
    /// Nothing that can be used.
    Failed {
        /// The index of the list.
        index: usize,
        /// The reason.
        error: FetchError,
        /// Whether the time before was good, or had another reason: each is told once.
        is_new: bool,
    },
}

/// Why nothing was fetched. Its `Display` quotes nothing of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FetchError {
    /// The proxy did not send the request: it has no such cluster, or nobody in it.
    NotSent(HostError),
    /// None came in time.
    NoAnswer,
    /// Another status than 200 and 304.
    Status(u32),
    /// More than [`FetchSource::MAX_BYTES`].
    TooLarge,
    /// Bytes that are no text.
    NotText,
    /// A text that is refused.
    Htpasswd(HtpasswdError),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(error) => write!(f, "{error}; the proxy has no such `cluster`, or nobody in it"),
            Self::NoAnswer => f.write_str("no answer within `timeout_seconds`"),
            // Envoy itself answers so.
            Self::Status(503) => {
                f.write_str("the answer is 503 and not 200; perhaps nobody in the cluster can be reached")
            }
            Self::Status(504) => {
                f.write_str("the answer is 504 and not 200; perhaps none came within `timeout_seconds`")
            }
            Self::Status(status) => write!(f, "the answer is {status} and not 200"),
            Self::TooLarge => write!(f, "the answer has more than {} bytes", FetchSource::MAX_BYTES),
            Self::NotText => f.write_str("the answer is not UTF-8"),
            Self::Htpasswd(error) => write!(f, "the answer is refused: {error}"),
        }
    }
}

impl Fetches {
    /// So many lists, each due at once.
    pub(crate) fn new(lists: usize) -> Self {
        let jitter = RandomState::new().hash_one(0);
        Self { lists: std::iter::repeat_with(FetchState::default).take(lists).collect(), jitter }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Asks for what is due, by `send`, which has a source and the `etag` that came from it. Gives back what failed at once.
    pub(crate) fn ask<'s>(
        &mut self,
        now: Duration,
        sources: impl Iterator<Item = &'s FetchSource>,
        mut send: impl FnMut(&FetchSource, Option<&str>) -> Result<u32, HostError>,
    ) -> Vec<Fetched> {
        let mut failed = Vec::new();
        for (index, source) in sources.enumerate() {
            let jitter = self.draw();
            let Some(list) = self.lists.get_mut(index).filter(|list| list.due <= now) else { continue };
            let error = if list.token.take().is_some() {
                FetchError::NoAnswer
            } else {
                match send(source, list.etag.as_deref()) {
                    Ok(token) => {
                        list.token = Some(token);
                        list.due = now.saturating_add(source.timeout).saturating_add(LOST);
                        continue;
                    }
                    Err(error) => FetchError::NotSent(error),
                }
            };
            failed.push(list.failed(index, error, source, now, jitter));
        }
        failed
    }

    /// Judges an answer: its header map, empty if there is none, and its body. `None` if nobody asked.
    pub(crate) fn answered<'s>(
        &mut self,
        now: Duration,
        token: u32,
        source_of: impl FnOnce(usize) -> Option<(&'s FetchSource, Option<&'s UserList>)>,
        headers: &[u8],
        body: Vec<u8>,
    ) -> Option<Fetched> {
        let jitter = self.draw();
        let index = self.lists.iter().position(|list| list.token == Some(token))?;
        let (source, current) = source_of(index)?;
        let list = self.lists.get_mut(index)?;
        list.token = None;
        let answer = Answer::read(headers);
        let users = match answer.status {
            304 if current.is_some() && list.etag.is_some() => Ok(None),
            200 => read_users(body, current),
            0 => Err(FetchError::NoAnswer),
            status => Err(FetchError::Status(status)),
        };
        Some(match users {
            Err(error) => list.failed(index, error, source, now, jitter),
            Ok(users) => {
                if answer.status == 200 {
                    list.etag = answer.etag;
                }
                list.good_at = Some(now);
                list.failure = None;
                list.due = now.saturating_add(earlier(source.refresh, jitter));
                users.map_or(Fetched::Unchanged, |users| Fetched::New { index, users })
            }
        })
    }

    /// The users of an answer could not be put into force: they are asked for again, and not as what is known already.
    pub(crate) fn not_taken(&mut self, index: usize, now: Duration) {
        if let Some(list) = self.lists.get_mut(index) {
            list.etag = None;
            list.due = now.saturating_add(RETRY);
        }
    }

    /// How long ago the last good answer of the list came that waits longest for another.
    pub(crate) fn age(&self, now: Duration) -> Duration {
        let ages = self.lists.iter().map(|list| list.good_at.map_or(Duration::ZERO, |at| now.saturating_sub(at)));
        ages.max().unwrap_or_default()
    }

    /// A number that is as good as random.
    fn draw(&mut self) -> u64 {
        // Knuth's linear congruential generator: its upper half is even enough.
        self.jitter = self.jitter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.jitter.wrapping_shr(32)
    }
}

impl FetchState {
    fn failed(&mut self, index: usize, error: FetchError, source: &FetchSource, now: Duration, jitter: u64) -> Fetched {
        let wait = if self.good_at.is_none() { source.refresh.min(RETRY) } else { source.refresh };
        self.due = now.saturating_add(earlier(wait, jitter));
        let is_new = self.failure.as_ref() != Some(&error);
        self.failure = Some(error.clone());
        Fetched::Failed { index, error, is_new }
    }
}

/// A wait that is up to a tenth shorter.
fn earlier(wait: Duration, jitter: u64) -> Duration {
    let most = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).wrapping_div(10);
    let less = jitter.checked_rem(most).unwrap_or_default();
    wait.saturating_sub(Duration::from_millis(less))
}

/// What counts of an answer's headers.
#[derive(Default)]
struct Answer {
    /// 0 if there is no answer.
    status: u32,
    etag: Option<Box<str>>,
}

impl Answer {
    fn read(headers: &[u8]) -> Self {
        let mut answer = Self::default();
        let read = header_map::for_each(headers, |name, value| {
            let text = str::from_utf8(value).ok();
            match name {
                b":status" => answer.status = text.and_then(|text| text.parse().ok()).unwrap_or_default(),
                b"etag" => answer.etag = text.map(Into::into),
                _ => {}
            }
        });
        if read.is_some() { answer } else { Self::default() }
    }
}

/// The users of a body; `None` if they are those that are in force.
fn read_users(body: Vec<u8>, current: Option<&UserList>) -> Result<Option<UserList>, FetchError> {
    if body.len() > FetchSource::MAX_BYTES {
        return Err(FetchError::TooLarge);
    }
    let text = String::from_utf8(body).map_err(|_| FetchError::NotText)?;
    if current.is_some_and(|current| current.text() == text) {
        return Ok(None);
    }
    UserList::parse(text).map(Some).map_err(FetchError::Htpasswd)
}

#[cfg(test)]
mod tests;
