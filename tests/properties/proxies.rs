//! Clients that write forwarding fields themselves, in front of what the proxies append.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use tower_api_key::key::Networks;
use tower_api_key::request::{Client, Connection, ProxyHeaders, TrustedProxies};

/// What proxies append that the client's connection came to.
#[derive(Debug, Clone)]
struct Truth {
    client: IpAddr,
    protocol: &'static str,
    /// What each proxy says besides.
    others: &'static str,
    /// The proxies between the first and the last, which is the peer.
    between: Vec<IpAddr>,
}

fn truth() -> impl Strategy<Value = Truth> {
    let client = prop_oneof![
        any::<[u8; 2]>().prop_map(|[a, b]| IpAddr::from([198, 51, a, b])),
        any::<u16>().prop_map(|low| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, low])),
    ];
    let proxy = prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([10, a, b, c])),
        any::<u16>().prop_map(|low| IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, low])),
    ];
    let protocol = prop::sample::select(&["https", "http", "wss", "ws", "HTTPS", "Wss"][..]);
    let others = prop::sample::select(
        &[
            "",
            ";host=\"a,b;c\"",
            ";by=_p;x=\"\\\"\"",
            ";x=\"\\\\\"",
            ";x=\", for=6.6.6.6\"",
            ";x=\"\u{e9}\"",
        ][..],
    );
    (client, protocol, others, prop::collection::vec(proxy, 0..3))
        .prop_map(|(client, protocol, others, between)| Truth { client, protocol, others, between })
}

impl Truth {
    fn hops(&self) -> impl Iterator<Item = IpAddr> + '_ {
        std::iter::once(self.client).chain(self.between.iter().copied())
    }

    fn forwarded(&self) -> String {
        let hops = self.hops().enumerate().map(|(number, hop)| {
            let node = match hop {
                IpAddr::V4(four) => four.to_string(),
                IpAddr::V6(six) => format!("\"[{six}]\""),
            };
            // Between proxies nobody needs HTTPS.
            let proto = if number == 0 { self.protocol } else { "http" };
            format!("for={node};proto={proto}{}", self.others)
        });
        hops.collect::<Vec<_>>().join(", ")
    }

    fn https(&self) -> bool {
        matches!(self.protocol.to_ascii_lowercase().as_str(), "https" | "wss")
    }

    fn x_forwarded_for(&self) -> String {
        self.hops().map(|hop| hop.to_string()).collect::<Vec<_>>().join(", ")
    }
}

/// What a client would like to be believed, and what would confuse a reader.
fn garbage() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "for=10.0.0.1",
            "for=192.0.2.9",
            "proto=https",
            ";",
            ",",
            "\"",
            "\\",
            " ",
            "=",
            "10.0.0.1",
            "192.0.2.9",
            "[fd00::1]",
            "unknown",
            "_x",
            "for=\"[2001:db8::9]\"",
            "\t",
            "https",
            "x=\"",
            "\"x",
            "\\\"",
            "\u{ff}",
            "\u{e9}",
            ":80",
        ][..],
    );
    prop_oneof![
        3 => prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
        1 => "[ -~\\t\u{a0}-\u{ff}]{0,20}",
    ]
}

/// Puts the client's words before the proxies', on one line or on lines of its own.
fn said(
    headers: &mut HeaderMap,
    name: &'static str,
    garbage: &[String],
    appended: &str,
    apart: bool,
) {
    let mut lines = garbage.to_vec();
    match lines.last_mut().filter(|_| !apart) {
        Some(last) => *last = format!("{last}, {appended}"),
        None => lines.push(appended.to_owned()),
    }
    for line in lines {
        headers.append(name, HeaderValue::from_str(&line).unwrap());
    }
}

fn client(fields: ProxyHeaders, headers: &HeaderMap) -> Client {
    let networks = Networks::new(["10.0.0.0/8", "fd00::/8"]).unwrap();
    let proxy = Connection::tls("10.0.0.1:4711".parse().unwrap());
    TrustedProxies::new(networks, fields).client(proxy, headers)
}

proptest! {
    #[test]
    fn a_client_never_chooses_its_address(
        truth in truth(),
        garbage in prop::collection::vec(garbage(), 0..3),
        apart in any::<bool>(),
    ) {
        let mut headers = HeaderMap::new();
        said(&mut headers, "forwarded", &garbage, &truth.forwarded(), apart);
        let seen = client(ProxyHeaders::Forwarded, &headers);
        // Whatever the client writes changes nothing of what the proxies append.
        prop_assert_eq!(seen, Client { address: Some(truth.client), https: truth.https() });
    }

    #[test]
    fn a_client_never_chooses_its_address_in_the_older_fields(
        truth in truth(),
        garbage in prop::collection::vec(garbage(), 0..3),
        protocols in prop::collection::vec(garbage(), 0..2),
        apart in any::<bool>(),
    ) {
        let mut headers = HeaderMap::new();
        said(&mut headers, "x-forwarded-for", &garbage, &truth.x_forwarded_for(), apart);
        said(&mut headers, "x-forwarded-proto", &protocols, truth.protocol, apart);
        let seen = client(ProxyHeaders::XForwarded, &headers);
        prop_assert_eq!(seen.address, Some(truth.client));
        prop_assert!(!seen.https || truth.https());
        // Nor with a `Forwarded` of its own, where a proxy may write either.
        headers.append("forwarded", HeaderValue::from_static("for=192.0.2.9;proto=https"));
        let seen = client(ProxyHeaders::Either, &headers);
        prop_assert!(seen.address.is_none_or(|address| address == truth.client));
        prop_assert!(!seen.https || truth.https());
    }

    #[test]
    fn nobody_else_is_believed(
        peer in any::<[u8; 2]>(),
        garbage in prop::collection::vec(garbage(), 1..3),
        tls in any::<bool>(),
    ) {
        let mut headers = HeaderMap::new();
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto"] {
            said(&mut headers, name, &garbage, "for=10.0.0.1;proto=https", false);
        }
        let peer = IpAddr::from([198, 51, peer[0], peer[1]]);
        let address = (peer, 4711).into();
        let connection = if tls { Connection::tls(address) } else { Connection::plain(address) };
        let networks = Networks::new(["10.0.0.0/8"]).unwrap();
        let proxies = TrustedProxies::new(networks, ProxyHeaders::Either);
        let seen = proxies.client(connection, &headers);
        prop_assert_eq!(seen, Client { address: Some(peer), https: tls });
    }
}
