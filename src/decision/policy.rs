//! The rules of one gate, compiled from its profile and configuration; and what they say of a
//! request before any store is asked.

use http::{HeaderMap, HeaderName};

use crate::denial::Denial;
use crate::error::ConfigError;
use crate::key::{
    Audience, CompiledFormat, Environment, HeldQuotas, KeyDigest, KeyHasher, KeyRecord, KeyText,
    Quota, Quotas, StripedQuotas,
};
use crate::limits::{Applicable, Plan, Plans};
use crate::profile::Profile;
use crate::request::{
    Client, Connection, Credentials, Head, KeyBuffer, Reading, Source, SourceIndex, TrustedProxies,
    check_carriage,
};
use crate::rules::{self, Demand, Matched, RouteNeeds, RouteTable};

/// The rules of one gate.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub(crate) struct Policy {
    pub(crate) credentials: Credentials,
    pub(super) formats: Vec<CompiledFormat>,
    /// The environment tags of all formats, one format after the other.
    tags: Vec<Box<str>>,
    pub(super) demands: Vec<Demand>,
    /// The profile's.
    quotas: StripedQuotas,
    pub(crate) plans: Option<Plans>,
    pub(crate) hasher: KeyHasher,
    pub(crate) proxies: TrustedProxies,
    pub(crate) assume_https: bool,
    pub(crate) environment: Option<Environment>,
    pub(crate) audience: Option<Audience>,
    pub(crate) routes: Option<RouteTable>,
    pub(crate) optional: bool,
    /// Whether a limiter counts requests: by quotas of the profile, a plan, an account or a key. Those of
    /// accounts and keys are known to the store alone.
    pub(crate) is_counted: bool,
    pub(crate) preflight: bool,
    /// Whether the gate limits the failed attempts of a network.
    pub(crate) limits_failures: bool,
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
    /// The environment that its text names, by its place among the tags of all formats.
    environment: Option<usize>,
}

/// Returns a key's quotas, else its account's, else its plan's, else the profile's.
pub(super) fn general_quotas<'a>(
    record: &'a KeyRecord,
    plan: &'a Plan,
    profile: &'a [Quota],
) -> &'a [Quota] {
    record.quotas().map(Quotas::as_slice).or(plan.quotas()).unwrap_or(profile)
}

impl Policy {
    /// Compiles what the profile states; the rest has its safest value.
    pub(crate) fn new(profile: &Profile<'_>) -> Result<Self, ConfigError> {
        if profile.formats.is_empty() {
            return Err(ConfigError::NoKeyFormat);
        }
        for format in profile.formats {
            let pattern = || format.pattern();
            format
                .check()
                .map_err(|source| ConfigError::KeyFormat { pattern: pattern(), source })?;
        }
        let quotas = Quotas::new(profile.quotas.iter().cloned())?;
        let credentials = Credentials::new(profile.credentials)?;
        check_carriage(profile.credentials, profile.formats)?;
        let formats: Vec<_> = profile.formats.iter().map(CompiledFormat::from).collect();
        let tags = formats.iter().filter_map(CompiledFormat::tags).flatten().cloned().collect();
        Ok(Self {
            demands: rules::demands(profile.required_headers, &credentials)?,
            credentials,
            formats,
            tags,
            quotas: quotas.into(),
            plans: None,
            hasher: KeyHasher::sha256(),
            proxies: TrustedProxies::default(),
            assume_https: false,
            environment: None,
            audience: None,
            routes: None,
            optional: false,
            is_counted: false,
            preflight: false,
            limits_failures: false,
        })
    }

    /// States what is proven of the client.
    pub(crate) fn client(&self, connection: Connection, headers: &HeaderMap) -> Client {
        self.proxies.client(connection, headers)
    }

    /// Decides all that can be decided without a store. The key's text is looked at here and
    /// nowhere else; only its digest leaves.
    pub(crate) fn admit(&self, head: Head<'_>, client: Client) -> Result<Admission, Denial> {
        rules::is_secure(client, self.assume_https)?;
        let mut buffer = KeyBuffer::new();
        match self.credentials.read(head.headers, &mut buffer) {
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
        let environment = self.environment_of(key)?;
        let facts = KeyFacts { source: reading.source, environment };
        Ok(Admission::Key(self.hasher.digest(key), facts))
    }

    /// Returns the place of the environment that a key's text names. Where several formats fit the text,
    /// what one of them reads counts, so that a format without tags takes no other's away.
    fn environment_of(&self, key: &[u8]) -> Result<Option<usize>, Denial> {
        let (mut fits, mut named) = (false, None::<(usize, &str)>);
        for (index, format) in self.formats.iter().enumerate() {
            let Some(KeyText { environment }) = format.read(key) else { continue };
            fits = true;
            let Some((place, tag)) = environment else { continue };
            if named.is_some_and(|(_, other)| other != tag) {
                return Err(Denial::EnvironmentMismatch);
            }
            let before = self.formats.iter().take(index).filter_map(CompiledFormat::tags);
            let before: usize = before.map(<[_]>::len).sum();
            named = named.or(Some((before + place, tag)));
        }
        match (named, &self.environment) {
            _ if !fits => Err(Denial::KeyMalformed),
            // Whatever its record says, it is no key of this gate's.
            (Some((_, named)), Some(pinned)) if *pinned != *named => {
                Err(Denial::EnvironmentMismatch)
            }
            _ => Ok(named.map(|(place, _)| place)),
        }
    }

    /// Returns the environment that the text of a key names.
    pub(super) fn named_environment(&self, key: KeyFacts) -> Option<&str> {
        // It is there; were it not, no record has an environment without a name.
        key.environment.map(|place| self.tags.get(place).map_or("", |tag| tag))
    }

    /// Returns the kinds of keys that the source of a key carries; `None` means all.
    pub(super) fn kinds_carried(&self, key: KeyFacts) -> Option<&[Box<str>]> {
        // It is there; were it not, no key would serve.
        self.credentials.source(key.source).map_or(Some(&[]), Source::kinds)
    }

    /// Returns true if a key is for this gate: of the same audience, or both of none.
    pub(crate) fn is_for_us(&self, record: &KeyRecord) -> bool {
        record.audience() == self.audience.as_ref()
    }

    /// Lets a request without a credential pass if the gate is optional and the route neither needs
    /// what only a key can show, nor takes anything from what is counted for a key; or if it is a
    /// preflight and those are let through.
    pub(super) fn anonymous(&self, head: Head<'_>) -> Result<Admission, Denial> {
        if self.preflight && head.is_preflight() {
            return Ok(Admission::Preflight);
        }
        self.stranger(head).map(Admission::Anonymous)
    }

    /// Lets a request without a credential pass that is no preflight; returns its route.
    pub(crate) fn stranger(&self, head: Head<'_>) -> Result<Option<usize>, Denial> {
        if !self.optional {
            return Err(Denial::CredentialsMissing);
        }
        match &self.routes {
            None if self.is_counted => Err(Denial::CredentialsMissing),
            None => Ok(None),
            Some(table) => {
                let matched = table.find(head.method, head.path);
                let open = matched.filter(|matched| matched.route.is_open(self.is_counted));
                open.map(|open| Some(open.index)).ok_or(Denial::CredentialsMissing)
            }
        }
    }

    /// Lists the headers that requests must have besides the key.
    pub(crate) fn demanded_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.demands.iter().map(Demand::name)
    }

    /// Computes the digest of a key that came over plain HTTP, for the operator to revoke it.
    pub(crate) fn exposed_key(&self, headers: &HeaderMap) -> Option<KeyDigest> {
        let mut buffer = KeyBuffer::new();
        let reading = self.credentials.read(headers, &mut buffer).ok()?;
        match self.digest(&reading) {
            Ok(Admission::Key(digest, _)) => Some(digest),
            _ => None,
        }
    }

    /// Looks up the plan of a key's account.
    pub(crate) fn plan(&self, record: &KeyRecord) -> Plan {
        Plan::of(record, self.plans.as_ref())
    }

    /// Lists the quotas of a request: the key's, else its account's, else its plan's, else the
    /// profile's; and the route's.
    pub(crate) fn quotas<'a>(
        &'a self,
        record: &'a KeyRecord,
        plan: &'a Plan,
        route: Option<usize>,
    ) -> Applicable<'a> {
        Applicable {
            general: general_quotas(record, plan, self.quotas.as_slice()),
            route: self.route(route).map_or(&[], |route| route.quotas.as_slice()),
        }
    }

    /// Returns the profile's quotas.
    pub(crate) fn default_quotas(&self) -> &[Quota] {
        self.quotas.as_slice()
    }

    /// Holds the profile's quotas for one request.
    pub(crate) fn hold_default_quotas(&self) -> HeldQuotas {
        self.quotas.hold()
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
        routes || self.plans.is_some() || !self.quotas.as_slice().is_empty()
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
