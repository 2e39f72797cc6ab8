//! Keys with very many scopes: a check of their scopes costs about as much as for a key with few.
//!
//! `cargo test --release --test gate abuse::scopes -- --nocapture` prints the figures.

use std::time::{Duration, Instant};

use http::Method;
use tower_api_key::ApiKeyLayer;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::rules::{Roles, Route, Routes, ScopeRules};
use tower_api_key::store::MemoryStore;

use crate::support::{PROFILE, request, tls};

const MANY: usize = 20_000;
const FEW: usize = 20;

/// How much longer a check of many scopes may take. A search of every scope takes 1,000 times as long.
const RATIO: u32 = 20;

/// Returns the shortest time to explain a refusal of a key with this many scopes.
fn refusal(layer: &ApiKeyLayer, scopes: usize, runs: usize) -> Duration {
    let scopes = (0..scopes).map(|number| format!("team.{number}.read"));
    let acme = Account::builder("acme").scopes(scopes).build().unwrap();
    let record = KeyRecord::builder("key_1", acme).build().unwrap();
    let request = request(Method::GET, "/");
    let once = || {
        let start = Instant::now();
        let explained = layer.explain(&request, tls(), Some(&record), Timestamp::default());
        let time = start.elapsed();
        assert!(explained.decision().is_err());
        time
    };
    (0..runs).map(|_| once()).min().unwrap()
}

#[test]
fn many_scopes_cost_about_as_much_as_few() {
    let uppers: Vec<String> = (0..100).map(|number| format!("upper.of.{number}")).collect();
    let rows: Vec<[&str; 1]> =
        (1..100).map(|row| [uppers[row].as_str()]).chain([["users.read"]]).collect();
    let rows: Vec<(&str, &[&str])> =
        uppers.iter().zip(&rows).map(|(upper, lower)| (upper.as_str(), &lower[..])).collect();
    let hierarchy = ScopeRules::new().hierarchy(&rows);
    let all = hierarchy.wildcards().prefixes();
    let roles = Roles::new();
    for number in 0..100 {
        roles
            .set(format!("role.{number}"), [format!("upper.of.{number}"), format!("x.{number}")])
            .unwrap();
    }
    for (named, rules, with_roles) in [
        ("no rules", ScopeRules::new(), false),
        ("roles", ScopeRules::new(), true),
        ("100 rows", hierarchy, false),
        ("100 rows, wildcards, prefixes", all, false),
        ("100 rows, wildcards, prefixes, roles", all, true),
    ] {
        let routes =
            Routes::new().get("/", Route::new().any_of(&["users.read", "users.photos.read"]));
        let builder =
            ApiKeyLayer::builder(PROFILE, MemoryStore::new()).routes(routes).scopes(rules);
        let builder = if with_roles { builder.roles(roles.clone()) } else { builder };
        let layer = builder.build().unwrap();
        let (few, many) = (refusal(&layer, FEW, 40), refusal(&layer, MANY, 10));
        println!("{named}: {few:?} with {FEW} scopes, {many:?} with {MANY}");
        assert!(many < few * RATIO, "{named}: {few:?} with {FEW} scopes, {many:?} with {MANY}");
    }
}
