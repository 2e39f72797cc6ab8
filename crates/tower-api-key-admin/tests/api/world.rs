//! A deployment behind a gate: operators in the account `staff`, customers in others.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use tower_api_key::clock::{Clock, ManualClock, Timestamp};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord, KeyRecordBuilder};
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Roles, ScopeRules};
use tower_api_key::store::{KeyManager, KeyStore, MemoryStore, NewKey};
use tower_api_key::{ApiKeyLayer, Profile};
use tower_api_key_admin::ManagementApi;
use tower_api_key_admin::management::{Management, ManagementBuilder, OwnerPolicy, scopes};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_900_000_000);

/// The quota of the gate's profile.
pub(crate) fn minute() -> Quota {
    Quota::new("minute", 1_000_000, Duration::from_secs(60))
}

pub(crate) struct World {
    pub(crate) store: Arc<dyn KeyManager>,
    pub(crate) app: Router,
    pub(crate) clock: ManualClock,
}

/// An answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that the answer is a problem, and returns its code.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{self:?}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{self:?}");
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::starting_at(NOW);
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        Self::over(store.clone(), store, clock)
    }

    /// Manages the keys of a store, behind a gate that reads another, or the same one.
    pub(crate) fn over<S: KeyStore>(
        manager: Arc<dyn KeyManager>,
        store: Arc<S>,
        clock: ManualClock,
    ) -> Self {
        Self::with(manager, store, clock, |management| management)
    }

    /// Manages the keys of a store with further settings.
    pub(crate) fn with<S: KeyStore>(
        manager: Arc<dyn KeyManager>,
        store: Arc<S>,
        clock: ManualClock,
        settings: impl FnOnce(ManagementBuilder) -> ManagementBuilder,
    ) -> Self {
        let issuer = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256());
        Self::issuing(issuer, manager, store, clock, settings)
    }

    /// Manages the keys of a store, and issues them by another issuer.
    pub(crate) fn issuing<S: KeyStore>(
        issuer: Issuer,
        manager: Arc<dyn KeyManager>,
        store: Arc<S>,
        clock: ManualClock,
        settings: impl FnOnce(ManagementBuilder) -> ManagementBuilder,
    ) -> Self {
        let (plans, roles) = (Plans::new(), Roles::new());
        plans.set("free", [Quota::new("minute", 10, Duration::from_secs(60))]).unwrap();
        roles.set("role:support", ["users.read", "users.write"]).unwrap();
        let limiter = Arc::new(MemoryLimiter::new());
        let hasher = KeyHasher::sha256();
        let management = settings(Management::builder(manager.clone(), issuer, hasher))
            .operators(["staff"])
            .owners(OwnerPolicy::at_most_keys(3).longest_life(Duration::from_secs(86_400)))
            .clock(clock.clone())
            .plans(plans.clone())
            .roles(roles.clone())
            .limiter(limiter.clone(), [minute()])
            .build()
            .unwrap();
        let quotas = [minute()];
        let profile = Profile { quotas: &quotas, ..Profile::STANDARD };
        let gate = ApiKeyLayer::builder(profile, store)
            .clock(clock.clone())
            .assume_https()
            .plans(plans.clone())
            .roles(roles.clone())
            .scopes(ScopeRules::new().wildcards().separator(':'))
            .limits(limiter, OnLimiterFailure::Deny)
            .build()
            .unwrap();
        let staff = ManagementApi::new(management.clone());
        let document = gate.openapi().merged(&staff.document("/manage")).unwrap();
        let staff = staff.serving_document(&document).router();
        let customers = ManagementApi::new(management.for_owners()).router();
        let app = Router::new().nest("/manage", staff).nest("/own", customers).layer(gate);
        Self { store: manager, app, clock }
    }

    /// Adds a key, and returns its secret.
    pub(crate) async fn key(
        &self,
        id: &str,
        account: &str,
        describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) -> String {
        add(&*self.store, id, account, describe).await
    }

    /// Adds an operator's key with all scopes of management and the one that it may grant.
    pub(crate) async fn operator(&self) -> String {
        self.key("operator", "staff", |key| key.scopes(operator_scopes())).await
    }

    /// Adds an operator's key that may grant any scope.
    pub(crate) async fn mighty_operator(&self) -> String {
        let scopes = scopes::ALL.into_iter().chain(["users.read"]);
        self.key("any", "staff", |key| key.scopes(scopes)).await
    }

    /// Adds a customer's key with the scopes to manage keys.
    pub(crate) async fn owner(&self, id: &str, account: &str) -> String {
        let scopes = ["keys.read", "keys.write", "accounts.read", "trail.read", "users.read"];
        self.key(id, account, |key| key.scopes(scopes)).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let connection = Connection::tls("192.0.2.1:4711".parse().unwrap());
        request.extensions_mut().insert(connection);
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Sends a request with a key, headers and a body of JSON.
    pub(crate) async fn ask(
        &self,
        key: &str,
        line: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.ask(key, &format!("GET {path}"), &[], None).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.ask(key, &format!("POST {path}"), &[], Some(body)).await
    }

    /// Edits something whatever it is.
    pub(crate) async fn patch(&self, key: &str, path: &str, body: Value) -> Answer {
        self.ask(key, &format!("PATCH {path}"), &[("if-match", "*")], Some(body)).await
    }

    pub(crate) fn clock_plus(&self, seconds: u64) -> Timestamp {
        self.clock.now().plus(Duration::from_secs(seconds))
    }

    pub(crate) fn at(&self, seconds: u64) -> String {
        self.clock_plus(seconds).to_string()
    }
}

/// All scopes of management without the one that grants any, and two to grant.
pub(crate) fn operator_scopes() -> impl Iterator<Item = &'static str> {
    let scopes = scopes::ALL.into_iter().filter(|scope| *scope != scopes::KEYS_GRANT_ANY);
    scopes.chain(["users.read", "users.write"])
}

/// Adds a key to a store, and returns its secret.
pub(crate) async fn add(
    store: &dyn KeyManager,
    id: &str,
    account: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) -> String {
    let issuer = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256());
    let issued = issuer.issue(Some("live")).unwrap();
    let account = Account::builder(account).build().unwrap();
    let record = describe(KeyRecord::builder(id, account));
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    issued.expose().to_owned()
}
