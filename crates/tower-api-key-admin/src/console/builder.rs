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
use super::sessions::{self, ConsoleSessions, SessionLimits, Sessions};
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
    formats: Vec<KeyFormat<'a>>,
    options: ConsoleOptions,
}

/// The settings that borrow nothing.
struct ConsoleOptions {
    management: Management,
    path: String,
    title: String,
    environments: Vec<String>,
    gate: GateSettings,
    limits: SessionLimits,
    before: Option<ConsoleSessions>,
    sign_in_after: Option<ApiKeyLayer>,
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
        let options = ConsoleOptions {
            management,
            path: "/console".to_owned(),
            title: "API keys".to_owned(),
            environments: Vec::new(),
            gate: Box::new(|gate| gate),
            limits: SessionLimits::default(),
            before: None,
            sign_in_after: None,
            over_http: false,
        };
        Self { formats: vec![KeyFormat::STANDARD], options }
    }

    /// Sets the path of the console, `/console` unless set. All of its pages are below this path.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.options.path = path.into();
        self
    }

    /// Sets the title of all pages, `API keys` unless set.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.options.title = title.into();
        self
    }

    /// Sets the formats of the keys that may sign in, [`KeyFormat::STANDARD`] unless set.
    pub fn formats<'b>(
        self,
        formats: impl IntoIterator<Item = KeyFormat<'b>>,
    ) -> ConsoleBuilder<'b> {
        ConsoleBuilder { formats: formats.into_iter().collect(), options: self.options }
    }

    /// Sets the environments of new keys, which the page offers as a list. Without them, it has a field of free text.
    pub fn environments<S: Into<String>>(
        mut self,
        environments: impl IntoIterator<Item = S>,
    ) -> Self {
        self.options.environments = environments.into_iter().map(Into::into).collect();
        self
    }

    /// Sets up the gates of the console, as you set up your other gates: trusted proxies, environment, audience,
    /// observer and failed attempts. The console sets routes, hasher and clock itself. It calls `settings` for each of
    /// its gates, and limits failed sign-ins to 10 a minute from one network unless set.
    pub fn gate(
        mut self,
        settings: impl Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.options.gate = Box::new(settings);
        self
    }

    /// Counts failed sign-ins together with the failed attempts of another gate, so that a client does not have twice as many tries.
    /// Set the same limit for both, by [`gate`](Self::gate).
    pub fn sign_in_after(mut self, layer: &ApiKeyLayer) -> Self {
        self.options.sign_in_after = Some(layer.clone());
        self
    }

    /// Sets how long sessions last.
    pub fn sessions(mut self, limits: SessionLimits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Goes on with the sessions of an earlier console, whose limits stay. The gates of this console judge each of their
    /// requests.
    pub fn with_sessions(mut self, sessions: &ConsoleSessions) -> Self {
        self.options.before = Some(sessions.clone());
        self
    }

    /// Serves the console over plain HTTP, for development on your own machine. Others on the network can read keys and
    /// sessions then.
    pub fn insecure_http(mut self) -> Self {
        self.options.over_http = true;
        self
    }

    /// Builds the console.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the path, the formats or the settings of the gates are not valid.
    pub fn build(self) -> Result<Console, ConfigError> {
        let Self { formats, options } = self;
        let sessions = match &options.before {
            Some(before) => Arc::clone(&before.0),
            None => Arc::new(Sessions::new(options.limits)),
        };
        let keys = options.management.store();
        let of_sessions = SessionStore {
            sessions: Arc::clone(&sessions),
            keys: Arc::clone(&keys),
            clock: options.management.clock(),
        };
        let hasher = options.management.hasher();
        let sign_in = options.gate(&formats, Arc::clone(&keys), hasher.clone());
        let sign_in = match &options.sign_in_after {
            Some(layer) => sign_in.build_after(layer)?,
            None => sign_in.build()?,
        };
        let open = options.gate(&formats, keys, hasher.clone()).optional().build()?;
        let pages = options.gate(&[sessions::FORMAT], Arc::new(of_sessions), KeyHasher::sha256());
        let pages = pages.failed_attempts(STALE_SESSIONS).build()?;
        let shared = Shared {
            hasher: hasher.clone(),
            management: options.management,
            path: options.path,
            brand: options.title,
            environments: options.environments,
            sessions,
            cookie: SessionCookie { over_http: options.over_http },
        };
        Ok(Console { shared: Arc::new(shared), sign_in, open, pages })
    }
}

impl ConsoleOptions {
    /// Starts a gate over a store. Every page below the console's path is a route of it.
    fn gate(
        &self,
        formats: &[KeyFormat<'_>],
        keys: Arc<dyn KeyStore>,
        hasher: KeyHasher,
    ) -> ApiKeyLayerBuilder {
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
        if self.over_http { gate.assume_https() } else { gate }
    }
}
