//! The service that proxies ask.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Full};
use tower::{Layer, ServiceExt};
use tower_api_key::reload::ReloadableLayer;
use tower_api_key::request::OriginalRequestError;
use tower_api_key::{ApiKeyLayerBuilder, ConfigError};

use crate::admitted::Admitted;
use crate::carried_refusal::{REFUSAL, pack, unpack};
use crate::settings::{Proxy, Settings};
use crate::{envoy_status, identity};

/// Answers questions about requests. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Checker {
    gate: ReloadableLayer,
    proxy: Proxy,
    path: String,
    refusal_path: String,
}

impl Checker {
    /// Puts a gate behind the questions of one proxy.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a path that is none, and for rules that forward auth cannot keep.
    pub fn new(gate: ApiKeyLayerBuilder, settings: &Settings) -> Result<Self, ConfigError> {
        let gate = gate.forward_auth(settings.original_request()).build()?;
        Ok(Self::of(ReloadableLayer::new(gate).0, settings))
    }

    /// Asks a gate that was built for forward auth.
    pub(crate) fn of(gate: ReloadableLayer, settings: &Settings) -> Self {
        let refusal_path = format!("{}/refusal", settings.path);
        Self { gate, proxy: settings.proxy, path: settings.path.clone(), refusal_path }
    }

    /// Answers one question.
    ///
    /// # Errors
    ///
    /// None: a failure is an answer, and none that a proxy takes for access.
    pub async fn answer<B: 'static>(
        self,
        question: Request<B>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = question.uri().path();
        if self.proxy == Proxy::Nginx && path == self.refusal_path {
            return self.refusal(&question).await;
        }
        // Envoy's questions are below the path; the gate looks at that.
        if self.proxy != Proxy::Envoy && path != self.path {
            return Ok(text(StatusCode::NOT_FOUND, "there is nothing to ask here\n").map(Full::new));
        }
        let (is_admitted, mut answer) = if identity::is_forged(question.headers()) {
            let forged = "the request has a header that only the proxy may write\n";
            (false, text(StatusCode::BAD_REQUEST, forged))
        } else {
            let answer = self.gate.layer(Admitted).oneshot(question).await?;
            let error = answer.extensions().get::<OriginalRequestError>();
            // A client can cause the others as often as it likes.
            if let Some(error) = error.filter(|error| error.status().is_server_error()) {
                eprintln!("{error}");
            }
            (answer.extensions().get::<Admitted>().is_some(), whole(answer).await)
        };
        if !is_admitted {
            if answer.status() < StatusCode::BAD_REQUEST {
                let text_of_it = "a refusal must not look like access\n";
                answer = text(StatusCode::INTERNAL_SERVER_ERROR, text_of_it);
            }
            match self.proxy {
                Proxy::Nginx => answer = for_nginx(&answer),
                Proxy::Envoy => envoy_status::state(&mut answer),
                Proxy::Traefik | Proxy::Caddy => {}
            }
        }
        Ok(answer.map(Full::new))
    }

    /// Returns the refusal that nginx has brought back. A client could have made one up, so it gets none.
    async fn refusal<B>(self, question: &Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
        // A question that names no request. It shows whether the gate trusts the peer, and costs nothing.
        let mut empty = Request::new(());
        empty.extensions_mut().clone_from(question.extensions());
        let answer = self.gate.layer(Admitted).oneshot(empty).await?;
        let error = answer.extensions().get::<OriginalRequestError>();
        if matches!(error, Some(OriginalRequestError::Missing { .. })) {
            return Ok(carried(question).map(Full::new));
        }
        Ok(whole(answer).await.map(Full::new))
    }
}

/// Wraps a refusal into one that nginx understands.
fn for_nginx(refusal: &Response<Bytes>) -> Response<Bytes> {
    let Some(packed) = pack(refusal) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "the refusal is too long for nginx\n");
    };
    let mut answer = text(StatusCode::FORBIDDEN, "");
    answer.headers_mut().insert(REFUSAL, packed);
    answer
}

/// Unwraps the refusal that nginx has brought back.
fn carried<B>(question: &Request<B>) -> Response<Bytes> {
    let mut lines = question.headers().get_all(REFUSAL).iter();
    match (lines.next().map(unpack), lines.next()) {
        (Some(Some(refusal)), None) => refusal,
        // The proxy refused the request by itself.
        (None, _) => text(StatusCode::FORBIDDEN, "the proxy refused the request\n"),
        _ => text(StatusCode::INTERNAL_SERVER_ERROR, "the refusal cannot be read\n"),
    }
}

/// Takes the whole body of an answer, which is in memory.
async fn whole<R>(answer: Response<R>) -> Response<Bytes>
where
    R: BodyExt<Data = Bytes>,
{
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.map(Collected::to_bytes);
    Response::from_parts(parts, bytes.unwrap_or_default())
}

fn text(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from_static(text.as_bytes()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !text.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    answer
}
