//! A key among the protocols that a client offers: what the gate reads, and what the service sees.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::{Alphabet, KeyFormat};
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Profile};

use crate::support::{PROFILE, anonymous, reason, store, text, tls};

const OFFERED: &str = "sec-websocket-protocol";
const PROTOCOL: CredentialSource = CredentialSource::websocket_protocol("api-key.");

fn builder(credentials: &[CredentialSource<'_>]) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(Profile { credentials, ..PROFILE }, store(|key| key))
}

fn with(mut request: Request<()>, lines: &[&str]) -> Request<()> {
    for line in lines {
        request.headers_mut().append(OFFERED, HeaderValue::from_str(line).unwrap());
    }
    request
}

/// A handshake of HTTP/1.1 that offers these protocols.
fn handshake(lines: &[&str]) -> Request<()> {
    let mut request = with(anonymous(Method::GET, "/"), lines);
    request.headers_mut().insert("connection", HeaderValue::from_static("Upgrade"));
    request.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
    request
}

/// Returns why a request is refused, or the protocols that the service sees; and the headers of the answer.
async fn asked(layer: &ApiKeyLayer, request: Request<()>) -> (String, HeaderMap) {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let lines = request.headers().get_all(OFFERED).iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
        let text = format!("[{}]", lines.join("; "));
        assert!(!format!("{:?}", request.headers()).contains("Sensitive"));
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    }));
    let response = service.oneshot(request).await.unwrap();
    let headers = response.headers().clone();
    match reason(&response) {
        "admitted" => (text(response).await, headers),
        refused => (refused.to_owned(), headers),
    }
}

#[tokio::test]
async fn a_key_among_the_protocols_does_not_reach_the_service() {
    let layer = builder(&[PROTOCOL]).build().unwrap();
    for (lines, expected) in [
        (&["chat.v1, api-key.key_0123456789abcdef"][..], "[chat.v1]"),
        (&["api-key.key_0123456789abcdef,chat.v1,chat.v2"], "[chat.v1, chat.v2]"),
        (&["chat.v1", "api-key.key_0123456789abcdef", "chat.v2"], "[chat.v1; chat.v2]"),
        (&["api-key.key_0123456789abcdef"], "[]"),
        (&["\tapi-key.key_0123456789abcdef ,, "], "[]"),
        (&["chat.v1, api-key.key_0123456789abcdee"], "key_unknown"),
        (&["api-key.key_0123456789abcdef, api-key.key_0123456789abcdef"], "credentials_ambiguous"),
        (&["api-key.key_0123456789abcdef", "api-key."], "credentials_ambiguous"),
        (&["chat.v1, api-key."], "credentials_malformed"),
        (&["api-key.key_0123456789abcdef x"], "credentials_malformed"),
        (&["api-key.key_0123456789abcdef=="], "credentials_malformed"),
        (&["api-key.\"key_0123456789abcdef\""], "credentials_malformed"),
        (&["api-key.short"], "key_malformed"),
        (&["API-KEY.key_0123456789abcdef"], "credentials_missing"),
        (&["x-api-key.key_0123456789abcdef"], "credentials_missing"),
        (&["api-key, key_0123456789abcdef"], "credentials_missing"),
        (&["chat.v1"], "credentials_missing"),
        (&[""], "credentials_missing"),
        (&[], "credentials_missing"),
    ] {
        let (seen, headers) = asked(&layer, handshake(lines)).await;
        assert_eq!(seen, expected, "{lines:?}");
        let admitted = seen.starts_with('[');
        assert_eq!(headers["cache-control"], if admitted { "private" } else { "no-store" });
        assert_eq!(headers.get("vary").map(|line| line == OFFERED), admitted.then_some(true));
        let shown = format!("{headers:?}");
        assert!(!shown.contains("0123456789"), "{shown}");
    }
    let (_, headers) = asked(&layer, handshake(&[])).await;
    let challenge = r#"ApiKey realm="test", websocket-protocol="api-key.""#;
    assert_eq!(headers["www-authenticate"], challenge);
}
