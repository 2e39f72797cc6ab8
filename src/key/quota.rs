//! Quotas: how many requests, in what window, counted how, and for whom.

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use super::failure::OnLimiterFailure;
use crate::clock::nanoseconds;

/// Bounds the quotas that one set may hold; a request is under at most two sets, the account's and
/// the route's.
pub const MAX_QUOTAS: usize = 4;

/// Counts the parts that a sliding window is counted in: it may refuse up to one of them too long.
pub const SUBWINDOWS: u32 = 12;

const DAY: Duration = Duration::from_secs(24 * 3600);
const LONGEST_MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

/// Chooses how a quota is counted.
///
/// ```
/// # use std::time::Duration;
/// # use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Algorithm, Quota};
/// use tower_api_key::limits::Counter;
///
/// # let now = Timestamp::from_unix_seconds(1_000);
/// let wait_after_a_burst = |algorithm| {
///     let quota = Quota::new("minute", 60, Duration::from_secs(60)).counted(algorithm);
///     let mut counter = Counter::new(&quota);
///     counter.charge(&quota, now, 60);
///     counter.wait(&quota, now, 1).unwrap().as_secs()
/// };
/// assert_eq!(wait_after_a_burst(Algorithm::FixedWindow), 60);
/// assert_eq!(wait_after_a_burst(Algorithm::LeakyBucket), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// A window of fixed length, opened by the first request after the last one ended. Remaining
    /// and reset are exact. Around a boundary at most `2 × limit - 1` requests pass in one window's
    /// length: one opens the window, and the rest come at its end and right after it.
    #[default]
    FixedWindow,
    /// The generic cell rate algorithm, a leaky bucket that holds `limit` requests and drains
    /// evenly over the window (ITU-T I.371). A full burst plus the drained rate can pass in one
    /// window's length: at most `2 × limit`.
    LeakyBucket,
    /// Never more than `limit` in any span of the window's length. Counted in [`SUBWINDOWS`] parts,
    /// so a request may be refused up to one twelfth of the window longer than it must.
    SlidingWindow,
    /// A window that ends at midnight, UTC. Exactly `limit` a day; around midnight twice as many can
    /// pass within a moment.
    CalendarDay,
    /// A window that ends with the month, UTC. Exactly `limit` a month; around its end twice as many
    /// can pass within a moment.
    CalendarMonth,
}

impl Algorithm {
    /// Returns the longest window of a calendar's; `None` if a quota says how long its windows are.
    const fn period(self) -> Option<Duration> {
        match self {
            Self::FixedWindow | Self::LeakyBucket | Self::SlidingWindow => None,
            Self::CalendarDay => Some(DAY),
            Self::CalendarMonth => Some(LONGEST_MONTH),
        }
    }
}

/// Chooses whose requests a quota counts together.
///
/// ```
/// # use std::time::Duration;
/// use tower_api_key::key::{Per, Quota};
///
/// let shared = Quota::new("minute", 100, Duration::from_secs(60));
/// let own = shared.clone().each(Per::Key); // 100 for each key, however many the account has
/// assert_eq!((shared.per(), own.per()), (Per::Account, Per::Key));
/// assert!(!shared.shares_counter(&own));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Per {
    /// All keys of the account together.
    #[default]
    Account,
    /// Each key for itself.
    Key,
}

/// Allows a number of requests in a window of time.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::key::{Algorithm, Per, Quota};
///
/// const MINUTE: Quota = Quota::new("minute", 100, Duration::from_secs(60));
/// const BUCKET: Quota = MINUTE.counted(Algorithm::LeakyBucket).each(Per::Key);
/// const MONTH: Quota = Quota::by_month("month", 50_000); // ends on the last day, at midnight UTC
/// assert_eq!(BUCKET.limit(), 100);
/// assert_eq!(MONTH.algorithm(), Algorithm::CalendarMonth);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    name: SmolStr,
    limit: u32,
    // In nanoseconds, as it is counted.
    window: u64,
    algorithm: Algorithm,
    per: Per,
    shadow: bool,
    on_failure: Option<OnLimiterFailure>,
    name_hash: u64,
    // A hash of all that tells counters apart; whatever changes that makes it anew.
    identity: u64,
}

impl Quota {
    /// Allows `limit` requests a window, per account, counted in a fixed window.
    pub const fn new(name: &'static str, limit: u32, window: Duration) -> Self {
        let quota = Self {
            name: SmolStr::new_static(name),
            name_hash: fnv1a(name.as_bytes()),
            limit,
            window: nanoseconds(window),
            algorithm: Algorithm::FixedWindow,
            per: Per::Account,
            shadow: false,
            on_failure: None,
            identity: 0,
        };
        quota.identified()
    }

    /// Allows `limit` requests a day, per account; a day ends at midnight, UTC.
    pub const fn by_day(name: &'static str, limit: u32) -> Self {
        Self::new(name, limit, DAY).counted(Algorithm::CalendarDay)
    }

    /// Allows `limit` requests a calendar month, per account; a month ends at midnight, UTC.
    pub const fn by_month(name: &'static str, limit: u32) -> Self {
        Self::new(name, limit, LONGEST_MONTH).counted(Algorithm::CalendarMonth)
    }

    /// Allows `limit` requests a window under a name that is known at run time only.
    pub fn named(name: impl AsRef<str>, limit: u32, window: Duration) -> Self {
        let name_hash = fnv1a(name.as_ref().as_bytes());
        let quota = Self { name: SmolStr::new(name), name_hash, ..Self::new("", limit, window) };
        quota.identified()
    }

    /// Chooses the algorithm; one that follows the calendar sets the window, too.
    pub const fn counted(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        if let Some(period) = algorithm.period() {
            self.window = nanoseconds(period);
        }
        self.identified()
    }

    /// Chooses whose requests are counted together.
    pub const fn each(mut self, per: Per) -> Self {
        self.per = per;
        self.identified()
    }

    /// Counts what it would refuse, and refuses nothing: to see what a limit does before it does it.
    /// A request takes its cost if it has room and the other quotas let it pass. Limit headers do not
    /// speak of it; [`Observer::would_refuse`](crate::Observer::would_refuse) does.
    pub const fn in_shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    /// Chooses what happens while the limiter cannot answer, in place of what the gate has chosen for
    /// all quotas.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use std::time::Duration;
    /// use tower_api_key::key::Quota;
    /// use tower_api_key::limits::{OnLimiterFailure, Share};
    ///
    /// // What is paid for by the month waits; a burst is held back by each of the three nodes.
    /// const MONTH: Quota = Quota::by_month("month", 50_000).on_failure(OnLimiterFailure::Deny);
    /// const NODES: Share = Share::of(NonZeroU32::new(3).unwrap());
    /// const SECOND: Quota = Quota::new("second", 30, Duration::from_secs(1))
    ///     .on_failure(OnLimiterFailure::Local(NODES));
    /// assert_eq!(SECOND.failure_choice(), Some(OnLimiterFailure::Local(NODES)));
    /// ```
    pub const fn on_failure(mut self, choice: OnLimiterFailure) -> Self {
        self.on_failure = Some(choice);
        self
    }

    /// Returns the same quota with another limit.
    pub(crate) const fn limited_to(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Returns the name, which `RateLimit-Policy` shows and which tells counters apart.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the requests allowed in a window.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns the length of the window; of a calendar month, the longest: 31 days.
    pub const fn window(&self) -> Duration {
        Duration::from_nanos(self.window)
    }

    /// Returns the length of the window in nanoseconds.
    pub(crate) const fn window_nanoseconds(&self) -> u64 {
        self.window
    }

    /// Returns the algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns whose requests are counted together.
    pub const fn per(&self) -> Per {
        self.per
    }

    /// Tells whether it refuses nothing.
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// Returns what happens while the limiter cannot answer; `None` leaves it to the gate.
    pub const fn failure_choice(&self) -> Option<OnLimiterFailure> {
        self.on_failure
    }

    /// Tells whether two quotas count in the same counter: what is counted agrees, whatever the limit
    /// is, whether it is in shadow and what happens on failure, so that a changed plan takes what was
    /// used along.
    pub const fn shares_counter(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// Returns a hash of all that tells counters apart. 64 bits suffice to tell apart the few
    /// quotas of one account, whose names no client chooses.
    pub(crate) const fn identity(&self) -> u64 {
        self.identity
    }

    const fn identified(mut self) -> Self {
        let kind = self.algorithm as u64 * 2 + self.per as u64;
        self.identity = mix(mix(self.name_hash, self.window), kind);
        self
    }

    fn check(&self) -> Result<(), InvalidQuota> {
        let key = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let problem = if self.name.is_empty() || !self.name.bytes().all(key) {
            // A name becomes an RFC 9651 String in `RateLimit-Policy`.
            "the name must be visible ASCII without quote or backslash"
        } else if self.limit == 0 {
            "the limit must be at least 1; disable the key to admit nothing"
        } else if self.window() < Duration::from_secs(1) {
            "the window must be at least one second"
        } else if self.window() > Duration::from_secs(366 * 24 * 3600) {
            "the window must be at most 366 days"
        } else {
            return Ok(());
        };
        Err(InvalidQuota { name: self.name.to_string(), problem })
    }
}

/// Hashes a name as FNV-1a does, also in a constant.
#[allow(clippy::indexing_slicing)] // Below the length; a constant function has no iterators.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = mix(hash, bytes[at] as u64);
        at += 1;
    }
    hash
}

const fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3);
    mixed ^ (mixed >> 29)
}

/// Reports a quota that cannot be counted.
///
/// ```
/// # use std::time::Duration;
/// use tower_api_key::key::{Quota, Quotas};
///
/// let error = Quotas::new([Quota::new("blink", 5, Duration::from_millis(100))]).unwrap_err();
/// assert_eq!(error.to_string(), "quota `blink`: the window must be at least one second");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quota `{name}`: {problem}")]
pub struct InvalidQuota {
    name: String,
    problem: &'static str,
}

/// Holds the quotas that a request must all meet, at most [`MAX_QUOTAS`] of them.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::key::{Quota, Quotas};
///
/// let minute = Quota::new("minute", 100, Duration::from_secs(60));
/// let hour = Quota::new("hour", 5_000, Duration::from_secs(3_600));
/// assert!(Quotas::new([minute.clone(), hour]).is_ok());
/// assert!(Quotas::new([minute.clone(), minute]).is_err(), "the names must differ");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quotas(Option<Arc<Vec<Quota>>>); // None if empty

impl Quotas {
    /// Checks and collects quotas.
    ///
    /// # Errors
    ///
    /// [`InvalidQuota`] if one allows no request, has a window under a second or over 366 days, has
    /// a name that no header can carry, shares its name with another, or is one too many.
    pub fn new(quotas: impl IntoIterator<Item = Quota>) -> Result<Self, InvalidQuota> {
        let quotas: Vec<Quota> = quotas.into_iter().collect();
        for (index, quota) in quotas.iter().enumerate() {
            quota.check()?;
            let refuse = |problem| InvalidQuota { name: quota.name.to_string(), problem };
            if index >= MAX_QUOTAS {
                return Err(refuse("a set holds at most four quotas"));
            }
            if quotas.iter().take(index).any(|q| q.name == quota.name) {
                return Err(refuse("the name appears twice in one set"));
            }
        }
        Ok(Self((!quotas.is_empty()).then(|| Arc::new(quotas))))
    }

    /// Returns the quotas in the order given.
    pub fn as_slice(&self) -> &[Quota] {
        self.0.as_ref().map_or(&[], |quotas| quotas.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn impossible_quotas_are_refused() {
        for quota in [
            Quota::new("", 1, MINUTE),
            Quota::new("a\"b", 1, MINUTE),
            Quota::new("none", 0, MINUTE),
            Quota::new("short", 1, Duration::from_millis(999)),
            Quota::new("long", 1, Duration::from_secs(367 * 24 * 3600)),
        ] {
            assert!(Quotas::new([quota.clone()]).is_err(), "{quota:?}");
        }
        let names = ["a", "b", "c", "d", "e"];
        let quotas = names.map(|name| Quota::new(name, 1, MINUTE));
        assert!(Quotas::new(quotas[..4].iter().cloned()).is_ok());
        assert!(Quotas::new(quotas).is_err());
    }

    #[test]
    fn a_changed_limit_keeps_the_counter() {
        let quota = Quota::new("minute", 100, MINUTE);
        assert!(quota.shares_counter(&Quota::named("minute", 200, MINUTE)));
        assert!(
            quota.shares_counter(&quota.clone().in_shadow()),
            "and so does one that is enforced"
        );
        assert!(!quota.shares_counter(&Quota::new("hour", 100, MINUTE)));
        assert!(!quota.shares_counter(&quota.clone().each(Per::Key)));
        assert!(!quota.shares_counter(&quota.clone().counted(Algorithm::LeakyBucket)));
        assert!(!quota.shares_counter(&Quota::new("minute", 100, 2 * MINUTE)));
    }

    #[test]
    fn a_calendars_quota_is_the_same_however_it_is_made() {
        for (made, algorithm) in [
            (Quota::by_day("calls", 5), Algorithm::CalendarDay),
            (Quota::by_month("calls", 5), Algorithm::CalendarMonth),
        ] {
            assert_eq!(Quota::named("calls", 5, MINUTE).counted(algorithm), made);
            assert!(!made.shares_counter(&Quota::new("calls", 5, made.window())));
            assert!(Quotas::new([made]).is_ok());
        }
        assert!(!Quota::by_day("calls", 5).shares_counter(&Quota::by_month("calls", 5)));
    }
}
