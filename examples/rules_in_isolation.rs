//! Your own rules as a table of cases: no server, no runtime, no store.
//!
//! ```text
//! cargo run --example rules_in_isolation
//! ```
//!
//! In a project these lines stand in a `#[test]`.

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
    ("one that may not write", |key| key.scopes(["reports.read"]), 403),
    ("an expired one", |key| key.expires(NOW), 401),
    ("a revoked one", |key| key.revoked(true), 401),
    ("one of another office", |key| key.networks(["10.1.2.0/24"]), 403),
    ("one of this office", |key| key.networks(["192.0.2.0/24"]), 200),
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
