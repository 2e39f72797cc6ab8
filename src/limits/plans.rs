//! Plans: named sets of quotas, which a program can change while it serves.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::key::{InvalidRecord, KeyRecord, PlanName};
use crate::quota::{HeldQuotas, Quota, Quotas, StripedQuotas};

/// Named sets of quotas, for [accounts that are on a plan](crate::key::AccountBuilder::plan).
///
/// Clones share the sets. A change counts from the next request on. A quota that keeps its name, window and
/// algorithm keeps its counters. So if its limit is raised, an account keeps what it has used.
///
/// A limiter cannot count an account whose plan is not in the set. The gate then decides as for a limiter
/// that fails, by its own [`OnLimiterFailure`](crate::quota::OnLimiterFailure), and calls the observer.
/// `Local` refuses the request, because the share of an unknown limit is unknown, too. Under `Allow`, the
/// quotas of the route still decide, each by its own choice.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::key::Account;
/// use tower_api_key::limits::{MemoryLimiter, Plans};
/// use tower_api_key::quota::{OnLimiterFailure, Quota};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let minute = |limit| [Quota::new("minute", limit, Duration::from_secs(60))];
/// let plans = Plans::new();
/// plans.set("free", minute(10))?;
///
/// let acme = Account::builder("acme").plan("free").build()?;
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
///     .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
///     .plans(plans.clone())
///     .build()?;
///
/// plans.set("free", minute(20))?; // while the layer serves
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Plans(Arc<ArcSwap<HashMap<PlanName, StripedQuotas>>>);

impl Plans {
    /// Creates an empty set of plans.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a plan, or replaces its quotas. A plan without quotas limits nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the name or a quota is not valid. The plans stay as they were.
    pub fn set(
        &self,
        name: impl AsRef<str>,
        quotas: impl IntoIterator<Item = Quota>,
    ) -> Result<(), InvalidRecord> {
        self.set_all([(name, quotas)])
    }

    /// Adds plans, or replaces their quotas, in one step: no request sees some of them only.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::{limits::Plans, quota::Quota};
    ///
    /// let minute = |limit| [Quota::new("minute", limit, Duration::from_secs(60))];
    /// let plans = Plans::new();
    /// plans.set_all([("free", minute(10)), ("team", minute(600))])?;
    /// assert!(plans.quotas("team").is_some());
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if a name or a quota is not valid. The plans stay as they were.
    pub fn set_all<N, Q>(
        &self,
        plans: impl IntoIterator<Item = (N, Q)>,
    ) -> Result<(), InvalidRecord>
    where
        N: AsRef<str>,
        Q: IntoIterator<Item = Quota>,
    {
        let checked = |(name, quotas): (N, Q)| {
            Ok((PlanName::new(name)?, StripedQuotas::from(Quotas::new(quotas)?)))
        };
        let added: Vec<_> = plans.into_iter().map(checked).collect::<Result<_, InvalidRecord>>()?;
        self.change(|plans| plans.extend(added.iter().cloned()));
        Ok(())
    }

    /// Removes a plan. Returns true if there was a plan of this name.
    pub fn remove(&self, name: &str) -> bool {
        let mut removed = false;
        self.change(|plans| removed = plans.remove(name).is_some());
        removed
    }

    /// Returns the quotas of a plan; `None` if there is no plan of this name.
    pub fn quotas(&self, name: &str) -> Option<Quotas> {
        self.0.load().get(name).map(|plan| plan.quotas().clone())
    }

    /// Lists the plans in the order of their names, each with its quotas.
    ///
    /// ```
    /// use tower_api_key::limits::Plans;
    ///
    /// let plans = Plans::new();
    /// plans.set("free", [])?;
    /// assert_eq!(plans.all()[0].0.as_str(), "free");
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    pub fn all(&self) -> Vec<(PlanName, Quotas)> {
        let plans = self.0.load();
        let mut all: Vec<_> =
            plans.iter().map(|(name, plan)| (name.clone(), plan.quotas().clone())).collect();
        all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    /// Returns the quotas of each plan.
    pub(crate) fn sets(&self) -> Vec<Quotas> {
        self.0.load().values().map(|plan| plan.quotas().clone()).collect()
    }

    /// Returns a plan's quotas, held by the reference count of this thread.
    fn find(&self, name: &str) -> Option<HeldQuotas> {
        self.0.load().get(name).map(StripedQuotas::hold)
    }

    fn change<T>(&self, mut change: impl FnMut(&mut HashMap<PlanName, StripedQuotas>) -> T) {
        self.0.rcu(|plans| {
            let mut plans = HashMap::clone(plans);
            change(&mut plans);
            plans
        });
    }
}

impl fmt::Debug for Plans {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plans = self.0.load();
        let quotas = plans.iter().map(|(name, plan)| (name, plan.as_slice()));
        formatter.debug_map().entries(quotas).finish()
    }
}

/// The plan of a request's account, as it was when the request was judged. Its limits may change before the
/// response shows them.
#[derive(Debug, Clone, Default)]
pub(crate) enum Plan {
    /// The account is on no plan, or has quotas of its own.
    #[default]
    None,
    /// The account is on a plan with these quotas.
    Known(HeldQuotas),
    /// The account names a plan that the layer does not have.
    Unknown,
}

/// The error for an account on an unknown plan, whose requests cannot be counted.
#[derive(Debug, thiserror::Error)]
#[error("the account is on a plan that the layer does not have: add the plan with `Plans::set`")]
pub(crate) struct UnknownPlan;

impl Plan {
    /// Looks up the plan of a record's account.
    pub(crate) fn of(record: &KeyRecord, plans: Option<&Plans>) -> Self {
        let Some(name) = record.plan() else { return Self::None };
        let quotas = plans.and_then(|plans| plans.find(name.as_str()));
        quotas.map_or(Self::Unknown, Self::Known)
    }

    /// Returns the plan's quotas, `None` without a known plan.
    pub(crate) fn quotas(&self) -> Option<&[Quota]> {
        match self {
            Self::Known(quotas) => Some(quotas.as_slice()),
            Self::None | Self::Unknown => None,
        }
    }

    /// Returns true if the layer does not have the account's plan.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn minute(limit: u32) -> [Quota; 1] {
        [Quota::new("minute", limit, Duration::from_secs(60))]
    }

    #[test]
    fn an_invalid_plan_changes_nothing() {
        let plans = Plans::new();
        plans.set("free", minute(5)).unwrap();
        for (name, quotas) in [("two words", minute(1)), ("", minute(1)), ("free", minute(0))] {
            assert!(
                plans.set_all([("team", minute(9)), (name, quotas.clone())]).is_err(),
                "{name}"
            );
            assert!(plans.set(name, quotas).is_err(), "{name}");
        }
        assert!(plans.quotas("team").is_none(), "of a list with a mistake, nothing is added");
        assert_eq!(plans.quotas("free").unwrap().as_slice(), minute(5));
        let shown = format!("{plans:?}");
        assert!(shown.contains("free") && shown.contains("minute"), "{shown}");
        assert!(plans.remove("free") && !plans.remove("free") && plans.quotas("free").is_none());
    }

    #[test]
    fn clones_share_the_sets_and_no_change_is_lost() {
        let plans = Plans::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let plans = plans.clone();
                scope.spawn(move || {
                    (1..=100).for_each(|limit| {
                        plans.set(format!("{thread}-{limit}"), minute(limit)).unwrap();
                    });
                });
            }
        });
        assert_eq!(plans.0.load().len(), 400);
    }
}
