//! Builds one app from the routes of all vendors.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tower_api_key::limits::MemoryLimiter;

use crate::database::Database;
use crate::delay::delay;
use crate::gates::{Gates, plans};
use crate::keys::Keys;
use crate::options::Options;
use crate::{
    Failure, console, manage, persona, personyze, polyteia, polytomic, rest_integrations,
    telemetry, workshop,
};

/// Writes an error of the service behind a gate, in the vendor's format.
pub(crate) type Complain = fn(StatusCode, &'static str) -> Response;

/// Builds the app and issues its keys.
pub(crate) async fn build(
    keys: &mut Keys,
    database: &Database,
    options: &Options,
) -> Result<Router, Failure> {
    let gates = Gates {
        proxies: options.trusted_proxies()?,
        limits: options.limits.clone(),
        memory: Arc::new(MemoryLimiter::new()),
        plans: plans()?,
        on_failure: options.on_limiter_failure.of(options.nodes),
        usage: database.usage().map(|usage| usage.recorder.clone()),
    };
    let personyze = personyze::router(keys, database, &gates).await?;
    let rest_integrations = rest_integrations::router(keys, database, &gates).await?;
    let polyteia = polyteia::router(keys, database, &gates).await?;
    let persona = persona::router(keys, database, &gates).await?;
    let polytomic = polytomic::router(keys, database, &gates, options.on_premises).await?;
    let workshop = workshop::router(keys, database, &gates).await?;
    let console = console::router(database, &gates)?;
    let manage = manage::router(keys, database, &gates).await?;

    let health = Router::new().route("/healthz", get(|| async { "ok" }));
    let app = complaining(health, |status, message| (status, message).into_response());
    let vendors = [personyze, rest_integrations, polyteia, persona, polytomic, workshop, manage];
    let app = vendors.into_iter().fold(app, Router::merge).merge(console);
    let app = app.merge(telemetry::router());
    // Paths of no vendor are answered here. Without this line, the last vendor's gate would guard them.
    Ok(app.fallback(|| async { StatusCode::NOT_FOUND }))
}

/// Adds these paths to a vendor's routes, so that the vendor's gate also guards unknown paths.
pub(crate) fn unknown<S>(router: Router<S>, paths: &[&str], answer: &MethodRouter<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    paths.iter().fold(router, |router, path| router.route(path, answer.clone()))
}

/// Adds the demo's delay to a vendor's routes, and a body to axum's 405.
pub(crate) fn complaining<S>(router: Router<S>, complain: Complain) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let refuse =
        move || async move { complain(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed") };
    router.method_not_allowed_fallback(refuse).layer(from_fn_with_state(complain, delay))
}
