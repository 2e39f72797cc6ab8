//! `Debug` and `Display` of every public type that can have met a key or its digest.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tower::{Layer, Service, service_fn};
use tower_api_key::caller::Caller;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{
    Account, IssueError, Issuer, KeyDigest, KeyFormat, KeyHasher, KeyRecord, Pepper, SharedRecord,
};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::quota::{AppliedQuotas, Quota, Verdict};
use tower_api_key::request::Connection;
use tower_api_key::store::{
    Cached, Invalidation, KeyEntry, KeyFilter, KeyStore, ManageError, MemoryStore, NewKey,
    SecretEntry, StoreError,
};
use tower_api_key::{ApiKeyLayer, MarkConnection, Reply};

use crate::canary::{Canary, printed, told};
use crate::support::{KEY, PROFILE, account, anonymous, tls};

#[tokio::test]
async fn no_public_type_shows_what_it_met() {
    let canary = Canary::new("canary_", 40);
    let (key, digest) = (canary.key.as_bytes(), canary.digest());
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let minute = Quota::new("minute", 5, Duration::from_secs(60));
    let record = KeyRecord::builder("key_1", account("acme")).quotas([minute]);
    let mut out = printed(&record);
    let record = record.build().unwrap();
    let store = MemoryStore::new();
    store.add_now(digest, record.clone());
    let found = store.find(&digest).await.unwrap().unwrap();
    let pepper = Pepper::new(key).unwrap();
    let hasher = KeyHasher::with_pepper(&pepper);
    let issuer = Issuer::new(KeyFormat::hex(40), hasher.clone());
    let issued = issuer.issue(None).unwrap();
    let second = Canary::of(issued.expose(), 0);
    let mut request = anonymous(http::Method::GET, "/");
    request.headers_mut().insert("authorization", canary.key.parse().unwrap());
    request.headers_mut().insert("x-api-key", canary.key.parse().unwrap());
    let quotas = AppliedQuotas { general: record.quotas().unwrap().as_slice(), route: &[] };
    let charge =
        Charge { caller: Caller::Key(&record), quotas, cost: 1, mode: ChargeMode::IfAllowed, now };
    let limiter = MemoryLimiter::new();
    let verdict = limiter.charge(charge).await.unwrap();
    let mut secret = SecretEntry::new(digest, now);
    secret.last_used = Some(now);
    let entry = KeyEntry::new(record.clone(), now, vec![secret]);
    let cached = Cached::new(store.clone());
    cached.find(&digest).await.unwrap();
    cached.find(&KeyHasher::sha256().digest(KEY.as_bytes())).await.unwrap();
    let layer = ApiKeyLayer::builder(PROFILE, store.clone()).hasher(hasher.clone());
    let layer = layer.without_limits().build().unwrap();
    let mut gate =
        layer.layer(MarkConnection::new(tls()).layer(service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
        })));
    out += &printed(&gate.call(request.clone()));
    for text in [
        printed(&Connection::unknown()),
        printed(&digest),
        printed(&canary.key.parse::<KeyDigest>()),
        printed(&pepper) + &printed(&Pepper::new(&key[..8])),
        printed(&hasher) + &printed(&KeyHasher::sha256()),
        printed(&issuer) + &printed(&issued) + &printed(issued.secret()),
        told(&IssueError::UnknownEnvironment) + &told(&IssueError::StuckSource),
        printed(&found) + &printed(&SharedRecord::from(record.clone())),
        printed(&record) + &printed(&record.edit()) + &printed(record.account()),
        printed(&Account::builder("acme")),
        printed(&store) + &printed(&cached) + &printed(&Cached::builder(store.clone())),
        printed(&entry) + &printed(&entry.secrets),
        printed(&NewKey::new(digest, record.clone()).revoking_others()),
        printed(&KeyFilter::account("acme")),
        printed(&[Invalidation::Secret(digest), Invalidation::Everything]),
        printed(&charge) + &printed(&limiter) + &printed(&verdict),
        printed(&Reply::now(digest)),
        printed(&Reply::now(Ok::<Verdict, LimiterError>(verdict.clone()))),
        told(&ManageError::Exists) + &told(&ManageError::NotFound),
        told(&StoreError::new("down")) + &told(&LimiterError::new("down")),
        printed(&layer) + &printed(&gate),
        printed(&Arc::new(layer.clone())),
    ] {
        out += &text;
    }
    canary.is_not_in(&out, "Debug");
    second.is_not_in(&out, "Debug of an issued key");
    assert!(out.len() > 5_000, "{out}");
}
