//! A gate whose store and limiter can be made to fail, with a new key and client for each request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, service_fn, util::BoxCloneSyncService};
use tower_api_key::attempts::{FailedAttempts, RefusedRequests};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::{
    Issuer, KeyDigest, KeyFormat, KeyHasher, KeyRecord, KeyRecordBuilder, SharedRecord,
};
use tower_api_key::limits::{AnonymousQuotas, Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::profile::Scheme;
use tower_api_key::quota::{OnLimiterFailure, Quota, Verdict};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, Profile, Reply};

use crate::support::{Service, account, digest};

const HOUR: Duration = Duration::from_secs(3_600);

/// The account for which the limiter fails.
pub(super) const UNLUCKY: &str = "unlucky";

/// How a gate is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// It counts requests, failed attempts and refusals.
    Counting,
    /// It counts nothing, and takes all requests for ones over HTTPS.
    Bare,
    /// It admits requests without a key, and counts them by network.
    Open,
}

/// A gate with its store.
pub(super) struct World {
    pub(super) layer: ApiKeyLayer,
    pub(super) service: Service,
    profile: Profile<'static>,
    issuer: Issuer,
    environment: Option<&'static str>,
    store: FlakyStore,
    used: AtomicU32,
}

pub(super) fn routes() -> Routes {
    const SETS: Route = Route::new().any_of_sets(&[&["a", "b"], &["c"]]);
    Routes::new()
        .get("/plain", Route::new())
        .get("/free", Route::new().cost(0))
        .get("/scoped", SETS)
        .put("/kinds", Route::new().kinds(&["partner"]))
        .get("/orgs/{org}", Route::new().account_parameter("org"))
        .post("/one", Route::new().concurrency(Concurrency::new(1)))
        .get("/slow", Route::new().budget(Duration::from_millis(50)))
        .delete("/params/{id}", Route::new().all_of(&["x"]))
}

impl World {
    pub(super) fn new(
        profile: Profile<'static>,
        format: KeyFormat<'static>,
        environment: Option<&'static str>,
        setting: Setting,
    ) -> Self {
        let store = FlakyStore::default();
        let builder = ApiKeyLayer::builder(profile, store.clone()).routes(routes());
        let limiter = FlakyLimiter(MemoryLimiter::new());
        let builder = match setting {
            Setting::Bare => builder.without_limits().assume_https(),
            Setting::Counting => builder
                .limits(limiter, OnLimiterFailure::Deny)
                .failed_attempts(FailedAttempts::new(2, HOUR))
                .refused_requests(RefusedRequests::new(1, HOUR)),
            Setting::Open => builder
                .limits(limiter, OnLimiterFailure::Deny)
                .optional()
                .anonymous_quotas(AnonymousQuotas::new([Quota::new("network", 1, HOUR)])),
        };
        let layer = builder.build().unwrap();
        let service =
            BoxCloneSyncService::new(layer.layer(service_fn(|request: Request<()>| async move {
                if request.headers().contains_key("x-hang") {
                    std::future::pending::<()>().await;
                }
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"served"))))
            })));
        let issuer = Issuer::new(format, KeyHasher::sha256());
        Self { layer, service, profile, issuer, environment, store, used: AtomicU32::new(0) }
    }

    fn number(&self) -> u32 {
        self.used.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns a new key with all permissions, after these changes.
    pub(super) fn key(&self, change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder) -> String {
        let key = self.unknown_key();
        let id = format!("key_{}", self.number());
        let mut record = KeyRecord::builder(id, account("acme"));
        record = record.kind("partner").scopes(["a", "b", "c", "x"]).metadata("plan", "gold");
        if let Some(environment) = self.environment {
            record = record.environment(environment);
        }
        self.store.keys.add_now(digest(&key), change(record).build().unwrap());
        key
    }

    /// Returns a new key of this account.
    pub(super) fn key_of(&self, owner: &str) -> String {
        let key = self.unknown_key();
        let mut record = KeyRecord::builder(format!("key_{}", self.number()), account(owner));
        record = record.kind("partner").scopes(["a", "b", "c", "x"]);
        record = record.quotas([Quota::new("own", 5, HOUR)]);
        if let Some(environment) = self.environment {
            record = record.environment(environment);
        }
        self.store.keys.add_now(digest(&key), record.build().unwrap());
        key
    }

    /// Returns a key that the store does not have.
    pub(super) fn unknown_key(&self) -> String {
        self.issuer.issue(self.environment).unwrap().expose().to_owned()
    }

    /// Returns a key for which the store fails.
    pub(super) fn failing_key(&self) -> String {
        let key = self.unknown_key();
        self.store.failing.lock().unwrap().push(digest(&key));
        key
    }

    /// Returns a request over TLS from a client of its own, with all headers that the profile requires.
    pub(super) fn request(&self, method: &Method, path: &str) -> Request<()> {
        let mut request = Request::builder().method(method.clone()).uri(path).body(()).unwrap();
        for demanded in self.profile.required_headers {
            let value =
                if demanded.name == "content-type" { "application/json" } else { "2024-02-08" };
            request.headers_mut().insert(demanded.name, value.parse().unwrap());
        }
        let address = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + (self.number() << 8)));
        request.extensions_mut().insert(Connection::tls(SocketAddr::new(address, 4711)));
        request
    }

    /// Adds the credential as the profile reads it first.
    pub(super) fn with_key(&self, mut request: Request<()>, key: &str) -> Request<()> {
        let value = self.credential(key);
        request.headers_mut().append("authorization", value);
        request
    }

    pub(super) fn credential(&self, key: &str) -> HeaderValue {
        let text = match self.profile.credentials[0].scheme {
            Scheme::Basic(_) => format!("Basic {}", STANDARD.encode(format!("api:{key}"))),
            _ => format!("Bearer {key}"),
        };
        text.parse().unwrap()
    }
}

#[derive(Clone, Default)]
struct FlakyStore {
    keys: MemoryStore,
    failing: std::sync::Arc<Mutex<Vec<KeyDigest>>>,
}

impl KeyStore for FlakyStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        if self.failing.lock().unwrap().contains(digest) {
            return Reply::now(Err(StoreError::new("down")));
        }
        self.keys.find(digest)
    }
}

struct FlakyLimiter(MemoryLimiter);

impl Limiter for FlakyLimiter {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let account = charge.caller.record().map(|record| record.account().id().as_str());
        if account == Some(UNLUCKY) {
            return Reply::now(Err(LimiterError::new("down")));
        }
        self.0.charge(charge)
    }
}
