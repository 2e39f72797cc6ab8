//! RFC 9111: what shared caches may keep of answers to keys.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use crate::gates::{gate, own_header, shipped};
use crate::server::Server;
use crate::support::{KEY, PROFILE};
use crate::wire::{get, request};

/// §5.2.2.5: no refusal is stored, so that no key is refused for what another one lacked.
#[tokio::test]
async fn rfc9111_5_2_2_5_refusals_are_not_stored() {
    for vendor in shipped() {
        let layer = vendor.gate().build().unwrap();
        let (tls, plain) = (Server::start(&layer).await, Server::plain(&layer).await);
        let twice = format!("{0}\r\n{0}", vendor.line);
        for (server, lines) in [
            (&tls, ""),
            (&tls, "Authorization: Digest x"),
            (&tls, "Authorization: Bearer"),
            (&tls, "Authorization: Bearer unknown_0123456789abcdef"),
            (&tls, "Authorization: Basic YXBpOmtleQ=="),
            (&tls, &twice),
            (&plain, &vendor.line),
        ] {
            for line in ["GET / HTTP/1.1", "HEAD / HTTP/1.1", "POST / HTTP/1.1"] {
                let answer = request(server, line, lines).await;
                assert!(answer.status() >= 400, "{answer:?}");
                let stored = answer.field("cache-control");
                assert_eq!(stored, Some("no-store"), "{} {line} {lines}", vendor.profile.name);
            }
        }
        assert_eq!((tls.reached(), plain.reached()), (0, 0));
    }
}

/// §3.5: shared caches keep away from answers to `Authorization` by themselves, so nothing is
/// added to them.
#[tokio::test]
async fn rfc9111_3_5_answers_to_authorization_are_the_services_own() {
    let server = Server::start(&own_header()).await;
    let answer = get(&server, format!("Authorization: Bearer {KEY}")).await;
    assert_eq!(answer.fields, [("content-length".to_owned(), "12".to_owned())]);
}

/// §3.5 speaks of `Authorization` only: an answer to a key in a header of its own says that it is
/// private (§5.2.2.7), and what it depends on (§4.1).
#[tokio::test]
async fn rfc9111_3_5_answers_to_a_header_of_its_own_are_private() {
    let server = Server::start(&own_header()).await;
    let answer = get(&server, format!("X-Api-Key: {KEY}")).await;
    assert_eq!(answer.field("cache-control"), Some("private"));
    assert_eq!(answer.field("vary"), Some("x-api-key"));
}

/// §5.2.2: a service that has said what may be stored has said it; `Vary` is added to its own.
#[tokio::test]
async fn rfc9111_5_2_2_a_service_decides_what_is_stored() {
    let server = Server::serving(&own_header(), |_, _| {
        let response = Response::builder().header("cache-control", "public, max-age=60");
        response.header("vary", "accept").body(Full::new(Bytes::new())).unwrap()
    })
    .await;
    let answer = get(&server, format!("X-Api-Key: {KEY}")).await;
    assert_eq!(answer.field("cache-control"), Some("public, max-age=60"));
    assert_eq!(answer.lines("vary"), ["accept", "x-api-key"]);
}

/// §4.1: where strangers are served, too, their answers depend on the header that they left out.
#[tokio::test]
async fn rfc9111_4_1_what_a_stranger_gets_varies_by_the_key() {
    let layer = gate(PROFILE, KEY, |key| key).optional().build().unwrap();
    let server = Server::start(&layer).await;
    let answer = get(&server, "").await;
    assert_eq!(answer.body, "stranger GET / 0");
    assert_eq!((answer.field("vary"), answer.field("cache-control")), (Some("x-api-key"), None));
}
