//! API-key authentication as one tower layer: it reads a Basic, Bearer or custom credential,
//! resolves the key to an account, enforces the vendor's rules, and answers every refusal exactly
//! as that vendor documents it.
//!
//! ```text
//! request ─► credential ─► digest ─► record ─► rules ─► limits ─► grant ─► inner service
//!               │             │         │        │         │
//!               └─────────────┴─ Denial ┴────────┴─────────┴─► profile ─► response
//! ```
//!
//! Start at [`ApiKeyLayer`], with [`Profile::STANDARD`], one of the five [`vendors`], or a [`Profile`]
//! of your own. A handler finds the [`Grant`] of its caller in the request's extensions. Rules are
//! tested without a server by [`ApiKeyLayer::explain`].
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # fn app(store: tower_api_key::store::MemoryStore) -> Result<axum::Router, tower_api_key::ConfigError> {
//! # use axum::{Router, routing::get};
//! # use tower_api_key::{ApiKeyLayer, Grant, Profile};
//! # use tower_api_key::rules::{Route, Routes};
//! let gate = ApiKeyLayer::builder(Profile::STANDARD, store)
//!     .routes(Routes::new()
//!         .get("/v1/users", Route::new().all_of(&["users.read"]))
//!         .post("/v1/users", Route::new().all_of(&["users.write"])))
//!     .build()?;
//!
//! let app = Router::new()
//!     .route("/v1/users", get(|grant: Grant| async move { format!("users of {}", grant.account()) }))
//!     .layer(gate);
//! # Ok(app)
//! # }
//! ```
//!
//! A request reaches the inner service if
//!
//! 1. it came over HTTPS, as the server's acceptor or a [trusted proxy](request::TrustedProxies)
//!    says;
//! 2. it has exactly one well-formed credential, whose digest the [store](store::KeyStore) knows;
//! 3. the record of the key passes the [rules] for its route;
//! 4. the quotas of its account have room, and so has the route.
//!
//! What is written on a room of this crate (a module) holds for all of it: what it guards, when a
//! request passes, and what a deployment has to see to.
//!
//! # Contracts
//!
//! * **Revocation.** A gate holds no keys: what a store says counts for every request that starts
//!   after it. With [`MemoryStore`](store::MemoryStore) a revoked key is refused from the moment
//!   the call that revokes it returns; a request that was admitted before is finished.
//! * **Failure.** A store that cannot answer is a 503, never a 401 and never a pass. What happens
//!   when a limiter cannot answer is [chosen](quota::OnLimiterFailure) when the layer is built.
//! * **Secrets.** A presented key is borrowed from its header, or decoded into a buffer that is
//!   wiped; it appears in no error, no `Debug`, and no response.
//!
//! # Features
//!
//! * `axum`: extractors and `IntoResponse` for axum 0.8. It also lets the gate read what axum notes on
//!   a request: the original path under `Router::nest`, and the peer from `ConnectInfo`. A program that
//!   nests axum routers needs it: without it a gate inside of `Router::nest` matches its routes on the
//!   path that axum has cut.
//! * `cache`: records of another store in memory, with one stated staleness, `store::Cached`.
//! * `testing`: the promises of stores and limiters as tests, for some of your own.
//!
//! # Crates
//!
//! * `tower-api-key-sqlx`: keys in SQLite or PostgreSQL, `SqlStore`.
//! * `tower-api-key-redis`: limits that hold across a fleet, in Redis or Valkey, `RedisLimiter`.
//! * `tower-api-key-admin`: an axum router that issues keys over HTTP.
//! * `tower-api-key-cli`: the program `tower-api-key`.

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
pub mod key;

pub mod profile;

pub mod request;
pub mod store;

pub mod quota;

pub mod attempts;
pub mod concurrency;
pub mod limits;
pub mod rules;

mod response;

pub mod decision;
pub mod vendors;

mod service;

#[cfg(feature = "testing")]
pub mod testing;

pub use decision::grant::Grant;
pub use error::{ConfigError, Denial, HeaderProblem, Malformation, UnknownName};
pub use profile::description::Profile;
pub use response::refusal::refusal;
#[cfg(feature = "axum")]
pub use service::axum;
pub use service::{
    ApiKeyGate, ApiKeyLayer, ApiKeyLayerBuilder, GateBody, MarkConnection, Observer, Preflight,
    ResponseFuture,
};
pub use sync::Reply;

/// The README's code is compiled as the documentation's is.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
