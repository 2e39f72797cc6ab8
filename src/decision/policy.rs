//! The rules of one gate, compiled from its profile and configuration, and the part of the decision that
//! needs no store.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::compiled_profile::{CompiledProfile, TagIndex};
use super::options::{Counts, PolicyOptions, Served};
use super::quotas::{RequestQuotas, applicable};
use crate::error::{ConfigError, Denial};
use crate::key::{Audience, Environment, KeyDigest, KeyRecord};
use crate::limits::Plan;
use crate::quota::{AppliedQuotas, HeldQuotas};
use crate::request::{
    Client, Connection, GrpcServices, Head, KeyBuffer, Reading, Source, SourceIndex, TrustedProxies,
};
use crate::rules::{self, CompiledScopes, Demand, HeldScopes, Matched, RouteNeeds, RouteTable};

/// The rules of one gate.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(super) profile: CompiledProfile,
    pub(super) options: PolicyOptions,
    pub(super) environment: Option<Environment>,
    pub(super) audience: Option<Audience>,
    pub(super) routes: Option<RouteTable>,
    /// How the gate reads the scopes of keys. `None` if a scope grants itself only.
    pub(super) scopes: Option<Arc<CompiledScopes>>,
    pub(super) counts: Counts,
    grpc: GrpcServices,
}

/// The decision about a request before the store is asked.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Look up this key.
    Key(KeyDigest, KeyFacts),
    /// Admit the request without a key, on this route if the gate has a table.
    Anonymous(Option<usize>),
    /// Admit a preflight without a key, or answer it.
    Preflight,
}

/// What the gate knows of a presented key besides its digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyFacts {
    /// The credential source that carried the key.
    pub(crate) source: SourceIndex,
    /// The environment that the key's text names.
    environment: Option<TagIndex>,
}

impl Policy {
    /// Combines a checked profile, the options of a gate, and what the gate serves.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the trusted proxies, the environment, the audience, a route or a rule of scopes is not
    /// valid.
    pub(crate) fn new(
        profile: CompiledProfile,
        options: PolicyOptions,
        mut served: Served,
        counts: Counts,
    ) -> Result<Self, ConfigError> {
        options.proxies.check()?;
        let grpc = served.grpc()?;
        let scopes = served.scopes.transpose()?;
        Ok(Self {
            profile,
            options,
            environment: served.environment.map(Environment::new).transpose()?,
            audience: served.audience.map(Audience::new).transpose()?,
            routes: served.routes.map(RouteTable::new).transpose()?,
            scopes: CompiledScopes::with_roles(scopes, served.roles).map(Arc::new),
            grpc,
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

    /// Removes the key from where the rest is of use to the service: from the query, and from the protocols that
    /// a WebSocket client offers.
    #[inline]
    pub(crate) fn hide_key<B>(&self, request: &mut http::Request<B>) {
        self.profile.credentials.hide_in_uri(request);
        self.profile.credentials.hide_in_protocols(request.headers_mut());
    }

    /// Reads the credential of a request.
    ///
    /// # Errors
    ///
    /// A [`Denial`] if the request does not have exactly one well-formed credential.
    pub(super) fn read<'a>(
        &self,
        head: Head<'a>,
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        self.profile.credentials.read(head, buffer)
    }

    /// Reads the credential of a request, as [`read`](Self::read) does. A preflight whose only key is in its query has
    /// none.
    ///
    /// # Errors
    ///
    /// A [`Denial`] if the request does not have exactly one well-formed credential.
    pub(super) fn presented<'a>(
        &self,
        head: Head<'a>,
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        if self.options.preflight && self.profile.credentials.is_keyless_preflight(head) {
            return Err(Denial::CredentialsMissing);
        }
        self.read(head, buffer)
    }

    /// Returns the gRPC services behind the gate.
    pub(crate) const fn grpc(&self) -> &GrpcServices {
        &self.grpc
    }

    /// Returns the proxies that the gate trusts.
    pub(crate) const fn proxies(&self) -> &TrustedProxies {
        &self.options.proxies
    }

    /// Returns what is proven about the client: HTTPS, and its address.
    #[inline]
    pub(crate) fn client(&self, connection: &Connection, headers: &HeaderMap) -> Client {
        self.options.proxies.client_of(connection, headers)
    }

    /// Decides what can be decided without a store. Of the key's text only the digest and the
    /// [`KeyFacts`] leave this function.
    ///
    /// # Errors
    ///
    /// The [`Denial`] of the first check that refuses.
    pub(crate) fn admit(&self, head: Head<'_>, client: &Client) -> Result<Admission, Denial> {
        rules::is_secure(*client, self.options.assume_https)?;
        let mut buffer = KeyBuffer::new();
        match self.presented(head, &mut buffer) {
            Ok(reading) => self.digest(&reading),
            Err(Denial::CredentialsMissing) => self.anonymous(head),
            Err(denial) => Err(denial),
        }
    }

    /// Returns true if a refusal before the lookup counts as a failed attempt to authenticate.
    pub(crate) const fn is_attempt(denial: &Denial) -> bool {
        matches!(
            denial,
            Denial::CredentialsAmbiguous
                | Denial::CredentialsMalformed(_)
                | Denial::KeyMalformed
                | Denial::EnvironmentMismatch
        )
    }

    /// Checks the format of a key, and computes its digest.
    ///
    /// # Errors
    ///
    /// [`Denial::KeyMalformed`] or [`Denial::EnvironmentMismatch`].
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

    /// Returns the kinds that the source of a key accepts. `None` means all kinds.
    pub(super) fn kinds_carried(&self, key: KeyFacts) -> Option<&[Box<str>]> {
        // An unknown source fails closed: it accepts no kind.
        self.source(key.source).map_or(Some(&[]), Source::kinds)
    }

    /// Returns the credential source at an index.
    pub(crate) fn source(&self, index: SourceIndex) -> Option<&Source> {
        self.profile.credentials.source(index)
    }

    /// Returns true if the key has the audience of this gate, or neither has an audience.
    pub(crate) fn is_for_us(&self, record: &KeyRecord) -> bool {
        record.audience() == self.audience.as_ref()
    }

    /// Lists the headers that the gate reads: those that may carry the key, and those that the profile
    /// requires.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.profile.credentials.header_names().chain(self.profile.demands.iter().map(Demand::name))
    }

    /// Returns how the gate reads the scopes of keys.
    pub(crate) const fn scopes(&self) -> Option<&Arc<CompiledScopes>> {
        self.scopes.as_ref()
    }

    /// Returns the scopes of a key, as the gate reads them.
    pub(super) fn held_scopes<'a>(&'a self, record: &'a KeyRecord) -> HeldScopes<'a> {
        HeldScopes::new(record.scopes(), self.scopes.as_deref())
    }

    /// Returns the plan of a key's account.
    pub(crate) fn plan(&self, record: &KeyRecord) -> Plan {
        Plan::of(record, self.options.plans.as_ref())
    }

    /// Returns the quotas that apply to a request under this plan on this route.
    pub(crate) fn quotas<'a>(
        &'a self,
        record: &'a KeyRecord,
        plan: &'a Plan,
        route: Option<usize>,
    ) -> AppliedQuotas<'a> {
        let own = self.route(route);
        let route = own.map_or(&[][..], |route| route.quotas.as_slice());
        if own.is_some_and(|route| route.only_own_quotas) {
            return AppliedQuotas { general: &[], route };
        }
        applicable(record, plan, self.profile.quotas.as_slice(), route)
    }

    /// Returns the quotas of a request, for its grant. Each is held under a reference count of this thread:
    /// one shared count would bounce between the caches of the cores.
    pub(crate) fn hold_quotas(&self, plan: &Plan, route: Option<usize>) -> RequestQuotas {
        RequestQuotas {
            only_route: self.route(route).is_some_and(|route| route.only_own_quotas),
            plan: plan.clone(),
            profile: self.profile.quotas.hold(),
            route: self.route(route).map_or_else(HeldQuotas::default, |route| route.quotas.hold()),
        }
    }

    /// Returns the needs of the route at an index of the table.
    pub(crate) fn route(&self, index: Option<usize>) -> Option<&RouteNeeds> {
        self.routes.as_ref()?.at(index?)
    }

    /// Returns the name of a route, which is the same in every process. Without a route it is empty.
    pub(crate) fn route_name(&self, index: Option<usize>) -> &str {
        let name = index.and_then(|index| self.routes.as_ref()?.name(index));
        name.unwrap_or_default()
    }

    /// Returns how many routes there are.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "metrics have a series for each")
    )]
    pub(crate) fn routes(&self) -> usize {
        (0..usize::MAX).position(|index| self.route_pattern(Some(index)).is_none()).unwrap_or(0)
    }

    /// Returns the pattern of a route; `None` without a route.
    pub(crate) fn route_pattern(&self, index: Option<usize>) -> Option<&str> {
        self.routes.as_ref()?.pattern(index?)
    }

    /// Returns true if the configuration has quotas, which a limiter must count.
    pub(crate) fn has_quotas(&self) -> bool {
        let routes = self.routes.as_ref().is_some_and(RouteTable::has_quotas);
        let anonymous = self.options.anonymous_quotas.is_some();
        routes
            || anonymous
            || self.options.plans.is_some()
            || !self.profile.quotas.as_slice().is_empty()
    }

    /// Returns true if the handlers of some route may add to the cost.
    pub(crate) fn is_metered(&self) -> bool {
        self.routes.as_ref().is_some_and(RouteTable::is_metered)
    }

    /// Returns the route of a request. Returns `None` without a table, or if no route covers the request.
    pub(crate) fn find<'a>(&'a self, head: Head<'a>) -> Option<Matched<'a>> {
        self.routes.as_ref()?.find(head, head.path)
    }
}
