//! The rules of one gate, compiled from its profile and configuration; and what they say of a
//! request before any store is asked.

use http::{HeaderMap, HeaderName};

use super::compiled_profile::{CompiledProfile, TagIndex};
use super::options::PolicyOptions;
use super::quotas::{RequestQuotas, applicable};
use crate::error::{ConfigError, Denial};
use crate::key::{Audience, Environment, KeyDigest, KeyRecord};
use crate::limits::Plan;
use crate::quota::{AppliedQuotas, HeldQuotas};
use crate::request::{Client, Connection, Head, KeyBuffer, Reading, Source, SourceIndex};
use crate::rules::{self, Demand, Matched, RouteNeeds, RouteTable, Routes};

/// The rules of one gate.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(super) profile: CompiledProfile,
    pub(super) options: PolicyOptions,
    pub(super) environment: Option<Environment>,
    pub(super) audience: Option<Audience>,
    pub(super) routes: Option<RouteTable>,
    pub(super) counts: Counts,
}

/// Names the keys and routes that a gate serves, as the builder was told.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) environment: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) routes: Option<Routes>,
}

/// What a gate counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Requests, by quotas of the profile, a plan, an account or a key. Those of accounts and keys are
    /// known to the store alone.
    pub(crate) requests: bool,
    /// Failed attempts of a network.
    pub(crate) failures: bool,
}

/// What a request may do before any store is asked.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Go on with this key.
    Key(KeyDigest, KeyFacts),
    /// Pass without a key, on this route if there are routes.
    Anonymous(Option<usize>),
    /// Pass without a key, for it is a preflight, or let the gate answer it.
    Preflight,
}

/// What a request has shown of its key, besides the digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyFacts {
    /// What carried it.
    pub(crate) source: SourceIndex,
    /// The environment that its text names.
    environment: Option<TagIndex>,
}

impl Policy {
    /// Puts together a checked profile, the options of a gate, and what it serves.
    pub(crate) fn new(
        profile: CompiledProfile,
        options: PolicyOptions,
        served: Served,
        counts: Counts,
    ) -> Result<Self, ConfigError> {
        options.proxies.check()?;
        Ok(Self {
            profile,
            options,
            environment: served.environment.map(Environment::new).transpose()?,
            audience: served.audience.map(Audience::new).transpose()?,
            routes: served.routes.map(Routes::compile).transpose()?,
            counts,
        })
    }

    /// Marks the credential of a request as sensitive.
    pub(crate) fn mark_sensitive(&self, headers: &mut HeaderMap) {
        self.profile.credentials.mark_sensitive(headers);
    }

    /// Removes the credential of a request.
    pub(crate) fn strip_credential(&self, headers: &mut HeaderMap) {
        for name in self.profile.credentials.header_names() {
            headers.remove(name);
        }
    }

    /// Reads the credential of a request.
    pub(super) fn read<'a>(
        &self,
        headers: &'a HeaderMap,
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        self.profile.credentials.read(headers, buffer)
    }

    /// States what is proven of the client.
    pub(crate) fn client(&self, connection: Connection, headers: &HeaderMap) -> Client {
        self.options.proxies.client(connection, headers)
    }

    /// Decides all that can be decided without a store. The key's text is looked at here and
    /// nowhere else; only its digest leaves.
    pub(crate) fn admit(&self, head: Head<'_>, client: Client) -> Result<Admission, Denial> {
        rules::is_secure(client, self.options.assume_https)?;
        let mut buffer = KeyBuffer::new();
        match self.read(head.headers, &mut buffer) {
            Ok(reading) => self.digest(&reading),
            Err(Denial::CredentialsMissing) => self.anonymous(head),
            Err(denial) => Err(denial),
        }
    }

    /// Tells whether a refusal before the store is that of an attempt to authenticate.
    pub(crate) const fn is_attempt(denial: &Denial) -> bool {
        matches!(
            denial,
            Denial::CredentialsAmbiguous
                | Denial::CredentialsMalformed(_)
                | Denial::KeyMalformed
                | Denial::EnvironmentMismatch
        )
    }

    pub(super) fn digest(&self, reading: &Reading<'_>) -> Result<Admission, Denial> {
        let key = reading.key.expose();
        let environment = self.profile.environment_of(key, self.environment.as_ref())?;
        let facts = KeyFacts { source: reading.source, environment };
        Ok(Admission::Key(self.options.hasher.digest(key), facts))
    }

    /// Returns the environment that the text of a key names.
    pub(super) fn named_environment(&self, key: KeyFacts) -> Option<&str> {
        key.environment.map(|index| self.profile.tag(index))
    }

    /// Returns the kinds of keys that the source of a key carries; `None` means all.
    pub(super) fn kinds_carried(&self, key: KeyFacts) -> Option<&[Box<str>]> {
        // It is there; were it not, no key would serve.
        self.source(key.source).map_or(Some(&[]), Source::kinds)
    }

    /// Returns the source of a key that was read.
    pub(crate) fn source(&self, index: SourceIndex) -> Option<&Source> {
        self.profile.credentials.source(index)
    }

    /// Returns true if a key is for this gate: of the same audience, or both of none.
    pub(crate) fn is_for_us(&self, record: &KeyRecord) -> bool {
        record.audience() == self.audience.as_ref()
    }

    /// Lets a request without a credential pass if the gate is optional and the route neither needs
    /// what only a key can show, nor takes anything from what is counted for a key; or if it is a
    /// preflight and those are let through.
    pub(super) fn anonymous(&self, head: Head<'_>) -> Result<Admission, Denial> {
        if self.options.preflight && head.is_preflight() {
            return Ok(Admission::Preflight);
        }
        self.stranger(head).map(Admission::Anonymous)
    }

    /// Lets a request without a credential pass that is no preflight; returns its route.
    pub(crate) fn stranger(&self, head: Head<'_>) -> Result<Option<usize>, Denial> {
        if !self.options.optional {
            return Err(Denial::CredentialsMissing);
        }
        match &self.routes {
            None if self.counts.requests => Err(Denial::CredentialsMissing),
            None => Ok(None),
            Some(table) => {
                let matched = table.find(head.method, head.path);
                let open = matched.filter(|matched| matched.route.is_open(self.counts.requests));
                open.map(|open| Some(open.index)).ok_or(Denial::CredentialsMissing)
            }
        }
    }

    /// Lists the headers that requests are read by: those that may carry the key, and those that the
    /// profile demands.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.profile.credentials.header_names().chain(self.profile.demands.iter().map(Demand::name))
    }

    /// Computes the digest of a key that came over plain HTTP, for the operator to revoke it.
    pub(crate) fn exposed_key(&self, headers: &HeaderMap) -> Option<KeyDigest> {
        let mut buffer = KeyBuffer::new();
        let reading = self.read(headers, &mut buffer).ok()?;
        match self.digest(&reading) {
            Ok(Admission::Key(digest, _)) => Some(digest),
            _ => None,
        }
    }

    /// Looks up the plan of a key's account.
    pub(crate) fn plan(&self, record: &KeyRecord) -> Plan {
        Plan::of(record, self.options.plans.as_ref())
    }

    /// Lists the quotas that apply to a request of this plan on this route.
    pub(crate) fn quotas<'a>(
        &'a self,
        record: &'a KeyRecord,
        plan: &'a Plan,
        route: Option<usize>,
    ) -> AppliedQuotas<'a> {
        let route = self.route(route).map_or(&[][..], |route| route.quotas.as_slice());
        applicable(record, plan, self.profile.quotas.as_slice(), route)
    }

    /// Holds the quotas of a request for its grant, each under this thread's own count: threads that share
    /// one would pass it to and fro.
    pub(crate) fn hold_quotas(&self, plan: &Plan, route: Option<usize>) -> RequestQuotas {
        RequestQuotas {
            plan: plan.clone(),
            profile: self.profile.quotas.hold(),
            route: self.route(route).map_or_else(HeldQuotas::default, |route| route.quotas.hold()),
        }
    }

    /// Returns what a route needs, by its place in the table.
    pub(crate) fn route(&self, index: Option<usize>) -> Option<&RouteNeeds> {
        self.routes.as_ref()?.at(index?)
    }

    /// Returns the name of a route, the same in every process.
    pub(crate) fn route_name(&self, index: Option<usize>) -> &str {
        let name = index.and_then(|index| self.routes.as_ref()?.name(index));
        name.unwrap_or_default()
    }

    /// Tells whether the configuration has quotas that a limiter must count.
    pub(crate) fn has_quotas(&self) -> bool {
        let routes = self.routes.as_ref().is_some_and(RouteTable::has_quotas);
        routes || self.options.plans.is_some() || !self.profile.quotas.as_slice().is_empty()
    }

    /// Tells whether handlers of some route may add to the cost.
    pub(crate) fn is_metered(&self) -> bool {
        self.routes.as_ref().is_some_and(RouteTable::is_metered)
    }

    /// Finds the route of a request; `None` if there is no table, or none of its lines covers it.
    pub(super) fn find<'a>(&'a self, head: Head<'a>) -> Option<Matched<'a>> {
        self.routes.as_ref()?.find(head.method, head.path)
    }
}
