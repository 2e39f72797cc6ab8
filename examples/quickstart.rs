//! An axum service behind a gate, for a deployment with a TLS-terminating proxy.
//!
//! ```text
//! cargo run -p tower-api-key --example quickstart --features axum
//! ```
//!
//! It listens on plain HTTP and trusts the forwarding headers of a proxy on this machine. It prints
//! requests to try.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord, Networks};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, Profile};

/// Keys such as `acme_live_…`. They end with a checksum, so the gate refuses a mistyped key without a lookup.
const FORMAT: KeyFormat = KeyFormat::prefixed("acme", &["live", "test"]);

/// The answers of the standard profile, with our keys and 100 requests a minute.
const PROFILE: Profile = Profile {
    realm: "acme",
    formats: &[FORMAT],
    quotas: &[Quota::new("minute", 100, Duration::from_secs(60))],
    ..Profile::STANDARD
};

async fn users(grant: Grant) -> String {
    format!("the users of {}\n", grant.account())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issued = Issuer::new(FORMAT, KeyHasher::sha256()).issue(Some("live"))?;
    let account = Account::builder("account_1").scopes(["users.read"]).build()?;
    let record = KeyRecord::builder("key_1", account).environment("live").build()?;
    let store = MemoryStore::new();
    store.add_now(*issued.digest(), record);

    let routes = Routes::new()
        .get("/users", Route::new().all_of(&["users.read"]))
        .post("/users", Route::new().all_of(&["users.write"]));
    let proxies = Networks::new(["127.0.0.0/8", "::1"])?;
    let gate = ApiKeyLayer::builder(PROFILE, store)
        .routes(routes)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .trusted_proxies(TrustedProxies::new(proxies, ProxyHeaders::XForwarded))
        .build()?;

    let service = Router::new()
        .route("/users", get(users).post(users))
        .layer(gate)
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let key = issued.expose();
    println!("Try these requests, which look as the proxy forwards them:");
    println!(
        "  curl -i localhost:3000/users -H 'X-Forwarded-Proto: https' -H 'Authorization: Bearer {key}'"
    );
    println!(
        "  curl -i localhost:3000/users -H 'X-Forwarded-Proto: https' -H 'Authorization: Bearer {key}' -X POST"
    );
    println!(
        "  curl -i localhost:3000/users -H 'X-Forwarded-Proto: https' -H 'Authorization: Bearer {key}x'"
    );
    println!("  curl -i localhost:3000/users");
    axum::serve(listener, service).await?;
    Ok(())
}
