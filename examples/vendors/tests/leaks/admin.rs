//! Issuing keys over HTTP: a secret is in the answer that issues it, once, and a key that is put where none
//! belongs is nowhere.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use tower::ServiceExt;
use tower_api_key::key::{AccountId, Issuer, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyFilter, KeyManager, NewKey};
use tower_api_key::{ApiKeyLayer, Denial, Grant, Profile, Reply, vendors};
use tower_api_key_admin::{User, UserKeys, Users};
use tower_api_key_sqlx::SqlStore;

use crate::canary::{Canary, printed};
use crate::folder::Folder;
use crate::support::{account, text, tls};
use crate::traced;
use crate::vendors::Log;

/// The characters before a key's secret part: `pk_live_`.
const PREFIX: usize = 8;
const PROFILE: Profile = Profile { required_headers: &[], ..vendors::POLYTOMIC };
const ADA: &str = "/api/organizations/acme/users/ada/keys";

/// Knows one user.
struct Ada;

impl Users for Ada {
    fn find(&self, _: &Grant, organization: &str, user: &str) -> Reply<Result<User, Denial>> {
        let acme = AccountId::new("acme").unwrap();
        let known = (organization, user) == ("acme", "ada");
        Reply::now(if known { Ok(User::new(acme, "ada")) } else { Err(Denial::AccountMismatch) })
    }
}

/// A router behind a gate that knows one partner's key.
async fn app(store: &SqlStore, partner: &Canary, log: &Log) -> Router {
    let record = KeyRecord::builder("partner", account("partners")).kind("partner").build();
    store.add(NewKey::new(partner.digest(), record.unwrap()), "test").await.unwrap();
    let gate = ApiKeyLayer::builder(PROFILE, store.clone()).observer(log.clone()).without_limits();
    let issuer = Issuer::new(PROFILE.formats[0], KeyHasher::sha256());
    let keys = UserKeys::new(issuer, Arc::new(store.clone()), Arc::new(Ada));
    let keys = keys.of_kind("organization").router();
    Router::new().merge(keys).layer(gate.build().unwrap())
}

/// Sends a request, and returns its status, what can be printed of the answer, and its body.
async fn ask(
    app: &Router,
    key: &str,
    method: &Method,
    uri: &str,
    body: &str,
) -> (u16, String, String) {
    let mut request = Request::builder().method(method).uri(uri);
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(tls());
    let answer = app.clone().oneshot(request).await.unwrap();
    let head = printed(&answer) + &printed(&answer.extensions().get::<Denial>());
    (answer.status().as_u16(), head, text(answer).await)
}

#[tokio::test]
async fn a_secret_is_told_once_and_a_misplaced_key_never() {
    traced::write_down();
    let folder = Folder::new();
    let file = folder.path().join("keys.db");
    let store = SqlStore::connect(&format!("sqlite:{}?mode=rwc", file.display())).await.unwrap();
    let partner = Canary::new("pk_live_", 32);
    let log = Log::default();
    let app = app(&store, &partner, &log).await;
    let key = partner.key.as_str();
    let (get, post) = (&Method::GET, &Method::POST);
    let mut out = String::new();
    let mut issued = Vec::new();
    for query in ["", "?force=false", "?force=true", &format!("?key={key}"), &format!("?{key}")] {
        let (status, head, body) = ask(&app, key, post, &format!("{ADA}{query}"), key).await;
        assert_eq!(status, 200, "{query}: {body}");
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        let value = value["data"]["value"].as_str().unwrap();
        let canary = Canary::of(value, PREFIX);
        out += &(head + &body.replacen(value, "", 1));
        issued.push(canary);
    }
    for (method, uri, expected) in [
        (post, format!("{ADA}?force={key}"), 400),
        (post, format!("{ADA}?force=true&force={key}"), 400),
        (post, format!("{ADA}?force=true&force=true&{key}"), 400),
        (post, format!("{ADA}?force=%FF{key}"), 400),
        (post, format!("/api/organizations/{key}/users/ada/keys"), 404),
        (post, format!("/api/organizations/acme/users/{key}/keys"), 404),
        (post, format!("/api/organizations/%FF{key}/users/ada/keys"), 400),
        (post, format!("/api/organizations/acme/users/{key}%FF/keys"), 400),
        (post, format!("/api/organizations/acme/users/ada/keys/{key}"), 404),
        (post, format!("/{key}"), 404),
        (get, format!("{ADA}?{key}"), 405),
        (&Method::PUT, ADA.to_owned(), 405),
    ] {
        let (status, head, body) = ask(&app, key, method, &uri, key).await;
        assert_eq!(status, expected, "{method} {uri}: {body}");
        out += &(head + &body);
    }
    for wrong in
        [String::new(), format!("{key}x"), key.replace("live", "test"), key[1..].to_owned()]
    {
        for uri in [ADA.to_owned(), format!("{ADA}?force={key}"), format!("/{key}")] {
            let (status, head, body) = ask(&app, &wrong, post, &uri, key).await;
            assert_eq!(status, 401, "{uri}: {body}");
            out += &(head + &body);
        }
    }
    // Without a gate nobody may do anything.
    let issuer = Issuer::new(PROFILE.formats[0], KeyHasher::sha256());
    let open = UserKeys::new(issuer, Arc::new(store.clone()), Arc::new(Ada)).router();
    let (status, head, body) = ask(&open, key, post, &format!("{ADA}?force={key}"), key).await;
    assert_ne!(status, 200);
    out += &(head + &body);

    out += &printed(&store.list(&KeyFilter::default(), None, 100).await.unwrap());
    out += &printed(&store.changes(0, 100).await.unwrap());
    store.close().await;
    let (status, head, body) = ask(&app, key, post, ADA, key).await;
    assert_eq!(status, 503, "{body}");
    out += &(head + &body + &log.0.lock().unwrap());
    assert!(out.contains("issued to ada") && out.contains("force must be"), "{out}");
    for canary in issued.iter().chain([&partner]) {
        canary.is_not_in(&out, "an answer, but for the secret itself");
        traced::shows_nothing_of(canary);
    }
    traced::is_heard("axum::rejection");
}
