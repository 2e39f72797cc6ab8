//! The grammar of `Forwarded` (RFC 7239 §4) and of the older `X-Forwarded-*` fields.
//!
//! The parser reads a line from right to left, element by element. So it reads what the nearest proxy
//! wrote before anything that the client wrote. A well-formed quoted string reads the same from both
//! ends, so a quote that a client left open does not swallow the proxy's element.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::{iter, str};

use super::token::is_token;

/// One hop, as the proxy that received the request recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hop {
    /// The address of the proxy's peer; `None` if it is hidden, unknown or unreadable.
    pub(super) address: Option<IpAddr>,
    /// True if the proxy says that its peer used HTTPS.
    pub(super) https: bool,
}

/// Reads an element of `X-Forwarded-For`: an address with or without a port.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let bare = text.parse::<IpAddr>();
    let bare = bare.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    Some(bare.ok().or_else(bracketed)?.to_canonical())
}

/// Returns true for the protocols `https` and `wss`, which is WebSocket over TLS (RFC 6455 §3). Any
/// other one counts as plain HTTP.
pub(super) fn is_https(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"https") || text.eq_ignore_ascii_case(b"wss")
}

/// Lists the hops of a `Forwarded` line, the last one first. An element that breaks the grammar is an
/// unknown hop, and ends the list: the borders of the elements to its left are uncertain.
pub(super) fn hops(line: &[u8]) -> impl Iterator<Item = Hop> {
    let mut rest = Some(line);
    iter::from_fn(move || {
        loop {
            let Some((left, text)) = last_part(rest.take()?, b',') else {
                return Some(Hop::default());
            };
            let text = text.trim_ascii();
            // Empty list elements do not count (RFC 9110 §5.6.1). A lone `;` is an element without
            // pairs.
            if !text.is_empty() {
                let hop = element(text);
                rest = left.filter(|_| hop.is_some());
                return Some(hop.unwrap_or_default());
            }
            rest = left;
        }
    })
}

/// Reads `[ forwarded-pair ] *( ";" [ forwarded-pair ] )`, with `for` and `proto` at most once each.
fn element(text: &[u8]) -> Option<Hop> {
    let mut hop = Hop::default();
    let (mut seen_for, mut seen_proto) = (false, false);
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (left, pair) = last_part(text, b';')?;
        rest = left;
        // The grammar has no space after `;`, but many proxies write one, and it can hide nothing.
        let pair = pair.trim_ascii();
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
        let value = unquote(value.strip_prefix(b"=")?)?;
        if !is_token(name) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"for") {
            if std::mem::replace(&mut seen_for, true) {
                return None;
            }
            hop.address = str::from_utf8(&value).ok().and_then(node);
        } else if name.eq_ignore_ascii_case(b"proto") {
            if std::mem::replace(&mut seen_proto, true) {
                return None;
            }
            hop.https = is_https(&value);
        }
    }
    Some(hop)
}

/// Reads a node (RFC 7239 §6). IPv6 needs brackets. `unknown` and `_hidden` have no address.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port) = if let Some(inner) = text.strip_prefix('[') {
        let (inner, port) = inner.split_once(']')?;
        (IpAddr::V6(inner.parse().ok()?).to_canonical(), port)
    } else {
        let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        (IpAddr::V4(name.parse().ok()?), port)
    };
    is_port(port).then_some(address)
}

/// Returns true for `[ ":" node-port ]` (RFC 7239 §6): up to five digits, or an obfuscated port. Which
/// port it is does not matter, but a node with a part that breaks the grammar has no address.
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else {
        return text.is_empty();
    };
    if let Some(hidden) = port.strip_prefix('_') {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        return !hidden.is_empty() && hidden.bytes().all(legal);
    }
    (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits off the text right of the last separator that is outside of quoted strings. Without a
/// separator, the rest is `None`. Returns `None` if a quoted string ends but does not begin.
fn last_part(text: &[u8], separator: u8) -> Option<(Option<&[u8]>, &[u8])> {
    let mut left = text;
    while let Some((&byte, before)) = left.split_last() {
        if byte == separator {
            return Some((Some(before), text.get(left.len()..)?));
        }
        left = if byte == b'"' { before_quoted(before)? } else { before };
    }
    Some((None, text))
}

/// Returns the text before the quoted string that has just ended. The string begins at the next quote
/// to the left that no backslash escapes.
fn before_quoted(text: &[u8]) -> Option<&[u8]> {
    let mut inside = text;
    loop {
        inside = inside.get(..inside.iter().rposition(|byte| *byte == b'"')?)?;
        let escapes = inside.iter().rev().take_while(|byte| **byte == b'\\').count();
        if escapes % 2 == 0 {
            return Some(inside);
        }
    }
}

/// Reads `token / quoted-string` (RFC 9110 §5.6.4).
fn unquote(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(rest) = text.strip_prefix(b"\"") else {
        // Colons and brackets should be quoted, but often are not.
        let legal = text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"');
        return (legal && !text.is_empty()).then_some(Cow::Borrowed(text));
    };
    let inner = rest.strip_suffix(b"\"")?;
    if !inner.iter().any(|byte| matches!(byte, b'"' | b'\\')) {
        return Some(Cow::Borrowed(inner));
    }
    let (mut value, mut escaped) = (Vec::with_capacity(inner.len()), false);
    for &byte in inner {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'"' if !escaped => return None,
            _ => {
                value.push(byte);
                escaped = false;
            }
        }
    }
    (!escaped).then_some(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(address: &str, https: bool) -> Hop {
        Hop { address: address.parse().ok(), https }
    }

    const BROKEN: Hop = Hop { address: None, https: false };

    /// The hops of a line, the last one first.
    #[test]
    fn forwarded_elements_follow_the_grammar() {
        for (line, expected) in [
            ("for=192.0.2.60;proto=http", &[hop("192.0.2.60", false)][..]),
            ("For=\"[2001:db8:cafe::17]:4711\"", &[hop("2001:db8:cafe::17", false)]),
            (
                "for=192.0.2.43, for=198.51.100.17;PROTO=HTTPS",
                &[hop("198.51.100.17", true), hop("192.0.2.43", false)],
            ),
            ("for=\"192.0.2.43:80\";by=\"a,b;c\"", &[hop("192.0.2.43", false)]),
            ("for=\"[::ffff:10.0.0.1]\"", &[hop("10.0.0.1", false)]),
            ("for=unknown;proto=https", &[hop("", true)]),
            ("for=_hidden", &[hop("", false)]),
            ("proto=https;host=\"a\\\"b\"", &[hop("", true)]),
            ("proto=https;host=\"a\\\\\"", &[hop("", true)]),
            ("proto=https;host=\"\\\"\"", &[hop("", true)]),
            ("proto=https;host=\"\u{e9}\"", &[hop("", true)]), // obs-text may be quoted
            ("proto=wss", &[hop("", true)]),
            ("proto=WSS", &[hop("", true)]),
            ("proto=ws", &[hop("", false)]),
            ("for=192.0.2.43;;", &[hop("192.0.2.43", false)]),
            ("for=2001:db8::1", &[hop("", false)]), // needs brackets and quotes
            ("for=192.0.2.43;for=10.0.0.1", &[BROKEN]),
            ("proto=http;proto=https", &[BROKEN]),
            ("for=\"192.0.2.43", &[BROKEN]),
            ("for=\"1\"2\"", &[BROKEN]),
            ("for=\"1\"2\"3\"", &[BROKEN]),
            ("proto=https;x=\"\\\"", &[BROKEN]),
            ("proto=https;x=\u{e9}", &[BROKEN]),
            // An escaped backslash escapes nothing, and is part of the value.
            ("for=\"1\\\\0.0.0.1\"", &[hop("", false)]),
            ("for", &[BROKEN]),
            // A name is a token, and nothing stands around `=` (RFC 7239 §4).
            ("for=8.8.8.8;proto =http", &[BROKEN]),
            ("for=8.8.8.8;proto\t=http", &[BROKEN]),
            ("for=8.8.8.8;proto= http", &[BROKEN]),
            ("for=8.8.8.8;proto=", &[BROKEN]),
            ("for=8.8.8.8;=http", &[BROKEN]),
            ("for=8.8.8.8;(proto)=http", &[BROKEN]),
            ("for=8.8.8.8;\"proto\"=http", &[BROKEN]),
            ("for=192.0.2.43;x-a!b=c", &[hop("192.0.2.43", false)]),
            // Empty list elements do not count (RFC 9110 §5.6.1).
            ("for=192.0.2.43;proto=https,", &[hop("192.0.2.43", true)]),
            (", ,\t,for=192.0.2.43 , ", &[hop("192.0.2.43", false)]),
            ("for=192.0.2.43,;", &[hop("", false), hop("192.0.2.43", false)]),
            // A broken element is the last that is read.
            ("for=192.0.2.43,\"\"", &[BROKEN]),
            ("for=192.0.2.43, x, for=192.0.2.60", &[hop("192.0.2.60", false), BROKEN]),
            ("for=\", for=192.0.2.60", &[hop("192.0.2.60", false), BROKEN]),
            ("x=\"\\, for=192.0.2.60;y=\"\\\"\"", &[hop("192.0.2.60", false), BROKEN]),
            ("\", for=192.0.2.60;y=\"a,b\"", &[hop("192.0.2.60", false), BROKEN]),
            ("", &[]),
            (" , ", &[]),
        ] {
            assert_eq!(hops(line.as_bytes()).collect::<Vec<_>>(), expected, "{line}");
        }
    }

    #[test]
    fn only_tls_is_https() {
        for (text, https) in [
            ("https", true),
            ("HttpS", true),
            ("wss", true),
            ("WSS", true),
            ("http", false),
            ("ws", false),
            ("", false),
            ("https ", false),
            ("wss:", false),
            ("httpswss", false),
        ] {
            assert_eq!(is_https(text.as_bytes()), https, "{text}");
        }
    }

    #[test]
    fn a_node_that_is_not_understood_whole_is_no_address() {
        for (port, is_one) in [
            ("", true),
            (":0", true),
            (":65535", true),
            (":_hidden", true),
            (":_a.b-c_d", true),
            (":", false),
            (":_", false),
            (":_a b", false),
            (":_a:b", false),
            (":123456", false),
            (":8o", false),
            (":-1", false),
            (" :80", false),
            ("x", false),
        ] {
            for (address, bare) in [("[2001:db8::1]", "2001:db8::1"), ("192.0.2.1", "192.0.2.1")] {
                let expected = is_one.then(|| bare.parse().unwrap());
                assert_eq!(node(&format!("{address}{port}")), expected, "{address}{port}");
            }
        }
    }

    #[test]
    fn addresses_may_carry_a_port() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:80", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:80", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("unknown", None),
            ("192.0.2.1:x", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(address(text.as_bytes()), expected, "{text}");
        }
    }
}
