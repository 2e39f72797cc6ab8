//! Sends a request to one of the servers of an upstream, and to the next one if it cannot be reached.

use std::sync::Arc;
use std::time::Instant;

use http::header::{EXPECT, HOST};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::ext::on_informational;
use tokio::time::sleep;
use tracing::warn;

use super::endpoint::{Endpoint, InFlight};
use super::failure::SendError;
use super::progress::ProgressWatch;
use super::request_body::{Continue, RequestBody, Upload};
use super::upstream::Upstream;
use crate::settings::Protocol;

/// A request for an upstream. Its fields are final, except the host.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) path: PathAndQuery,
    pub(crate) headers: HeaderMap,
}

/// An answer, and what ends with it.
pub(crate) struct Answered {
    pub(crate) response: Response<Incoming>,
    pub(crate) in_flight: InFlight,
    pub(crate) hold: Option<Continue>,
}

impl Upstream {
    /// Sends a request, and returns the head of the answer.
    ///
    /// # Errors
    ///
    /// [`SendError`] if no server answers.
    pub(crate) async fn send(
        &self,
        outgoing: &Outgoing,
        upload: &Upload,
    ) -> Result<Answered, SendError> {
        let mut last = SendError::Unsendable;
        // A pooled connection that the server closed at this moment is no failure of the server.
        let mut may_repeat = upload.is_empty() && outgoing.method.is_idempotent();
        for endpoint in self.in_order(Instant::now()) {
            let mut answer = self.try_send(endpoint, outgoing, upload).await;
            if may_repeat && matches!(answer, Err(SendError::Broken(_))) {
                may_repeat = false;
                answer = self.try_send(endpoint, outgoing, upload).await;
            }
            match answer {
                Ok(answered) => {
                    if endpoint.health.succeeded() {
                        warn!(upstream = self.name, server = %endpoint.address, "answers again");
                    }
                    return Ok(answered);
                }
                Err(error @ SendError::Unreachable(_)) if upload.is_untouched() => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    async fn try_send(
        &self,
        endpoint: &Arc<Endpoint>,
        outgoing: &Outgoing,
        upload: &Upload,
    ) -> Result<Answered, SendError> {
        let in_flight = InFlight::new(endpoint);
        let expects = outgoing.headers.contains_key(EXPECT);
        let (go_on, hold) = if expects { Some(Continue::new()) } else { None }.unzip();
        let (body, progress) = upload.attempt(self.settings.idle_timeout.get(), hold);
        let mut request = self.request(endpoint, outgoing, body)?;
        if let Some(go_on) = go_on.clone() {
            on_informational(&mut request, move |head| {
                if head.status() == StatusCode::CONTINUE {
                    go_on.free();
                }
            });
        }
        let answer = tokio::select! {
            answer = endpoint.client.request(request) => answer.map_err(|error| {
                if upload.is_too_large() {
                    SendError::TooLarge
                } else if upload.is_broken() {
                    SendError::Incomplete
                } else if error.is_connect() {
                    SendError::Unreachable(error.into())
                } else {
                    SendError::Broken(error.into())
                }
            }),
            () = self.too_slow(progress) => Err(SendError::TooSlow),
        };
        let response = answer.inspect_err(|error| self.record(endpoint, error))?;
        Ok(Answered { response, in_flight, hold: go_on })
    }

    /// Ends when an answer should have come, counted from the end of the request, or if the server does not read it.
    async fn too_slow(&self, progress: ProgressWatch) {
        let (connect, idle) =
            (self.settings.connect_timeout.get(), self.settings.idle_timeout.get());
        if progress.all_sent(connect.saturating_add(idle), idle).await {
            sleep(self.settings.response_timeout.get()).await;
        }
    }

    fn record(&self, endpoint: &Endpoint, error: &SendError) {
        let counts = matches!(error, SendError::Unreachable(_) | SendError::TooSlow);
        if counts && endpoint.health.failed(Instant::now()) {
            warn!(upstream = self.name, server = %endpoint.address, "left out: {error}");
        }
    }

    /// Writes the request for one server.
    fn request(
        &self,
        endpoint: &Endpoint,
        outgoing: &Outgoing,
        body: RequestBody,
    ) -> Result<Request<RequestBody>, SendError> {
        let mut request = Request::new(body);
        *request.method_mut() = outgoing.method.clone();
        *request.headers_mut() = outgoing.headers.clone();
        let mut authority = endpoint.address.clone();
        match (self.settings.protocol, &self.host) {
            (Protocol::Http1, None) => {}
            (Protocol::Http1, Some((_, host))) => {
                request.headers_mut().insert(HOST, host.clone());
            }
            // HTTP/2 has the host in `:authority` (RFC 9113 §8.3.1).
            (Protocol::Http2, host) => {
                request.headers_mut().remove(HOST);
                *request.version_mut() = Version::HTTP_2;
                if let Some((host, _)) = host {
                    authority = host.clone();
                }
            }
        }
        let scheme = if self.settings.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP };
        let uri = Uri::builder().scheme(scheme).authority(authority);
        let uri = uri.path_and_query(outgoing.path.clone()).build();
        *request.uri_mut() = uri.map_err(|_| SendError::Unsendable)?;
        Ok(request)
    }
}
