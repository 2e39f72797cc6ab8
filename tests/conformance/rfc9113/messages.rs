//! RFC 9113 §8 and §10: field sections as they are, malformed ones among them.

use hyper::body::Incoming;
use tower_api_key::rules::Routes;
use tower_api_key::vendors;

use crate::conformance::answers::{HTTPS, HTTPS_LOG_IN, INVALID, LOG_IN, MISSING, SERVED};
use crate::conformance::frames::{Field, Frames, Outcome, PROTOCOL_ERROR, ask};
use crate::conformance::gates::{HEX, gate, personyze, rest};
use crate::conformance::server::Server;
use crate::conformance::wire::Answer;
use crate::support::KEY;

const BEARER: Field<'_> = (b"authorization", b"Bearer key_0123456789abcdef");
const UNKNOWN: Field<'_> = (b"authorization", b"Bearer unknown_0123456789abcdef");

/// The pseudo-header fields of a `GET`.
const fn get<'a>(scheme: &'a [u8], authority: &'a [u8], path: &'a [u8]) -> [Field<'a>; 4] {
    let method: Field<'a> = (b":method", b"GET");
    [method, (b":scheme", scheme), (b":authority", authority), (b":path", path)]
}

/// The plain one.
const GET: [Field<'_>; 4] = get(b"https", b"api.example.com", b"/");

/// What an answer of the contract is in HTTP/2: its status and content.
fn outcome(answer: &str) -> Outcome {
    let answer = Answer::of(answer);
    Outcome::Answered(answer.status(), answer.body)
}

/// §8.3.1: `:scheme` is "not restricted to https", and not proof of it.
#[tokio::test]
async fn rfc9113_8_3_1_the_scheme_proves_nothing() {
    let (plain, tls) = (Server::plain(&rest()).await, Server::start(&rest()).await);
    for scheme in [&b"https"[..], b"http", b"HTTPS", b"wss", b"x"] {
        let fields = get(scheme, b"api.example.com", b"/");
        let with_key = [&fields[..], &[BEARER]].concat();
        assert_eq!(ask(&plain, &with_key).await, outcome(HTTPS), "{scheme:?}");
        assert_eq!(ask(&plain, &fields).await, outcome(HTTPS), "{scheme:?}");
        assert_eq!(ask(&tls, &with_key).await, outcome(SERVED), "{scheme:?}");
        assert_eq!(ask(&tls, &fields).await, outcome(MISSING), "{scheme:?}");
    }
    assert_eq!((plain.reached(), tls.reached()), (0, 5));
}

/// §8.3.1: `:authority` must not include userinfo; if it does, it is no credential.
#[tokio::test]
async fn rfc9113_8_3_1_userinfo_never_authenticates() {
    let authority = format!("api:{HEX}@api.example.com");
    let fields = get(b"https", authority.as_bytes(), b"/");
    let api = Server::start(&personyze()).await;
    let host: Field<'_> = (b"host", authority.as_bytes());
    for fields in [fields.to_vec(), [&GET[..], &[host]].concat()] {
        let found = ask(&api, &fields).await;
        let refused = [outcome(LOG_IN), Outcome::Reset(PROTOCOL_ERROR)];
        assert!(refused.contains(&found), "{found:?}");
    }
    assert_eq!(api.reached(), 0);
    let plain = Server::plain(&personyze()).await;
    assert_eq!(ask(&plain, &fields).await, outcome(HTTPS_LOG_IN));
    // Neither does it disturb one.
    let bearer = Server::start(&rest()).await;
    assert_eq!(ask(&bearer, &[&fields[..], &[BEARER]].concat()).await, outcome(SERVED));
    assert_eq!(ask(&bearer, &fields).await, outcome(MISSING));
}

/// §8.3.1: whatever the authority, or the `host` beside it, it decides nothing.
#[tokio::test]
async fn rfc9113_8_3_1_the_authority_decides_nothing() {
    let server = Server::start(&rest()).await;
    for authority in [&b"localhost"[..], b"127.0.0.1:1", b"[::1]", b"admin.internal"] {
        for host in [&b"api.example.com"[..], b"other", b""] {
            let fields = get(b"https", authority, b"/");
            let fields = [&fields[..], &[(b"host", host)]].concat();
            assert_eq!(ask(&server, &fields).await, outcome(MISSING), "{authority:?} {host:?}");
        }
    }
    assert_eq!(server.reached(), 0);
}

/// §8.3.1: the path is routed as over HTTP/1.1.
#[tokio::test]
async fn rfc9113_8_3_1_the_path_is_what_is_routed() {
    let routes = Routes::new().rows(vendors::rest_integrations::ROUTES);
    let reader = gate(vendors::REST_INTEGRATIONS, KEY, |key| key.scopes(["users.read"]));
    let server = Server::start(&reader.routes(routes).build().unwrap()).await;
    for (path, status) in [
        (&b"/v1/users"[..], 200),
        (b"/v1/users?x=/admin", 200),
        (b"/admin", 403),
        (b"//v1/users", 403),
        (b"/v1/../admin", 403),
        (b"/v1/%2e%2e/admin", 403),
        (b"https://api.example.com/v1/users", 403), // an absolute form has no place here
        (b"*", 403),
        (b"v1/users", 403),
    ] {
        let fields = get(b"https", b"api.example.com", path);
        let found = ask(&server, &[&fields[..], &[BEARER]].concat()).await;
        let refused = matches!(found, Outcome::Reset(_) | Outcome::Gone(_));
        let answered = matches!(found, Outcome::Answered(told, _) if told == status);
        assert!(answered || (refused && status != 200), "{path:?}: {found:?}");
    }
    assert_eq!(server.reached(), 2);
}

/// §8.2.1, §8.2.2 and §8.3: a request that is malformed ends its stream, key or not.
#[tokio::test]
async fn rfc9113_8_1_1_malformed_requests_are_none() {
    let server = Server::start(&rest()).await;
    let with = |field: Field<'static>| [&GET[..], &[BEARER, field]].concat();
    let without = |name: &[u8]| {
        let kept = GET.iter().copied().filter(|(other, _)| *other != name);
        kept.chain([BEARER]).collect::<Vec<_>>()
    };
    for (what, fields) in [
        ("an upper-case name", with((b"X-A", b"b"))),
        ("an upper-case credential", [&GET[..], &[(b"Authorization", BEARER.1)]].concat()),
        ("NUL in a value", with((b"x-a", b"b\0c"))),
        ("LF in a value", with((b"x-a", b"b\nauthorization: Bearer x"))),
        ("CR in a value", with((b"x-a", b"b\rc"))),
        (
            "LF in the credential",
            [&GET[..], &[(b"authorization", b"Bearer key_01\n23456789abcdef")]].concat(),
        ),
        (
            "NUL in the credential",
            [&GET[..], &[(b"authorization", b"Bearer key_0123456789abcdef\0")]].concat(),
        ),
        ("a name with a colon", with((b"x:a", b"b"))),
        ("an empty name", with((b"", b"b"))),
        ("a connection field", with((b"connection", b"close"))),
        ("a transfer coding", with((b"transfer-encoding", b"chunked"))),
        ("te", with((b"te", b"gzip"))),
        ("an unknown pseudo-header", with((b":user", b"x"))),
        ("a pseudo-header after the others", with((b":path", b"/"))),
        ("one of an answer", with((b":status", b"200"))),
        ("no method", without(b":method")),
        ("no path", without(b":path")),
        ("no scheme", without(b":scheme")),
        ("an empty path", [&get(b"https", b"api.example.com", b"")[..], &[BEARER]].concat()),
        ("two paths", [&[(&b":path"[..], &b"/"[..])], &GET[..], &[BEARER]].concat()),
        ("two schemes", [&[(&b":scheme"[..], &b"https"[..])], &GET[..], &[BEARER]].concat()),
        ("two authorities", [&[(&b":authority"[..], &b"x"[..])], &GET[..], &[BEARER]].concat()),
    ] {
        let found = ask(&server, &fields).await;
        let refused =
            matches!(found, Outcome::Reset(PROTOCOL_ERROR) | Outcome::Gone(Some(PROTOCOL_ERROR)));
        assert!(refused, "{what}: {found:?}");
    }
    assert_eq!(server.reached(), 0);
}

/// §8.2: fields are read as over HTTP/1.1: one credential, to the letter.
#[tokio::test]
async fn rfc9113_8_2_one_credential_as_over_http_1() {
    let server = Server::start(&rest()).await;
    for (fields, status) in [
        (&[BEARER][..], 200),
        (&[], 401),
        (&[UNKNOWN], 401),
        (&[BEARER, BEARER], 400),
        (&[BEARER, UNKNOWN], 400),
        (&[(b"authorization", b"Bearer key_0123456789abcdef\xff")], 400),
        (&[(b"authorization", b"\xffBearer key_0123456789abcdef")], 400),
        (&[(b"authorization", b"bEARER   key_0123456789abcdef")], 200),
        (&[(b"authorization", b"Bearer\tkey_0123456789abcdef")], 400),
    ] {
        let found = ask(&server, &[&GET[..], fields].concat()).await;
        assert!(matches!(found, Outcome::Answered(told, _) if told == status), "{found:?}");
    }
    // Nobody trims a value here as HTTP/1.1 does: what is not the key is not the key.
    for value in [&b" Bearer key_0123456789abcdef"[..], b"Bearer key_0123456789abcdef "] {
        let found = ask(&server, &[&GET[..], &[(b"authorization", value)]].concat()).await;
        assert!(!matches!(found, Outcome::Answered(200, _)), "{found:?}");
    }
}

/// §8.5: a tunnel needs a key as everything does, and a route that there is not.
#[tokio::test]
async fn rfc9113_8_5_connect_is_no_way_round() {
    let server = Server::start(&rest()).await;
    let connect: [Field<'_>; 2] = [(b":method", b"CONNECT"), (b":authority", b"internal:443")];
    assert_eq!(ask(&server, &connect).await, outcome(MISSING));
    assert_eq!(ask(&server, &[&connect[..], &[UNKNOWN]].concat()).await, outcome(INVALID));
    assert_eq!(server.reached(), 0);
}

/// §8.1: a refusal does not wait for content that is still to come.
#[tokio::test]
async fn rfc9113_8_1_a_refusal_comes_before_the_content() {
    let server = Server::start(&rest()).await;
    for content in [&b""[..], b"hello", &[0; 16_000]] {
        let mut frames = Frames::connect(&server).await;
        let length: Field<'_> = (b"content-length", b"1000000");
        frames.open(&[&GET[..], &[length]].concat(), false).await;
        if !content.is_empty() {
            frames.content(content).await;
        }
        assert_eq!(frames.outcome().await, outcome(MISSING), "{} bytes", content.len());
    }
    assert_eq!(server.reached(), 0);
}

/// §10.5.1: a field section that is longer than the server reads is no request.
#[tokio::test]
async fn rfc9113_10_5_1_very_long_sections_are_refused() {
    let server = Server::start(&rest()).await;
    // Each counts with 32 bytes more than it has (§6.5.2), and the server reads 16 KiB of them.
    let many = vec![(&b"x-a"[..], &b""[..]); 600];
    let found = ask(&server, &[&GET[..], &[BEARER], &many].concat()).await;
    assert_eq!(found, Outcome::Answered(431, String::new()), "RFC 6585 §5");
    let long = [b'a'; 9_000];
    // Within that, a credential longer than any key is malformed.
    let found = ask(
        &server,
        &[&GET[..], &[(b"authorization", &[b"Bearer ", &long[..]].concat()[..])]].concat(),
    )
    .await;
    assert!(matches!(found, Outcome::Answered(400, _)), "{found:?}");
    assert_eq!(server.reached(), 0);
}

/// §8.1: content need not be announced, and a preflight (Fetch §4.8) has none.
#[tokio::test]
async fn rfc9113_8_1_a_preflight_with_unannounced_content_is_none() {
    let layer = gate(vendors::REST_INTEGRATIONS, KEY, |key| key).allow_preflight();
    let layer = layer.preflight_body::<Incoming>().build().unwrap();
    let server = Server::start(&layer).await;
    let fields: [Field<'_>; 6] = [
        (b":method", b"OPTIONS"),
        (b":scheme", b"https"),
        (b":authority", b"api.example.com"),
        (b":path", b"/"),
        (b"origin", b"https://app.example.com"),
        (b"access-control-request-method", b"POST"),
    ];
    assert_eq!(ask(&server, &fields).await, Outcome::Answered(200, "stranger OPTIONS / 0".into()));
    for content in [None, Some(&b"content"[..])] {
        let mut frames = Frames::connect(&server).await;
        frames.open(&fields, false).await;
        if let Some(content) = content {
            frames.content(content).await;
        }
        assert_eq!(frames.outcome().await, outcome(MISSING), "{content:?}");
    }
    assert_eq!(server.reached(), 1);
}
