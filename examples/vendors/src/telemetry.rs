//! What the demo's gates log and count: refusals on standard error, and metrics for Prometheus at `/metrics`.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::routing::get;
use axum::{Extension, Router};
use tower_api_key::ApiKeyLayerBuilder;
use tower_api_key::request::Connection;
use tower_api_key::telemetry::{MetricsObserver, TracingObserver};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Failure;
use crate::local::is_direct;
use crate::recorder::{record, scrape};

/// The path of the metrics.
pub(crate) const PATH: &str = "/metrics";

/// The version of Prometheus's text format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The targets that are logged: those of this repository's crates. Other crates may log what a client has sent.
const LOGGED: &str = "tower_api_key";

/// Begins to log from this level on, and to count. Call it before the gates are built.
pub(crate) fn begin(level: LevelFilter) -> Result<(), Failure> {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let targets = Targets::new().with_target(LOGGED, level);
    tracing_subscriber::registry().with(lines).with(targets).try_init()?;
    Ok(record()?)
}

/// Logs and counts the requests of a gate.
pub(crate) fn observed(gate: ApiKeyLayerBuilder) -> ApiKeyLayerBuilder {
    gate.observer(TracingObserver::new()).observer(MetricsObserver::new())
}

/// Serves the metrics to clients of this machine that ask by themselves. All others learn nothing of the demo's traffic:
/// neither those of a proxy beside the demo, nor a web page whose name leads here.
pub(crate) fn router() -> Router {
    Router::new().route(PATH, get(metrics))
}

async fn metrics(
    Extension(connection): Extension<Connection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<([(HeaderName, &'static str); 2], String), StatusCode> {
    let is_of_here = connection.peer().is_some_and(|peer| peer.to_canonical().is_loopback());
    let is_local = is_of_here && is_direct(&uri, &headers);
    let text = scrape().filter(|_| is_local).ok_or(StatusCode::NOT_FOUND)?;
    Ok(([(CONTENT_TYPE, FORMAT), (CACHE_CONTROL, "no-store")], text))
}
