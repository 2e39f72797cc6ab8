//! Serves one connection.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;
use tower::{Layer, ServiceExt};
use tower_api_key::MarkConnection;
use tower_api_key::reload::ReloadableLayer;
use tower_api_key::request::AcceptedStream;
use tracing::debug;

use super::access_log::AccessLog;
use crate::drain::{Drain, Drained};
use crate::forward::{Forward, Routing};

/// The most bytes of a request's head.
const LONGEST_HEAD: usize = 64 << 10;
/// How often the gateway asks whether the client of a connection over HTTP/2 is still there, and how long it waits.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_WAIT: Duration = Duration::from_secs(20);

/// What every connection is served with.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) gate: ReloadableLayer,
    pub(crate) forward: Forward,
    pub(crate) routing: Arc<ArcSwap<Routing>>,
}

impl Server {
    /// Serves a connection until it ends, and tells the gate whether it is one of TLS.
    pub(crate) async fn serve<S>(&self, stream: S, header_timeout: Duration, drain: &Drain)
    where
        S: AcceptedStream + AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mark = MarkConnection::of(&stream);
        let gated = self.gate.layer(self.forward.clone());
        let logged = AccessLog { inner: gated, routing: Arc::clone(&self.routing) };
        let has_begun = Arc::new(AtomicBool::new(false));
        let begun = Arc::clone(&has_begun);
        let service = mark.layer(logged.map_request(move |request: Request<Incoming>| {
            begun.store(true, Ordering::Relaxed);
            Drained::wrap(request)
        }));
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .max_buf_size(LONGEST_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_WAIT)
            // A WebSocket over HTTP/2 (RFC 8441).
            .enable_connect_protocol();
        let served = builder
            .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        let (ending, mut served) = (drain.ending(), pin!(served));
        let mut silence = pin!(sleep(header_timeout));
        let (mut is_silent, mut is_ending) = (true, false);
        let done = loop {
            tokio::select! {
                done = served.as_mut() => break done,
                // `GOAWAY`, or `Connection: close` with the answer to the request in flight.
                () = ending.cancelled(), if !is_ending => {
                    served.as_mut().graceful_shutdown();
                    is_ending = true;
                }
                // A connection without a first request ends, whatever version its client wants to speak.
                () = silence.as_mut(), if is_silent => {
                    if !has_begun.load(Ordering::Relaxed) {
                        return;
                    }
                    is_silent = false;
                }
            }
        };
        if let Err(error) = done {
            debug!(error, "a connection broke off");
        }
    }
}
