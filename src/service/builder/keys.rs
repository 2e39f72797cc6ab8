//! Configuring which keys a layer serves, and where.

use super::ApiKeyLayerBuilder;
use crate::key::KeyHasher;
use crate::rules::Routes;

impl ApiKeyLayerBuilder {
    /// Sets the table of routes. Without one, any living key may do anything; with one, what no
    /// line covers is refused.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.served.routes = Some(routes);
        self
    }

    /// Serves keys of this environment only; one of another is answered like an unknown key. Where a key's
    /// text names another, the store is not asked for it.
    ///
    /// On every gate, pinned or not, a text that names an environment has to agree with its record.
    ///
    /// ```
    /// # use tower_api_key::clock::Timestamp;
    /// # use tower_api_key::decision::{Check, Outcome};
    /// # use tower_api_key::key::{Account, KeyRecord};
    /// # use tower_api_key::request::Connection;
    /// # use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
    /// # let builder = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new()).without_limits();
    /// let layer = builder.environment("production").build()?;
    /// # let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).environment("sandbox").build()?.into();
    /// # let bearer = "Bearer persona_sandbox_0123456789abcdef";
    /// # let request = http::Request::get("/").header("authorization", bearer).body(())?;
    /// # let at = Timestamp::default();
    /// # let explanation = layer.explain(&request, Connection::unknown(), Some(&record), at);
    /// let refused = Outcome::Refused(Denial::EnvironmentMismatch);
    /// assert_eq!(explanation.outcome(Check::Environment), &refused);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn environment(mut self, environment: impl AsRef<str>) -> Self {
        self.served.environment = Some(environment.as_ref().to_owned());
        self
    }

    /// Serves keys of this [audience](crate::key::KeyRecordBuilder::audience) only. Any other key is as
    /// unknown to the gate as one that nobody has: one of another audience, and one of none. A gate
    /// without an audience serves only keys without one.
    ///
    /// Gates that share a store serve each other's keys unless each has an audience of its own.
    ///
    /// ```
    /// # use http::Request;
    /// # use tower_api_key::clock::Timestamp;
    /// # use tower_api_key::key::{Account, KeyRecord};
    /// # use tower_api_key::request::Connection;
    /// # use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
    /// let store = MemoryStore::new();
    /// let gate = |audience: &str| {
    ///     let builder = ApiKeyLayer::builder(vendors::POLYTOMIC, store.clone());
    ///     builder.assume_https().audience(audience).build()
    /// };
    /// # let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).audience("billing").kind("partner").build()?;
    /// # let record = record.into();
    /// # let request = Request::get("/").header("x-polytomic-version", "2025-09-18");
    /// # let bearer = "Bearer pk_live_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
    /// # let request = request.header("authorization", bearer).body(())?;
    /// # let decide = |gate: ApiKeyLayer| {
    /// #     let (unknown, now) = (Connection::unknown(), Timestamp::default());
    /// #     let explanation = gate.explain(&request, unknown, Some(&record), now);
    /// #     explanation.decision().map(|_| ()).map_err(Denial::clone)
    /// # };
    /// assert_eq!(decide(gate("billing")?), Ok(()));
    /// assert_eq!(decide(gate("reports")?), Err(Denial::KeyUnknown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn audience(mut self, audience: impl AsRef<str>) -> Self {
        self.served.audience = Some(audience.as_ref().to_owned());
        self
    }

    /// Sets how keys are digested: SHA-256, unless set to HMAC-SHA-256 with a pepper.
    ///
    /// ```
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher, Pepper};
    ///
    /// let hasher = KeyHasher::with_pepper(&Pepper::new(*b"32 bytes of the random generator")?);
    /// let issuer = Issuer::new(KeyFormat::hex(40), hasher.clone()); // both need the same one
    /// # let builder = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new());
    /// let layer = builder.hasher(hasher).build()?;
    /// # assert!(issuer.issue(None).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hasher(mut self, hasher: KeyHasher) -> Self {
        self.policy.hasher = hasher;
        self
    }
}
