//! Routers of axum with one route: behind nothing, and behind a gate.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::{RouterIntoService, get};
use http::{Request, Response};
use tower::Service;
use tower_api_key::{ApiKeyLayerBuilder, Grant};

/// Builds a router that answers `ok` to everyone.
pub(crate) fn open() -> Router {
    served(Router::new().route("/v1/users", get(async || "ok\n")))
}

/// Makes a router what `axum::serve` makes of it for a connection. Otherwise it would put its layers around a handler anew
/// for each request.
pub(crate) fn served(router: Router) -> Router {
    router.with_state(())
}

/// Builds a router behind a gate, whose handler takes the grant and answers `ok`.
pub(crate) fn gated(builder: ApiKeyLayerBuilder) -> Router {
    let users = get(|grant: Grant| async move {
        assert!(!grant.account().as_str().is_empty());
        "ok\n"
    });
    served(Router::new().route("/v1/users", users).layer(builder.build().expect("valid")))
}

/// A router as a service for requests without a body, as gates are called here.
pub(crate) struct InRouter(RouterIntoService<Body>);

impl InRouter {
    pub(crate) fn new(router: Router) -> Self {
        Self(router.into_service())
    }
}

impl Service<Request<()>> for InRouter {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <RouterIntoService<Body> as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.0.call(request.map(|()| Body::empty()))
    }
}
