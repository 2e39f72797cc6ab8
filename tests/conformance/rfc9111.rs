//! RFC 9111: what shared caches may keep of answers to keys.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tower_api_key::Profile;
use tower_api_key::profile::CredentialSource;

use super::gates::{gate, own_header, shipped};
use super::server::Server;
use super::wire::{get, request};
use crate::support::{KEY, PROFILE};

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

/// §4.1: where strangers are served, too, every answer depends on each header that could have carried a
/// key, on those to keys and on refusals, too. What the service says itself stays (RFC 9110 §12.5.5).
#[tokio::test]
async fn rfc9111_4_1_what_an_optional_gate_answers_varies_by_every_credential() {
    const BEARER: Profile = Profile { credentials: &[CredentialSource::bearer()], ..PROFILE };
    const OWN: Profile = Profile {
        credentials: &[CredentialSource::header("x-one"), CredentialSource::header("x-two")],
        ..PROFILE
    };
    for (profile, line, vary) in [
        (BEARER, format!("Authorization: Bearer {KEY}"), "authorization"),
        (OWN, format!("X-Two: {KEY}"), "x-one, x-two"),
        (PROFILE, format!("X-Api-Key: {KEY}"), "authorization, x-api-key"),
        (PROFILE, format!("Authorization: Bearer {KEY}"), "authorization, x-api-key"),
    ] {
        let server =
            Server::start(&gate(profile, KEY, |key| key).optional().build().unwrap()).await;
        let stranger = get(&server, "").await;
        assert_eq!(stranger.body, "stranger GET / 0");
        assert_eq!(stranger.field("cache-control"), None, "it may be stored");
        let known = get(&server, &line).await;
        assert_eq!(known.body, "acme GET / 0");
        let bad = get(&server, line.replace(KEY, "unknown_0123456789abcdef")).await;
        let twice = get(&server, format!("{line}\r\n{line}")).await;
        let plain = Server::plain(&gate(profile, KEY, |key| key).optional().build().unwrap()).await;
        let exposed = get(&plain, &line).await;
        assert_eq!([bad.status(), twice.status(), exposed.status()], [401, 400, 400]);
        for answer in [stranger, known, bad, twice, exposed] {
            assert_eq!(answer.lines("vary"), [vary], "{answer:?}");
        }
    }
}

#[tokio::test]
async fn rfc9111_4_1_what_the_service_varies_by_stays() {
    let layer = gate(PROFILE, KEY, |key| key).optional().build().unwrap();
    let server = Server::serving(&layer, |parts, _| {
        let mut response = Response::new(Full::new(Bytes::new()));
        for line in parts.headers.get_all("x-wanted") {
            response.headers_mut().append("vary", line.clone());
        }
        response
    })
    .await;
    for (wanted, expected) in [
        (&[&b""[..]][..], &["", "authorization, x-api-key"][..]),
        (&[b"accept"], &["accept", "authorization, x-api-key"]),
        (&[b"Authorization"], &["Authorization", "x-api-key"]),
        (&[b"a ,\tX-API-Key\t"], &["a ,\tX-API-Key", "authorization"]),
        (&[b"X-Api-Key", b"accept,AUTHORIZATION"], &["X-Api-Key", "accept,AUTHORIZATION"]),
        (&[b"accept", b"*"], &["*", "accept"]),
        (&[b"x-api-keys"], &["authorization, x-api-key", "x-api-keys"]),
    ] {
        let lines: Vec<_> = wanted.iter().map(|line| [b"X-Wanted: ", *line].concat()).collect();
        for credential in [String::new(), format!("\r\nAuthorization: Bearer {KEY}")] {
            let request = [&lines.join(&b"\r\n"[..])[..], credential.as_bytes()].concat();
            let mut found = get(&server, request).await.lines("vary").join("|");
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            let mut lines: Vec<_> = found.split('|').collect();
            lines.sort_unstable();
            found = lines.join("|");
            assert_eq!(found, expected.join("|"), "{wanted:?} {credential}");
        }
    }
}

/// A gate that lets preflights pass answers them alike whoever asks, and says so; its answers to keys are
/// as those of a gate that lets nobody pass.
#[tokio::test]
async fn rfc9111_4_1_preflights_that_pass_without_a_key_vary_by_it() {
    let layer = gate(PROFILE, KEY, |key| key).allow_preflight().build().unwrap();
    let server = Server::start(&layer).await;
    let lines = "Origin: https://app.example.com\r\nAccess-Control-Request-Method: GET";
    let preflight = request(&server, "OPTIONS / HTTP/1.1", lines).await;
    assert_eq!(
        (preflight.status(), preflight.field("vary")),
        (200, Some("authorization, x-api-key"))
    );
    let known = get(&server, format!("Authorization: Bearer {KEY}")).await;
    assert_eq!((known.status(), known.field("vary")), (200, None));
    let refused = get(&server, "").await;
    assert_eq!((refused.status(), refused.field("vary")), (401, None));
}
