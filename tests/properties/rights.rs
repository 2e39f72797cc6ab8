//! What a key may do: fewer scopes and more allowlists never admit more.

use std::net::IpAddr;
use std::sync::Arc;

use http::Request;
use proptest::prelude::*;
use tower_api_key::ApiKeyLayer;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;

use super::support::{KEY, PROFILE};

const SCOPES: [&str; 5] = ["a", "b", "c", "users.read", "users"];
/// What the routes of the table need: any two of the scopes, all or one of them.
const NEEDS: [&[&str]; 8] = [
    &[],
    &["a"],
    &["b", "c"],
    &["a", "b", "c"],
    &["users"],
    &["users.read"],
    &["users.read", "a"],
    &["d"],
];

/// An empty list is refused when a layer is built.
fn any_of(needs: &'static [&'static str]) -> Route<'static> {
    if needs.is_empty() { Route::new() } else { Route::new().any_of(needs) }
}

fn layer() -> ApiKeyLayer {
    let mut routes =
        Routes::new().otherwise(Otherwise::Need(Route::new().all_of(&["users.read", "b"])));
    for (number, needs) in NEEDS.into_iter().enumerate() {
        routes = routes
            .on(&[], format!("/all/{number}"), Route::new().all_of(needs))
            .on(&[], format!("/any/{number}"), any_of(needs))
            .on(
                &[],
                format!("/both/{number}/{{id}}"),
                Route::new().all_of(needs).any_of(&["a", "b"]),
            );
    }
    let builder = ApiKeyLayer::builder(PROFILE, MemoryStore::new());
    builder.routes(routes).without_limits().build().unwrap()
}

fn path() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(&["/all", "/any", "/both", "/none"][..]);
    (kind, 0..NEEDS.len(), prop::sample::select(&["", "/x", "/"][..]))
        .prop_map(|(kind, number, end)| format!("{kind}/{number}{end}"))
}

fn admits(path: &str, peer: Option<IpAddr>, record: &KeyRecord) -> bool {
    let mut request = Request::get(path).body(()).unwrap();
    let token = format!("Bearer {KEY}").parse().unwrap();
    request.headers_mut().insert("authorization", token);
    let connection =
        peer.map_or(Connection::unknown(), |peer| Connection::tls((peer, 4711).into()));
    let layer = layer();
    let now = Timestamp::from_unix_seconds(2_000_000_000);
    layer.explain(&request, connection, Some(record), now).decision().is_ok()
}

fn tls() -> Option<IpAddr> {
    "192.0.2.1".parse().ok()
}

/// A record with its own scopes, or its account's.
fn record(scopes: &[&str], inherited: bool) -> KeyRecord {
    let account = Account::builder("acme");
    if inherited {
        let account = Arc::new(account.scopes(scopes).build().unwrap());
        return KeyRecord::builder("key_1", account).inherit_scopes().build().unwrap();
    }
    // Its account's scopes are none of its own.
    let account = Arc::new(account.scopes(SCOPES).build().unwrap());
    KeyRecord::builder("key_1", account).scopes(scopes).build().unwrap()
}

fn network() -> impl Strategy<Value = String> {
    let four = (any::<[u8; 2]>(), 0..=32u8)
        .prop_map(|([a, b], length)| format!("192.{}.2.{}/{length}", a % 2, b));
    let six =
        (any::<u16>(), 0..=128u8).prop_map(|(low, length)| format!("2001:db8::{low:x}/{length}"));
    let mapped = (any::<u8>(), 96..=128u8)
        .prop_map(|(low, length)| format!("::ffff:192.0.2.{low}/{length}"));
    let bare = any::<u8>().prop_map(|low| format!("192.0.2.{low}"));
    prop_oneof![four, six, mapped, bare]
}

fn address() -> impl Strategy<Value = IpAddr> {
    let four = any::<[u8; 2]>().prop_map(|[a, b]| IpAddr::from([192, a % 2, 2, b]));
    let six = any::<u16>().prop_map(|low| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, low]));
    let mapped = any::<u8>().prop_map(|low| format!("::ffff:192.0.2.{low}").parse().unwrap());
    prop_oneof![four, six, mapped]
}

proptest! {
    #[test]
    fn removing_a_scope_never_admits_more(
        scopes in prop::sample::subsequence(&SCOPES[..], 1..=SCOPES.len()),
        removed in any::<prop::sample::Index>(),
        inherited in any::<bool>(),
        path in path(),
    ) {
        let mut fewer = scopes.clone();
        fewer.remove(removed.index(scopes.len()));
        let admitted = admits(&path, tls(), &record(&fewer, inherited));
        prop_assert!(!admitted || admits(&path, tls(), &record(&scopes, inherited)));
    }

    #[test]
    fn adding_an_allowlist_never_admits_more(
        networks in prop::collection::vec(network(), 1..4),
        address in prop::option::weighted(0.9, address()),
        scopes in prop::sample::subsequence(&SCOPES[..], 0..=SCOPES.len()),
        path in path(),
    ) {
        let open = record(&scopes, false);
        let listed = open.edit().networks(networks.iter().map(String::as_str)).build().unwrap();
        let admitted = admits(&path, address, &listed);
        prop_assert!(!admitted || admits(&path, address, &open));
        prop_assert!(!admitted || address.is_some(), "who cannot be told is on no list");
        // And a shorter list never admits more than a longer one.
        let shorter = networks[1..].iter().map(String::as_str);
        if networks.len() > 1 {
            let shorter = open.edit().networks(shorter).build().unwrap();
            prop_assert!(admitted || !admits(&path, address, &shorter));
        }
    }
}
