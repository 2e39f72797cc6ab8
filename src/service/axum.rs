//! Extractors for axum 0.8, and the original path under `Router::nest`.
//!
//! This module guards the arguments of handlers. A handler runs
//!
//! 1. if it takes a [`Grant`]: only for requests that passed a gate with a key;
//! 2. if it takes an `Option<Grant>`: also for anonymous requests that an
//!    [optional](crate::ApiKeyLayerBuilder::optional) gate admitted.
//!
//! Without a gate a handler that takes a `Grant` answers 500: see [`MissingGrant`].
//!
//! # Paths
//!
//! A route table matches the path as the client sent it, also inside of `Router::nest`. A path that two
//! parsers could read differently matches no route, whatever a nest has cut off. Put a layer that rewrites
//! paths outside of the nest: inside, the gate refuses the rewritten paths. A table distinguishes `/v1` and
//! `/v1/`, but a service nested at `/v1` gets `/` for both: list both in the table.
//!
//! # Deployment
//!
//! Wrap the routes with `Router::layer`. `Router::route_layer` does not guard the fallback.
//!
//! With `into_make_service_with_connect_info::<SocketAddr>()` the gate knows the address of each client. Only
//! your TLS acceptor can prove HTTPS. If `axum::serve` gets a listener of TLS streams, wrap it in a
//! [`MarkListener`]. Other servers have [`MarkConnection`](crate::MarkConnection).
//!
//! Under `Router::layer` axum adds an `Allow` header if the path does not have the request's method, even to
//! the gate's 401. So an anonymous client learns which paths exist. To hide that, put
//! the gate around the whole router:
//!
//! ```
//! use axum::{Router, routing::post};
//! use tower::Layer;
//! use tower_api_key::{ApiKeyLayer, Grant};
//!
//! fn app(gate: &ApiKeyLayer) -> Router {
//!     let routes = Router::new().route("/v1/users", post(|_: Grant| async { "created" }));
//!     Router::new().fallback_service(gate.layer(routes))
//! }
//! ```

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Request, StatusCode};

#[cfg(feature = "tracing")]
use super::admitted_anonymous::AdmittedAnonymous;
pub use super::mark_listener::MarkListener;
use crate::decision::Grant;
use crate::error::Denial;
use crate::request::{Client, Connection};
use crate::response::refusal;

/// Returns the connection that a [`MarkListener`] has noted, or the peer that axum's server has noted, without
/// proof of TLS.
pub(crate) fn connection<B>(request: &Request<B>) -> Option<Connection> {
    if let Some(ConnectInfo(marked)) = request.extensions().get::<ConnectInfo<Connection>>() {
        return Some(*marked);
    }
    let noted = request.extensions().get::<ConnectInfo<SocketAddr>>();
    noted.map(|ConnectInfo(peer)| Connection::plain(*peer))
}

/// The rejection of a handler that takes a [`Grant`], for a request without one.
///
/// Behind an [optional](crate::ApiKeyLayerBuilder::optional) gate the client gets the vendor's answer to a
/// request without credentials. Without a gate it is a mistake of the program: the client gets a 500, whose
/// body says so. With the feature `tracing` the extractor also logs it, as an error. A layer that logs in
/// another way finds this type in the response's extensions.
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
    /// Returns the denial that a gate around the handler answers.
    fn from(_: MissingGrant) -> Self {
        Self::CredentialsMissing
    }
}

impl IntoResponse for MissingGrant {
    /// Returns a response that the gate around the handler replaces. Without a gate it stays a 500.
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

    /// Returns the grant that the gate put into the request's extensions.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, MissingGrant> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing(parts))
    }
}

/// Returns the rejection of a request without a grant. With the feature `tracing`, logs it if no gate admitted
/// the request: then the program is wrong, not the client.
fn missing(
    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_variables, reason = "only a log reads them")
    )]
    parts: &Parts,
) -> MissingGrant {
    #[cfg(feature = "tracing")]
    if parts.extensions.get::<AdmittedAnonymous>().is_none() {
        tracing::error!(
            "a handler takes a `Grant`, but no API-key gate wraps it: \
            add the gate with `Router::layer`, after the handler's route"
        );
    }
    MissingGrant
}

/// The rejection of a handler that takes a [`Client`], for a request without one: the handler has no gate, or
/// the builder of the gate did not call
/// [`client_in_request`](crate::ApiKeyLayerBuilder::client_in_request). The client gets a 500.
///
/// ```
/// use axum::response::IntoResponse;
/// use tower_api_key::axum::MissingClient;
///
/// assert_eq!(MissingClient.into_response().status(), 500);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no API-key gate with `client_in_request` wraps this handler")]
pub struct MissingClient;

impl IntoResponse for MissingClient {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_string()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(self);
        response
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = MissingClient;

    /// Returns what the gate has proven about the client.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, MissingClient> {
        parts.extensions.get::<Self>().copied().ok_or(MissingClient)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Grant {
    type Rejection = std::convert::Infallible;

    /// Returns the grant, or `None` for an anonymous request.
    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

impl IntoResponse for Denial {
    /// Returns a response that the gate around the handler replaces by the vendor's answer; see
    /// [`refusal`](crate::refusal).
    fn into_response(self) -> Response {
        refusal::<Body>(self)
    }
}
