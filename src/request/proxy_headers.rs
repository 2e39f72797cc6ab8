//! The headers that proxies write, and what they say of a request's way from the client.

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

use super::forwarded::{self, Hop};
use crate::key::Networks;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Names the headers that the trusted proxies write.
///
/// ```
/// # use tower_api_key::key::Networks;
/// use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
///
/// # let proxy = Connection::plain("10.0.0.1:4711".parse().unwrap());
/// let mut headers = http::HeaderMap::new();
/// headers.insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
/// headers.insert("x-forwarded-proto", "https".parse().unwrap());
/// let proven = |named| {
///     let networks = Networks::parse(["10.0.0.0/8"]).unwrap();
///     TrustedProxies::new(networks, named).client(proxy, &headers).https
/// };
/// assert!(proven(ProxyHeaders::XForwarded) && proven(ProxyHeaders::Either));
/// assert!(!proven(ProxyHeaders::Forwarded));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyHeaders {
    /// `Forwarded` (RFC 7239). The other kind is ignored.
    Forwarded,
    /// `X-Forwarded-For` and `X-Forwarded-Proto`. The other kind is ignored.
    XForwarded,
    /// Whichever comes. If both come, they must agree, or nothing is proven: the one that the proxy
    /// does not write may be the client's.
    Either,
}

impl ProxyHeaders {
    /// Reads the hop between the client and the first trusted proxy; `None` if no header of the kind is there.
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
    // A field without an element proves nothing: no address, and not HTTPS either.
    Some(leftmost_trusted(hops, trusted).unwrap_or_default())
}

/// Reads `X-Forwarded-For` and `-Proto`; `None` if the request has neither. One that is not
/// there names no address, or no HTTPS.
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
    Some(leftmost_trusted(hops, trusted).unwrap_or(Hop { address: None, https }))
}

/// Walks past trusted hops, which come right to left, and returns the first that is not; if all are
/// trusted, the leftmost is the client. A hop that cannot be read is not walked past.
fn leftmost_trusted(hops: impl Iterator<Item = Hop>, trusted: &Networks) -> Option<Hop> {
    let mut client = None;
    for hop in hops {
        client = Some(hop);
        if !hop.address.is_some_and(|address| trusted.contains(address)) {
            break;
        }
    }
    client
}

/// Keeps what both say; where one is silent, it may be the proxy's, and the other the client's.
fn agreement(standard: Hop, older: Hop) -> Hop {
    let address = standard.address.filter(|_| standard.address == older.address);
    Hop { address, https: standard.https && older.https }
}
