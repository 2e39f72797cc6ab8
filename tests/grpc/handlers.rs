//! What a service behind the gate says stays as it is, and a denial becomes the vendor's answer.

use tonic::Code;
use tonic::metadata::AsciiMetadataValue;
use tower_api_key::Denial;

use super::server::{builder, start};
use crate::support::PROFILE;

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

/// A gate that treats calls as other requests leaves a service's status as it is.
#[tokio::test]
async fn without_grpc_a_denial_stays_a_status() {
    let gate = builder(PROFILE).assume_https().without_grpc().build().unwrap();
    let client = start(&gate).await;
    let status = client.create("forbidden").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, ""));
    let status = client.with(None).list().await.unwrap_err();
    assert_ne!(status.message(), "Missing API key.", "the client reads the HTTP status");
}
