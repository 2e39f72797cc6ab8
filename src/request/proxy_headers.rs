//! The headers that proxies write about the client of a request.

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

use super::forwarded::{self, Hop};
use crate::key::Networks;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Names the headers that the trusted proxies write.
///
/// ```
/// use tower_api_key::key::Networks;
/// use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
/// headers.insert("x-forwarded-proto", "https".parse().unwrap());
/// let is_https = |named| {
///     let proxies = TrustedProxies::new(Networks::new(["10.0.0.0/8"]).unwrap(), named);
///     let proxy = Connection::plain("10.0.0.1:4711".parse().unwrap());
///     proxies.client(proxy, &headers).https
/// };
/// assert!(is_https(ProxyHeaders::XForwarded) && is_https(ProxyHeaders::Either));
/// assert!(!is_https(ProxyHeaders::Forwarded));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyHeaders {
    /// `Forwarded` (RFC 7239). The other kind is ignored.
    Forwarded,
    /// `X-Forwarded-For` and `X-Forwarded-Proto`. The other kind is ignored.
    XForwarded,
    /// Either kind. If a request has both, they must agree, or nothing is proven: the client may have
    /// written the kind that the proxy does not write.
    Either,
}

impl ProxyHeaders {
    /// Returns the hop between the client and the first trusted proxy; `None` if the request has no
    /// header of this kind.
    pub(super) fn read(self, headers: &HeaderMap, trusted: &Networks) -> Option<Hop> {
        match self {
            Self::Forwarded => standard(headers, trusted),
            Self::XForwarded => older(headers, trusted),
            Self::Either => match (standard(headers, trusted), older(headers, trusted)) {
                (Some(standard), Some(older)) => Some(agreement(standard, older)),
                (standard, older) => standard.or(older),
            },
        }
    }
}

/// Reads `Forwarded`; `None` if the request has none.
fn standard(headers: &HeaderMap, trusted: &Networks) -> Option<Hop> {
    let mut lines = headers.get_all(FORWARDED).iter().rev().peekable();
    lines.peek()?;
    let hops = lines.flat_map(|line| forwarded::hops(line.as_bytes()));
    // A field without an element proves neither an address nor HTTPS.
    Some(client_hop(hops, trusted).unwrap_or_default())
}

/// Reads `X-Forwarded-For` and `X-Forwarded-Proto`; `None` if the request has neither. Without the
/// first, the address is unknown. Without the second, HTTPS is not proven.
fn older(headers: &HeaderMap, trusted: &Networks) -> Option<Hop> {
    let [addresses, protocols] = [X_FORWARDED_FOR, X_FORWARDED_PROTO].map(|name| {
        let lines = headers.get_all(name).iter().rev();
        lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    });
    let (mut addresses, mut protocols) = (addresses.peekable(), protocols.peekable());
    if addresses.peek().is_none() && protocols.peek().is_none() {
        return None;
    }
    let https = protocols.peek().is_some() && protocols.all(forwarded::is_https);
    let hops = addresses.map(|text| Hop { address: forwarded::address(text), https });
    Some(client_hop(hops, trusted).unwrap_or(Hop { address: None, https }))
}

/// Skips trusted hops, which come from right to left, and returns the first other one. If all are
/// trusted, the leftmost is the client. A hop that cannot be read is not skipped.
fn client_hop(hops: impl Iterator<Item = Hop>, trusted: &Networks) -> Option<Hop> {
    let mut client = None;
    for hop in hops {
        client = Some(hop);
        if !hop.address.is_some_and(|address| trusted.contains(address)) {
            break;
        }
    }
    client
}

/// Keeps what both say. If one says nothing, it may be the proxy's, and the other the client's.
fn agreement(standard: Hop, older: Hop) -> Hop {
    let address = standard.address.filter(|_| standard.address == older.address);
    Hop { address, https: standard.https && older.https }
}

#[cfg(test)]
mod tests {
    use super::super::client::Client;
    use super::super::connection::Connection;
    use super::super::proxies::TrustedProxies;
    use super::*;

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";
    const STANDARD: &str = "forwarded";
    const HOST: &str = "x-forwarded-host";

    fn client(
        headers: ProxyHeaders,
        peer: &str,
        tls: bool,
        lines: &[(&'static str, &str)],
    ) -> (Option<String>, bool) {
        let networks = Networks::new(["10.0.0.0/8", "2001:db8:1::/48"]).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().unwrap());
        }
        let peer = format!("{peer}:1").parse().unwrap();
        let connection = if tls { Connection::tls(peer) } else { Connection::plain(peer) };
        let client = TrustedProxies::new(networks, headers).client(connection, &map);
        (client.address.map(|address| address.to_string()), client.https)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        use ProxyHeaders::{Either, Forwarded, XForwarded};
        let none = None::<&str>;
        #[rustfmt::skip]
        let cases = [
            // No proxy in between.
            (Either, "192.0.2.1", true, &[][..], Some("192.0.2.1"), true),
            (Either, "192.0.2.1", false, &[], Some("192.0.2.1"), false),
            (Either, "[::ffff:192.0.2.1]", true, &[], Some("192.0.2.1"), true),
            // The headers of a peer that is not trusted do not count.
            (Either, "192.0.2.1", false, &[(FOR, "10.0.0.1"), (PROTO, "https")], Some("192.0.2.1"), false),
            (Either, "192.0.2.1", false, &[(STANDARD, "for=10.0.0.1;proto=https")], Some("192.0.2.1"), false),
            // One proxy.
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "https")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "http")], Some("192.0.2.1"), false),
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1")], Some("192.0.2.1"), false),
            (XForwarded, "[::ffff:10.0.0.1]", false, &[(FOR, "192.0.2.1"), (PROTO, "https")], Some("192.0.2.1"), true),
            // A proxy that names no client does not make its own address the client's.
            (XForwarded, "10.0.0.1", false, &[(PROTO, "https")], none, true),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "proto=https")], none, true),
            (Either, "10.0.0.1", false, &[(PROTO, "https")], none, true),
            // The client's own entry stands left of the proxy's.
            (XForwarded, "10.0.0.1", false, &[(FOR, "10.1.2.3, 192.0.2.1"), (PROTO, "https")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", false, &[(FOR, "10.1.2.3"), (FOR, "192.0.2.1"), (PROTO, "https")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "https, http")], Some("192.0.2.1"), false),
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "https"), (PROTO, "http")], Some("192.0.2.1"), false),
            // A chain of proxies, and a client inside the trusted network.
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1, 10.0.0.3, 10.0.0.2"), (PROTO, "https")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", false, &[(FOR, "10.0.0.3, 10.0.0.2"), (PROTO, "https")], Some("10.0.0.3"), true),
            // What cannot be read is not skipped.
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1, garbage"), (PROTO, "https")], none, true),
            (XForwarded, "10.0.0.1", false, &[(FOR, ""), (PROTO, "https")], none, true),
            // TLS up to the proxy is not the client's HTTPS: a proxy that sends a header must say
            // `https`.
            (XForwarded, "10.0.0.1", true, &[(FOR, "192.0.2.1")], Some("192.0.2.1"), false),
            (XForwarded, "10.0.0.1", true, &[(FOR, "192.0.2.1"), (PROTO, "https")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", true, &[(HOST, "example.com")], none, false),
            (XForwarded, "10.0.0.1", true, &[("via", "1.1 proxy")], none, false),
            (XForwarded, "10.0.0.1", true, &[("x-real-ip", "192.0.2.1")], none, false),
            (XForwarded, "10.0.0.1", true, &[("true-client-ip", "192.0.2.1")], none, false),
            (Forwarded, "10.0.0.1", true, &[("cf-connecting-ip", "192.0.2.1")], none, false),
            (Either, "10.0.0.1", true, &[("x-envoy-external-address", "192.0.2.1")], none, false),
            (Either, "10.0.0.1", true, &[("fly-client-ip", "192.0.2.1")], none, false),
            (XForwarded, "10.0.0.1", true, &[(STANDARD, "for=192.0.2.1;proto=https")], none, false),
            (Forwarded, "10.0.0.1", true, &[(FOR, "192.0.2.1")], none, false),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, "for=192.0.2.1")], Some("192.0.2.1"), false),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, "host=example.com")], none, false),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, "for=192.0.2.1;proto=https, for=10.0.0.2")], Some("192.0.2.1"), true),
            (Either, "10.0.0.1", true, &[(FOR, "192.0.2.1"), (STANDARD, "for=192.0.2.1")], Some("192.0.2.1"), false),
            (Either, "10.0.0.1", true, &[(FOR, "192.0.2.1"), (PROTO, "https"), (STANDARD, "for=192.0.2.1")], Some("192.0.2.1"), false),
            (XForwarded, "10.0.0.1", true, &[(FOR, "192.0.2.1"), (PROTO, "http")], Some("192.0.2.1"), false),
            // RFC 7239, by hop.
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=192.0.2.1;proto=https")], Some("192.0.2.1"), true),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=6.6.6.6;proto=https, for=192.0.2.1;proto=http")], Some("192.0.2.1"), false),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=192.0.2.1;proto=https, for=10.0.0.2;proto=http")], Some("192.0.2.1"), true),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=unknown;proto=https")], none, true),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, "for=\"192.0.2.1")], none, false),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=192.0.2.1;proto=wss")], Some("192.0.2.1"), true),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, "for=192.0.2.1;proto=ws")], Some("192.0.2.1"), false),
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "Wss")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "wss, https")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "https"), (PROTO, "wss")], Some("192.0.2.1"), true),
            (XForwarded, "10.0.0.1", true, &[(FOR, "192.0.2.1"), (PROTO, "ws")], Some("192.0.2.1"), false),
            (XForwarded, "10.0.0.1", true, &[(FOR, "192.0.2.1"), (PROTO, "wss, ws")], Some("192.0.2.1"), false),
            (XForwarded, "10.0.0.1", true, &[(FOR, "192.0.2.1"), (PROTO, "wss,")], Some("192.0.2.1"), false),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, "for=192.0.2.1;proto =http")], none, false),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, ",")], none, false),
            (Forwarded, "10.0.0.1", true, &[(STANDARD, "")], none, false),
            // A client's broken element does not spoil the proxy's. The proxy's broken element is not
            // skipped.
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=\", for=192.0.2.1;proto=https")], Some("192.0.2.1"), true),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=\""), (STANDARD, "for=192.0.2.1;x=\"a,b\"")], Some("192.0.2.1"), false),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "x, for=10.0.0.2;proto=https")], none, false),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=6.6.6.6;x=\""), (STANDARD, "for=192.0.2.1;y=\"")], none, false),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=192.0.2.1;proto=https,")], Some("192.0.2.1"), true),
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=6.6.6.6;proto=https"), (STANDARD, "for=192.0.2.1,")], Some("192.0.2.1"), false),
            // An element without a pair is a hop, too.
            (Forwarded, "10.0.0.1", false, &[(STANDARD, "for=6.6.6.6;proto=https,;")], none, false),
            // The kind that is not named does not count, and the proxy is not the client.
            (Forwarded, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "https")], none, false),
            (XForwarded, "10.0.0.1", false, &[(STANDARD, "for=192.0.2.1;proto=https")], none, false),
            // A trusted peer that sends no such header is the client itself.
            (XForwarded, "10.0.0.1", true, &[], Some("10.0.0.1"), true),
            (XForwarded, "10.0.0.1", false, &[("host", "example.com")], Some("10.0.0.1"), false),
            // Both kinds: agreement, or nothing.
            (Either, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "https")], Some("192.0.2.1"), true),
            (Either, "10.0.0.1", false, &[(STANDARD, "for=192.0.2.1;proto=https")], Some("192.0.2.1"), true),
            (Either, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "https"), (STANDARD, "for=192.0.2.1;proto=https")], Some("192.0.2.1"), true),
            (Either, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (PROTO, "http"), (STANDARD, "for=10.1.2.3;proto=https")], none, false),
            (Either, "10.0.0.1", false, &[(FOR, "192.0.2.1"), (STANDARD, "for=192.0.2.1;proto=https")], Some("192.0.2.1"), false),
        ];
        for (headers, peer, tls, lines, address, https) in cases {
            assert_eq!(
                client(headers, peer, tls, lines),
                (address.map(str::to_owned), https),
                "{headers:?} {peer} {lines:?}"
            );
        }
    }

    /// Bytes that are not UTF-8, left of the proxy's element, once left a client without an address.
    /// Its failed attempts were then not counted.
    #[test]
    fn what_a_client_writes_hides_nothing_of_what_the_proxy_appends() {
        let networks = || Networks::new(["10.0.0.0/8"]).unwrap();
        let peer = Connection::plain("10.0.0.1:1".parse().unwrap());
        for (lines, address, https) in [
            (&[&b"\xff, 192.0.2.1"[..]][..], Some("192.0.2.1"), true),
            (&[b"\xff", b"192.0.2.1"], Some("192.0.2.1"), true),
            (&[b"6.6.6.6\xe2\x82, 192.0.2.1"], Some("192.0.2.1"), true),
            (&[b"192.0.2.1, \xff"], None, true),
            (&[b"192.0.2.1\xff"], None, true),
        ] {
            let mut map = HeaderMap::new();
            map.insert(PROTO, "https".parse().unwrap());
            for line in lines {
                map.append(FOR, http::HeaderValue::from_bytes(line).unwrap());
            }
            let address = address.map(|address| address.parse().unwrap());
            let proxies = TrustedProxies::new(networks(), ProxyHeaders::XForwarded);
            assert_eq!(proxies.client(peer, &map), Client { address, https }, "{map:?}");
        }
        let mut map = HeaderMap::new();
        map.insert(FOR, "192.0.2.1".parse().unwrap());
        map.insert(PROTO, http::HeaderValue::from_bytes(b"\xff, https").unwrap());
        let proxies = TrustedProxies::new(networks(), ProxyHeaders::XForwarded);
        assert!(!proxies.client(peer, &map).https);
    }
}
