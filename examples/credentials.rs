//! Every way in which a client can send a key, with a line of curl for each.
//!
//! ```text
//! cargo run --example credentials --features axum
//! ```

use axum::Router;
use axum::http::Uri;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::profile::{BasicKey, CredentialSource};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, Profile};

/// Sources of a key alone. A client may send the same key in several of them.
const KEYS: &[CredentialSource] = &[
    CredentialSource::wide_bearer().allow_equal(),
    CredentialSource::scheme("Token").allow_equal(),
    CredentialSource::basic(BasicKey::UserName).allow_equal(),
    CredentialSource::header("x-api-key").allow_equal(),
    CredentialSource::insecure_query("key").allow_equal(),
    CredentialSource::websocket_protocol("api-key.").allow_equal(),
];

/// Sources of a pair of id and key.
const PAIRS: &[CredentialSource] = &[
    CredentialSource::basic(BasicKey::SecretOfId),
    CredentialSource::pair("ApiKey", BasicKey::SecretOfId),
    CredentialSource::id_and_secret("x-key-id", "x-key-secret"),
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test"))?;
    let store = MemoryStore::new();
    let acme = Account::builder("acme").build()?;
    store.add_now(*key.digest(), KeyRecord::builder("key_1", acme).environment("test").build()?);
    let gate = |credentials| {
        let profile = Profile { credentials, ..Profile::STANDARD };
        ApiKeyLayer::builder(profile, store.clone()).assume_https().build() // on your own machine only
    };

    // The handler sees no key, also if the client sent it in the query.
    let hello = |grant: Grant, uri: Uri| async move { format!("{} at {uri}\n", grant.account()) };
    let app = Router::new()
        .merge(Router::new().route("/key", get(hello)).layer(gate(KEYS)?))
        .merge(Router::new().route("/pair", get(hello)).layer(gate(PAIRS)?));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let (address, key) = (listener.local_addr()?, key.expose());
    let encoded = STANDARD.encode(format!("key_1:{key}"));
    println!("curl {address}/key -H 'Authorization: Bearer {key}'");
    println!("curl {address}/key -H 'Authorization: Token {key}'");
    println!("curl {address}/key -u {key}:");
    println!("curl {address}/key -H 'X-Api-Key: {key}'");
    println!("curl {address}/key -H 'X-Api-Key: {key}' -H 'Authorization: Bearer {key}'");
    println!("curl '{address}/key?page=2&key={key}'");
    println!(
        "curl {address}/key -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
         -H 'Sec-WebSocket-Protocol: chat.v1, api-key.{key}'"
    );
    println!("curl {address}/pair -u key_1:{key}");
    println!("curl {address}/pair -H 'Authorization: ApiKey {encoded}'");
    println!("curl {address}/pair -H 'X-Key-Id: key_1' -H 'X-Key-Secret: {key}'");
    Ok(axum::serve(listener, app).await?)
}
