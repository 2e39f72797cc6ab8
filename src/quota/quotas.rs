//! A checked set of quotas.

use std::sync::Arc;

use super::invalid::InvalidQuota;
use super::quota::Quota;

/// The most quotas in one set, 4. At most two sets apply to a request: a general one, and that of the route.
pub const MAX_QUOTAS: usize = 4;

/// A set of at most [`MAX_QUOTAS`] quotas, all of which a request must meet.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::quota::{Quota, Quotas};
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
    /// [`InvalidQuota`] if a quota
    ///
    /// * has a limit of 0 requests;
    /// * has a window under 1 s or over 366 days;
    /// * has a name that is empty, or that the header `RateLimit-Policy` cannot carry;
    /// * has the same name as another quota of the set;
    /// * is the fifth of the set.
    pub fn new(quotas: impl IntoIterator<Item = Quota>) -> Result<Self, InvalidQuota> {
        let quotas = Self::unchecked(quotas.into_iter().collect());
        quotas.check()?;
        Ok(quotas)
    }

    /// Checks that the quotas can stand in one set; see [`new`](Self::new).
    pub(crate) fn check(&self) -> Result<(), InvalidQuota> {
        let quotas = self.as_slice();
        for (index, quota) in quotas.iter().enumerate() {
            quota.check()?;
            let refuse = |problem| InvalidQuota::new(quota.name(), problem);
            if index >= MAX_QUOTAS {
                return Err(refuse("a set holds at most four quotas: remove the others"));
            }
            if quotas.iter().take(index).any(|q| q.name() == quota.name()) {
                return Err(refuse("the name appears twice in one set: rename one of the two"));
            }
        }
        Ok(())
    }

    /// Collects quotas that the caller has checked, or checks later.
    pub(crate) fn unchecked(quotas: Vec<Quota>) -> Self {
        Self((!quotas.is_empty()).then(|| Arc::new(quotas)))
    }

    /// Returns the quotas in the order given.
    pub fn as_slice(&self) -> &[Quota] {
        self.0.as_ref().map_or(&[], |quotas| quotas.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}
