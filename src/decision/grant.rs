//! The proof that a request passed the gate.

use std::fmt;

use super::extra_cost::{CostError, ExtraCost};
use super::judge::Cleared;
use super::quotas::RequestQuotas;
use crate::error::Denial;
use crate::key::{AccountId, Environment, KeyId, KeyKind, KeyRecord, ScopeSet, SharedRecord};
use crate::quota::{Quota, QuotaStatus, Verdict};
use crate::rules;

/// Proves that a request passed every check, and says who the key speaks for. It reaches the
/// handler in the request's extensions, and can only be made by a gate; in unit tests of a handler also by
/// `testing::grant`, with the feature `testing`.
///
/// ```
/// use tower_api_key::{Denial, Grant};
///
/// fn create_dataset(grant: &Grant, name: &str) -> Result<String, Denial> {
///     grant.require("dataset.write")?; // the vendor's own 403, if not
///     Ok(format!("{}/{name}", grant.account()))
/// }
/// ```
#[derive(Clone)]
pub struct Grant {
    record: SharedRecord,
    verdict: Verdict,
    quotas: RequestQuotas,
    extra: Option<ExtraCost>,
}

impl Grant {
    /// Makes the grant of a request that the rules have cleared; none if the limiter's verdict does
    /// not let it pass.
    pub(crate) fn new(
        _: &Cleared,
        record: &SharedRecord,
        verdict: &Verdict,
        quotas: RequestQuotas,
        extra: Option<&ExtraCost>,
    ) -> Option<Self> {
        let passed = verdict.retry_after().is_none();
        passed.then(|| Self {
            record: record.clone(),
            verdict: verdict.clone(),
            quotas,
            extra: extra.cloned(),
        })
    }

    /// Makes a grant without a gate.
    #[cfg(feature = "testing")]
    pub(crate) fn for_tests(record: SharedRecord) -> Self {
        Self {
            record,
            verdict: Verdict::passed(),
            quotas: RequestQuotas::default(),
            extra: Some(ExtraCost::default()),
        }
    }

    /// Returns the account that the key speaks for. Object ids of a request are to be looked up
    /// within it, and nowhere else.
    pub fn account(&self) -> &AccountId {
        self.record.account().id()
    }

    /// Returns the key's name, for logs; it is not secret.
    pub fn key_id(&self) -> &KeyId {
        self.record.id()
    }

    /// Returns the environment of the key, if it has one.
    pub fn environment(&self) -> Option<&Environment> {
        self.record.environment()
    }

    /// Returns the kind of the key, if it has one.
    pub fn kind(&self) -> Option<&KeyKind> {
        self.record.kind()
    }

    /// Returns the permissions of the key, its own or inherited.
    pub fn scopes(&self) -> &ScopeSet {
        self.record.scopes()
    }

    /// Returns the whole record, as it was when the request came.
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Returns how the account stands under its quotas after this request, in the order of the
    /// quotas: the key's, account's or profile's first, then the route's.
    pub fn statuses(&self) -> &[QuotaStatus] {
        self.verdict.statuses()
    }

    /// Lists the quotas of this request, and how the account stands under each: those that limit
    /// headers speak of, so none in shadow, and none that the limiter could not be asked about. A route of
    /// [cost](crate::rules::Route::cost) 0 tells them without taking anything.
    ///
    /// ```
    /// use tower_api_key::Grant;
    ///
    /// fn rate_limits(grant: &Grant) -> String {
    ///     let lines = grant.limits().map(|(quota, status)| {
    ///         format!("{}: {} of {} left", quota.name(), status.remaining(), quota.limit())
    ///     });
    ///     lines.collect::<Vec<_>>().join("\n")
    /// }
    /// ```
    pub fn limits(&self) -> impl Iterator<Item = (&Quota, QuotaStatus)> {
        let quotas = self.quotas.of(&self.record);
        let statuses = self.statuses().iter().copied();
        let limits = quotas.iter().map(|(quota, _)| quota).zip(statuses).enumerate();
        let limits = limits.filter(|(index, _)| self.verdict.speaks_of(*index));
        limits.map(|(_, limit)| limit)
    }

    /// Adds to the cost of this request, once the handler knows what it took. It is taken from all
    /// quotas when the handler has answered, also from one without room: the request was served, and
    /// the next ones pay. Limit headers speak of what is left then. Clones add to the same request.
    ///
    /// What was added is taken whatever the service does afterwards: answer, refuse, fail, take too
    /// long. If the client hangs up before that, it is taken if the limiter answers at once, as one in
    /// memory does, or does not need to be waited for, as the one in Redis. A request that is not
    /// counted, for want of quotas or a limiter, can be added to, and nothing comes of it.
    ///
    /// # Errors
    ///
    /// [`CostError`] if the route is not [metered](crate::rules::Route::metered), or the response is on
    /// its way.
    pub fn add_cost(&self, cost: u32) -> Result<(), CostError> {
        self.extra.as_ref().ok_or(CostError::NotMetered)?.add(cost)
    }

    /// Asks for a permission that only the handler knows to be needed. Returned from an axum
    /// handler with `?`, the denial becomes the vendor's own 403; other services answer with
    /// [`refusal`](crate::refusal).
    ///
    /// # Errors
    ///
    /// [`Denial::ScopeMissing`] if the key does not have it.
    pub fn require(&self, scope: &str) -> Result<(), Denial> {
        rules::has_scopes(self.scopes(), &[scope], None)
    }

    /// Asks for one permission of several. An empty list is refused: no key has one of none.
    ///
    /// # Errors
    ///
    /// [`Denial::ScopeMissing`] if the key has none of them.
    pub fn require_any(&self, scopes: &[&str]) -> Result<(), Denial> {
        rules::has_scopes(self.scopes(), &[], Some(scopes))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Grant")
            .field("account", self.account())
            .field("key_id", self.key_id())
            .finish_non_exhaustive()
    }
}
