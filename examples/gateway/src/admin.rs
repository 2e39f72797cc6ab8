//! Answers probes of health and scrapes of metrics, on a listener of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::net::TcpListener;
use tracing::warn;

use crate::readiness::Readiness;
use crate::recorder::scrape;

/// Serves `/healthz`, which the process answers as long as it runs, `/readyz`, which also asks the store and the
/// upstreams, and `/metrics` for Prometheus, if the program has installed a recorder.
pub(crate) async fn serve(listener: TcpListener, readiness: Arc<Readiness>) {
    let probes = Router::new()
        .route("/healthz", get(|| async { ([(CACHE_CONTROL, "no-store")], "alive\n") }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
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

async fn metrics() -> Result<([(http::HeaderName, &'static str); 2], String), StatusCode> {
    // The version of Prometheus's text format.
    let format = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let text = scrape().ok_or(StatusCode::NOT_FOUND)?;
    Ok(([format, (CACHE_CONTROL, "no-store")], text))
}
