//! Management over HTTP, as a file describes it.

use std::sync::Arc;

use axum::Router;
use tower_api_key::config::{FrontDoor, ManagementSettings, OwnerSettings};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};
use tower_api_key_admin::ManagementApi;
use tower_api_key_admin::management::{Management, ManagementBuilder, OwnerPolicy};

use crate::error::OpenError;
use crate::opened::Opened;

/// The management API and the console of a file: a router with gates of its own, and the requests that belong to it.
///
/// Every request to the API passes a gate first, which reads keys, demands proof of HTTPS and limits as the gate of
/// [`LiveFrontDoor::layer`](crate::LiveFrontDoor::layer) does. So do not put another gate around the router. The gates
/// need the same marks of the connection as that one.
///
/// ```no_run
/// use axum::Router;
/// use tower_api_key_front_door::LiveFrontDoor;
///
/// # async fn example(service: Router) -> Result<(), Box<dyn std::error::Error>> {
/// let door = LiveFrontDoor::open("gate.toml").await?;
/// let mut app = service.layer(door.layer());
/// if let Some(management) = door.management() {
///     app = app.merge(management.router()); // unless the file has `management.host`
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ManagementDoor {
    settings: Arc<ManagementSettings>,
    router: Router,
    #[cfg(feature = "console")]
    sessions: Option<tower_api_key_admin::console::ConsoleSessions>,
}

impl ManagementDoor {
    /// Builds what a file says. Its gates share failed attempts with `layer`, and that of the API also refused requests and
    /// permits. The console goes on with the sessions of `before`.
    #[cfg_attr(not(feature = "console"), allow(unused_variables))]
    pub(crate) fn of(
        (door, opened): (&FrontDoor, &Opened),
        layer: &ApiKeyLayer,
        finish: impl Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder,
        before: Option<&Self>,
        file: &str,
    ) -> Result<Option<Self>, OpenError> {
        let Some(settings) = door.management() else { return Ok(None) };
        let invalid = |source| OpenError::Management { file: file.to_owned(), source };
        let invalid_layer = |source| OpenError::Layer { file: file.to_owned(), source };
        // The file was checked, so its profile has a format.
        let Some(builder) = builder(door, opened, settings) else { return Ok(None) };
        let operators = builder().build().map_err(invalid)?;
        let mut apis =
            Router::new().nest(&settings.path, ManagementApi::new(operators.clone()).router());
        let mut everyone = None;
        if let Some(owners) = &settings.owners {
            let management = builder().owners(policy(owners)).build().map_err(invalid)?;
            let api = ManagementApi::new(management.for_owners()).router();
            apis = apis.nest(&owners.path, api);
            everyone = Some(management);
        }
        let gate = opened.observe(door.management_builder(&opened.backends()));
        let gate = finish(gate).build_after(layer).map_err(invalid_layer)?;
        #[allow(unused_mut)] // Without the feature, no console is added.
        let mut router = apis.layer(gate);
        #[cfg(feature = "console")]
        let mut sessions = None;
        #[cfg(feature = "console")]
        if let Some(console) = &settings.console {
            let management = everyone.filter(|_| console.for_owners).unwrap_or(operators);
            let before = before.and_then(|before| before.sessions.as_ref());
            let console = crate::console::build((door, opened), console, management, layer, before);
            let console = console.map_err(invalid_layer)?;
            sessions = Some(console.sessions());
            router = router.merge(console.router());
        }
        #[cfg(not(feature = "console"))]
        drop(everyone);
        Ok(Some(Self {
            settings: Arc::new(settings.clone()),
            router,
            #[cfg(feature = "console")]
            sessions,
        }))
    }

    /// Returns true if a request belongs to management: see [`ManagementSettings::takes`].
    pub fn takes(&self, host: &str, path: &str) -> bool {
        self.settings.takes(host, path)
    }

    /// Returns the host of the file, if it has `management.host`.
    pub fn host(&self) -> Option<&str> {
        self.settings.host.as_deref()
    }

    /// Returns the paths of the APIs and of the console.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.settings.paths()
    }

    /// Returns the router, which answers a path of no operation with 404. It does not look at the host: ask
    /// [`takes`](Self::takes) before if the file has one. It stays as it is when the file changes: take the next one
    /// from [`LiveFrontDoor::management`](crate::LiveFrontDoor::management) then.
    pub fn router(&self) -> Router {
        self.router.clone()
    }
}

/// Returns what starts a management of operators over the keys of a file. `None` if the profile has no format.
fn builder<'a>(
    door: &'a FrontDoor,
    opened: &'a Opened,
    settings: &'a ManagementSettings,
) -> Option<impl Fn() -> ManagementBuilder + 'a> {
    let issuer = door.issuer()?;
    Some(move || {
        let manager = Arc::clone(opened.keys());
        let mut builder = Management::builder(manager, issuer.clone(), door.hasher())
            .operators(&settings.operators)
            .catalogue(settings.catalogue());
        if let Some(plans) = door.plans() {
            builder = builder.plans(plans);
        }
        if let Some(roles) = door.roles() {
            builder = builder.roles(roles);
        }
        if let Some(limiter) = opened.limiter() {
            builder = builder.limiter(limiter, door.quotas());
        }
        #[cfg(any(feature = "sqlite", feature = "postgres"))]
        if let Some(database) = opened.usage_database() {
            builder = builder.usage(database);
        }
        #[cfg(feature = "tracing")]
        {
            builder = builder.observer(tower_api_key::telemetry::FailureLog::new());
        }
        builder
    })
}

fn policy(settings: &OwnerSettings) -> OwnerPolicy {
    let mut policy = OwnerPolicy::at_most_keys(settings.most_keys);
    if let Some(life) = settings.longest_life {
        policy = policy.longest_life(life.duration());
    }
    if settings.metadata { policy.metadata() } else { policy }
}
