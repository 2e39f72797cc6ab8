//! Builder methods for the keys and routes that a layer accepts.

use super::ApiKeyLayerBuilder;
use crate::key::KeyHasher;
use crate::rules::{CompiledScopes, Roles, Routes, ScopeRules};
use crate::store::Rehasher;

impl ApiKeyLayerBuilder {
    /// Sets the table of routes. Without a table any valid key may do anything. With a table the gate
    /// refuses requests that no route covers.
    ///
    /// ```
    /// use tower_api_key::rules::{Route, Routes};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let routes = Routes::new()
    ///     .get("/v1/users", Route::new().all_of(&["users.read"]))
    ///     .post("/v1/users", Route::new().all_of(&["users.write"]));
    /// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
    /// let layer = builder.routes(routes).build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn routes(mut self, routes: Routes) -> Self {
        self.served.routes = Some(routes);
        self
    }

    /// Chooses how the gate reads the scopes of keys: wildcards, prefixes and a hierarchy. Without a call a scope
    /// grants itself only. [`ScopeRules`] has an example.
    pub fn scopes(mut self, rules: ScopeRules<'_>) -> Self {
        self.served.scopes = Some(CompiledScopes::new(&rules));
        self
    }

    /// Sets the roles: names among a key's scopes that stand for other scopes. [`Roles`] has an example.
    pub fn roles(mut self, roles: Roles) -> Self {
        self.served.roles = Some(roles);
        self
    }

    /// Accepts only keys of this environment. The gate answers any other key like an unknown one. If a key's
    /// text names another environment, the gate does not ask the store for it.
    ///
    /// On every gate, with this setting or without, the environment in a key's text must be the one in its
    /// record.
    ///
    /// ```
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::key::{Account, KeyRecord};
    /// use tower_api_key::request::Connection;
    /// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
    ///
    /// let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    /// let layer = builder.environment("production").build()?;
    ///
    /// let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).environment("sandbox").build()?;
    /// let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
    /// let connection = Connection::tls("192.0.2.1:4711".parse()?);
    /// let explanation = layer.explain(&request, connection, Some(&record), Timestamp::default());
    /// assert_eq!(explanation.decision(), Err(&Denial::EnvironmentMismatch));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn environment(mut self, environment: impl AsRef<str>) -> Self {
        self.served.environment = Some(environment.as_ref().to_owned());
        self
    }

    /// Accepts only keys of this [audience](crate::key::KeyRecordBuilder::audience). To the gate a key of
    /// another audience, or of none, is an unknown key. A gate without an audience accepts only keys without
    /// one.
    ///
    /// Gates that share a store accept each other's keys, unless each gate has an audience of its own.
    ///
    /// ```
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::decision::{Check, Outcome};
    /// use tower_api_key::key::{Account, KeyRecord};
    /// use tower_api_key::request::Connection;
    /// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
    ///
    /// let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).audience("billing").build()?;
    /// let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
    ///
    /// let unknown = Outcome::Refused(Denial::KeyUnknown);
    /// for (audience, outcome) in [("billing", Outcome::Passed), ("reports", unknown)] {
    ///     let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    ///     let layer = builder.audience(audience).build()?;
    ///     let connection = Connection::unknown();
    ///     let explanation = layer.explain(&request, connection, Some(&record), Timestamp::default());
    ///     assert_eq!(explanation.outcome(Check::KeyFound), &outcome);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn audience(mut self, audience: impl AsRef<str>) -> Self {
        self.served.audience = Some(audience.as_ref().to_owned());
        self
    }

    /// Sets how the gate computes the digest of a key: SHA-256 unless set, or HMAC-SHA-256 with a pepper.
    ///
    /// ```
    /// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher, Pepper};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let hasher = KeyHasher::with_pepper(&Pepper::new(*b"32 bytes of the random generator")?);
    /// // The issuer and the gate need the same hasher.
    /// let issuer = Issuer::new(KeyFormat::STANDARD, hasher.clone());
    /// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
    /// let layer = builder.hasher(hasher).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hasher(mut self, hasher: KeyHasher) -> Self {
        self.policy.hasher = hasher;
        self
    }

    /// Records each key that the gate finds by a former pepper of its [hasher](Self::hasher), so that the key gets a
    /// digest by the current pepper. [`Rehasher`] has an example. Set the same rehasher on all gates of a store.
    ///
    /// All gates that accept keys of one audience need the same keyring.
    pub fn rehasher(mut self, rehasher: &Rehasher) -> Self {
        self.options.rehasher = Some(rehasher.clone());
        self
    }
}
