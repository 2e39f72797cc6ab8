//! Answers probes of health and scrapes of metrics, on a listener of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::net::TcpListener;
use tracing::warn;

use crate::local::is_direct;
use crate::readiness::Readiness;
use crate::recorder::scrape;

/// Serves `/healthz`, which the process answers as long as it runs, `/readyz`, which also asks the store and the
/// upstreams, and `/metrics` for Prometheus, if the program has installed a recorder. Clients of this machine have to ask
/// for the last two by themselves: see [`is_direct`].
pub(crate) async fn serve(listener: TcpListener, readiness: Arc<Readiness>) {
    let probes = Router::new()
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route_layer(from_fn(refuse_indirect))
        .route("/healthz", get(|| async { ([(CACHE_CONTROL, "no-store")], "alive\n") }))
        .with_state(readiness);
    let probes = probes.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, probes).await {
        warn!(%error, "probes are no longer answered");
    }
}

/// Refuses a request that a proxy or a page of this machine has sent for somebody else.
async fn refuse_indirect(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let is_of_here = peer.ip().to_canonical().is_loopback();
    if is_of_here && !is_direct(request.uri(), request.headers()) {
        let problem = "this machine has to ask for localhost or a loopback address, and not through a proxy\n";
        return (StatusCode::FORBIDDEN, [(CACHE_CONTROL, "no-store")], problem).into_response();
    }
    next.run(request).await
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
