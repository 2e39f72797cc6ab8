//! What the rules say of a request and the record of its key.

use std::sync::Arc;

use super::check::Check;
use super::grant::Grant;
use super::policy::Policy;
use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::key::KeyRecord;
use crate::limits::Verdict;
use crate::request::{Client, CredentialSource, Head};
use crate::rules::{self, Matched, Targets};

/// A request, its client and the record of its key, at one instant.
pub(crate) struct Case<'a> {
    policy: &'a Policy,
    head: Head<'a>,
    client: Client,
    source: &'a CredentialSource,
    record: &'a Arc<KeyRecord>,
    route: Result<Option<Matched<'a>>, Denial>,
    now: Timestamp,
}

/// Proves that its record passed the rules for a request; only the limits are left.
#[derive(Debug)]
pub(crate) struct Cleared {
    record: Arc<KeyRecord>,
    route: Option<usize>,
}

/// A refusal by the rules.
#[derive(Debug)]
pub(crate) struct Objection {
    pub(crate) denial: Denial,
    /// Whether the key serves, so that the answer speaks to its account and not to a stranger.
    pub(crate) authenticated: bool,
    /// The route, if the request has one.
    pub(crate) route: Option<usize>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        policy: &'a Policy,
        head: Head<'a>,
        client: Client,
        source: &'a CredentialSource,
        record: &'a Arc<KeyRecord>,
        now: Timestamp,
    ) -> Self {
        Self { route: policy.find(head), policy, head, client, source, record, now }
    }

    /// Runs the checks of the record in order, up to the first that refuses.
    pub(crate) fn judge(&self) -> Result<Cleared, Objection> {
        let route = self.matched().map(|matched| matched.index);
        let run = |checks: &[Check], authenticated| {
            let decided = checks.iter().try_for_each(|check| self.decide(*check));
            decided.map_err(|denial| Objection { denial, authenticated, route })
        };
        run(&Check::AUTHENTICATING, false)?;
        run(&Check::AUTHORIZING, true)?;
        Ok(Cleared { record: Arc::clone(self.record), route })
    }

    /// Runs one check of the record; those before it and after it pass.
    pub(super) fn decide(&self, check: Check) -> Result<(), Denial> {
        let record = self.record;
        match check {
            Check::KeyAlive => rules::is_alive(record, self.now),
            Check::Environment => rules::belongs_to(record, self.policy.environment.as_ref()),
            Check::CredentialScheme => rules::served_through(self.source, record),
            Check::ClientNetwork => rules::admits(record, self.client.address),
            Check::KeyKind => {
                let kinds = self.matched().map_or(&[][..], |matched| matched.route.kinds);
                rules::served_by_route(kinds, record)
            }
            Check::TargetAccount => {
                let target = self.matched().map_or(Targets::None, |matched| matched.target);
                rules::targets_own_account(target, record)
            }
            Check::RequiredHeaders => {
                let mut demands = self.policy.demands.iter();
                demands.try_for_each(|demand| demand.is_met(self.head.headers))
            }
            Check::Scope => match &self.route {
                Err(denial) => Err(denial.clone()),
                Ok(None) => Ok(()),
                Ok(Some(Matched { route, .. })) => {
                    rules::has_scopes(record.scopes(), route.all_of, route.any_of)
                }
            },
            Check::Transport
            | Check::CredentialsPresent
            | Check::CredentialsWellFormed
            | Check::KeyWellFormed
            | Check::KeyFound
            | Check::RequestLimits
            | Check::SimultaneousRequests
            | Check::TimeBudget => Ok(()),
        }
    }

    pub(super) fn matched(&self) -> Option<&Matched<'a>> {
        self.route.as_ref().ok()?.as_ref()
    }
}

impl Cleared {
    /// Returns the place of the route in the table.
    pub(crate) const fn route(&self) -> Option<usize> {
        self.route
    }

    /// Makes the grant, if the limiter lets the request pass.
    pub(crate) fn grant(self, verdict: Verdict) -> Result<Grant, Denial> {
        match verdict.retry_after() {
            Some(retry_after) => Err(Denial::RateLimited { retry_after }),
            None => Ok(Grant::new(self.record, verdict)),
        }
    }
}
