//! Judging a request by the rules and the record of its key.

use super::check::Check;
use super::policy::{KeyFacts, Policy};
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::key::KeyRecord;
use crate::request::{Client, Head, KeyBuffer};
use crate::rules::{self, Demand, HeldScopes, Matched, RouteNeeds, Targets};

/// A request, its client and the record of its key, at one instant.
pub(crate) struct Case<'a> {
    policy: &'a Policy,
    head: Head<'a>,
    client: Client,
    key: KeyFacts,
    record: &'a KeyRecord,
    route: Option<Matched<'a>>,
    now: Timestamp,
}

/// The proof that the rules let a request with a key pass. Only the limits are left to check.
#[derive(Debug)]
pub(crate) struct Cleared(());

/// A refusal by the rules.
#[derive(Debug)]
pub(crate) enum Objection {
    /// The key is not valid, so the client is not authenticated.
    ToKey(Denial),
    /// The key is valid, but not for this request. The answer may report the state of the key's account.
    ToRequest(Denial),
}

/// Runs the checks of a record in order, up to the first that refuses. Looks up the route only for a valid
/// key: the less work a refused key causes, the less its timing differs from an unknown key's.
///
/// # Errors
///
/// The [`Objection`] of the check that refuses.
pub(crate) fn judge(case: &mut Case<'_>) -> Result<Cleared, Objection> {
    case.authenticates().map_err(Objection::ToKey)?;
    case.find_route();
    case.authorizes().map_err(Objection::ToRequest)?;
    Ok(Cleared(()))
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        policy: &'a Policy,
        head: Head<'a>,
        client: Client,
        key: KeyFacts,
        record: &'a KeyRecord,
        now: Timestamp,
    ) -> Self {
        Self { policy, head, client, key, record, route: None, now }
    }

    /// Looks up the request's route, which the authorizing checks need.
    pub(super) fn find_route(&mut self) {
        self.route = self.policy.find(self.head);
    }

    /// Returns what the request costs on a route.
    pub(super) fn cost_of(&self, route: &RouteNeeds) -> u32 {
        route.cost_of(&self.head)
    }

    /// Runs the checks that decide whether the key is valid at all, in order.
    // Without a loop, which takes twice the instructions.
    fn authenticates(&self) -> Result<(), Denial> {
        let [first, second, third, fourth] = Check::AUTHENTICATING;
        self.decide(first)?;
        self.decide(second)?;
        self.decide(third)?;
        self.decide(fourth)
    }

    /// Runs the checks that decide what the key may do, in order.
    fn authorizes(&self) -> Result<(), Denial> {
        let [first, second, third, fourth, fifth] = Check::AUTHORIZING;
        self.decide(first)?;
        self.decide(second)?;
        self.decide(third)?;
        self.decide(fourth)?;
        self.decide(fifth)
    }

    /// Runs one check of the record. Checks that need no record pass.
    #[allow(clippy::inline_always)] // Each call has a constant, which leaves one arm of the match.
    #[inline(always)]
    pub(super) fn decide(&self, check: Check) -> Result<(), Denial> {
        let record = self.record;
        match check {
            Check::PresentedId if self.policy.profile.credentials.reads_ids() => self.is_named(),
            Check::KeyAlive => rules::is_alive(record, self.now),
            Check::Environment => {
                let pinned = self.policy.environment.as_ref();
                rules::belongs_to(record, pinned, self.policy.named_environment(self.key))
            }
            Check::CredentialScheme => {
                rules::served_through(self.policy.kinds_carried(self.key), record)
            }
            Check::ClientNetwork => rules::admits(record, self.client.address),
            Check::KeyKind => {
                let kinds = self.matched().and_then(|matched| matched.route.kinds.as_deref());
                rules::served_by_route(kinds, record)
            }
            Check::TargetAccount => {
                let target = self.matched().map_or(Targets::None, |matched| matched.target);
                rules::targets_own_account(target, record)
            }
            Check::RequiredHeaders => {
                let mut demands = self.policy.profile.demands.iter();
                demands.try_for_each(|demand| self.meets(demand))
            }
            Check::Scope => self.has_scopes(&self.policy.held_scopes(record)),
            Check::PresentedId
            | Check::Transport
            | Check::CredentialsPresent
            | Check::FailedAttempts
            | Check::CredentialsWellFormed
            | Check::KeyWellFormed
            | Check::KeyFound
            | Check::RequestLimits
            | Check::SimultaneousRequests
            | Check::TimeBudget => Ok(()),
        }
    }

    /// Checks the scopes that the request's route needs. An explanation shows the same reading of them.
    #[allow(clippy::inline_always)] // As the check's arm of `decide`.
    #[inline(always)]
    pub(super) fn has_scopes(&self, held: &HeldScopes<'_>) -> Result<(), Denial> {
        match &self.route {
            None if self.policy.routes.is_none() => Ok(()),
            None => Err(Denial::RouteUnknown),
            Some(Matched { route, .. }) => {
                let (any_of, sets) = (route.any_of.as_deref(), route.sets.as_deref());
                rules::has_scopes(held, &route.all_of, any_of, sets)
            }
        }
    }

    /// Checks the id that was presented beside the key. Reads the credential again, because nothing of its text
    /// is kept while the store looks for the key.
    #[cold]
    fn is_named(&self) -> Result<(), Denial> {
        let mut buffer = KeyBuffer::new();
        let reading = self.policy.read(self.head, &mut buffer)?;
        reading.id.map_or(Ok(()), |id| rules::is_named(self.record, id))
    }

    /// Checks a required header. A vendor's rule about the media type is for its own API, and a gRPC call has
    /// a media type of its own.
    fn meets(&self, demand: &Demand) -> Result<(), Denial> {
        let met = demand.is_met(self.head.headers, self.record.account().id());
        let spared = met.is_err() && demand.spares_grpc() && self.policy.grpc().is_call(self.head);
        if spared { Ok(()) } else { met }
    }

    /// Returns the index of the request's route in the table. Returns `None` without a matching route.
    pub(crate) fn route(&self) -> Option<usize> {
        self.matched().map(|matched| matched.index)
    }

    pub(super) const fn matched(&self) -> Option<&Matched<'a>> {
        self.route.as_ref()
    }
}
