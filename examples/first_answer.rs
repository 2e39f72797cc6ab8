//! An axum service behind a gate, with one key in memory.

use axum::{Router, routing::get};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, Profile};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The store keeps only the key's digest, so this is the only time its text is known.
    let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test"))?;
    let acme = Account::builder("acme").scopes(["users.read"]).build()?;
    let record = KeyRecord::builder("key_1", acme).environment("test").build()?;
    let store = MemoryStore::new();
    store.add_now(*key.digest(), record);

    let routes = Routes::new()
        .get("/v1/users", Route::new().all_of(&["users.read"]))
        .post("/v1/users", Route::new().all_of(&["users.write"]));
    let gate = ApiKeyLayer::builder(Profile::STANDARD, store)
        .routes(routes)
        // On your own machine only: the gate then accepts keys over plain HTTP.
        .assume_https()
        // A configuration that contradicts itself fails here, never in a request.
        .build()?;

    let users = |grant: Grant| async move { format!("the users of {}\n", grant.account()) };
    let app = Router::new().route("/v1/users", get(users).post(users)).layer(gate);

    let port = std::env::args().nth(1).map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let key = key.expose();
    println!("curl -i 127.0.0.1:{port}/v1/users -H 'Authorization: Bearer {key}'");
    axum::serve(listener, app).await?;
    Ok(())
}
