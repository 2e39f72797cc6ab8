//! The quotas that apply to a request.

use super::algorithm::Per;
use super::quota::Quota;

/// The quotas that apply to a request.
///
/// A route's quota never shares a counter with an account's quota of the same name. If two routes name the same
/// quota, they share its counter.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{AppliedQuotas, Quota};
///
/// let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
/// let (general, route) = ([Quota::new("hour", 5_000, hour)], [Quota::new("minute", 10, minute)]);
/// let quotas = AppliedQuotas { general: &general, route: &route };
/// assert!(quotas.iter().eq([(&general[0], false), (&route[0], true)]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct AppliedQuotas<'a> {
    /// The key's quotas. Without them, those of its account, then of the account's plan, then of the profile.
    pub general: &'a [Quota],
    /// The route's quotas.
    pub route: &'a [Quota],
}

impl<'a> AppliedQuotas<'a> {
    /// Returns the quotas in the order of [`Verdict::statuses`](super::Verdict::statuses), each with true if
    /// it is a quota of the route. The quotas of the route come last.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Quota, bool)> + Clone + use<'a> {
        let general = self.general.iter().map(|quota| (quota, false));
        general.chain(self.route.iter().map(|quota| (quota, true)))
    }

    /// Returns true if a quota counts by `per`.
    pub fn count_by(&self, per: Per) -> bool {
        self.any(|quota| quota.per() == per)
    }

    /// Returns true if all quotas are in shadow, so that none refuses a request.
    pub(crate) fn all_in_shadow(&self) -> bool {
        !self.any(|quota| !quota.is_in_shadow())
    }

    /// Returns true if the predicate is true for a quota.
    pub(crate) fn any(&self, is_true: impl Fn(&Quota) -> bool) -> bool {
        self.general.iter().any(&is_true) || self.route.iter().any(&is_true)
    }

    /// Returns true if no quota applies.
    pub const fn is_empty(&self) -> bool {
        self.general.is_empty() && self.route.is_empty()
    }
}
