//! A key among the protocols that a client offers: what the gate reads, and what the service sees.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::{Alphabet, KeyFormat};
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Profile, vendors};

use crate::support::{KEY, PROFILE, anonymous, request, store, tls, told};

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
        let lines: Vec<_> = request.headers().get_all(OFFERED).iter().collect();
        assert!(!lines.iter().any(|line| line.is_sensitive()));
        let lines: Vec<_> = lines.iter().map(|line| line.to_str().unwrap()).collect();
        let text = format!("[{}]", lines.join("; "));
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    }));
    told(service.oneshot(request).await.unwrap()).await
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

/// Anything else than a handshake has no key, and the service still does not see it.
#[tokio::test]
async fn only_a_handshake_offers_protocols() {
    type Change = fn(&mut Request<()>);
    let layer = builder(&[PROTOCOL, CredentialSource::bearer()]).build().unwrap();
    let line = "chat.v1, api-key.key_0123456789abcdef";
    let changes: [Change; 7] = [
        |request| drop(request.headers_mut().remove("upgrade")),
        |request| drop(request.headers_mut().remove("connection")),
        |request| drop(request.headers_mut().insert("upgrade", "h2c".parse().unwrap())),
        |request| drop(request.headers_mut().insert("connection", "close".parse().unwrap())),
        |request| *request.method_mut() = Method::POST,
        |request| *request.method_mut() = Method::CONNECT,
        |request| *request.version_mut() = Version::HTTP_2,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut other = handshake(&[line]);
        change(&mut other);
        assert_eq!(asked(&layer, other.clone()).await.0, "credentials_missing", "{number}");
        let bearer = format!("Bearer {KEY}").parse().unwrap();
        other.headers_mut().insert("authorization", bearer);
        let (seen, headers) = asked(&layer, other).await;
        assert_eq!((&*seen, headers.get("cache-control")), ("[chat.v1]", None), "{number}");
    }
}

#[tokio::test]
async fn a_key_in_a_protocol_and_a_header_is_one_too_many() {
    let line = "api-key.key_0123456789abcdef, chat.v1";
    let both = |sources: &[CredentialSource<'_>]| {
        let layer = builder(sources).build().unwrap();
        let mut request = handshake(&[line]);
        let bearer = format!("Bearer {KEY}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        async move { asked(&layer, request).await }
    };
    let sources = [PROTOCOL, CredentialSource::bearer()];
    assert_eq!(both(&sources).await.0, "credentials_ambiguous");
    let equal = sources.map(CredentialSource::allow_equal);
    let (seen, headers) = both(&equal).await;
    assert_eq!((&*seen, &headers["cache-control"]), ("[chat.v1]", &"private".parse().unwrap()));

    let layer = builder(&equal).build().unwrap();
    let mut other = handshake(&["api-key.key_0123456789abcdee, chat.v1"]);
    let bearer = format!("Bearer {KEY}").parse().unwrap();
    other.headers_mut().insert("authorization", bearer);
    assert_eq!(asked(&layer, other).await.0, "credentials_ambiguous");

    let query = CredentialSource::insecure_query("key").allow_equal();
    let layer = builder(&[PROTOCOL.allow_equal(), query]).build().unwrap();
    for (target, expected) in [
        ("/?key=key_0123456789abcdef", "[chat.v1]"),
        ("/?key=key_0123456789abcdee", "credentials_ambiguous"),
        ("/?key", "credentials_ambiguous"),
        ("/", "[chat.v1]"),
    ] {
        let mut request = handshake(&[line]);
        *request.uri_mut() = target.parse().unwrap();
        assert_eq!(asked(&layer, request).await.0, expected, "{target}");
    }
}

#[tokio::test]
async fn two_prefixes_carry_one_key() {
    let keys = ["partner.", "user."].map(CredentialSource::websocket_protocol);
    let layer = builder(&keys).build().unwrap();
    for (line, expected) in [
        ("chat.v1, user.key_0123456789abcdef", "[chat.v1]"),
        ("partner.key_0123456789abcdef, chat.v1", "[chat.v1]"),
        ("partner.key_0123456789abcdef, user.key_0123456789abcdef", "credentials_ambiguous"),
    ] {
        assert_eq!(asked(&layer, handshake(&[line])).await.0, expected, "{line}");
    }
    let layer = builder(&keys.map(CredentialSource::allow_equal)).build().unwrap();
    for (line, expected) in [
        ("partner.key_0123456789abcdef, user.key_0123456789abcdef", "[]"),
        ("partner.key_0123456789abcdef, user.key_0123456789abcdee", "credentials_ambiguous"),
    ] {
        assert_eq!(asked(&layer, handshake(&[line])).await.0, expected, "{line}");
    }
}

#[tokio::test]
async fn no_gate_passes_the_key_on() {
    let optional = builder(&[PROTOCOL]).optional().without_limits().build().unwrap();
    for (request, expected) in [
        (handshake(&["chat.v1"]), "[chat.v1]"),
        (handshake(&["chat.v1, api-key."]), "credentials_malformed"),
        (handshake(&["api-key.key_0123456789abcdee"]), "key_unknown"),
        (
            with(anonymous(Method::GET, "/"), &["chat.v1, api-key.key_0123456789abcdef"]),
            "[chat.v1]",
        ),
    ] {
        let (seen, headers) = asked(&optional, request).await;
        assert_eq!((&*seen, &headers["vary"]), (expected, &OFFERED.parse().unwrap()));
    }
    let stripping = builder(&[PROTOCOL]).strip_credential().build().unwrap();
    let offer = &["chat.v1, api-key.key_0123456789abcdef"];
    assert_eq!(asked(&stripping, handshake(offer)).await.0, "[chat.v1]");
    // A profile without the source leaves the offer alone.
    let bearer = builder(&[CredentialSource::bearer()]).build().unwrap();
    let (seen, _) = asked(&bearer, with(request(Method::GET, "/"), offer)).await;
    assert_eq!(seen, format!("[{}]", offer[0]));
}

/// Returns the protocol that the answer selects, behind a gate that selects `chat.v1`.
async fn selected(offer: &str, status: StatusCode, by_service: Option<&'static str>) -> String {
    let layer = builder(&[PROTOCOL]).select_websocket_protocol("chat.v1").build().unwrap();
    let service = layer.layer(service_fn(move |_: Request<()>| async move {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = status;
        if let Some(name) = by_service {
            response.headers_mut().insert(OFFERED, HeaderValue::from_static(name));
        }
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(handshake(&[offer])).await.unwrap();
    let lines = response.headers().get_all(OFFERED).iter();
    lines.map(|line| line.to_str().unwrap()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn an_offered_protocol_is_selected_where_the_service_selects_none() {
    let both = "api-key.key_0123456789abcdef, chat.v1";
    let switching = StatusCode::SWITCHING_PROTOCOLS;
    for (offer, status, by_service, expected) in [
        (both, switching, None, "chat.v1"),
        (both, switching, Some("chat.v2"), "chat.v2"),
        (both, StatusCode::OK, None, ""),
        (both, StatusCode::BAD_REQUEST, None, ""),
        ("api-key.key_0123456789abcdef", switching, None, ""),
        ("api-key.key_0123456789abcdef, chat.v10, Chat.v1", switching, None, ""),
        ("chat.v1", switching, None, ""),
        ("chat.v1, api-key.key_0123456789abcdee", switching, None, ""),
    ] {
        assert_eq!(selected(offer, status, by_service).await, expected, "{offer} {status}");
    }
}

#[test]
fn explanations_have_no_key() {
    let layer = builder(&[PROTOCOL]).build().unwrap();
    for (offer, check, denial) in [
        ("api-key.key_0123456789abcdef", Check::KeyFound, Denial::KeyUnknown),
        ("api-key.0123456789", Check::KeyWellFormed, Denial::KeyMalformed),
        (
            "api-key.0123456789, api-key.0123456789",
            Check::CredentialsWellFormed,
            Denial::CredentialsAmbiguous,
        ),
        ("chat.0123456789", Check::CredentialsPresent, Denial::CredentialsMissing),
    ] {
        let request = handshake(&[offer]);
        let explanation = layer.explain(&request, tls(), None, Timestamp::default());
        assert_eq!(explanation.outcome(check), &Outcome::Refused(denial), "{offer}");
        let printed = format!("{explanation} {explanation:?} {layer:?}");
        assert!(!printed.contains("0123456789"), "{printed}");
    }
}

#[test]
fn contradictions_are_found() {
    let complaint = |builder: ApiKeyLayerBuilder| {
        builder.build().err().map(|error| error.to_string()).unwrap_or_default()
    };
    let other = CredentialSource::websocket_protocol("token.");
    assert_eq!(complaint(builder(&[PROTOCOL, other])), "");
    for (credentials, words) in [
        (&[PROTOCOL, PROTOCOL][..], &["api-key.", "twice"][..]),
        (&[PROTOCOL, CredentialSource::websocket_protocol("api-key.v2.")], &["v2.", "twice"]),
        (&[PROTOCOL, CredentialSource::header(OFFERED)], &[OFFERED, "twice"]),
        (&[CredentialSource::websocket_protocol("")], &["websocket_protocol", "RFC 6455"]),
        (&[CredentialSource::websocket_protocol("a b")], &["a b", "RFC 6455"]),
        (&[CredentialSource::websocket_protocol("key=")], &["key=", "RFC 6455"]),
        (&[PROTOCOL.allow_equal()], &["api-key.", "allow_equal"]),
    ] {
        let complaint = complaint(builder(credentials));
        assert!(words.iter().all(|word| complaint.contains(word)), "{complaint}");
    }
    for (protocol, words) in [
        ("", &["select_websocket_protocol", "RFC 6455"][..]),
        ("chat v1", &["chat v1", "RFC 6455"]),
        ("chat\nv1", &["RFC 6455"]),
        ("api-key.chat", &["api-key.chat", "reads a key"]),
    ] {
        let complaint = complaint(builder(&[PROTOCOL]).select_websocket_protocol(protocol));
        assert!(words.iter().all(|word| complaint.contains(word)), "{complaint}");
    }
    let formats = &[KeyFormat::new().literal("a/").characters(Alphabet::Hex, 16)];
    let slashes = Profile { credentials: &[PROTOCOL], formats, ..PROFILE };
    let complaint = complaint(ApiKeyLayer::builder(slashes, store(|key| key)));
    assert!(
        complaint.contains("RFC 6455") && complaint.contains("change the format"),
        "{complaint}"
    );
    let required_headers = &[RequiredHeader { name: OFFERED, expected: Expected::Present }];
    let credentials = &[PROTOCOL];
    let profile = Profile { credentials, required_headers, ..vendors::POLYTEIA };
    let refused = ApiKeyLayer::builder(profile, store(|key| key)).build();
    assert!(refused.unwrap_err().to_string().contains("carries the credential"));
}
