//! Tests your rules with a table of cases, without a server, a runtime or a store.
//!
//! ```text
//! cargo run --example rules_in_isolation
//! ```
//!
//! In your project, put these lines into a `#[test]`.

use std::error::Error;
use std::sync::Arc;

use http::{Method, Request};
use tower_api_key::ApiKeyLayer;
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::Check;
use tower_api_key::key::{Account, KeyRecord, KeyRecordBuilder};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::vendors;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

type Case = (&'static str, fn(KeyRecordBuilder) -> KeyRecordBuilder, u16);

const CASES: &[Case] = &[
    ("a plain key", |key| key, 200),
    ("a key without the scope", |key| key.scopes(["reports.read"]), 403),
    ("an expired key", |key| key.expires(NOW), 401),
    ("a revoked key", |key| key.revoked(true), 401),
    ("a key of another network", |key| key.networks(["10.1.2.0/24"]), 403),
    ("a key of this network", |key| key.networks(["192.0.2.0/24"]), 200),
];

fn main() -> Result<(), Box<dyn Error>> {
    let routes = Routes::new().on(
        &[Method::POST],
        "/accounts/{account}/reports",
        Route::new().all_of(&["reports.write"]).account_parameter("account"),
    );
    let gate =
        ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).routes(routes).build()?;
    let request = Request::post("/accounts/acme/reports")
        .header("authorization", "Bearer 0123456789abcdef")
        .header("content-type", "application/json")
        .body(())?;
    let connection = Connection::tls("192.0.2.7:4711".parse()?);
    let account = Account::builder("acme").scopes(["reports.write"]).build()?;
    let plain = KeyRecord::builder("key_1", account).build()?;

    for (name, change, expected) in CASES {
        let record = Arc::new(change(plain.edit()).build()?);
        let explanation = gate.explain(&request, connection, Some(&record), NOW);
        let status = explanation.answer().map_or(200, |answer| answer.status().as_u16());
        println!("{name}: {status}, scope {:?}", explanation.outcome(Check::Scope));
        assert_eq!(status, *expected, "{name}\n{explanation}");
    }
    let elsewhere = Request::post("/accounts/another/reports").body(())?;
    println!("\n{}", gate.explain(&elsewhere, connection, None, NOW));
    Ok(())
}
