//! The proof that a request passed the gate.

use std::fmt;
use std::sync::Arc;

use super::extra_cost::{CostError, ExtraCost};
use super::judge::Cleared;
use super::quotas::RequestQuotas;
use crate::concurrency::{Permit, PermitGone, PermitReference};
use crate::error::Denial;
use crate::key::{AccountId, Environment, KeyId, KeyKind, KeyRecord, ScopeSet, SharedRecord};
use crate::quota::{Quota, QuotaStatus, Verdict};
use crate::rules::{self, CompiledScopes, HeldScopes};

/// The proof that a request passed every check of a gate, with the key's account and permissions.
///
/// A gate puts the grant into the request's extensions. With the feature `axum` a handler takes the grant as
/// an argument. Only a gate can make a grant; for unit tests of a handler `testing::grant` (feature
/// `testing`) makes one, too.
///
/// ```
/// use tower_api_key::{Denial, Grant};
///
/// fn create_dataset(grant: &Grant, name: &str) -> Result<String, Denial> {
///     grant.require("dataset.write")?; // otherwise the client gets the vendor's 403
///     Ok(format!("{}/{name}", grant.account()))
/// }
/// ```
#[derive(Clone)]
pub struct Grant {
    record: SharedRecord,
    verdict: Verdict,
    quotas: RequestQuotas,
    extra: Option<ExtraCost>,
    permit: Option<PermitReference>,
    /// How the gate reads the scopes of keys.
    scopes: Option<Arc<CompiledScopes>>,
}

impl Grant {
    /// Makes the grant of a request that the rules have cleared. Returns `None` if the limiter's verdict
    /// refuses the request.
    pub(crate) fn new(
        _: &Cleared,
        record: &SharedRecord,
        verdict: &Verdict,
        quotas: RequestQuotas,
        extra: Option<&ExtraCost>,
        permit: Option<&Permit>,
        scopes: Option<&Arc<CompiledScopes>>,
    ) -> Option<Self> {
        let passed = verdict.retry_after().is_none();
        passed.then(|| Self {
            record: record.clone(),
            verdict: verdict.clone(),
            quotas,
            extra: extra.cloned(),
            permit: permit.map(Permit::reference),
            scopes: scopes.cloned(),
        })
    }

    /// Makes a grant without a gate, for unit tests.
    #[cfg(feature = "testing")]
    pub(crate) fn for_tests(record: SharedRecord) -> Self {
        Self {
            record,
            verdict: Verdict::passed(),
            quotas: RequestQuotas::default(),
            extra: Some(ExtraCost::new(true)),
            permit: None,
            scopes: None,
        }
    }

    /// Returns the account of the key. Look up every object id of the request within this account, and
    /// never across accounts.
    pub fn account(&self) -> &AccountId {
        self.record.account().id()
    }

    /// Returns the id of the key, which is not secret and can be logged.
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

    /// Returns the scopes of the key: its own, or those of its account. They are listed as the record has them.
    /// What they grant by [`ScopeRules`](crate::rules::ScopeRules) and [`Roles`](crate::rules::Roles) is not among
    /// them, so ask [`has_scope`](Self::has_scope) or [`require`](Self::require).
    pub fn scopes(&self) -> &ScopeSet {
        self.record.scopes()
    }

    /// Returns the key's record, as it was when the gate judged the request.
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Returns what is left of each quota after this request. The quotas of the key, its account, its plan
    /// or the profile come first, then those of the route. [`limits`](Self::limits) names the quotas.
    pub fn statuses(&self) -> &[QuotaStatus] {
        self.verdict.statuses()
    }

    /// Lists the quotas of this request, with what is left of each: the same quotas as in limit headers.
    /// Quotas in shadow are left out, and quotas about which the limiter could not answer. A route of
    /// [cost](crate::rules::Route::cost) 0 can report them without taking anything.
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
    ///
    /// A handler warns its client before a quota is used up:
    ///
    /// ```
    /// use http::{HeaderValue, Response};
    /// use tower_api_key::Grant;
    ///
    /// fn warn<B>(grant: &Grant, response: &mut Response<B>) {
    ///     let mut near = grant.limits().filter(|(_, status)| status.is_near_limit(0.8));
    ///     if let Some((quota, _)) = near.next()
    ///         && let Ok(name) = HeaderValue::from_str(quota.name())
    ///     {
    ///         response.headers_mut().insert("x-quota-warning", name);
    ///     }
    /// }
    /// ```
    pub fn limits(&self) -> impl Iterator<Item = (&Quota, QuotaStatus)> {
        self.verdict.spoken_of(self.quotas.of(&self.record))
    }

    /// Adds to the cost of this request, in the same units as [`Route::cost`](crate::rules::Route::cost). Call
    /// this method when the handler knows how much work the request was.
    ///
    /// The gate takes the added cost from all quotas when the handler has ended, even from a quota without
    /// room: the request was served, so later requests have to wait. The limit headers of the response
    /// include the added cost. Clones of a grant add to the same request.
    ///
    /// The gate takes the added cost however the handler ends: it answers, refuses, fails or exceeds its time
    /// budget. If the client hangs up first, the gate takes the cost only with a limiter that needs no wait: one
    /// that answers at once, as [`MemoryLimiter`](crate::limits::MemoryLimiter) does, or one that completes
    /// without being polled, as `RedisLimiter` does. If no quota or no limiter counts the request, the call
    /// succeeds and has no effect.
    ///
    /// # Errors
    ///
    /// [`CostError::NotMetered`] if the route is not [metered](crate::rules::Route::metered);
    /// [`CostError::Settled`] if the handler has ended.
    pub fn add_cost(&self, cost: u32) -> Result<(), CostError> {
        self.extra.as_ref().ok_or(CostError::NotMetered)?.add(cost)
    }

    /// Gives a part of this request's cost back, in the same units as [`Route::cost`](crate::rules::Route::cost).
    /// Call this method when the request was less work than its cost, or failed for a reason that the client
    /// should not pay for.
    ///
    /// The gate settles the sum of all added and refunded costs when the handler has ended. It gives back at most
    /// the cost of the route, and only what still counts: nothing of a window that has ended since, and nothing of
    /// what a leaky bucket has drained. The limit headers of the response include the refund. If the handler
    /// refuses, fails or exceeds its time budget, the refund stays. If the client hangs up, the gate gives nothing
    /// back. What the gate has counted in this process, because the limiter could not answer, is given back here.
    ///
    /// [`Route::refund_on`](crate::rules::Route::refund_on) refunds by the status of the response.
    ///
    /// ```
    /// use tower_api_key::Grant;
    /// use tower_api_key::decision::CostError;
    ///
    /// /// Exports up to 10 pages; the route costs 10.
    /// fn export(grant: &Grant, pages: u32) -> Result<(), CostError> {
    ///     grant.refund(10_u32.saturating_sub(pages))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CostError::NotMetered`] if the route is not [metered](crate::rules::Route::metered);
    /// [`CostError::NotRefundable`] if the limiter gives nothing back; [`CostError::Settled`] if the handler has
    /// ended.
    pub fn refund(&self, cost: u32) -> Result<(), CostError> {
        self.extra.as_ref().ok_or(CostError::NotMetered)?.refund(cost)
    }

    /// Gives all of this request's cost back, and drops what was or will be added to it. See
    /// [`refund`](Self::refund).
    ///
    /// # Errors
    ///
    /// As [`refund`](Self::refund).
    pub fn refund_all(&self) -> Result<(), CostError> {
        self.extra.as_ref().ok_or(CostError::NotMetered)?.refund_all()
    }

    /// Returns a handle of the request's permit, for work that goes on after the response. The permit of
    /// simultaneous requests is given back when the response's body has ended or was dropped, and all handles are
    /// dropped. Without a call, the permit of a WebSocket is given back right after the handshake.
    ///
    /// Call this method before the handler returns its response, and move the handle into the task that serves the
    /// socket. Returns `None` if the route has no limit of
    /// [simultaneous requests](crate::rules::Route::concurrency). A grant holds no permit, however long it or a clone
    /// of it lives.
    ///
    /// While the concurrency limiter cannot answer, [`OnLimiterFailure::Allow`](crate::quota::OnLimiterFailure) admits
    /// requests without a permit, and `Local` with one of this process. Their sockets do not count when the limiter
    /// answers again.
    ///
    /// ```
    /// use tower_api_key::Grant;
    /// use tower_api_key::concurrency::PermitGone;
    ///
    /// # async fn chat() {}
    /// fn serve_socket(grant: &Grant) -> Result<(), PermitGone> {
    ///     let permit = grant.permit()?;
    ///     tokio::spawn(async move {
    ///         chat().await;
    ///         drop(permit); // the account may open its next socket
    ///     });
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`PermitGone`] if the permit was given back already, because the response was sent before the call.
    pub fn permit(&self) -> Result<Option<Permit>, PermitGone> {
        let Some(reference) = &self.permit else { return Ok(None) };
        reference.permit().map(Some).ok_or(PermitGone)
    }

    /// Requires a scope, for needs that only the handler knows. An axum handler returns the denial with
    /// `?`, and the client gets the vendor's 403. Other services return [`refusal`](crate::refusal).
    ///
    /// Each call reads the gate's [`Roles`](crate::rules::Roles) once, as they are at that moment.
    ///
    /// # Errors
    ///
    /// [`Denial::ScopeMissing`] if the key does not have the scope.
    pub fn require(&self, scope: &str) -> Result<(), Denial> {
        rules::has_scopes(&self.held_scopes(), &[scope], None, None)
    }

    /// Requires at least one of several scopes, all by one reading of the gate's [`Roles`](crate::rules::Roles).
    ///
    /// # Errors
    ///
    /// [`Denial::ScopeMissing`] if the key has none of the scopes, or the list is empty.
    pub fn require_any(&self, scopes: &[&str]) -> Result<(), Denial> {
        rules::has_scopes(&self.held_scopes(), &[], Some(scopes), None)
    }

    /// Returns true if the key has this scope, or a scope or a role that grants it. Use it where a missing scope
    /// changes the answer and does not refuse the request.
    ///
    /// ```
    /// use tower_api_key::Grant;
    ///
    /// fn profile(grant: &Grant) -> &'static str {
    ///     if grant.has_scope("email.read") { "name and address" } else { "name" }
    /// }
    /// ```
    pub fn has_scope(&self, scope: &str) -> bool {
        self.held_scopes().contains(scope)
    }

    fn held_scopes(&self) -> HeldScopes<'_> {
        HeldScopes::new(self.scopes(), self.scopes.as_deref())
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
