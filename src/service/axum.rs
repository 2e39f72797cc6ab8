//! Extractors for axum 0.8, and the original path under `Router::nest`.
//!
//! This room guards a handler's arguments. A handler that takes a
//!
//! 1. [`Grant`] runs only for requests that passed a gate with a key;
//! 2. `Option<Grant>` runs also for requests that an optional gate let pass without one.
//!
//! A handler that takes a [`Grant`] outside of any gate answers 500: see [`MissingGrant`].
//!
//! A route table matches the path as the client sent it, nests included. A path that two readers could
//! read differently matches no route, whatever a nest has cut of it. A layer that rewrites paths belongs
//! outside of the nest, or the gate refuses what was rewritten.
//! A table tells `/v1` from `/v1/`, but a service nested at `/v1` gets `/` for both: list both.
//!
//! Layer the gate around the routes with `Router::layer`; `Router::route_layer` leaves the fallback
//! outside. A server started with `into_make_service_with_connect_info::<SocketAddr>()` tells the
//! peer's address, but nobody tells of TLS except its acceptor: see
//! [`MarkConnection`](crate::MarkConnection).
//!
//! Under `Router::layer` axum still adds an `Allow` header to what a path answers to a method that it
//! does not know, a 401 of the gate included, so a stranger learns which paths exist. Where that is
//! too much, put the gate around the router as a whole:
//!
//! ```
//! # use axum::{Router, routing::post};
//! # use tower_api_key::{ApiKeyLayer, Grant};
//! use tower::Layer;
//!
//! # fn app(gate: &ApiKeyLayer) -> Router {
//! let known = Router::new().route("/v1/users", post(|_: Grant| async { "created" }));
//! Router::new().fallback_service(gate.layer(known))
//! # }
//! ```

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{
    ConnectInfo, FromRequestParts, NestedPath, OptionalFromRequestParts, OriginalUri,
};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Request, StatusCode};

use crate::decision::Grant;
use crate::error::Denial;
use crate::request::Connection;
use crate::response::refusal;
use crate::rules::is_unambiguous;

/// Returns the path as the client sent it: under `Router::nest`, axum cuts it and keeps the whole.
///
/// An ambiguous original path counts as it is, whatever axum has made of it, so that it matches no
/// route: axum cuts an empty segment off together with the prefix, and `/v1//users` would become a
/// path that looks plain. If the path was cut in another way, a layer has rewritten it. Then nothing
/// shows which part of it the nesting has cut, and the empty path stands for it, which matches no
/// route either. A nest under a part of a segment (`/v{n}`) inside of another nest is met by that, too:
/// put the gate outside of it.
pub(crate) fn original_path<B>(request: &Request<B>) -> &str {
    let current = request.uri().path();
    let extensions = request.extensions();
    // Asked first, for hardly any router is nested, and each question takes 5 ns.
    let Some(nesting) = extensions.get::<NestedPath>() else {
        return current;
    };
    let Some(OriginalUri(original)) = extensions.get() else {
        return "";
    };
    let original = original.path();
    let is_cut_by_nesting = || {
        // The nesting may have parameters, so its segments are counted, not compared.
        let cut = nesting.as_str().split('/').filter(|segment| !segment.is_empty()).count();
        let start = original.match_indices('/').nth(cut).map(|(start, _)| start);
        current == start.and_then(|start| original.get(start..)).unwrap_or("/")
    };
    // Under a parameter that is a part of a segment axum cuts nothing.
    if current == original || !is_unambiguous(original) || is_cut_by_nesting() {
        original
    } else {
        ""
    }
}

/// Returns the peer that axum's own server noted; it says nothing of TLS.
pub(crate) fn connection<B>(request: &Request<B>) -> Option<Connection> {
    let noted = request.extensions().get::<ConnectInfo<SocketAddr>>();
    noted.map(|ConnectInfo(peer)| Connection::plain(*peer))
}

/// Reports that a handler takes a [`Grant`], and its request has none.
///
/// Behind an [optional](crate::ApiKeyLayerBuilder::optional) gate it is the vendor's answer to a request
/// without credentials. Outside of any gate it is a mistake of the program: a 500, whose body and
/// [`Display`](std::fmt::Display) say so. The response's extensions hold it, for a layer that logs.
///
/// ```
/// use axum::response::IntoResponse;
/// use tower_api_key::axum::MissingGrant;
///
/// assert_eq!(MissingGrant.into_response().status(), 500);
/// assert_eq!(MissingGrant.to_string(), "no API-key gate wraps this handler");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no API-key gate wraps this handler")]
pub struct MissingGrant;

impl From<MissingGrant> for Denial {
    /// Is what the gate answers, if there is one.
    fn from(_: MissingGrant) -> Self {
        Self::CredentialsMissing
    }
}

impl IntoResponse for MissingGrant {
    /// Asks the gate around the handler to refuse; where there is none, the response stays a 500.
    fn into_response(self) -> Response {
        let mut response = refusal::<Body>(self.into());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        *response.body_mut() = Body::from(self.to_string());
        response.extensions_mut().insert(self);
        response
    }
}

impl<S: Sync> FromRequestParts<S> for Grant {
    type Rejection = MissingGrant;

    /// Takes the grant that the gate left.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, MissingGrant> {
        parts.extensions.get::<Self>().cloned().ok_or(MissingGrant)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Grant {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

impl IntoResponse for Denial {
    /// Asks the gate around the handler for the vendor's own answer; see
    /// [`refusal`](crate::refusal).
    fn into_response(self) -> Response {
        refusal::<Body>(self)
    }
}
