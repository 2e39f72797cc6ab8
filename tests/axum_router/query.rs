//! A key in the query is nowhere behind the gate, however routers nest.

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, RawQuery};
use axum::routing::any;
use http::{Method, Request, Uri};
use tower::{Layer, ServiceExt};
use tower_api_key::profile::CredentialSource;
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{PROFILE, anonymous, store, text};

#[tokio::test]
async fn no_uri_that_a_handler_sees_has_the_key() {
    let credentials = &[CredentialSource::insecure_query("key")];
    let profile = Profile { credentials, ..PROFILE };
    let gate = || ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap();
    let handler =
        any(|uri: Uri, OriginalUri(original): OriginalUri, RawQuery(query): RawQuery| async move {
            format!("{uri} {original} {}", query.unwrap_or_default())
        });
    let inner = Router::new().route("/users", handler);
    for (place, router) in [
        ("inside", Router::new().nest("/v1", inner.clone().layer(gate()))),
        ("outside", Router::new().nest("/v1", inner.clone()).layer(gate())),
        ("around", {
            let router = Router::new().nest("/v1", inner);
            Router::new().fallback_service(gate().layer(router))
        }),
    ] {
        let target = "/v1/users?a=1&key=key_0123456789abcdef";
        let request: Request<Body> = anonymous(Method::GET, target).map(|()| Body::empty());
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{place}");
        assert_eq!(text(response).await, "/users?a=1 /v1/users?a=1 a=1", "{place}");
    }
}
