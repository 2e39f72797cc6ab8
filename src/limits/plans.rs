//! Quotas by name, which a program changes while it serves.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::key::{InvalidRecord, KeyRecord, PlanName};
use crate::quota::{HeldQuotas, Quota, Quotas, StripedQuotas};

/// Names sets of quotas, for [accounts that are on a plan](crate::key::AccountBuilder::plan). Clones
/// share the sets.
///
/// A change counts from the next request on. A quota that keeps its name, window and algorithm keeps its
/// counters, so an account whose limit is raised goes on from where it stands.
///
/// An account on a plan that is not there cannot be counted: its requests go the way of a limiter that
/// fails, as [`OnLimiterFailure`](crate::quota::OnLimiterFailure) says, and the observer hears of it. What a share
/// of it would be nobody knows, so `Local` refuses them, too; where `Allow` lets them pass, quotas of the
/// route still choose for themselves.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// # use tower_api_key::quota::Quota;
/// # use tower_api_key::limits::MemoryLimiter;
/// # use tower_api_key::quota::OnLimiterFailure;
/// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
/// use std::time::Duration;
/// use tower_api_key::limits::Plans;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = MemoryStore::new();
/// let minute = |limit| [Quota::new("minute", limit, Duration::from_secs(60))];
/// let plans = Plans::new();
/// plans.set("free", minute(1))?;
///
/// let acme = Account::builder("acme").plan("free").build()?;
/// # let record = KeyRecord::builder("key_1", acme).build()?;
/// # store.add_now(KeyHasher::sha256().digest(b"0123456789abcdef"), record);
/// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, store).assume_https();
/// # let builder = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
/// let layer = builder.plans(plans.clone()).build()?;
/// # let service = layer.layer(service_fn(|_: Request<()>| async {
/// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// # }));
/// # let request = || {
/// #     let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef");
/// #     request.header("content-type", "application/json").body(()).unwrap()
/// # };
/// assert_eq!(service.clone().oneshot(request()).await?.status(), 200);
/// assert_eq!(service.clone().oneshot(request()).await?.status(), 429);
///
/// plans.set("free", minute(2))?;
/// assert_eq!(service.oneshot(request()).await?.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Plans(Arc<ArcSwap<HashMap<PlanName, StripedQuotas>>>);

impl Plans {
    /// Starts without any plan.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a plan, or replaces its quotas. A plan without quotas counts nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the name or a quota is not valid; nothing is changed then.
    pub fn set(
        &self,
        name: impl AsRef<str>,
        quotas: impl IntoIterator<Item = Quota>,
    ) -> Result<(), InvalidRecord> {
        let (name, quotas) = (PlanName::new(name)?, Quotas::new(quotas)?);
        let quotas = StripedQuotas::from(quotas);
        self.change(|plans| plans.insert(name.clone(), quotas.clone()));
        Ok(())
    }

    /// Removes a plan. Returns whether there was one of this name.
    pub fn remove(&self, name: &str) -> bool {
        let mut removed = false;
        self.change(|plans| removed = plans.remove(name).is_some());
        removed
    }

    /// Returns the quotas of a plan; `None` if there is none of this name.
    pub fn quotas(&self, name: &str) -> Option<Quotas> {
        self.0.load().get(name).map(|plan| plan.quotas().clone())
    }

    /// Shares the quotas of a plan, under the count that this thread uses.
    /// Returns the quotas of each plan that there is.
    pub(crate) fn sets(&self) -> Vec<Quotas> {
        self.0.load().values().map(|plan| plan.quotas().clone()).collect()
    }

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

/// The plan of a request's account, as it was when the request was judged: its limits may change
/// before the response speaks of them.
#[derive(Debug, Clone, Default)]
pub(crate) enum Plan {
    /// The account is on none, or has quotas of its own.
    #[default]
    None,
    /// It is on one with these quotas.
    Known(HeldQuotas),
    /// It is on one that is not there.
    Unknown,
}

/// Says that an account's requests cannot be counted.
#[derive(Debug, thiserror::Error)]
#[error("the account is on a plan that is not there")]
pub(crate) struct UnknownPlan;

impl Plan {
    /// Looks up the plan of a record's account.
    pub(crate) fn of(record: &KeyRecord, plans: Option<&Plans>) -> Self {
        let Some(name) = record.plan() else { return Self::None };
        let quotas = plans.and_then(|plans| plans.find(name.as_str()));
        quotas.map_or(Self::Unknown, Self::Known)
    }

    /// Returns its quotas.
    pub(crate) fn quotas(&self) -> Option<&[Quota]> {
        match self {
            Self::Known(quotas) => Some(quotas.as_slice()),
            Self::None | Self::Unknown => None,
        }
    }

    /// Tells whether it is not there.
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
    fn what_is_not_valid_changes_nothing() {
        let plans = Plans::new();
        plans.set("free", minute(5)).unwrap();
        for (name, quotas) in [("two words", minute(1)), ("", minute(1)), ("free", minute(0))] {
            assert!(plans.set(name, quotas).is_err(), "{name}");
        }
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
