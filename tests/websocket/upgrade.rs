//! Sockets over HTTP/1.1, opened by tungstenite's client.

use tower_api_key::profile::CredentialSource;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile};

use super::client::{Refused, open};
use super::server::start;
use crate::support::{KEY, PROFILE, store};

const OFFER: &str = "sec-websocket-protocol";

pub(super) fn builder() -> ApiKeyLayerBuilder {
    let credentials =
        &[CredentialSource::bearer(), CredentialSource::websocket_protocol("api-key.")];
    let routes = Routes::new()
        .get("/chat", Route::new().all_of(&["chat"]))
        .get("/silent", Route::new())
        .post("/brief", Route::new());
    let store = store(|key| key.scopes(["chat"]));
    ApiKeyLayer::builder(Profile { credentials, ..PROFILE }, store).routes(routes)
}

#[tokio::test]
async fn a_socket_opens_with_a_key() {
    let server = start(&builder().build().unwrap()).await;
    let key = format!("api-key.{KEY}");
    let bearer = format!("Bearer {KEY}");
    for lines in [
        &[("authorization", &*bearer), (OFFER, "chat.v1")][..],
        &[(OFFER, &*format!("chat.v1, {key}"))],
        &[(OFFER, &*format!("{key}, chat.v1"))],
        &[(OFFER, "chat.v1"), (OFFER, &*key)],
    ] {
        let mut socket = open(server, "/chat", lines).await.unwrap_or_else(|it| panic!("{it:?}"));
        assert_eq!(socket.hear().await, "hello acme over HTTP/1.1, you offer [chat.v1]");
        assert_eq!(socket.ask("echo").await, "echo");
        assert_eq!(socket.protocol(), Some("chat.v1"));
        assert!(!format!("{:?}", socket.answer).contains(KEY));
        socket.close().await;
    }
}

#[tokio::test]
async fn a_refused_socket_gets_the_vendors_answer() {
    let server = start(&builder().build().unwrap()).await;
    let missing = r#"{"error":"Missing API key."}"#;
    let malformed = r#"{"error":"Malformed Authorization header."}"#;
    let unknown = r#"{"error":"Invalid API key provided."}"#;
    let forbidden = r#"{"error":"You do not have permission to perform this action."}"#;
    let good = format!("chat.v1, api-key.{KEY}");
    for (path, offer, status, body) in [
        ("/chat", "chat.v1", 401, missing),
        ("/chat", "chat.v1, api-key.key_0123456789abcdee", 401, unknown),
        ("/chat", "chat.v1, api-key.", 400, malformed),
        ("/chat", "api-key.a, api-key.a", 400, malformed),
        ("/brief", &*good, 403, forbidden),
        ("/other", &*good, 403, forbidden),
    ] {
        match open(server, path, &[(OFFER, offer)]).await {
            Err(Refused::Status(got, text)) => assert_eq!((got, &*text), (status, body), "{offer}"),
            Err(other) => panic!("{path} {offer}: {other:?}"),
            Ok(_) => panic!("{path} {offer} opens"),
        }
    }
}

/// A client that has offered protocols wants one of them.
#[tokio::test]
async fn an_answer_without_a_protocol_fails_in_the_client() {
    let key = format!("api-key.{KEY}");
    let both = format!("{key}, chat.v1");
    let server = start(&builder().build().unwrap()).await;
    for (path, offer) in [("/chat", &*key), ("/silent", &*key), ("/silent", &*both)] {
        match open(server, path, &[(OFFER, offer)]).await {
            Err(Refused::Client(error)) => assert!(error.contains("SubProtocol"), "{error}"),
            Err(other) => panic!("{path} {offer}: {other:?}"),
            Ok(_) => panic!("{path} {offer} opens"),
        }
    }
    let server = start(&builder().select_websocket_protocol("chat.v1").build().unwrap()).await;
    let mut socket =
        open(server, "/silent", &[(OFFER, &*both)]).await.unwrap_or_else(|it| panic!("{it:?}"));
    assert_eq!(socket.hear().await, "hello acme over HTTP/1.1, you offer [chat.v1]");
    assert_eq!(socket.protocol(), Some("chat.v1"));
}
