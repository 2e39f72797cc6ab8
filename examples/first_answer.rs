//! A service that answers requests with a valid key.

use axum::{Router, routing::get};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, Profile};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The store keeps a digest. The key's text exists only here.
    let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test"))?;
    let acme = Account::builder("acme").scopes(["users.read"]).build()?;
    let store = MemoryStore::new();
    store.add_now(*key.digest(), KeyRecord::builder("key_1", acme).environment("test").build()?);

    let routes = Routes::new().get("/v1/users", Route::new().all_of(&["users.read"]));
    let gate = ApiKeyLayer::builder(Profile::STANDARD, store).routes(routes);
    let gate = gate.assume_https().build()?; // on your own machine only: see "HTTPS" below

    let users = |grant: Grant| async move { format!("the users of {}\n", grant.account()) };
    let app = Router::new().route("/v1/users", get(users)).layer(gate);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?; // any free port
    let (address, key) = (listener.local_addr()?, key.expose());
    println!("curl -i {address}/v1/users -H 'Authorization: Bearer {key}'");
    Ok(axum::serve(listener, app).await?)
}
