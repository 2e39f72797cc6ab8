//! Tests that a gate admits the keys that were issued behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../../tests/support/mod.rs"]
mod support;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use http::Method;
use tower::ServiceExt;
use tower_api_key::key::{Account, AccountId, Alphabet, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{
    Command, CommandOptions, KeyFilter, KeyManager, MemoryStore, StoreError,
};
use tower_api_key::{ApiKeyLayer, Denial, Grant, Observer, Profile, Reply};
use tower_api_key_admin::{User, UserKeys, Users};
use tower_api_key_sqlx::SqlStore;

use support::{PROFILE, reason, request, store, text};

const UNTAGGED: KeyFormat = KeyFormat::new().literal("key_").between(Alphabet::Base62, 16, 80);
const LONG: KeyFormat = KeyFormat::new().literal("key_").characters(Alphabet::Base62, 24);
const TAGGED: KeyFormat = KeyFormat::new()
    .literal("acme_")
    .environment(&["production", "sandbox"])
    .literal("_")
    .characters(Alphabet::Base62, 24);
const BOTH: Profile = Profile { formats: &[UNTAGGED, TAGGED], ..PROFILE };

/// A deployment with one user.
struct Ada;

impl Users for Ada {
    fn find(&self, _: &Grant, _: &str, _: &str) -> Reply<Result<User, Denial>> {
        Reply::now(Ok(User::new(AccountId::new("acme").unwrap(), "ada")))
    }
}

/// A deployment whose organization has no key yet.
struct Newcomer;

impl Users for Newcomer {
    fn find(&self, _: &Grant, _: &str, _: &str) -> Reply<Result<User, Denial>> {
        Reply::now(Ok(User::new(AccountId::new("new").unwrap(), "bob")))
    }
}

#[tokio::test]
async fn the_first_key_of_an_account_adds_the_account() {
    let store = store(|key| key);
    let issuer = Issuer::new(LONG, KeyHasher::sha256());
    let keys = UserKeys::new(issuer, Arc::new(store.clone()), Arc::new(Newcomer));
    let gate = ApiKeyLayer::builder(BOTH, store.clone()).build().unwrap();
    let app: Router = keys.router().layer(gate);
    let path = "/api/organizations/new/users/bob/keys";
    let asked = request(Method::POST, path).map(|()| Body::empty());
    assert_eq!(app.oneshot(asked).await.unwrap().status(), 200);
    let account = store.find_account("new").await.unwrap().unwrap();
    assert!(account.scopes().is_empty());
}

fn app(store: &MemoryStore, issuer: Issuer, environment: Option<&str>) -> Router {
    let keys = UserKeys::new(issuer, Arc::new(store.clone()), Arc::new(Ada));
    let gate = ApiKeyLayer::builder(BOTH, store.clone()).audience("billing");
    let gate = match environment {
        Some(environment) => gate.environment(environment),
        None => gate,
    };
    keys.router().layer(gate.build().unwrap())
}

#[tokio::test]
async fn a_key_is_of_the_environment_of_the_key_that_asks_for_it() {
    let tagged = |environment| {
        let issued = Issuer::new(TAGGED, KeyHasher::sha256()).issue(Some(environment)).unwrap();
        Issuer::of_form(issued.form().clone(), KeyHasher::sha256())
    };
    for (issuer, own, pinned, expected) in [
        (
            Issuer::new(LONG, KeyHasher::sha256()),
            Some("production"),
            Some("production"),
            "admitted",
        ),
        (Issuer::new(LONG, KeyHasher::sha256()), None, None, "admitted"),
        (Issuer::new(TAGGED, KeyHasher::sha256()), Some("sandbox"), Some("sandbox"), "admitted"),
        (Issuer::new(TAGGED, KeyHasher::sha256()), Some("sandbox"), None, "admitted"),
        (tagged("production"), Some("production"), Some("production"), "admitted"),
        (tagged("production"), None, None, "admitted"),
        // No key issues a key of another environment.
        (tagged("production"), Some("sandbox"), None, "internal_error"),
    ] {
        let store = store(|key| {
            let key = key.audience("billing");
            own.map_or(key.clone(), |own| key.environment(own))
        });
        let app = app(&store, issuer, pinned);
        let path = "/api/organizations/acme/users/ada/keys";
        let first = request(Method::POST, path).map(|()| Body::empty());
        let answer = app.clone().oneshot(first).await.unwrap();
        if expected != "admitted" {
            assert_eq!(reason(&answer), expected, "{own:?} {pinned:?}");
            continue;
        }
        let answer = text(answer).await;
        let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let key = value["data"]["value"].as_str().unwrap();
        let mut second = request(Method::POST, path).map(|()| Body::empty());
        let bearer = format!("Bearer {key}").parse().unwrap();
        second.headers_mut().insert("authorization", bearer);
        let answer = app.oneshot(second).await.unwrap();
        assert_eq!(reason(&answer), expected, "{own:?} {pinned:?}");
    }
}

#[tokio::test]
async fn a_key_with_the_name_of_a_task_of_the_store_issues_none() {
    let store = MemoryStore::new();
    let record = KeyRecord::builder("policy", Account::builder("acme").build().unwrap());
    let record = record.audience("billing").build().unwrap();
    store.add_now(KeyHasher::sha256().digest(support::KEY.as_bytes()), record);
    let app = app(&store, Issuer::new(LONG, KeyHasher::sha256()), None);
    let path = "/api/organizations/acme/users/ada/keys";
    let answer = app.oneshot(request(Method::POST, path).map(|()| Body::empty())).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(text(answer).await.contains("reserved_author"));
    assert_eq!(store.list(&KeyFilter::default(), None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_that_would_break_a_policy_is_refused_with_the_rule() {
    let store = store(|key| key.audience("billing"));
    let policy = KeyPolicy::builder(PolicySubject::All).require_expiry().build().unwrap();
    store.apply(Command::SavePolicy(policy), CommandOptions::by("test")).await.unwrap();
    let app = app(&store, Issuer::new(LONG, KeyHasher::sha256()), None);
    let path = "/api/organizations/acme/users/ada/keys?force=true";
    let answer = app.oneshot(request(Method::POST, path).map(|()| Body::empty())).await.unwrap();
    assert_eq!(answer.status(), 422);
    let answer: serde_json::Value = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!((&answer["key"], &answer["status"]), (&"policy_violated".into(), &422.into()));
    assert!(answer["message"].as_str().unwrap().contains("requires an expiry"), "{answer}");
    assert_eq!(store.list(&KeyFilter::default(), None, 10).await.unwrap().len(), 1);
}

/// Keeps the causes.
#[derive(Clone, Default)]
struct Causes(Arc<Mutex<Vec<String>>>);

impl Observer for Causes {
    fn store_failed(&self, error: &StoreError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        self.0.lock().unwrap().push(cause.unwrap_or_default());
    }
}

/// The gate finds the key that asks, so the failure is none of the gate's own.
#[tokio::test]
async fn a_store_that_takes_no_key_is_reported_with_its_cause() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let url = format!("sqlite:{}?mode=rwc", folder.join("issuing.db").display());
    // A run that was cut off may have left its file.
    let _ = std::fs::remove_file(folder.join("issuing.db"));
    let database = SqlStore::connect(&url).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("DROP TABLE tower_api_key_changes").execute(&pool).await.unwrap();
    let (store, causes) = (store(|key| key), Causes::default());
    let issuer = Issuer::new(LONG, KeyHasher::sha256());
    let keys = UserKeys::new(issuer, Arc::new(database), Arc::new(Ada)).observer(causes.clone());
    let gate = ApiKeyLayer::builder(BOTH, store).build().unwrap();
    let path = "/api/organizations/acme/users/ada/keys";
    let asked = request(Method::POST, path).map(|()| Body::empty());
    let app: Router = keys.router().layer(gate);
    assert_eq!(app.oneshot(asked).await.unwrap().status(), 503);
    let causes = causes.0.lock().unwrap();
    assert!(causes.len() == 1 && causes[0].contains("no such table"), "{causes:?}");
    std::fs::remove_file(folder.join("issuing.db")).unwrap();
}
