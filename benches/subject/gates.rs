//! Gates that do all there is to do: routes with scopes, two windows, headers if the profile has them.

use std::time::Duration;

use http::Method;
use tower::Layer;
use tower_api_key::clock::Clock;
use tower_api_key::limits::{Limiter, MemoryLimiter};
use tower_api_key::profile::{BasicKey, CredentialSource, LimitHeaders};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore};
use tower_api_key::telemetry::MetricsObserver;
use tower_api_key::{ApiKeyGate, ApiKeyLayer, ApiKeyLayerBuilder, Profile, vendors};

use super::clock::Fast;
use super::keys::FORMAT;
use super::service::{Nothing, nothing};

pub(crate) const PROFILE: Profile = Profile {
    credentials: &[
        CredentialSource::bearer(),
        CredentialSource::basic(BasicKey::PasswordOf("api")),
    ],
    formats: &[FORMAT],
    quotas: &[
        Quota::new("minute", 9_999, Duration::from_secs(60)),
        Quota::new("hour", 9_999, Duration::from_secs(3_600)),
    ],
    limit_headers: LimitHeaders::RATE_LIMIT,
    ..vendors::REST_INTEGRATIONS
};

/// The same without limit headers.
pub(crate) const BARE: Profile = Profile { limit_headers: LimitHeaders::NONE, ..PROFILE };

/// The same with one credential source, which a straight function reads, too.
pub(crate) const BEARER_ONLY: Profile =
    Profile { credentials: &[CredentialSource::bearer()], ..PROFILE };

/// Quotas that one key on two threads does not use up between two ticks of the clock.
pub(crate) const ROOMY: Profile = Profile {
    quotas: &[
        Quota::new("minute", 999_999, Duration::from_secs(60)),
        Quota::new("hour", 999_999, Duration::from_secs(3_600)),
    ],
    ..PROFILE
};

/// The gRPC service behind a gate that names one.
pub(crate) const GRPC_SERVICE: &str = "vendors.v1.Users";

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(&[Method::GET], "/v1/users", Route::new().all_of(&["users.read"]))
        .on(&[Method::POST], "/v1/users", Route::new().all_of(&["users.write"]))
        .on(&[Method::PUT, Method::DELETE], "/v1/users/{id}", Route::new().all_of(&["users.write"]))
        .on(
            &[Method::POST],
            format!("/{GRPC_SERVICE}/ListUsers"),
            Route::new().all_of(&["users.read"]),
        )
}

pub(crate) type Gate = ApiKeyGate<Nothing>;

/// What a gate leaves on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extras {
    Grant,
    None,
    /// The grant, and metrics for Prometheus.
    Metrics,
}

/// Builds a gate.
pub(crate) fn gate(
    profile: &Profile,
    store: &MemoryStore,
    routes: Routes,
    speed: u64,
    extras: Extras,
) -> Gate {
    gate_on(Fast::new(speed), profile, store, routes, extras)
}

/// Builds the same on another clock.
pub(crate) fn gate_on(
    clock: impl Clock,
    profile: &Profile,
    store: &MemoryStore,
    routes: Routes,
    extras: Extras,
) -> Gate {
    let limiter = MemoryLimiter::with_capacity(2_000_000);
    guarded(builder(clock, profile, store.clone(), limiter, extras).routes(routes))
}

/// Starts a gate over any store and limiter.
///
/// Two gates over the same records share a limiter. Otherwise each would look in vain for the counters of an account
/// where the limiter of the other has put them.
pub(crate) fn builder(
    clock: impl Clock,
    profile: &Profile,
    store: impl KeyStore,
    limiter: impl Limiter,
    extras: Extras,
) -> ApiKeyLayerBuilder {
    let builder =
        ApiKeyLayer::builder(*profile, store).limits(limiter, OnLimiterFailure::Deny).clock(clock);
    match extras {
        Extras::Grant => builder,
        Extras::None => builder.without_grant(),
        Extras::Metrics => builder.observer(MetricsObserver::new()),
    }
}

/// Puts a gate before a service that does nothing.
pub(crate) fn guarded(builder: ApiKeyLayerBuilder) -> Gate {
    builder.build().expect("valid").layer(nothing())
}
