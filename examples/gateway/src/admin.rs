//! Answers probes of health, on a listener of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use tokio::net::TcpListener;
use tracing::warn;

use crate::readiness::Readiness;

/// Serves `/healthz`, which the process answers as long as it runs, and `/readyz`, which also asks the store and the
/// upstreams.
pub(crate) async fn serve(listener: TcpListener, readiness: Arc<Readiness>) {
    let probes = Router::new()
        .route("/healthz", get(|| async { ([(CACHE_CONTROL, "no-store")], "alive\n") }))
        .route("/readyz", get(ready))
        .with_state(readiness);
    if let Err(error) = axum::serve(listener, probes).await {
        warn!(%error, "probes are no longer answered");
    }
}

async fn ready(
    State(readiness): State<Arc<Readiness>>,
) -> (StatusCode, [(http::HeaderName, &'static str); 1], String) {
    let report = readiness.report().await;
    let status = if report.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], report.text)
}
