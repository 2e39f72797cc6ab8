//! The front door: who may call what. One file of Rust, until the file describes it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tower_api_key::key::{Account, IssuedKey, Issuer, KeyFormat, KeyHasher, KeyRecord, Networks};
use tower_api_key::profile::CredentialSource;
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::store::{KeyStore, MemoryStore};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile, vendors};

use crate::Problem;
use crate::settings::{GatewayFile, GatewaySettings};

/// The layer that decides about each request.
pub type Gate = ApiKeyLayer;

/// Who may call what, and where the keys are.
#[derive(Clone)]
pub struct FrontDoor {
    /// The layer that decides about each request.
    pub gate: Gate,
    /// The store of the keys, which `/readyz` asks.
    pub store: Arc<dyn KeyStore>,
}

const PROFILE: Profile = Profile {
    credentials: &[CredentialSource::header("x-api-key")],
    formats: &[KeyFormat::hex(40)],
    quotas: &[],
    ..vendors::REST_INTEGRATIONS
};

impl FrontDoor {
    /// Builds the front door with what a gateway needs: upstreams never see a key, and read which client is proven.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the gate cannot be built.
    pub fn new(builder: ApiKeyLayerBuilder, store: Arc<dyn KeyStore>) -> Result<Self, Problem> {
        let gate = builder.strip_credential().client_in_request().build();
        let gate = gate.map_err(|error| Problem::new(error.to_string()))?;
        Ok(Self { gate, store })
    }

    /// Makes a front door with one key, and returns the key. Trusts proxies on this machine.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the gate cannot be built.
    pub fn demo() -> Result<(Self, IssuedKey), Problem> {
        let problem = |error: &dyn std::fmt::Display| Problem::new(error.to_string());
        let issued = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).issue(None);
        let issued = issued.map_err(|error| problem(&error))?;
        let account = Account::builder("account_1").build().map_err(|error| problem(&error))?;
        let record =
            KeyRecord::builder("key_1", account).build().map_err(|error| problem(&error))?;
        let store = Arc::new(MemoryStore::new());
        store.add_now(*issued.digest(), record);
        let proxies = Networks::new(["127.0.0.0/8"]).map_err(|error| problem(&error))?;
        let proxies = TrustedProxies::new(proxies, ProxyHeaders::XForwarded);
        let builder = ApiKeyLayer::builder(PROFILE, Arc::clone(&store)).trusted_proxies(proxies);
        Ok((Self::new(builder, store)?, issued))
    }
}

/// Reads the settings from a file.
///
/// # Errors
///
/// [`Problem`] with the line and the field.
pub fn read(file: &Path) -> Result<GatewaySettings, Problem> {
    let problem = |what: String| Problem::new(format!("{}: {what}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| problem(error.to_string()))?;
    let file: GatewayFile = toml::from_str(&text).map_err(|error| problem(error.to_string()))?;
    Ok(file.gateway)
}
