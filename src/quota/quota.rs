//! A quota: a limit of requests in a window.

use std::time::Duration;

use smol_str::SmolStr;

use super::algorithm::{Algorithm, DAY, LONGEST_MONTH, Per};
use super::failure::OnLimiterFailure;
use super::invalid::InvalidQuota;
use crate::clock::nanoseconds;

/// A limit on the number of requests in a window of time.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{Algorithm, Per, Quota};
///
/// const MINUTE: Quota = Quota::new("minute", 100, Duration::from_secs(60));
/// const BUCKET: Quota = MINUTE.with_algorithm(Algorithm::LeakyBucket).with_per(Per::Key);
/// const MONTH: Quota = Quota::by_month("month", 50_000); // ends with the calendar month, UTC
/// assert_eq!(BUCKET.limit(), 100);
/// assert_eq!(MONTH.algorithm(), Algorithm::CalendarMonth);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    name: SmolStr,
    limit: u32,
    // In nanoseconds, as counters need it.
    window: u64,
    algorithm: Algorithm,
    per: Per,
    shadow: bool,
    on_failure: Option<OnLimiterFailure>,
    name_hash: u64,
    // A hash of what identifies the counter. Every method that changes such a field computes it again.
    identity: u64,
}

impl Quota {
    /// Allows `limit` requests of an account in a fixed window.
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

    /// Allows `limit` requests of an account a day. A day ends at midnight, UTC.
    pub const fn by_day(name: &'static str, limit: u32) -> Self {
        Self::new(name, limit, DAY).with_algorithm(Algorithm::CalendarDay)
    }

    /// Allows `limit` requests of an account a calendar month. A month ends at midnight, UTC.
    pub const fn by_month(name: &'static str, limit: u32) -> Self {
        Self::new(name, limit, LONGEST_MONTH).with_algorithm(Algorithm::CalendarMonth)
    }

    /// Allows `limit` requests of an account in a fixed window, under a name that is known at run time only.
    pub fn named(name: impl AsRef<str>, limit: u32, window: Duration) -> Self {
        let name_hash = fnv1a(name.as_ref().as_bytes());
        let quota = Self { name: SmolStr::new(name), name_hash, ..Self::new("", limit, window) };
        quota.identified()
    }

    /// Sets the algorithm. A calendar algorithm also sets the window.
    pub const fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        if let Some(period) = algorithm.period() {
            self.window = nanoseconds(period);
        }
        self.identified()
    }

    /// Sets whose requests are counted together.
    pub const fn with_per(mut self, per: Per) -> Self {
        self.per = per;
        self.identified()
    }

    /// Puts the quota in shadow: it counts requests and refuses none. So you can see what a limit would refuse
    /// before you enforce it.
    ///
    /// The quota takes the cost of a request if it has room and the other quotas let the request pass. Limit
    /// headers do not show it. The gate reports what it would refuse to
    /// [`Observer::would_refuse`](crate::Observer::would_refuse).
    pub const fn in_shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    /// Sets what happens while the limiter cannot answer, in place of the gate's choice for all quotas.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use std::time::Duration;
    /// use tower_api_key::quota::{OnLimiterFailure, Quota, Share};
    ///
    /// // The paid quota of a month refuses. Each of the three nodes limits bursts by itself.
    /// const MONTH: Quota = Quota::by_month("month", 50_000).with_failure_choice(OnLimiterFailure::Deny);
    /// const NODES: Share = Share::of(NonZeroU32::new(3).unwrap());
    /// const SECOND: Quota = Quota::new("second", 30, Duration::from_secs(1))
    ///     .with_failure_choice(OnLimiterFailure::Local(NODES));
    /// assert_eq!(SECOND.failure_choice(), Some(OnLimiterFailure::Local(NODES)));
    /// ```
    pub const fn with_failure_choice(mut self, choice: OnLimiterFailure) -> Self {
        self.on_failure = Some(choice);
        self
    }

    /// Returns the same quota with another limit.
    pub(crate) const fn limited_to(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Returns the name. `RateLimit-Policy` shows it, and quotas of different names have different counters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the requests allowed in a window.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns the length of the window. For a calendar month this is the longest, 31 days.
    pub const fn window(&self) -> Duration {
        Duration::from_nanos(self.window)
    }

    /// Returns the length of the window in nanoseconds.
    pub const fn window_nanoseconds(&self) -> u64 {
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

    /// Returns true if the quota is in shadow, so that it refuses no request.
    pub const fn is_in_shadow(&self) -> bool {
        self.shadow
    }

    /// Returns what happens while the limiter cannot answer; `None` if the gate decides.
    pub const fn failure_choice(&self) -> Option<OnLimiterFailure> {
        self.on_failure
    }

    /// Returns true if two quotas share a counter: same name, window, algorithm and [`Per`]. The limit, the
    /// shadow and the failure choice may differ, so that an account keeps its count when its plan changes.
    pub const fn shares_counter(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// Returns a hash of what identifies the counter: name, window, algorithm and [`Per`]. 64 bits are enough
    /// for the few quotas of one account, because no client chooses their names.
    pub const fn identity(&self) -> u64 {
        self.identity
    }

    const fn identified(mut self) -> Self {
        let kind = self.algorithm as u64 * 2 + self.per as u64;
        self.identity = mix(mix(self.name_hash, self.window), kind);
        self
    }

    pub(crate) fn check(&self) -> Result<(), InvalidQuota> {
        let key = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let problem = if self.name.is_empty() || !self.name.bytes().all(key) {
            // The name becomes an RFC 9651 String in `RateLimit-Policy`.
            "the name must be visible ASCII without quote or backslash"
        } else if self.limit == 0 {
            "the limit must be at least 1: set 1 or more, or disable the key to admit no request"
        } else if self.window() < Duration::from_secs(1) {
            "the window must be at least one second"
        } else if self.window() > Duration::from_secs(366 * 24 * 3600) {
            "the window must be at most 366 days"
        } else {
            return Ok(());
        };
        Err(InvalidQuota::new(self.name(), problem))
    }
}

/// Hashes a name in the manner of FNV-1a. It can run in a constant.
#[expect(
    clippy::indexing_slicing,
    reason = "below the length; a constant function has no iterators"
)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quotas;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_changed_limit_keeps_the_counter() {
        let quota = Quota::new("minute", 100, MINUTE);
        assert!(quota.shares_counter(&Quota::named("minute", 200, MINUTE)));
        assert!(
            quota.shares_counter(&quota.clone().in_shadow()),
            "and so does one that is enforced"
        );
        assert!(!quota.shares_counter(&Quota::new("hour", 100, MINUTE)));
        assert!(!quota.shares_counter(&quota.clone().with_per(Per::Key)));
        assert!(!quota.shares_counter(&quota.clone().with_algorithm(Algorithm::LeakyBucket)));
        assert!(!quota.shares_counter(&Quota::new("minute", 100, 2 * MINUTE)));
    }

    #[test]
    fn no_two_kinds_of_quota_share_a_counter() {
        let kinds =
            || Algorithm::ALL.into_iter().flat_map(|it| [(it, Per::Account), (it, Per::Key)]);
        let quota = |(algorithm, per)| {
            Quota::new("calls", 5, MINUTE).with_algorithm(algorithm).with_per(per)
        };
        for (place, kind) in kinds().enumerate() {
            for (other_place, other) in kinds().enumerate() {
                let shared = quota(kind).shares_counter(&quota(other));
                assert_eq!(shared, place == other_place, "{kind:?} {other:?}");
            }
        }
    }

    #[test]
    fn windows_limits_and_names_have_bounds() {
        let longest = Duration::from_secs(366 * 24 * 3600);
        let nanosecond = Duration::from_nanos(1);
        for (name, limit, window, is_valid) in [
            ("minute", 1, MINUTE, true),
            ("minute", u32::MAX, MINUTE, true),
            ("minute", 0, MINUTE, false),
            ("second", 1, Duration::from_secs(1), true),
            ("second", 1, Duration::from_nanos(999_999_999), false),
            ("year", 1, longest, true),
            ("year", 1, longest + nanosecond, false),
            ("", 1, MINUTE, false),
            ("a b", 1, MINUTE, false),
            ("a\"b", 1, MINUTE, false),
            ("a\\b", 1, MINUTE, false),
            ("é", 1, MINUTE, false),
            ("!#[]~", 1, MINUTE, true),
        ] {
            let quota = Quota::named(name, limit, window);
            assert_eq!(quota.check().is_ok(), is_valid, "{quota:?}");
        }
    }

    #[test]
    fn a_calendars_quota_is_the_same_however_it_is_made() {
        for (made, algorithm, seconds) in [
            (Quota::by_day("calls", 5), Algorithm::CalendarDay, 86_400),
            (Quota::by_month("calls", 5), Algorithm::CalendarMonth, 2_678_400),
        ] {
            assert_eq!(made.window(), Duration::from_secs(seconds));
            assert_eq!(algorithm.period(), Some(made.window()));
            assert_eq!(Quota::named("calls", 5, MINUTE).with_algorithm(algorithm), made);
            assert!(!made.shares_counter(&Quota::new("calls", 5, made.window())));
            assert!(Quotas::new([made]).is_ok());
        }
        assert!(!Quota::by_day("calls", 5).shares_counter(&Quota::by_month("calls", 5)));
    }
}
