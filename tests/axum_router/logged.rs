//! A handler outside of any gate is logged, and nothing else is.

use axum::Router;
use axum::routing::get;
use http::Method;
use tower_api_key::ApiKeyLayer;

use super::{send, whose};
use crate::log::Log;
use crate::support::{PROFILE, anonymous, request, store};

#[tokio::test]
async fn a_handler_outside_of_any_gate_is_logged_as_an_error() {
    let (log, _guard) = Log::listen();

    let routes = || Router::new().route("/whose", get(whose));
    assert_eq!(send(&routes(), request(Method::GET, "/whose")).await.status(), 500);
    let line = log.take();
    assert!(line.contains("ERROR tower_api_key::service::axum"), "{line}");
    assert!(line.contains("no API-key gate wraps it"), "{line}");

    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key)).optional().build().unwrap();
    let gated = routes().layer(gate);
    assert_eq!(send(&gated, request(Method::GET, "/whose")).await.status(), 200);
    // The client has no key: that is no mistake of the program.
    assert_eq!(send(&gated, anonymous(Method::GET, "/whose")).await.status(), 401);
    assert_eq!(log.take(), "");
}
