//! RFC 9110 §4.2 and §7: what a target says, and what it proves.

use tower_api_key::rules::Routes;
use tower_api_key::{ApiKeyLayer, vendors};

use crate::conformance::answers::{FORBIDDEN, HTTPS, HTTPS_LOG_IN, LOG_IN, MISSING, SERVED};
use crate::conformance::gates::{HEX, gate, personyze, rest};
use crate::conformance::server::Server;
use crate::conformance::wire::{Answer, Client, request};
use crate::support::KEY;

/// The REST API with its routes, and a key that may read.
fn routed() -> ApiKeyLayer {
    let routes = Routes::new().rows(vendors::rest_integrations::ROUTES);
    let reader = gate(vendors::REST_INTEGRATIONS, KEY, |key| key.scopes(["users.read"]));
    reader.routes(routes).build().unwrap()
}

/// §4.2.4: userinfo in a target is no credential; nor does it disturb one.
#[tokio::test]
async fn rfc9110_4_2_4_userinfo_never_authenticates() {
    let (api, bearer) = (Server::start(&personyze()).await, Server::start(&rest()).await);
    for (userinfo, lines) in [
        (format!("api:{HEX}"), ""),
        (format!("api:{HEX}"), "Authorization: Basic"),
        (HEX.to_owned(), ""),
    ] {
        let line = format!("GET https://{userinfo}@api.example.com/ HTTP/1.1");
        assert_eq!(request(&api, &line, lines).await, Answer::of(LOG_IN), "{line}");
    }
    let authorization = format!("Authorization: Bearer {KEY}");
    let line = format!("GET https://{KEY}@api.example.com/ HTTP/1.1");
    assert_eq!(request(&bearer, &line, "").await, Answer::of(MISSING));
    let line = "GET https://other:key@api.example.com/ HTTP/1.1";
    assert_eq!(request(&bearer, line, &authorization).await, Answer::of(SERVED));
    assert_eq!(api.reached(), 0);
}

/// §4.2.2: "https" is a fact of the connection; the scheme of a target is the client's word.
#[tokio::test]
async fn rfc9110_4_2_2_the_scheme_of_a_target_proves_nothing() {
    let authorization = format!("Authorization: Bearer {KEY}");
    let (plain, tls) = (Server::plain(&rest()).await, Server::start(&rest()).await);
    for scheme in ["https", "http", "HTTPS", "wss"] {
        let line = format!("GET {scheme}://api.example.com/ HTTP/1.1");
        assert_eq!(request(&plain, &line, &authorization).await, Answer::of(HTTPS), "{scheme}");
        assert_eq!(request(&tls, &line, &authorization).await, Answer::of(SERVED), "{scheme}");
    }
    assert_eq!(plain.reached(), 0);
    let api = Server::plain(&personyze()).await;
    let line = format!("GET https://api:{HEX}@localhost/ HTTP/1.1");
    assert_eq!(request(&api, &line, "").await, Answer::of(HTTPS_LOG_IN));
}

/// §7.1: the path of an absolute form is the one that counts, as that of an origin form is.
#[tokio::test]
async fn rfc9110_7_1_absolute_forms_are_routed_by_their_path() {
    let server = Server::start(&routed()).await;
    let authorization = format!("Authorization: Bearer {KEY}");
    for (path, served) in [
        ("/v1/users", true),
        ("/v1/users?path=/admin", true),
        ("/admin", false),
        ("/", false),
        ("", false),
        ("/admin?/v1/users", false),
        ("//v1/users", false),
        ("/v1/../admin", false),
        ("/admin/%2e%2e/v1/users", false),
        ("/v1/users/..;/admin", false),
        ("/v1%2fusers", false),
    ] {
        for origin in ["", "https://api.example.com", "http://localhost:80"] {
            let target = format!("{origin}{path}");
            if target.is_empty() {
                continue;
            }
            let answer = request(&server, &format!("GET {target} HTTP/1.1"), &authorization).await;
            if served {
                assert_eq!(answer.body, "acme GET /v1/users 0", "{target}");
            } else {
                assert_eq!(answer, Answer::of(FORBIDDEN), "{target}");
            }
        }
    }
}

/// §7.1: the authority form and the asterisk form have no path that a route could cover.
#[tokio::test]
async fn rfc9110_7_1_forms_without_a_path_match_no_route() {
    let authorization = format!("Authorization: Bearer {KEY}");
    let server = Server::start(&routed()).await;
    for line in ["CONNECT api.example.com:443 HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        assert_eq!(request(&server, line, "").await, Answer::of(MISSING), "{line}");
        assert_eq!(request(&server, line, &authorization).await, Answer::of(FORBIDDEN), "{line}");
    }
    assert_eq!(server.reached(), 0);
}

/// §7.2: whatever `Host` says, or however often, it decides nothing.
#[tokio::test]
async fn rfc9110_7_2_the_host_decides_nothing() {
    let server = Server::start(&rest()).await;
    for host in [
        "",
        "Host: localhost\r\n",
        "Host: api.example.com\r\nHost: other.example.com\r\n",
        "Host: https://api.example.com/\r\n",
        "Host: api:key_0123456789abcdef@api.example.com\r\n",
        "Host: \r\n",
    ] {
        for (lines, answer) in
            [(String::new(), MISSING), (format!("Authorization: Bearer {KEY}\r\n"), SERVED)]
        {
            let mut client = Client::connect(&server).await;
            client.send(format!("GET / HTTP/1.1\r\n{host}{lines}\r\n")).await;
            assert_eq!(client.answer().await, Answer::of(answer), "{host:?}");
        }
    }
}
