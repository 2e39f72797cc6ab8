//! The decision about a request, for layers outside of the gate.

use std::fmt;

use crate::error::Denial;
use crate::key::{AccountId, KeyId, SharedRecord};

/// The decision about a request, and whose request it was.
///
/// A gate puts it into the extensions of each response if its builder calls
/// [`decision_in_response`](crate::ApiKeyLayerBuilder::decision_in_response). It holds no secret. A layer outside
/// of the gate can log it, but must not copy it into what clients see.
///
/// tower-http's `TraceLayer` runs outside of the gate. Its span gets both the account and the decision:
///
/// ```
/// use http::Response;
/// use tower_api_key::decision::GateDecision;
///
/// // TraceLayer::new_for_http()
/// //     .make_span_with(|_: &Request<_>| info_span!("request", account = Empty, decision = Empty))
/// //     .on_response(log)
/// # #[cfg(feature = "tracing")]
/// fn log<B>(response: &Response<B>, latency: std::time::Duration, span: &tracing::Span) {
///     if let Some(decision) = response.extensions().get::<GateDecision>() {
///         span.record("decision", decision.name());
///         span.record("account", decision.account().map(tracing::field::display));
///     }
///     tracing::info!(status = response.status().as_u16(), ?latency);
/// }
/// ```
#[derive(Clone)]
pub struct GateDecision {
    outcome: DecisionOutcome,
    principal: Option<SharedRecord>,
}

/// How the gate decided.
#[derive(Debug, Clone)]
enum DecisionOutcome {
    Passed,
    Preflight,
    Refused(Denial),
}

impl GateDecision {
    /// States that a request passed. `principal` is `None` for an anonymous request.
    pub(crate) const fn admitted(principal: Option<SharedRecord>) -> Self {
        Self { outcome: DecisionOutcome::Passed, principal }
    }

    /// States that a preflight passed, or was answered.
    pub(crate) const fn preflight() -> Self {
        Self { outcome: DecisionOutcome::Preflight, principal: None }
    }

    /// States that a request was refused. `principal` is the record of a valid key.
    pub(crate) const fn refused(denial: Denial, principal: Option<SharedRecord>) -> Self {
        Self { outcome: DecisionOutcome::Refused(denial), principal }
    }

    /// Returns the name of the decision, for logs and metrics: `admitted`, `anonymous` for an admitted request
    /// without a key, `preflight`, or the [name of the denial](Denial::name).
    pub const fn name(&self) -> &'static str {
        match (&self.outcome, &self.principal) {
            (DecisionOutcome::Passed, Some(_)) => "admitted",
            (DecisionOutcome::Passed, None) => "anonymous",
            (DecisionOutcome::Preflight, _) => "preflight",
            (DecisionOutcome::Refused(denial), _) => denial.name(),
        }
    }

    /// Returns the reason why the gate, the handler or the time budget refused the request; `None` if it passed.
    pub const fn denial(&self) -> Option<&Denial> {
        match &self.outcome {
            DecisionOutcome::Refused(denial) => Some(denial),
            DecisionOutcome::Passed | DecisionOutcome::Preflight => None,
        }
    }

    /// Returns the account whose valid key the request had, also for a refused request.
    pub fn account(&self) -> Option<&AccountId> {
        Some(self.principal.as_ref()?.account().id())
    }

    /// Returns the id of the request's valid key, which is not secret.
    pub fn key_id(&self) -> Option<&KeyId> {
        Some(self.principal.as_ref()?.id())
    }
}

impl fmt::Display for GateDecision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Debug for GateDecision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GateDecision")
            .field("name", &self.name())
            .field("account", &self.account())
            .field("key_id", &self.key_id())
            .finish()
    }
}
