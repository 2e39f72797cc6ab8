//! The quotas that apply to a request.

use super::algorithm::Per;
use super::quota::Quota;

/// Lists the quotas that apply to a request. A route's quota never shares a counter with an
/// account's of the same name; routes that name the same quota share one.
///
/// ```
/// # use std::time::Duration;
/// # use tower_api_key::quota::Quota;
/// use tower_api_key::quota::AppliedQuotas;
///
/// let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
/// let (general, route) = ([Quota::new("hour", 5_000, hour)], [Quota::new("minute", 10, minute)]);
/// let quotas = AppliedQuotas { general: &general, route: &route };
/// assert!(quotas.iter().eq([(&general[0], false), (&route[0], true)]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct AppliedQuotas<'a> {
    /// The key's quotas, else its account's, else the profile's.
    pub general: &'a [Quota],
    /// The route's quotas.
    pub route: &'a [Quota],
}

impl<'a> AppliedQuotas<'a> {
    /// Lists the quotas in the order of [`Verdict::statuses`](super::Verdict::statuses), the route's ones last, each with
    /// whether it is the route's.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Quota, bool)> + Clone + use<'a> {
        let general = self.general.iter().map(|quota| (quota, false));
        general.chain(self.route.iter().map(|quota| (quota, true)))
    }

    /// Returns true if some quota counts per account, or per key, as asked.
    pub fn count_by(&self, per: Per) -> bool {
        self.any(|quota| quota.per() == per)
    }

    /// Tells whether no quota refuses anything.
    pub(crate) fn all_in_shadow(&self) -> bool {
        !self.any(|quota| !quota.is_in_shadow())
    }

    /// Tells whether something is true of some quota.
    pub(crate) fn any(&self, is_true: impl Fn(&Quota) -> bool) -> bool {
        self.general.iter().any(&is_true) || self.route.iter().any(&is_true)
    }

    /// Tells whether no quota applies.
    pub const fn is_empty(&self) -> bool {
        self.general.is_empty() && self.route.is_empty()
    }
}
