//! WebSocket handshakes, and a key among the protocols that a client offers (RFC 6455 §4.1).

use http::header::{CONNECTION, Entry, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version};

use super::list::{elements, entries};
use super::presented::MAX_CREDENTIAL_BYTES;
use super::token::is_token;
use crate::error::{Denial, Malformation};

/// A WebSocket handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// A `GET` of HTTP/1.1 with `Upgrade: websocket`.
    Upgrade,
    /// An extended `CONNECT` of HTTP/2.
    ExtendedConnect,
}

impl Handshake {
    /// Returns true for a response that opens the socket (RFC 6455 §4.2.2, RFC 8441 §5).
    pub(crate) fn is_accepted_by(self, status: StatusCode) -> bool {
        match self {
            Self::Upgrade => status == StatusCode::SWITCHING_PROTOCOLS,
            Self::ExtendedConnect => status.is_success(),
        }
    }
}

/// Returns true if a client offers this protocol.
pub(crate) fn offers_protocol(headers: &HeaderMap, protocol: &[u8]) -> bool {
    elements(headers, &SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == protocol)
}

/// Returns true for the handshake of HTTP/1.1: a `GET` that asks for an upgrade to `websocket` (RFC 6455 §4.2.1).
pub(super) fn is_upgrade(method: &Method, version: Version, headers: &HeaderMap) -> bool {
    method == Method::GET
        && version == Version::HTTP_11
        && lists(headers, &UPGRADE, b"websocket")
        && lists(headers, &CONNECTION, b"upgrade")
}

/// Returns true for the handshake of HTTP/2: `CONNECT` with the `:protocol` `websocket` (RFC 8441 §5). Only the
/// server knows that pseudo-header. hyper puts it into the request's extensions.
#[inline]
pub(super) fn is_extended_connect<B>(request: &Request<B>) -> bool {
    request.method() == Method::CONNECT && connects_to_websocket(request)
}

#[cfg(feature = "http2")]
#[cold]
fn connects_to_websocket<B>(request: &Request<B>) -> bool {
    let protocol = request.extensions().get::<hyper::ext::Protocol>();
    protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

#[cfg(not(feature = "http2"))]
fn connects_to_websocket<B>(_: &Request<B>) -> bool {
    false
}

/// Returns true if the lines of a field list this token, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, token: &[u8]) -> bool {
    elements(headers, name).any(|element| element.eq_ignore_ascii_case(token))
}

/// Finds the offered protocol that begins with a prefix, and returns what follows. Protocols are compared with
/// regard to case.
///
/// # Errors
///
/// [`Denial::CredentialsAmbiguous`] if the client offers two such protocols.
pub(super) fn find<'a>(headers: &'a HeaderMap, prefix: &str) -> Result<Option<&'a [u8]>, Denial> {
    let mut found = elements(headers, &SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|protocol| protocol.strip_prefix(prefix.as_bytes()));
    let key = found.next();
    if found.next().is_some() { Err(Denial::CredentialsAmbiguous) } else { Ok(key) }
}

/// Checks that a key can be a part of a protocol's name, which is a token (RFC 6455 §4.1).
pub(super) fn key(value: &[u8]) -> Result<&[u8], Malformation> {
    if value.is_empty() {
        Err(Malformation::Empty)
    } else if value.len() > MAX_CREDENTIAL_BYTES {
        Err(Malformation::TooLong)
    } else if is_token(value) {
        Ok(value)
    } else {
        Err(Malformation::Alphabet)
    }
}

/// Removes the protocols that begin with one of these prefixes, from every request. All others stay as they are,
/// in their order.
pub(super) fn remove(headers: &mut HeaderMap, prefixes: &[(Box<str>, usize)]) {
    let carries = |protocol: &[u8]| {
        prefixes.iter().any(|(prefix, _)| protocol.starts_with(prefix.as_bytes()))
    };
    let without_key = |line: &HeaderValue| {
        if !entries(line.as_bytes()).any(carries) {
            let mut line = line.clone();
            line.set_sensitive(false);
            return Some(line);
        }
        let others = entries(line.as_bytes()).filter(|protocol| !carries(protocol));
        let others = others.filter(|protocol| !protocol.is_empty()).collect::<Vec<_>>();
        // A part of a valid line is valid. If it were not, the line would go, not stay with the key.
        let others = HeaderValue::from_bytes(&others.join(&b", "[..])).ok()?;
        Some(others).filter(|others| !others.is_empty())
    };
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let lines: Vec<HeaderValue> = lines.filter_map(without_key).collect();
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    for line in lines {
        headers.append(SEC_WEBSOCKET_PROTOCOL, line);
    }
}

/// Marks the offered protocols as sensitive, until the key among them is removed.
pub(super) fn mark_sensitive(headers: &mut HeaderMap) {
    if let Ok(Entry::Occupied(mut lines)) = headers.try_entry(SEC_WEBSOCKET_PROTOCOL) {
        lines.iter_mut().for_each(|line| line.set_sensitive(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offering(lines: &[&str]) -> HeaderMap {
        let value = |line: &&str| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(line).unwrap());
        lines.iter().map(value).fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
    }

    #[test]
    fn a_handshake_is_one_in_full() {
        let upgrade = [("upgrade", "websocket"), ("connection", "Upgrade")];
        let (one_one, two) = (Version::HTTP_11, Version::HTTP_2);
        for (method, version, lines, expected) in [
            ("GET", one_one, &upgrade[..], true),
            ("GET", one_one, &[("upgrade", "h2c, WebSocket"), ("connection", "a,UPGRADE ")], true),
            ("GET", one_one, &[("upgrade", "websocket")], false),
            ("GET", one_one, &[("connection", "upgrade")], false),
            ("GET", one_one, &[("upgrade", "websockets"), ("connection", "upgrade")], false),
            ("GET", one_one, &[("upgrade", "websocket"), ("connection", "close")], false),
            ("GET", Version::HTTP_10, &upgrade, false),
            ("GET", two, &upgrade, false),
            ("POST", one_one, &upgrade, false),
            ("HEAD", one_one, &upgrade, false),
            ("CONNECT", one_one, &upgrade, false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(is_upgrade(&method, version, &headers), expected, "{method} {lines:?}");
        }
    }

    #[test]
    fn a_key_is_found_once() {
        let ambiguous = Err(Denial::CredentialsAmbiguous);
        for (lines, expected) in [
            (&["chat.v1, key.K"][..], Ok(Some("K"))),
            (&["key.K"], Ok(Some("K"))),
            (&["chat.v1", "\tkey.K ,"], Ok(Some("K"))),
            (&["key."], Ok(Some(""))),
            (&["key.a b"], Ok(Some("a b"))),
            (&["Key.K, xkey.K, key"], Ok(None)),
            (&[], Ok(None)),
            (&["key.K, key.K"], ambiguous.clone()),
            (&["key.K", "key."], ambiguous),
        ] {
            let headers = offering(lines);
            let found = find(&headers, "key.");
            let expected = expected.map(|key: Option<&str>| key.map(str::as_bytes));
            assert_eq!(found, expected, "{lines:?}");
        }
    }

    #[test]
    fn a_key_is_a_token() {
        use Malformation::{Alphabet, Empty, TooLong};
        let longest = "a".repeat(MAX_CREDENTIAL_BYTES);
        for (value, expected) in [
            ("K-1._~!|", Ok(())),
            ("", Err(Empty)),
            ("a b", Err(Alphabet)),
            ("a=", Err(Alphabet)),
            ("a/b", Err(Alphabet)),
            ("\"a\"", Err(Alphabet)),
            (&longest, Ok(())),
            (&(longest.clone() + "a"), Err(TooLong)),
        ] {
            assert_eq!(key(value.as_bytes()).map(drop), expected, "{value:?}");
        }
    }

    #[test]
    fn only_the_key_leaves_the_offer() {
        for (lines, expected) in [
            (&["chat.v1, key.K"][..], &["chat.v1"][..]),
            (&["key.K,chat.v1 , chat.v2"], &["chat.v1, chat.v2"]),
            (&["key.K"], &[]),
            (&["key.K,, "], &[]),
            (&["a,b", "key.K", "c,key.,d"], &["a,b", "c, d"]),
            (&["Key.K ,b"], &["Key.K ,b"]),
            (&[], &[]),
        ] {
            let mut headers = offering(lines);
            mark_sensitive(&mut headers);
            assert!(headers.values().all(HeaderValue::is_sensitive));
            remove(&mut headers, &[("key.".into(), 0)]);
            let left = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().collect::<Vec<_>>();
            assert_eq!(left, expected, "{lines:?}");
            assert!(!headers.values().any(HeaderValue::is_sensitive));
        }
    }
}
