//! The gate that the program asks: one file, in Rust.

use std::error::Error;
use std::time::Duration;

use tower_api_key::key::{Account, IssuedKey, Issuer, KeyFormat, KeyHasher, KeyRecord, Networks};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::RequestIdHeader;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile};

/// What clients of the API see.
pub const PROFILE: Profile = Profile {
    realm: "api.example.com",
    quotas: &[Quota::new("requests", 60, Duration::from_secs(60))],
    request_id: Some(RequestIdHeader::new("x-request-id")),
    ..Profile::STANDARD
};

/// Returns the rules of the API, for keys of this store.
///
/// # Errors
///
/// None, unless the networks below are changed to invalid ones.
pub fn gate(store: impl KeyStore) -> Result<ApiKeyLayerBuilder, Box<dyn Error>> {
    // The addresses of the proxies, and no client's. A client in these networks could claim any address.
    let proxies = Networks::new(["127.0.0.1/32", "::1/128"])?;
    let proxies = TrustedProxies::new(proxies, ProxyHeaders::XForwarded);
    let routes = Routes::new()
        .get("/v1/users", Route::new().all_of(&["users.read"]))
        .get("/v1/users/{id}", Route::new().all_of(&["users.read"]))
        .post("/v1/users", Route::new().all_of(&["users.write"]));
    Ok(ApiKeyLayer::builder(PROFILE, store)
        .trusted_proxies(proxies.and_unix_socket().always_proxies())
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .routes(routes))
}

/// Returns a store with one key, and the key, to try the program.
///
/// # Errors
///
/// The system has no random bytes.
pub fn demo_store() -> Result<(MemoryStore, IssuedKey), Box<dyn Error>> {
    let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test"))?;
    let acme = Account::builder("acme").scopes(["users.read"]).build()?;
    let record = KeyRecord::builder("key_1", acme).environment("test").metadata("team", "core");
    let store = MemoryStore::new();
    store.add_now(*key.digest(), record.build()?);
    Ok((store, key))
}
