//! Explanations: every check and its outcome, for one request and one record.

use std::fmt;
use std::ops::RangeInclusive;

use bytes::Bytes;
use http::{Request, Response};

use super::check::Check;
use super::judge::Case;
use super::outcome::Outcome;
use super::policy::{Admission, KeyFacts, Policy};
use super::scope_finding::ScopeFinding;
use crate::caller::ClientNetwork;
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::key::KeyRecord;
use crate::request::{Client, Connection, Head, KeyBuffer};
use crate::rules::{self, RouteNeeds};

/// A decision, check by check, as [`ApiKeyLayer::explain`](crate::ApiKeyLayer::explain) returns it.
///
/// [`Display`](fmt::Display) prints one line for each check, one for each scope in the route's lists, and one
/// for the decision.
///
/// ```
/// use http::Request;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::{ApiKeyLayer, Profile, request::Connection, store::MemoryStore};
///
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build()?;
/// let connection = Connection::tls("192.0.2.1:4711".parse()?);
/// let explanation = layer.explain(&Request::new(()), connection, None, Timestamp::default());
///
/// let text = explanation.to_string();
/// assert!(text.starts_with("Transport              passed\n"));
/// assert!(text.ends_with("refused: no credential was presented"));
/// assert_eq!(explanation.answer().unwrap().status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Explanation {
    checks: Vec<(Check, Outcome)>,
    decision: Result<Option<KeyRecord>, Denial>,
    scopes: Vec<ScopeFinding>,
    cost: u32,
    refund_on: Box<[RangeInclusive<u16>]>,
    network: Option<ClientNetwork>,
    pub(crate) answer: Option<Response<Bytes>>,
}

impl Explanation {
    /// Returns all checks in order with their outcomes, including those after the first refusal.
    pub fn checks(&self) -> &[(Check, Outcome)] {
        &self.checks
    }

    /// Returns the outcome of one check.
    pub fn outcome(&self, check: Check) -> &Outcome {
        let found = self.checks.iter().find(|(listed, _)| *listed == check);
        found.map_or(&Outcome::NotReached, |(_, outcome)| outcome)
    }

    /// Returns the decision, without regard to limits: the admitted record, or `None` for an anonymous
    /// request that passes. The record proves less than a [`Grant`](crate::Grant): no store has confirmed it.
    ///
    /// # Errors
    ///
    /// The [`Denial`] of the first check that refuses.
    pub fn decision(&self) -> Result<Option<&KeyRecord>, &Denial> {
        match &self.decision {
            Ok(record) => Ok(record.as_ref()),
            Err(denial) => Err(denial),
        }
    }

    /// Lists the scopes of each list of the request's route, and how the key has each. A scope of two lists is
    /// listed twice. Empty if the key has no record, or no route covers the request.
    pub fn scopes(&self) -> &[ScopeFinding] {
        &self.scopes
    }

    /// Returns the network whose quotas count an anonymous request; `None` if it is not counted, or has a key.
    pub const fn network(&self) -> Option<&ClientNetwork> {
        self.network.as_ref()
    }

    /// Returns the cost that the request takes from each of its quotas if it is admitted. The handler of a
    /// [metered](crate::rules::Route::metered) route may add to it.
    pub const fn cost(&self) -> u32 {
        self.cost
    }

    /// Returns the statuses of answers for which the gate [gives the cost back](crate::rules::Route::refund_on).
    pub fn refund_on(&self) -> &[RangeInclusive<u16>] {
        &self.refund_on
    }

    /// Returns the answer that a refused client gets, or `None` if the request is admitted. The answer has no
    /// limit headers, because no limiter was asked.
    pub const fn answer(&self) -> Option<&Response<Bytes>> {
        self.answer.as_ref()
    }

    /// Returns true if the refused request has a valid key.
    pub(crate) fn is_of_principal(&self) -> bool {
        let refuses = |(_, outcome): &&(Check, Outcome)| matches!(outcome, Outcome::Refused(_));
        let first = self.checks.iter().find(refuses);
        first.is_some_and(|(check, _)| Check::AUTHORIZING.contains(check))
    }

    /// Explains the decision of a policy about a request, if the store answers with `record`.
    pub(crate) fn new<B>(
        policy: &Policy,
        request: &Request<B>,
        connection: Connection,
        record: Option<&KeyRecord>,
        now: Timestamp,
    ) -> Self {
        let mut explanation = Self {
            checks: Check::ALL.map(|check| (check, Outcome::NotReached)).into(),
            decision: Err(Denial::CredentialsMissing),
            scopes: Vec::new(),
            cost: 0,
            refund_on: Box::default(),
            network: None,
            answer: None,
        };
        let head = Head::of(request);
        let client = policy.client(&connection, head.headers);
        explanation.set(Check::Transport, rules::is_secure(client, policy.options.assume_https));
        let anonymous = match explanation.read(policy, head, client) {
            KeyReading::Anonymous => true,
            KeyReading::None => false,
            KeyReading::Key(key) => {
                let record = record.filter(|record| policy.is_for_us(record));
                let found = record.ok_or(Denial::KeyUnknown);
                explanation.set(Check::KeyFound, found.map(|_| ()));
                if let Some(record) = record {
                    let mut case = Case::new(policy, head, client, key, record, now);
                    case.find_route();
                    explanation.judge(policy, &case, record);
                }
                false
            }
        };
        explanation.conclude(record.filter(|_| !anonymous));
        explanation
    }

    fn read(&mut self, policy: &Policy, head: Head<'_>, client: Client) -> KeyReading {
        use Check::{CredentialsPresent, CredentialsWellFormed, KeyWellFormed};
        let counted = policy.counts.failures && client.address.is_some();
        let attempted = if counted { Outcome::Depends } else { Outcome::Passed };
        let mut buffer = KeyBuffer::new();
        match policy.presented(head, &mut buffer) {
            Err(denial @ Denial::CredentialsMissing) => {
                let admitted = policy.anonymous(head);
                self.set(CredentialsPresent, admitted.as_ref().map_or(Err(denial), |_| Ok(())));
                let Ok(admission) = admitted else { return KeyReading::None };
                if let Admission::Anonymous(route) = admission
                    && let Some((network, cost)) = policy.charged_network(route, client, &head)
                {
                    (self.network, self.cost) = (Some(network), cost);
                    let route = policy.route(route);
                    self.refund_on = route.map(|route| route.refund_on.clone()).unwrap_or_default();
                    let limited = if cost > 0 { Outcome::Depends } else { Outcome::Passed };
                    self.put(Check::RequestLimits, limited);
                }
                KeyReading::Anonymous
            }
            Err(denial @ Denial::SchemeUnsupported) => {
                self.set(CredentialsPresent, Err(denial));
                KeyReading::None
            }
            Err(denial) => {
                self.set(CredentialsPresent, Ok(()));
                self.put(Check::FailedAttempts, attempted);
                self.set(CredentialsWellFormed, Err(denial));
                KeyReading::None
            }
            Ok(reading) => {
                self.set(CredentialsPresent, Ok(()));
                self.put(Check::FailedAttempts, attempted);
                self.set(CredentialsWellFormed, Ok(()));
                let digested = policy.digest(&reading);
                let reached = match &digested {
                    Ok(Admission::Key(_, key)) => KeyReading::Key(*key),
                    _ => KeyReading::None,
                };
                if let Err(denial @ Denial::EnvironmentMismatch) = digested {
                    // The text fits a format. The mismatch shows before the lookup.
                    self.set(KeyWellFormed, Ok(()));
                    self.set(Check::Environment, Err(denial));
                } else {
                    self.set(KeyWellFormed, digested.map(|_| ()));
                }
                reached
            }
        }
    }

    fn judge(&mut self, policy: &Policy, case: &Case<'_>, record: &KeyRecord) {
        // The check of scopes and the findings read the roles once.
        let held = policy.held_scopes(record);
        for check in Check::AUTHENTICATING.into_iter().chain(Check::AUTHORIZING) {
            let is_scope = check == Check::Scope;
            self.set(check, if is_scope { case.has_scopes(&held) } else { case.decide(check) });
        }
        let route = case.matched().map(|matched| matched.route);
        let needed = route.into_iter().flat_map(RouteNeeds::scopes_by_need);
        self.scopes = needed.map(|(need, scope)| ScopeFinding::new(need, scope, &held)).collect();
        let plan = policy.plan(record);
        let quotas = policy.quotas(record, &plan, case.route());
        self.cost = route.map_or(1, |route| case.cost_of(route));
        self.refund_on = route.map(|route| route.refund_on.clone()).unwrap_or_default();
        // No quota refuses a cost of 0. Only a limiter that cannot answer does.
        let refuses = self.cost > 0 && !quotas.all_in_shadow();
        let limited = plan.is_unknown() || refuses;
        for (check, depends) in [
            (Check::RequestLimits, limited),
            (Check::SimultaneousRequests, route.is_some_and(|route| route.concurrency.is_some())),
            (Check::TimeBudget, route.is_some_and(|route| route.budget.is_some())),
        ] {
            self.put(check, if depends { Outcome::Depends } else { Outcome::Passed });
        }
    }

    fn conclude(&mut self, record: Option<&KeyRecord>) {
        let refusal = self.checks.iter().find_map(|(_, outcome)| match outcome {
            Outcome::Refused(denial) => Some(denial.clone()),
            _ => None,
        });
        self.decision = refusal.map_or(Ok(record.cloned()), Err);
    }

    fn set(&mut self, check: Check, decided: Result<(), Denial>) {
        self.put(check, decided.map_or_else(Outcome::Refused, |()| Outcome::Passed));
    }

    fn put(&mut self, check: Check, outcome: Outcome) {
        if let Some((_, slot)) = self.checks.iter_mut().find(|(listed, _)| *listed == check) {
            *slot = outcome;
        }
    }
}

/// The key of a request, as far as it could be read.
enum KeyReading {
    None,
    Anonymous,
    Key(KeyFacts),
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, outcome) in &self.checks {
            let name = format!("{check:?}");
            match outcome {
                Outcome::Passed => writeln!(formatter, "{name:<22} passed")?,
                Outcome::Refused(denial) => writeln!(formatter, "{name:<22} REFUSED: {denial}")?,
                Outcome::NotReached => writeln!(formatter, "{name:<22} not reached")?,
                Outcome::Depends => writeln!(formatter, "{name:<22} depends on the moment")?,
            }
            if *check == Check::Scope {
                self.scopes.iter().try_for_each(|scope| writeln!(formatter, "  {scope}"))?;
            }
            if *check == Check::RequestLimits {
                for statuses in &self.refund_on {
                    let (first, last) = (statuses.start(), statuses.end());
                    writeln!(formatter, "  refunded on status {first} to {last}")?;
                }
            }
        }
        match &self.decision {
            Ok(Some(record)) => write!(formatter, "admitted: {}", record.id()),
            Ok(None) => {
                let counted = self.network.map_or("", |_| ", counted by its network");
                write!(formatter, "admitted without a key{counted}")
            }
            Err(denial) => write!(formatter, "refused: {denial}"),
        }
    }
}
