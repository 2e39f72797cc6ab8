//! RFC 7239: `Forwarded`, as a trusted proxy writes it and as a client would like to.

use tower_api_key::key::Networks;
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::{ApiKeyLayer, vendors};

use super::answers::{FORBIDDEN, HTTPS, SERVED};
use super::gates::gate;
use super::server::Server;
use super::wire::{Answer, get};
use crate::support::KEY;

/// A gate whose key serves clients of two networks only, behind proxies of these.
fn behind(proxies: &[&str]) -> ApiKeyLayer {
    let networks = Networks::new(proxies.iter().copied()).unwrap();
    gate(vendors::REST_INTEGRATIONS, KEY, |key| key.networks(["192.0.2.0/24", "2001:db8::/32"]))
        .trusted_proxies(TrustedProxies::new(networks, ProxyHeaders::Forwarded))
        .build()
        .unwrap()
}

/// Sends a key with these lines through the proxy at 127.0.0.1.
async fn forwarded(server: &Server, lines: &str) -> Answer {
    get(server, format!("Authorization: Bearer {KEY}\r\n{lines}")).await
}

async fn hold(cases: &[(&str, &str)]) {
    let server = Server::plain(&behind(&["127.0.0.0/8", "10.0.0.0/8"])).await;
    for (lines, answer) in cases {
        let lines = lines.replace('|', "\r\nForwarded: ");
        let lines = format!("Forwarded: {lines}");
        assert_eq!(forwarded(&server, &lines).await, Answer::of(answer), "{lines}");
    }
}

/// §4: names are case-insensitive tokens, each once; values are tokens or quoted strings.
#[tokio::test]
async fn rfc7239_4_elements_follow_the_grammar() {
    hold(&[
        ("for=192.0.2.60;proto=https", SERVED),
        ("For=192.0.2.60;PROTO=HTTPS", SERVED),
        ("for=\"192.0.2.60\";proto=\"https\"", SERVED),
        ("for=\"192.0.2.\\60\";proto=\"http\\s\"", SERVED), // quoted pairs
        ("proto=https;host=\"a,b;c\";for=192.0.2.60;by=_x", SERVED),
        ("for=192.0.2.60;proto=https;", SERVED), // empty pairs are in the grammar
        ("for=192.0.2.60;proto=https;for=192.0.2.60", HTTPS),
        ("for=192.0.2.60;proto=https;proto=https", HTTPS),
        ("for=192.0.2.60;proto=\"https", HTTPS),
        ("for=192.0.2.60;proto= https", HTTPS),
        ("for=192.0.2.60;proto =https", HTTPS),
        ("for=192.0.2.60;proto=", HTTPS),
        ("for=192.0.2.60;proto", HTTPS),
        ("for=192.0.2.60 proto=https", HTTPS),
        ("192.0.2.60;proto=https", HTTPS),
        ("", HTTPS),
    ])
    .await;
}

/// §4 and §7.1: lines are one list, whose last element is of the nearest proxy.
#[tokio::test]
async fn rfc7239_7_1_lines_are_one_list() {
    hold(&[
        ("for=6.6.6.6;proto=http, for=192.0.2.60;proto=https", SERVED),
        ("for=6.6.6.6;proto=http|for=192.0.2.60;proto=https", SERVED),
        ("for=192.0.2.60;proto=https|for=6.6.6.6;proto=https", FORBIDDEN),
        ("for=192.0.2.60;proto=https|for=6.6.6.6;proto=http", HTTPS),
        // Past proxies that are trusted.
        ("for=192.0.2.60;proto=https, for=10.0.0.1;proto=http, for=10.0.0.2", SERVED),
        ("for=192.0.2.60;proto=https, for=11.0.0.1;proto=https, for=10.0.0.2", FORBIDDEN),
        // Empty elements of a list are none (RFC 9110 §5.6.1); a line that breaks off is no list.
        (",for=192.0.2.60;proto=https, ,", SERVED),
        ("for=6.6.6.6;by=\"|for=192.0.2.60;proto=https;x=\"", HTTPS),
    ])
    .await;
}

/// §8.1: what a client wrote, however broken, stands left of what the nearest proxy appended, and
/// takes nothing away from it. What a proxy wrote broken proves nothing, and neither does what stands
/// left of that.
#[tokio::test]
async fn rfc7239_8_1_what_a_client_breaks_spoils_nothing_of_the_proxys() {
    let server = Server::plain(&behind(&["127.0.0.0/8", "10.0.0.0/8"])).await;
    let clients: &[&[u8]] = &[
        b"x",
        b"for=\"",
        b"for=\"6.6.6.6",
        b"\xff",
        b"for=\"\xe2\x82",
        b"for=a;for=b",
        b"for=6.6.6.6;proto=http;x=\"\\",
        b"for=6.6.6.6;proto=http;x=\\\"",
        b"\",,\"",
        b"\"",
        b"=",
        b",;,",
        b"for=6.6.6.6;by=\", for=6.6.6.7",
    ];
    let proxies = [
        "for=192.0.2.60;proto=https",
        "for=\"192.0.2.60:80\";by=\"a,b;c\";proto=https",
        "for=192.0.2.60;proto=https;host=\"a\\\", for=6.6.6.6;proto=http;x=\\\\\"",
        "proto=\"https\";for=192.0.2.60;host=\"a\\\\\"",
        "for=192.0.2.60;proto=https, for=\"10.0.0.1\";proto=http",
    ];
    for client in clients {
        for proxy in proxies {
            for between in ["\r\nForwarded: ", ", ", ","] {
                let mut lines = b"Forwarded: ".to_vec();
                lines.extend_from_slice(client);
                lines.extend_from_slice(between.as_bytes());
                lines.extend_from_slice(proxy.as_bytes());
                let shown = lines.escape_ascii().to_string();
                let credential = format!("\r\nAuthorization: Bearer {KEY}");
                lines.extend_from_slice(credential.as_bytes());
                assert_eq!(get(&server, lines).await, Answer::of(SERVED), "{shown}");
            }
        }
    }
    for broken in ["x", "for=\"192.0.2.60", "for=192.0.2.60;proto=https;x=\"", "for=192.0.2.60 x"] {
        for between in ["\r\nForwarded: ", ", "] {
            let lines = format!("Forwarded: for=192.0.2.60;proto=https{between}{broken}");
            assert_eq!(forwarded(&server, &lines).await, Answer::of(HTTPS), "{lines}");
        }
    }
}

/// §5.2 and §6: IPv6 stands in brackets and quotes, with a port or without.
#[tokio::test]
async fn rfc7239_6_nodes_are_addresses() {
    hold(&[
        ("for=\"[2001:db8::17]\";proto=https", SERVED),
        ("for=\"[2001:db8::17]:4711\";proto=https", SERVED),
        ("for=\"[2001:db8::17]:_port\";proto=https", SERVED),
        ("for=\"192.0.2.60:4711\";proto=https", SERVED),
        ("for=\"[::ffff:192.0.2.60]\";proto=https", SERVED), // IPv4 all the same
        ("for=\"[2001:db9::17]\";proto=https", FORBIDDEN),
        ("for=\"2001:db8::17\";proto=https", FORBIDDEN), // without brackets
        ("for=\"[2001:db8::17\";proto=https", FORBIDDEN),
        ("for=\"[2001:db8::17]4711\";proto=https", FORBIDDEN),
        ("for=\"[2001:db8::17]:\";proto=https", FORBIDDEN),
        ("for=\"[2001:db8::17]:+80\";proto=https", FORBIDDEN),
        ("for=\"192.0.2.60:x\";proto=https", FORBIDDEN),
        ("for=\"192.0.2.60:_\";proto=https", FORBIDDEN),
        ("for=\"192.0.2.60:123456\";proto=https", FORBIDDEN),
        ("for=\"[192.0.2.60]\";proto=https", FORBIDDEN),
        ("for=192.0.2.060;proto=https", FORBIDDEN), // octal to some
        ("for=0xc0.0.2.60;proto=https", FORBIDDEN),
        ("for=3221226044;proto=https", FORBIDDEN),
        ("for=localhost;proto=https", FORBIDDEN),
    ])
    .await;
}

/// §6.2 and §6.3: `unknown` and obfuscated nodes have no address, so no list admits them, and
/// what stands left of them is not asked.
#[tokio::test]
async fn rfc7239_6_3_hidden_nodes_are_on_no_list() {
    hold(&[
        ("for=unknown;proto=https", FORBIDDEN),
        ("for=_hidden;proto=https", FORBIDDEN),
        ("for=\"_192.0.2.60\";proto=https", FORBIDDEN),
        ("for=192.0.2.60;proto=https, for=unknown;proto=https", FORBIDDEN),
        ("for=192.0.2.60;proto=https, for=_proxy;proto=https", FORBIDDEN),
        ("proto=https", FORBIDDEN),
    ])
    .await;
}

/// §5.4: `proto` is a scheme name, and two of them are HTTP over TLS: `https`, and that of WebSocket
/// (RFC 6455 §3).
#[tokio::test]
async fn rfc7239_5_4_https_and_wss_are_https() {
    hold(&[
        ("for=192.0.2.60;proto=wss", SERVED),
        ("for=192.0.2.60;proto=WSS", SERVED),
        ("for=192.0.2.60;proto=\"w\\ss\"", SERVED),
        ("for=192.0.2.60;proto=Https", SERVED),
        ("for=192.0.2.60", HTTPS),
        ("for=192.0.2.60;proto=http", HTTPS),
        ("for=192.0.2.60;proto=ws", HTTPS),
        ("for=192.0.2.60;proto=wsss", HTTPS),
        ("for=192.0.2.60;proto=\"wss:\"", HTTPS),
        ("for=192.0.2.60;proto=\"wss,https\"", HTTPS),
        ("for=192.0.2.60;proto=https2", HTTPS),
        ("for=192.0.2.60;proto=\"https \"", HTTPS),
        ("for=192.0.2.60;proto=\"https://\"", HTTPS),
    ])
    .await;
}

/// §8.1: the field is a client's own word, unless a proxy that is trusted sent it.
#[tokio::test]
async fn rfc7239_8_1_nobody_else_is_believed() {
    let server = Server::plain(&behind(&["10.0.0.0/8"])).await;
    for lines in [
        "Forwarded: for=192.0.2.60;proto=https",
        "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.60",
        "Forwarded: for=10.0.0.1;proto=https, for=10.0.0.1;proto=https",
    ] {
        assert_eq!(forwarded(&server, lines).await, Answer::of(HTTPS), "{lines}");
    }
    // Nor is the kind of header that the proxy was not said to write.
    let server = Server::plain(&behind(&["127.0.0.0/8"])).await;
    let lines = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.60";
    assert_eq!(forwarded(&server, lines).await, Answer::of(HTTPS));
    // A proxy that comes over TLS and says nothing of the client's HTTPS has not proven it.
    let server = Server::start(&behind(&["127.0.0.0/8"])).await;
    let answer = forwarded(&server, "Forwarded: for=192.0.2.60").await;
    assert_eq!(answer, Answer::of(HTTPS));
}
