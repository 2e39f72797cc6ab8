//! API-key authentication as one tower layer, for axum, hyper and tonic services.
//!
//! The layer puts a gate in front of your service. The gate reads a Basic, Bearer or custom credential, finds
//! the account of the key, and enforces HTTPS, scopes, networks and request limits. Every refusal looks exactly
//! as a [`Profile`] describes it: status, body, challenge and limit headers. A profile can be
//! [the standards' own](Profile::STANDARD), one of [five vendors](vendors), or yours.
//!
//! ```text
//! request ─► credential ─► digest ─► record ─► rules ─► limits ─► grant ─► inner service
//!               │             │         │        │         │
//!               └─────────────┴─ Denial ┴────────┴─────────┴─► profile ─► response
//! ```
//!
//! # Start with an axum service
//!
//! This code needs the feature `axum`. `examples/first_answer.rs` is the whole program, and prints a `curl`
//! command to try.
//!
//! ```
//! # #[cfg(feature = "axum")] fn app() -> Result<axum::Router, Box<dyn std::error::Error>> {
//! use axum::{Router, routing::get};
//! use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
//! use tower_api_key::rules::{Route, Routes};
//! use tower_api_key::{ApiKeyLayer, Grant, Profile, store::MemoryStore};
//!
//! // Issue a key. The store keeps only its digest, so show the text to its owner now.
//! let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test"))?;
//! println!("Authorization: Bearer {}", key.expose());
//!
//! let acme = Account::builder("acme").scopes(["users.read"]).build()?;
//! let record = KeyRecord::builder("key_1", acme).environment("test").build()?;
//! let store = MemoryStore::new();
//! store.add_now(*key.digest(), record);
//!
//! // Every route needs a scope. The gate refuses requests that no route covers.
//! let routes = Routes::new()
//!     .get("/v1/users", Route::new().all_of(&["users.read"]))
//!     .post("/v1/users", Route::new().all_of(&["users.write"]));
//! let gate = ApiKeyLayer::builder(Profile::STANDARD, store)
//!     .routes(routes)
//!     .assume_https() // only on your own machine
//!     .build()?;
//!
//! // A handler that takes a `Grant` runs only for requests that passed the gate.
//! let users = |grant: Grant| async move { format!("the users of {}", grant.account()) };
//! let app = Router::new().route("/v1/users", get(users).post(users)).layer(gate);
//! # Ok(app) }
//! ```
//!
//! The gate refuses requests for which nothing proves HTTPS. In production replace
//! [`assume_https`](ApiKeyLayerBuilder::assume_https): behind a proxy that ends TLS name the proxy with
//! [`trusted_proxies`](ApiKeyLayerBuilder::trusted_proxies), and with a TLS acceptor of your own mark its
//! connections with [`MarkConnection::of`]. The README has the line for each server.
//!
//! # What to use for a task
//!
//! The examples are in the folder `examples` of the repository. `cargo run --example quickstart --features
//! axum` runs `examples/quickstart.rs`.
//!
//! | task | type | example |
//! |---|---|---|
//! | protect an axum service | [`ApiKeyLayer`], [`Grant`] | `examples/first_answer.rs`, `examples/quickstart.rs` |
//! | prove HTTPS with axum-server, axum, hyper-util or tonic | [`MarkConnection`], [`AcceptedStream`](request::AcceptedStream) | `examples/tls_servers` |
//! | log whose request it was | [`decision_in_response`](ApiKeyLayerBuilder::decision_in_response) | [on the type's page](decision::GateDecision) |
//! | know the client's address in a handler | [`client_in_request`](ApiKeyLayerBuilder::client_in_request) | [on the method](ApiKeyLayerBuilder::client_in_request) |
//! | give the cost of a request back | [`Grant::refund`], [`Route::refund_on`](rules::Route::refund_on) | [on the methods](rules::Route::refund_on) |
//! | trust a proxy that ends TLS | [`TrustedProxies`](request::TrustedProxies) | `examples/quickstart.rs` |
//! | answer a proxy's questions about requests | [`forward_auth`](ApiKeyLayerBuilder::forward_auth) | `examples/forward_auth` |
//! | protect backends by a gateway | [`strip_credential`](ApiKeyLayerBuilder::strip_credential), or no Rust at all | `cargo run -p gateway`, `docs/gateway.md` |
//! | serve clients without a key, with limits | [`AnonymousQuotas`](limits::AnonymousQuotas) | [on the type's page](limits::AnonymousQuotas) |
//! | let a browser's preflight pass | [`Preflight`], [`allow_preflight`](ApiKeyLayerBuilder::allow_preflight) | [on the type's page](Preflight) |
//! | issue keys | [`Issuer`](key::Issuer) | `examples/first_answer.rs` |
//! | issue keys over HTTP | `UserKeys` of [`tower-api-key-admin`] | on the crate's page |
//! | manage keys over HTTP, for operators and customers | `ManagementApi` of [`tower-api-key-admin`] | on the crate's page |
//! | list, rotate and revoke keys | [`KeyManager`](store::KeyManager) | [on the trait's page](store::KeyManager) |
//! | set rules for the keys of all accounts, one account or one kind | [`KeyPolicy`](policy::KeyPolicy) | [on the type's page](policy::KeyPolicy), `docs/policies.md` |
//! | keep keys in a database | `SqlStore` of [`tower-api-key-sqlx`] | on the crate's page |
//! | keep records of a slow store in memory | [`Cached`](store/struct.Cached.html), feature `cache` | [on the type's page](store/struct.Cached.html) |
//! | hold every key of another store on each node | [`Replica`](store/struct.Replica.html), feature `replica` | [on the type's page](store/struct.Replica.html) |
//! | take over keys of another system | [`KeyManager::import`](store::KeyManager::import), [`KeyFormat`](key::KeyFormat) | `tower-api-key keys import --help` |
//! | require scopes for a route | [`Routes`](rules::Routes), [`Route`](rules::Route) | `examples/first_answer.rs` |
//! | read `users.*`, or let a scope grant others | [`ScopeRules`](rules::ScopeRules) | [on the type's page](rules::ScopeRules) |
//! | name sets of scopes, and change them at run time | [`Roles`](rules::Roles) | [on the type's page](rules::Roles) |
//! | answer each family of paths in its own form | [`PathAnswers`](profile::PathAnswers) | `examples/families.rs` |
//! | require a scope in a handler | [`Grant::require`] | [on the type's page](Grant) |
//! | admit anonymous requests | [`optional`](ApiKeyLayerBuilder::optional) | [on the method](ApiKeyLayerBuilder::optional) |
//! | limit requests | [`Quota`](quota::Quota), [`MemoryLimiter`](limits::MemoryLimiter) | `examples/quickstart.rs` |
//! | limit requests by plan | [`Plans`](limits::Plans) | [on the type's page](limits::Plans) |
//! | limit requests across several processes | `RedisLimiter` of [`tower-api-key-redis`] | on the crate's page |
//! | limit simultaneous requests | [`Concurrency`](concurrency::Concurrency) | [on `Route`'s page](rules::Route) |
//! | limit open WebSockets | [`Grant::permit`] | [on the method](Grant::permit) |
//! | read a key from a browser's WebSocket | [`websocket_protocol`](profile::CredentialSource::websocket_protocol) | [on the method](ApiKeyLayerBuilder::select_websocket_protocol) |
//! | limit failed attempts to authenticate | [`FailedAttempts`](attempts::FailedAttempts) | [on the type's page](attempts::FailedAttempts) |
//! | answer like one of five vendors | [`vendors`] | `examples/vendors` |
//! | read a key from another place | [`CredentialSource`](profile::CredentialSource) | `examples/credentials.rs` |
//! | write facts of a refusal into its answer | [`ErrorBody`](profile::ErrorBody), [`Refusal`](profile::Refusal) | `examples/sixth_vendor.rs` |
//! | give each response an id of its request | [`RequestIdHeader`](profile::RequestIdHeader) | [on the type's page](profile::RequestIdHeader) |
//! | write a front door as a file, without Rust | [`FrontDoor`](config/struct.FrontDoor.html), feature `config` | `docs/configuration.md`, `examples/gateway` |
//! | write your own vendor | [`Profile`], [`Answers`](profile::Answers) | `examples/sixth_vendor.rs` |
//! | refuse a request in a handler | [`Denial`], [`refusal`] | [on the function's page](refusal()) |
//! | write names of JSON in another case, hide attributes, by key | [`ShapingLayer`](shaping/struct.ShapingLayer.html), feature `shaping` | [on the module's page](shaping/index.html) |
//! | change the gate while it serves | [`ReloadableLayer`](reload/struct.ReloadableLayer.html), feature `reload` | [on the module's page](reload/index.html) |
//! | document security, refusals and limits | [`ApiKeyLayer::openapi`](openapi/struct.OpenApi.html), feature `openapi` | [on the module's page](openapi/index.html) |
//! | count the requests of each key | [`UsageRecorder`](usage/struct.UsageRecorder.html), feature `usage` | [on the module's page](usage/index.html) |
//! | see what the gate decides | [`Observer`] | [on the trait's page](Observer) |
//! | react to what happens to keys | [`EventSink`](events::EventSink), [`EventRecorder`](events::EventRecorder) | `docs/events.md` |
//! | log each request, or count requests | [`TracingObserver`](telemetry/struct.TracingObserver.html), [`MetricsObserver`](telemetry/struct.MetricsObserver.html), features `tracing` and `metrics` | `docs/telemetry.md` |
//! | test rules without a server | [`ApiKeyLayer::explain`] | `examples/rules_in_isolation.rs` |
//! | unit-test a handler | [`testing::grant`](testing/fn.grant.html), feature `testing` | [on the function's page](testing/fn.grant.html) |
//! | write a store | [`KeyStore`](store::KeyStore) with [`lookup_tests!`](macro.lookup_tests.html), [`KeyManager`](store::KeyManager) with [`store_tests!`](macro.store_tests.html) | [on the module's page](store) |
//! | write a limiter | [`Limiter`](limits::Limiter), [`limiter_tests!`](macro.limiter_tests.html) | [on the trait's page](limits::Limiter) |
//!
//! # When a request passes
//!
//! A request reaches the inner service if
//!
//! 1. the server's own acceptor or a [trusted proxy](request::TrustedProxies) proves HTTPS;
//! 2. the request has exactly one well-formed credential, and the [store](store::KeyStore) knows its digest (where a
//!    profile [allows it](profile::CredentialSource::allow_equal), equal ones count once);
//! 3. the record of the key passes the [rules] for the route;
//! 4. all quotas of the account and the route have room, and the route has a permit free.
//!
//! An [optional](ApiKeyLayerBuilder::optional) gate also admits anonymous requests.
//!
//! The page of each module says what the module guards, and what you must set up. [`decision`] has the order of
//! all checks.
//!
//! # Contracts
//!
//! * **Revocation.** A gate keeps no keys. What the store answers counts for every request that starts after
//!   that. With [`MemoryStore`](store::MemoryStore) the gate refuses a revoked key as soon as the call that
//!   revokes it returns. A request that was admitted before completes.
//! * **Failure.** If the store cannot answer, the client gets 503: never a 401, and never access. What happens
//!   while a limiter cannot answer is your [choice](quota::OnLimiterFailure) when you build the layer.
//! * **Secrets.** The gate borrows a presented key from the request, or decodes it into a buffer that it wipes
//!   afterwards. No error, no `Debug` output and no response holds a key.
//!
//! # Features
//!
//! No feature is on by default.
//!
//! * `axum`: extractors and `IntoResponse` for axum 0.8. The gate also reads what axum notes on a request: the
//!   original path under `Router::nest`, and the peer from `ConnectInfo`. A program that nests axum routers
//!   needs this feature. Without it, a gate inside of `Router::nest` matches its routes on the path that axum
//!   has cut.
//! * `axum-server`: the proof of peer and TLS from axum-server 0.9. [Its page](axum_server/index.html) has the line.
//! * `cache`: [`Cached`](store/struct.Cached.html), which keeps records of another store in memory for a stated
//!   time.
//! * `replica`: [`Replica`](store/struct.Replica.html), which holds every key of another store and follows its
//!   changes.
//! * `config`: [a front door as a file](config/index.html), in TOML or JSON.
//! * `shaping`: [a layer](shaping/index.html) inside of the gate that changes JSON responses: the case of names, and
//!   attributes that a key must not see.
//! * `reload`: [a layer](reload/index.html) that is replaced between two requests of a running server.
//! * `http2`: keys among the protocols of a WebSocket over HTTP/2 (RFC 8441). The gate reads the `:protocol` that hyper
//!   notes on a request.
//! * `openapi`: [documents](openapi/index.html) of a gate in OpenAPI 3.1, alone or in the document of a program that uses
//!   utoipa, aide or neither.
//! * `testing`: [grants](testing/fn.grant.html) for unit tests of handlers, and
//!   [conformance tests](testing/index.html) for your own stores and limiters.
//! * `tokio-rustls`: the proof of peer and TLS from an accepted stream of tokio-rustls; see [`MarkConnection::of`].
//! * `tonic`: one gated service of tonic 0.14 beside open ones, proof of peer and TLS from tonic's server, and
//!   refusals by handlers. [Its page](tonic/index.html) has an example. The gate refuses gRPC calls in gRPC's own form
//!   without this feature, too.
//! * `usage`: [counts](usage/index.html) the requests of each key by route pattern, decision and hour.
//! * `tracing`: [an event of each request and of each failure](telemetry/struct.TracingObserver.html). It also logs a
//!   handler that takes a [`Grant`] outside of any gate, as an error.
//! * `metrics`: [counters and histograms](telemetry/struct.MetricsObserver.html) of requests, waits and failures.
//!
//! # Crates
//!
//! * [`tower-api-key-sqlx`]: keys in SQLite or PostgreSQL, `SqlStore`.
//! * [`tower-api-key-redis`]: limits across several processes, in Redis or Valkey, `RedisLimiter`.
//! * [`tower-api-key-admin`]: an axum router that issues keys over HTTP.
//! * [`tower-api-key-webhooks`]: webhooks for events of keys, `Webhook`.
//! * [`tower-api-key-cli`]: the program `tower-api-key`, which manages keys in a database.
//!
//! [`tower-api-key-sqlx`]: https://docs.rs/tower-api-key-sqlx
//! [`tower-api-key-redis`]: https://docs.rs/tower-api-key-redis
//! [`tower-api-key-admin`]: https://docs.rs/tower-api-key-admin
//! [`tower-api-key-webhooks`]: https://docs.rs/tower-api-key-webhooks
//! [`tower-api-key-cli`]: https://docs.rs/tower-api-key-cli

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::naive_bytecount,
        clippy::needless_for_each,
        clippy::items_after_statements,
        clippy::too_many_lines
    )
)]

mod error;
mod sync;

pub mod clock;
#[cfg(feature = "config")]
pub mod config;
pub mod key;

pub mod profile;

pub mod policy;
pub mod request;
pub mod store;

pub mod quota;

pub mod attempts;
pub mod caller;
pub mod concurrency;
pub mod limits;
pub mod rules;

mod response;

pub mod decision;
pub mod vendors;

mod service;

pub mod events;

#[cfg(feature = "openapi")]
pub mod openapi;

#[cfg(feature = "shaping")]
pub mod shaping;

#[cfg(any(feature = "metrics", feature = "tracing"))]
pub mod telemetry;

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "usage")]
pub mod usage;

pub use decision::grant::Grant;
pub use error::{ConfigError, Denial, HeaderProblem, Malformation, UnknownName};
pub use error::{InvalidPathAnswers, InvalidRoute, NeededScopes, ScopeChoice};
pub use profile::description::Profile;
pub use response::refusal::refusal;
#[cfg(feature = "axum")]
pub use service::axum;
#[cfg(feature = "axum-server")]
pub use service::axum_server;
#[cfg(feature = "reload")]
pub use service::reload;
#[cfg(feature = "tonic")]
pub use service::tonic;
pub use service::{
    ApiKeyGate, ApiKeyLayer, ApiKeyLayerBuilder, GateBody, MarkConnection, Observer, Preflight,
    ResponseFuture,
};
pub use sync::Reply;

/// Compiles the code of the README as doc tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
