//! A gate with a shaping layer around a service that answers as a test says.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::ApiKeyLayer;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::shaping::{OnUnshaped, ShapingFailure, ShapingLayer, ShapingLayerBuilder};

use crate::support::{PROFILE, request, store};

pub(crate) const MAX_BYTES: usize = 1000;

/// What the service sends, frame by frame; an error ends it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frames(pub(crate) Vec<Result<Sent, &'static str>>);

#[derive(Debug, Clone)]
pub(crate) enum Sent {
    Data(&'static str),
    Trailers(&'static str, &'static str),
}

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(self.0.remove(0).map(|sent| match sent {
            Sent::Data(text) => Frame::data(text.into()),
            Sent::Trailers(name, value) => {
                let mut trailers = HeaderMap::new();
                trailers.insert(name, value.parse().unwrap());
                Frame::trailers(trailers)
            }
        })))
    }
}

/// A response of JSON with these headers.
pub(crate) fn json(text: &'static str, headers: &[(&'static str, &str)]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
    for (name, value) in headers {
        match *value {
            "" => drop(response.headers_mut().remove(*name)),
            _ => drop(response.headers_mut().insert(*name, value.parse().unwrap())),
        }
    }
    response
}

/// What a client and the operator have seen.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Result<String, String>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) failures: Vec<ShapingFailure>,
    /// The headers of the request that the service has seen; none if it was not called.
    pub(crate) seen: Option<HeaderMap>,
}

impl Outcome {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A gate, a shaping layer and the key's record.
pub(crate) struct Origin {
    pub(crate) shaping: ShapingLayerBuilder,
    pub(crate) store: tower_api_key::store::MemoryStore,
    pub(crate) request: Request<()>,
    pub(crate) optional: bool,
}

impl Origin {
    /// A layer that reads the settings of a key with this metadata.
    pub(crate) fn new(on_unshaped: OnUnshaped, metadata: &[(&str, &str)]) -> Self {
        let shaping = ShapingLayer::builder(MAX_BYTES, on_unshaped)
            .inflection_metadata("inflection")
            .blocklist_metadata("blocklist")
            .inflection_header("Key-Inflection");
        let describe = |record: KeyRecordBuilder| {
            metadata.iter().fold(record, |record, (name, value)| record.metadata(*name, *value))
        };
        let (store, request) = (store(describe), request(Method::GET, "/"));
        Self { shaping, store, request, optional: false }
    }

    pub(crate) fn method(mut self, method: Method) -> Self {
        *self.request.method_mut() = method;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().append(name, value.parse().unwrap());
        self
    }

    /// Sends the request to a service that answers with this.
    pub(crate) async fn answers<B>(self, response: Response<B>) -> Outcome
    where
        B: Body<Data = Bytes> + Clone + Send + 'static,
        B::Error: std::fmt::Debug,
    {
        let failures = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::new(Mutex::new(None));
        let (reports, notes) = (Arc::clone(&failures), Arc::clone(&seen));
        let report = move |failure: &ShapingFailure| reports.lock().unwrap().push(failure.clone());
        let shaping = self.shaping.on_failure(report).build().unwrap();
        let gate = ApiKeyLayer::builder(PROFILE, self.store);
        let gate = if self.optional { gate.optional() } else { gate }.build().unwrap();
        let service = service_fn(move |request: Request<()>| {
            *notes.lock().unwrap() = Some(request.headers().clone());
            let response = response.clone();
            async { Ok::<_, Infallible>(response) }
        });
        let service = gate.layer(shaping.layer(service));
        let (parts, body) = service.oneshot(self.request).await.unwrap().into_parts();
        let (body, trailers) = match body.collect().await {
            Ok(collected) => {
                let trailers = collected.trailers().cloned();
                (Ok(String::from_utf8_lossy(&collected.to_bytes()).into_owned()), trailers)
            }
            Err(error) => (Err(format!("{error:?}")), None),
        };
        let failures = failures.lock().unwrap().clone();
        let seen = seen.lock().unwrap().clone();
        Outcome { status: parts.status, headers: parts.headers, body, trailers, failures, seen }
    }
}
