//! The settings of a console.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::attempts::FailedAttempts;
use tower_api_key::key::{KeyFormat, KeyHasher};
use tower_api_key::profile::CredentialSource;
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::KeyStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Profile};

use super::console::Console;
use super::cookie::SessionCookie;
use super::session_store::SessionStore;
use super::sessions::{self, SessionLimits, Sessions};
use super::shared::Shared;
use crate::management::Management;

/// Ten failed sign-ins a minute from one network.
const ATTEMPTS: FailedAttempts = FailedAttempts::new(10, Duration::from_secs(60)).capacity(8_192);

/// No limit for sessions: their texts have 256 random bits, and the browsers of an office send old ones together.
const STALE_SESSIONS: FailedAttempts =
    FailedAttempts::new(1_000_000, Duration::from_secs(1)).capacity(8).serve_good_keys();

type GateSettings = Box<dyn Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder + Send + Sync>;

/// Builds a [`Console`].
#[must_use = "a builder does nothing until it is built"]
pub struct ConsoleBuilder<'a> {
    management: Management,
    path: String,
    title: String,
    formats: Vec<KeyFormat<'a>>,
    environments: Vec<String>,
    gate: GateSettings,
    sessions: SessionLimits,
    over_http: bool,
}

impl Console {
    /// Starts a console over these operations. Its sessions ask the store of the operations for their keys.
    pub fn builder(management: Management) -> ConsoleBuilder<'static> {
        ConsoleBuilder::new(management)
    }
}

impl ConsoleBuilder<'_> {
    fn new(management: Management) -> Self {
        Self {
            management,
            path: "/console".to_owned(),
            title: "API keys".to_owned(),
            formats: vec![KeyFormat::STANDARD],
            environments: Vec::new(),
            gate: Box::new(|gate| gate),
            sessions: SessionLimits::default(),
            over_http: false,
        }
    }

    /// Sets the path of the console, `/console` unless set. All of its pages are below this path.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the title of all pages, `API keys` unless set.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the formats of the keys that may sign in, [`KeyFormat::STANDARD`] unless set.
    pub fn formats<'b>(
        self,
        formats: impl IntoIterator<Item = KeyFormat<'b>>,
    ) -> ConsoleBuilder<'b> {
        let Self { management, path, title, formats: _, environments, gate, sessions, over_http } =
            self;
        let formats = formats.into_iter().collect();
        ConsoleBuilder { management, path, title, formats, environments, gate, sessions, over_http }
    }

    /// Sets the environments of new keys, which the page offers as a list. Without them, it has a field of free text.
    pub fn environments<S: Into<String>>(
        mut self,
        environments: impl IntoIterator<Item = S>,
    ) -> Self {
        self.environments = environments.into_iter().map(Into::into).collect();
        self
    }

    /// Sets up the gates of the console, as you set up your other gates: trusted proxies, environment, audience,
    /// observer and failed attempts. The console sets routes, hasher and clock itself. It calls `settings` for each of
    /// its gates, and limits failed sign-ins to 10 a minute from one network unless set.
    pub fn gate(
        mut self,
        settings: impl Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.gate = Box::new(settings);
        self
    }

    /// Sets how long sessions last.
    pub fn sessions(mut self, limits: SessionLimits) -> Self {
        self.sessions = limits;
        self
    }

    /// Serves the console over plain HTTP, for development on your own machine. Others on the network can read keys and
    /// sessions then.
    pub fn insecure_http(mut self) -> Self {
        self.over_http = true;
        self
    }

    /// Builds the console.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the path, the formats or the settings of the gates are not valid.
    pub fn build(self) -> Result<Console, ConfigError> {
        let sessions = Arc::new(Sessions::new(self.sessions));
        let keys = self.management.store();
        let of_sessions = SessionStore {
            sessions: Arc::clone(&sessions),
            keys: Arc::clone(&keys),
            clock: self.management.clock(),
        };
        let hasher = self.management.hasher();
        let sign_in = self.layer(&self.formats, Arc::clone(&keys), hasher.clone(), |gate| gate)?;
        let open = self.layer(&self.formats, keys, hasher.clone(), ApiKeyLayerBuilder::optional)?;
        let sessions_only = |gate: ApiKeyLayerBuilder| gate.failed_attempts(STALE_SESSIONS);
        let (of_sessions, unkeyed) = (Arc::new(of_sessions), KeyHasher::sha256());
        let pages = self.layer(&[sessions::FORMAT], of_sessions, unkeyed, sessions_only)?;
        let shared = Shared {
            hasher: hasher.clone(),
            management: self.management,
            path: self.path,
            brand: self.title,
            environments: self.environments,
            sessions,
            cookie: SessionCookie { over_http: self.over_http },
        };
        Ok(Console { shared: Arc::new(shared), sign_in, open, pages })
    }

    /// Builds a gate over a store. Every page below the console's path is a route of it.
    fn layer(
        &self,
        formats: &[KeyFormat<'_>],
        keys: Arc<dyn KeyStore>,
        hasher: KeyHasher,
        finish: impl FnOnce(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder,
    ) -> Result<ApiKeyLayer, ConfigError> {
        let credentials = [CredentialSource::wide_bearer()];
        let profile = Profile {
            name: "Console",
            realm: "console",
            credentials: &credentials,
            formats,
            ..Profile::STANDARD
        };
        let gate = ApiKeyLayer::builder(profile, keys).failed_attempts(ATTEMPTS).without_limits();
        let every = Routes::new().any(&self.path, Route::new());
        let every = every.otherwise(Otherwise::Need(Route::new()));
        let gate = (self.gate)(gate).routes(every).hasher(hasher).clock(self.management.clock());
        let gate = if self.over_http { gate.assume_https() } else { gate };
        finish(gate).build()
    }
}
