//! The denials that a gate can answer to requests of an operation.

use super::gate::{DescribedGate, DescribedLimits};
use super::gated_operation::GatedOperation;
use super::sample::WAIT;
use crate::error::{Denial, NeededScopes};
use crate::profile::Scheme;
use crate::request::Head;
use crate::response::TableIndex;
use crate::rules::{Accepted, Demand, RouteNeeds};

/// A denial that a request of an operation can get.
#[derive(Debug, Clone)]
pub(super) struct PossibleDenial {
    /// The name in a list of examples.
    pub(super) name: String,
    /// When the gate answers with it.
    pub(super) summary: String,
    pub(super) denial: Denial,
    /// The answers of the path.
    pub(super) table: TableIndex,
}

impl GatedOperation<'_> {
    /// Lists the denials in the order of the rows of a profile's answers. `of_handlers` has those that the handler
    /// returns itself.
    pub(super) fn denials(&self, of_handlers: &[&Denial]) -> Vec<PossibleDenial> {
        let table = self.gate.renderer.table(Head::of(&self.request));
        let mut found = Vec::new();
        for kind in Denial::each_kind().into_iter().filter(|kind| self.can_occur(kind)) {
            for (name, denial) in self.filled(&kind) {
                found.push(PossibleDenial { name, summary: summary(&denial), denial, table });
            }
        }
        // An ambiguous path has the general answers, and no route.
        let general = TableIndex::default();
        if table != general && self.may_be_ambiguous() {
            let early = found.iter().filter(|it| {
                !matches!(
                    it.denial,
                    Denial::KindNotAllowed
                        | Denial::AccountMismatch
                        | Denial::ScopeMissing { .. }
                        | Denial::ConcurrencyExceeded
                        | Denial::TimedOut { .. }
                )
            });
            let ambiguous = early.map(|it| PossibleDenial {
                name: format!("{}_of_ambiguous_path", it.name),
                summary: format!("{}; the path is ambiguous", it.summary),
                table: general,
                ..it.clone()
            });
            found.extend(ambiguous.collect::<Vec<_>>());
        }
        for denial in of_handlers.iter().copied() {
            if !found.iter().any(|it| it.denial == *denial) {
                let own = denial.name();
                let numbered = (2..).map(|number| format!("{own}_of_handler_{number}"));
                let mut names =
                    [own.to_owned(), format!("{own}_of_handler")].into_iter().chain(numbered);
                let is_free = |name: &String| !found.iter().any(|it| it.name == *name);
                let name = names.find(is_free).unwrap_or_default();
                let summary = summary(denial);
                found.push(PossibleDenial { name, summary, denial: denial.clone(), table });
            }
        }
        found
    }

    /// Returns true if a request of the operation can have an ambiguous path, because of a parameter's value.
    fn may_be_ambiguous(&self) -> bool {
        self.gate.policy.has_routes() && !self.template.parameters.is_empty()
    }

    /// Returns true if the gate can answer a request of the operation with this kind of denial.
    fn can_occur(&self, kind: &Denial) -> bool {
        let DescribedGate { policy, limits, .. } = *self.gate;
        let has = |is_meant: fn(&RouteNeeds) -> bool| self.route.is_some_and(is_meant);
        let mut schemes = policy.schemes();
        match kind {
            Denial::InsecureTransport => !policy.assumes_https(),
            // An ambiguous path has no route that could be open.
            Denial::CredentialsMissing => !self.is_open || self.may_be_ambiguous(),
            Denial::TooManyFailures { .. } => policy.counts().failures,
            Denial::SchemeUnsupported => schemes.any(|(scheme, _)| scheme.is_in_authorization()),
            Denial::EnvironmentMismatch => policy.has_environments(),
            Denial::SchemeNotForKind => schemes.any(|(_, kinds)| kinds.is_some()),
            Denial::RouteUnknown => self.may_be_ambiguous(),
            Denial::KindNotAllowed => has(|route| route.kinds.is_some()),
            Denial::AccountMismatch => {
                let names_account = |demand: &Demand| *demand.accepted() == Accepted::OwnAccount;
                has(|route| route.account_parameter.is_some())
                    || policy.demands().iter().any(names_account)
            }
            Denial::HeaderRefused { .. } => !policy.demands().is_empty(),
            Denial::ScopeMissing { .. } => has(|route| route.scopes_by_need().next().is_some()),
            Denial::RateLimited { .. } => {
                let cost = self.least_cost();
                self.gate.counts_refusals || limits == DescribedLimits::Counted && cost > 0
            }
            Denial::ConcurrencyExceeded => has(|route| route.concurrency.is_some()),
            Denial::TimedOut { .. } => has(|route| route.budget.is_some()),
            // The gate itself never uses it.
            Denial::InternalError => false,
            Denial::LimiterUnavailable => {
                let is_permit = self.gate.needs_permits && has(|route| route.concurrency.is_some());
                limits != DescribedLimits::Off || is_permit
            }
            // Any client can send these, a store can have such a key, or can fail.
            Denial::CredentialsAmbiguous
            | Denial::CredentialsMalformed(_)
            | Denial::KeyMalformed
            | Denial::KeyUnknown
            | Denial::KeyRevoked
            | Denial::KeyDisabled
            | Denial::KeyNotYetValid
            | Denial::KeyExpired
            | Denial::NetworkNotAllowed
            | Denial::StoreUnavailable => true,
        }
    }

    /// Returns denials of a kind with the facts that a request of the operation would get.
    fn filled(&self, kind: &Denial) -> Vec<(String, Denial)> {
        let name = kind.name().to_owned();
        let filled = match kind {
            Denial::HeaderRefused { problem, .. } => {
                let demands = self.gate.policy.demands();
                let denied = |demand: &Demand| Denial::HeaderRefused {
                    header: demand.name().clone(),
                    problem: *problem,
                };
                let number = |index: usize| {
                    if index == 0 { String::new() } else { format!("_{}", index + 1) }
                };
                let each = demands.iter().enumerate();
                return each
                    .map(|(index, it)| (name.clone() + &number(index), denied(it)))
                    .collect();
            }
            Denial::ScopeMissing { .. } => {
                let needed = self.route.into_iter().flat_map(RouteNeeds::scopes_by_need);
                let needed = NeededScopes::new(needed.map(|(need, scope)| (need, scope, false)));
                Denial::ScopeMissing { needed }
            }
            Denial::RateLimited { .. } => {
                Denial::RateLimited { retry_after: self.sample.wait(self.route) }
            }
            Denial::TooManyFailures { .. } => Denial::TooManyFailures { retry_after: WAIT },
            Denial::TimedOut { budget } => {
                let budget = self.route.and_then(|route| route.budget).unwrap_or(*budget);
                Denial::TimedOut { budget }
            }
            other => other.clone(),
        };
        vec![(name, filled)]
    }
}

/// Returns the reason without the numbers of one refusal.
fn summary(denial: &Denial) -> String {
    match denial {
        Denial::TooManyFailures { .. } => "too many attempts of the client's network failed".into(),
        Denial::CredentialsMalformed(_) => "the credential is malformed".into(),
        Denial::RateLimited { .. } => "a request limit is exceeded".into(),
        Denial::TimedOut { .. } => "the time budget is spent".into(),
        Denial::HeaderRefused { header, .. } => {
            format!("the required header `{header}` is missing or not acceptable")
        }
        other => other.to_string(),
    }
}

/// Returns true if a refusal can report the state of the key's account.
pub(super) fn is_authenticated(denial: &Denial) -> bool {
    denial.is_of_rules()
        || matches!(
            denial,
            Denial::RateLimited { .. }
                | Denial::ConcurrencyExceeded
                | Denial::TimedOut { .. }
                | Denial::InternalError
                | Denial::LimiterUnavailable
        )
}

/// Returns true if a request over this scheme is a WebSocket handshake.
pub(super) const fn is_of_handshakes(scheme: Scheme<'_>) -> bool {
    matches!(scheme, Scheme::WebSocketProtocol(_))
}
