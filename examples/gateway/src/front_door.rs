//! The front door: who may call what, by the tables beside `[gateway]` in the same file.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tower_api_key::config::SectionMistake;
use tower_api_key::store::KeyStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError};
use tower_api_key_front_door::{LiveFrontDoor, ManagementDoor, OpenError};

use crate::check::{check, check_file};
use crate::problem::TABLE;
use crate::settings::{FixedSettings, GatewaySettings};

type StoreFuture = Pin<Box<dyn Future<Output = Arc<dyn KeyStore>> + Send>>;

/// Who may call what, and where the keys are.
#[derive(Clone)]
pub struct FrontDoor {
    gate: Arc<dyn Fn() -> ApiKeyLayer + Send + Sync>,
    store: Arc<dyn Fn() -> StoreFuture + Send + Sync>,
    management: Arc<dyn Fn() -> Option<ManagementDoor> + Send + Sync>,
}

impl FrontDoor {
    /// Makes a front door of a program's own, which stays as it is.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the layer cannot be built.
    pub fn new(builder: ApiKeyLayerBuilder, store: Arc<dyn KeyStore>) -> Result<Self, ConfigError> {
        let gate = finish(builder).build()?;
        let find = move || -> StoreFuture { Box::pin(std::future::ready(Arc::clone(&store))) };
        let management = Arc::new(|| None);
        Ok(Self { gate: Arc::new(move || gate.clone()), store: Arc::new(find), management })
    }

    /// Takes the front door of a file. [`Gateway::follow`](crate::Gateway::follow) takes over what has changed there.
    pub fn live(door: &LiveFrontDoor<GatewaySettings>) -> Self {
        let (door, live, managed) = (door.clone(), door.clone(), door.clone());
        let find = move || -> StoreFuture {
            let live = live.clone();
            Box::pin(async move { live.store().await })
        };
        Self {
            gate: Arc::new(move || door.current()),
            store: Arc::new(find),
            management: Arc::new(move || managed.management()),
        }
    }

    /// Returns the layer of the file that was read last. It decides nothing before the gateway takes it over.
    pub(crate) fn gate(&self) -> ApiKeyLayer {
        (self.gate)()
    }

    /// Returns what serves the table `[management]` of the file that was read last.
    pub(crate) fn management(&self) -> Option<ManagementDoor> {
        (self.management)()
    }

    /// Returns the store that is asked now.
    pub(crate) async fn store(&self) -> Arc<dyn KeyStore> {
        (self.store)().await
    }
}

/// Reads a file, and opens its front door. The file is checked as a whole, each time it is read: a mistake in
/// `[gateway]` keeps the old front door, too. So does a change of what stays until a restart.
///
/// # Errors
///
/// [`OpenError`] with all mistakes of the file, or the store or limiter that does not open.
pub async fn open(file: &Path) -> Result<LiveFrontDoor<GatewaySettings>, OpenError> {
    let fixed: OnceLock<FixedSettings> = OnceLock::new();
    let check = move |settings: &GatewaySettings| -> Result<(), SectionMistake> {
        check(settings)?;
        fixed.get_or_init(|| FixedSettings::of(settings)).refuse_change(settings)?;
        Ok(())
    };
    let builder = LiveFrontDoor::builder(file, TABLE).check(check);
    builder.check_file(check_file).finish(finish).open().await
}

/// Adds what a gateway needs of every front door: upstreams see no key, and read who called and which client is
/// proven. The access log reads the decision.
fn finish(builder: ApiKeyLayerBuilder) -> ApiKeyLayerBuilder {
    builder.strip_credential().grant_in_request().client_in_request().decision_in_response()
}
