//! Serves one connection.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::MarkConnection;
use tower_api_key::request::AcceptedStream;
use tracing::debug;

use super::entrance::Entrance;
use super::place::{Activity, Place};
use super::placed_body::PlacedBody;
use crate::drain::{Drain, Drained};
use crate::in_force::Current;

/// The most bytes of a request's head.
const LONGEST_HEAD: usize = 64 << 10;
/// How often the gateway asks whether the client of a connection over HTTP/2 is still there, and how long it waits.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_WAIT: Duration = Duration::from_secs(20);

/// What every connection is served with.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) current: Current,
    pub(crate) drain: Drain,
}

impl Server {
    /// Serves a connection until it ends, and tells the gate whether it is one of TLS.
    pub(crate) async fn serve<S>(
        &self,
        stream: S,
        header_timeout: Duration,
        room: OwnedSemaphorePermit,
    ) where
        S: AcceptedStream + AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mark = MarkConnection::of(&stream);
        let entrance = Entrance { current: Arc::clone(&self.current), drain: self.drain.clone() };
        let activity = Activity::new(room);
        let placed = Arc::clone(&activity);
        let service = mark.layer(service_fn(move |mut request: Request<Incoming>| {
            let place = Place::new(&placed);
            request.extensions_mut().insert(place.clone());
            let answer = entrance.clone().oneshot(Drained::wrap(request));
            async move {
                let answer: Result<Response<_>, Infallible> = answer.await;
                answer.map(|answer| answer.map(|body| PlacedBody::new(body, place)))
            }
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
        let (ending, mut served) = (self.drain.ending(), pin!(served));
        let mut silence = pin!(sleep_until(activity.silent_at(header_timeout)));
        let mut is_ending = false;
        let done = loop {
            tokio::select! {
                done = served.as_mut() => break done,
                // `GOAWAY`, or `Connection: close` with the answer to the request in flight.
                () = ending.cancelled(), if !is_ending => {
                    served.as_mut().graceful_shutdown();
                    is_ending = true;
                }
                // A connection without a first request ends, whatever version its client wants to speak.
                // One that is silent later is told to end: it may send a request at this moment.
                () = silence.as_mut(), if !is_ending || !activity.has_begun() => {
                    let silent_at = activity.silent_at(header_timeout);
                    if silent_at > Instant::now() {
                        silence.as_mut().reset(silent_at);
                    } else if activity.has_begun() {
                        served.as_mut().graceful_shutdown();
                        is_ending = true;
                    } else {
                        return;
                    }
                }
            }
        };
        if let Err(error) = done {
            debug!(error, "a connection broke off");
        }
    }
}
