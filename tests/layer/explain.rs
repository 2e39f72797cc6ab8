//! Rules tested in isolation: no server, no runtime.

use std::sync::Arc;

use http::{Method, Request};
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::{Check, Explanation, Outcome};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::profile::{PrincipalHeader, PrincipalValue};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile};

use crate::support::{PROFILE, anonymous, request, tls};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn explain(request: &Request<()>, connection: Connection, known: bool) -> Explanation {
    let routes = Routes::new().on(&[], "/users", Route::new().all_of(&["users.write"]));
    let layer = ApiKeyLayer::builder(PROFILE, MemoryStore::new()).routes(routes).build().unwrap();
    let account = Arc::new(Account::builder("acme").scopes(["users.read"]).build().unwrap());
    let record = KeyRecord::builder("key_1", account).expires(NOW).build().unwrap();
    layer.explain(request, connection, known.then_some(&record), NOW)
}

#[test]
fn every_check_is_told_beyond_the_first_refusal() {
    let explanation = explain(&request(Method::PUT, "/users"), tls(), true);
    assert_eq!(explanation.decision().unwrap_err(), &Denial::KeyExpired);
    assert_eq!(explanation.outcome(Check::KeyFound), &Outcome::Passed);
    let needed = "users.write".into();
    let lacking = Outcome::Refused(Denial::ScopeMissing { needed });
    assert_eq!(explanation.outcome(Check::Scope), &lacking);
    let answer = explanation.answer().unwrap();
    assert_eq!(answer.body(), &br#"{"error":"Invalid API key provided."}"#[..]);
    let order: Vec<Check> = explanation.checks().iter().map(|(check, _)| *check).collect();
    assert_eq!(order, Check::ALL);
    let printed = explanation.to_string();
    assert_eq!(printed.lines().count(), 20, "{printed}");
    assert!(printed.contains("\n  users.write: missing\n"), "{printed}");
    assert!(printed.ends_with("refused: the key has expired"), "{printed}");
}

#[test]
fn checks_without_anything_to_look_at_are_not_reached() {
    for (explanation, denial, last) in [
        (
            explain(&anonymous(Method::GET, "/users"), tls(), true),
            Denial::CredentialsMissing,
            Check::CredentialsPresent,
        ),
        (
            explain(&request(Method::GET, "/users"), tls(), false),
            Denial::KeyUnknown,
            Check::KeyFound,
        ),
    ] {
        assert_eq!(explanation.decision().unwrap_err(), &denial);
        let place = Check::ALL.iter().position(|check| *check == last).unwrap();
        for (check, outcome) in &explanation.checks()[place + 1..] {
            assert_eq!(outcome, &Outcome::NotReached, "{check:?}");
        }
    }
}

#[test]
fn an_explanation_agrees_with_the_layer() {
    let routes = Routes::new().on(&[], "/", Route::new());
    let layer = ApiKeyLayer::builder(PROFILE, MemoryStore::new()).routes(routes).build().unwrap();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    let explained = layer.explain(&request(Method::GET, "/"), tls(), Some(&record), NOW);
    let admitted = explained.decision().unwrap().expect("a key was presented");
    assert_eq!((admitted.account().id().as_str(), admitted.id().as_str()), ("acme", "key_1"));
    assert!(explained.answer().is_none());
    let elsewhere = layer.explain(&request(Method::GET, "/x"), tls(), Some(&record), NOW);
    assert_eq!(elsewhere.decision().unwrap_err(), &Denial::RouteUnknown);
}

/// The answer is the client's, but for limit headers: principal headers and HEAD included.
#[test]
fn an_explanation_answers_as_the_layer_does() {
    const OWN: Profile = Profile {
        principal_headers: &[PrincipalHeader { name: "owner", value: PrincipalValue::Account }],
        ..PROFILE
    };
    let routes = Routes::new().on(&[Method::GET], "/users", Route::new().all_of(&["users.write"]));
    let layer = ApiKeyLayer::builder(OWN, MemoryStore::new()).routes(routes).build().unwrap();
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let serves = KeyRecord::builder("key_1", account).build().unwrap();
    let revoked = serves.edit().revoked(true).build().unwrap();
    for (method, record, status, owner) in [
        (Method::GET, Some(&serves), 403, Some("acme")),
        (Method::HEAD, Some(&serves), 403, Some("acme")),
        (Method::PUT, Some(&serves), 403, Some("acme")),
        (Method::GET, Some(&revoked), 401, None),
        (Method::GET, None, 401, None),
    ] {
        let request = request(method.clone(), "/users");
        let explanation = layer.explain(&request, tls(), record, NOW);
        let answer = explanation.answer().unwrap();
        let told = answer.headers().get("owner").map(|value| value.to_str().unwrap());
        assert_eq!((answer.status().as_u16(), told), (status, owner), "{method}");
        assert_eq!(answer.body().is_empty(), method == Method::HEAD);
    }
}
