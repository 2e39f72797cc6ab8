//! One app for all vendors: which path leads to whose gate.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::database::Database;
use crate::delay::delay;
use crate::gates::Gates;
use crate::keys::Keys;
use crate::options::Options;
use crate::{Failure, persona, personyze, polyteia, polytomic, rest_integrations};

/// How the service behind a vendor's gate answers what it cannot serve, in the vendor's form.
pub(crate) type Complain = fn(StatusCode, &'static str) -> Response;

/// Builds the app, and issues the keys that it serves.
pub(crate) async fn build(keys: &mut Keys, options: &Options) -> Result<Router, Failure> {
    let database = Database::open(&options.store).await?;
    let gates = Gates {
        proxies: options.trusted_proxies()?,
        limits: options.limits.clone(),
        on_failure: options.on_limiter_failure.of(options.nodes),
    };
    let personyze = personyze::router(keys, &database, &gates).await?;
    let rest_integrations = rest_integrations::router(keys, &database, &gates).await?;
    let polyteia = polyteia::router(keys, &database, &gates).await?;
    let persona = persona::router(keys, &database, &gates).await?;
    let polytomic = polytomic::router(keys, &database, &gates, options.on_premises).await?;

    let health = Router::new().route("/healthz", get(|| async { "ok" }));
    let app = complaining(health, |status, message| (status, message).into_response());
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

/// Gives the routes of a vendor the demo's delay, and words for what axum would answer without any.
pub(crate) fn complaining<S>(router: Router<S>, complain: Complain) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let refuse =
        move || async move { complain(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed") };
    router.method_not_allowed_fallback(refuse).layer(from_fn_with_state(complain, delay))
}
