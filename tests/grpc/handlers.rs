//! What a service behind the gate says stays as it is, and a denial becomes the vendor's answer.

use std::convert::Infallible;
use std::time::Duration;

use http::Method;
use tonic::Code;
use tonic::metadata::AsciiMetadataValue;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::attempts::RefusedRequests;
use tower_api_key::rules::Route;
use tower_api_key::{ApiKeyLayer, Denial};

use super::server::{builder, routes, start};
use crate::support::{PROFILE, request, store};

#[tokio::test]
async fn a_denial_by_a_service_is_the_vendors_answer() {
    let client = start(&builder(PROFILE).assume_https().build().unwrap()).await;
    for (user, code, message) in [
        ("forbidden", Code::PermissionDenied, "You do not have permission to perform this action."),
        ("failed", Code::Internal, "Internal server error."),
        ("taken", Code::AlreadyExists, "The service's own words."),
    ] {
        let status = client.create(user).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, message));
    }
    let status = client.create("forbidden").await.unwrap_err();
    let scope = r#"Bearer realm="test", error="insufficient_scope", scope="users.delete""#;
    let challenges: Vec<&AsciiMetadataValue> =
        status.metadata().get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, [scope]);
}

/// Without a gate around the service, the reason stays inside.
#[test]
fn a_denial_without_a_gate_says_its_code_only() {
    let status = tonic::Status::from(Denial::KeyRevoked);
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, ""));
    assert!(status.metadata().is_empty());
}

/// A client chooses the type of its request, and tonic serves any. So a service's denial counts as one, and the
/// gate answers in the form of the request.
#[tokio::test]
async fn a_denial_counts_whatever_the_type_of_the_request() {
    let limited = RefusedRequests::new(2, Duration::from_secs(60));
    let gate = builder(PROFILE).assume_https().refused_requests(limited).build().unwrap();
    let service = gate.layer(service_fn(|_: http::Request<()>| async {
        let status = tonic::Status::from(Denial::ScopeMissing { needed: "users.delete".into() });
        Ok::<http::Response<tonic::body::Body>, Infallible>(status.into_http())
    }));
    for (media_type, status) in [
        ("application/json", 403),
        ("application/grpc", 200),
        ("application/json", 429),
        ("application/grpc", 200),
    ] {
        let mut call = request(Method::POST, "/vendors.v1.Users/CreateUser");
        call.headers_mut().insert("content-type", media_type.parse().unwrap());
        let answer = service.clone().oneshot(call).await.unwrap();
        assert_eq!(answer.status(), status, "{media_type}");
        let grpc = answer.headers().get("grpc-status").is_some();
        assert_eq!(grpc, status == 200, "{media_type}");
    }
}

/// A gate that does not know of the service refuses over HTTP.
#[tokio::test]
async fn a_gate_without_services_refuses_over_http() {
    let store = store(|key| key.scopes(["users.read"]));
    let gate = ApiKeyLayer::builder(PROFILE, store).routes(routes(Route::new()));
    let client = start(&gate.assume_https().build().unwrap()).await;
    let refused = client.with(None).list().await.unwrap_err();
    assert!(format!("{refused:?}").contains("401"), "{refused:?}");
    assert_ne!(refused.message(), "Missing API key.");
}
