//! One app for all vendors: which path leads to whose gate.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, get};
use tower_api_key::limits::{MemoryLimiter, OnLimiterFailure};
use tower_api_key::request::TrustedProxies;
use tower_api_key::rules::{RouteRow, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ConfigError, Profile};

use crate::delay::delay;
use crate::keys::Keys;
use crate::options::Options;
use crate::{Failure, persona, personyze, polyteia, polytomic, rest_integrations};

/// Builds the app, and issues the keys that it serves.
pub(crate) fn build(keys: &mut Keys, options: &Options) -> Result<Router, Failure> {
    let proxies = options.trusted_proxies()?;
    let personyze = personyze::router(keys, &proxies)?;
    let rest_integrations = rest_integrations::router(keys, &proxies)?;
    let polyteia = polyteia::router(keys, &proxies)?;
    let persona = persona::router(keys, &proxies)?;
    let polytomic = polytomic::router(keys, &proxies, options.on_premises)?;

    let health = Router::new().route("/healthz", get(|| async { "ok" }));
    let app = health.layer(from_fn(delay));
    let vendors = [personyze, rest_integrations, polyteia, persona, polytomic];
    let app = vendors.into_iter().fold(app, Router::merge);
    // What lies outside of all vendors is nobody's; without this it would be the last one's.
    Ok(app.fallback(|| async { StatusCode::NOT_FOUND }))
}

/// Gives a vendor what lies at these paths and below, too: what its routes do not know, its gate
/// still guards.
pub(crate) fn unknown<S>(router: Router<S>, paths: &[&str], answer: &MethodRouter<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    paths.iter().fold(router, |router, path| router.route(path, answer.clone()))
}

/// Builds the gate of a vendor.
pub(crate) fn gate(
    profile: &Profile,
    routes: &[RouteRow],
    store: &MemoryStore,
    proxies: &TrustedProxies,
) -> Result<ApiKeyLayer, ConfigError> {
    ApiKeyLayer::builder(*profile, store.clone())
        .routes(Routes::new().rows(routes))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .trusted_proxies(proxies.clone())
        .build()
}
