//! The grammar of `Forwarded` (RFC 7239 §4) and of the older `X-Forwarded-*` fields.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Optional white space (RFC 9110 §5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];

/// One hop, as the proxy that received it wrote it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hop {
    /// Who connected to that proxy; `None` if it is hidden, unknown or unreadable.
    pub(super) address: Option<IpAddr>,
    /// Whether that proxy says that they used HTTPS.
    pub(super) https: bool,
}

/// Reads an element of `X-Forwarded-For`: an address, with or without a port.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>();
    let bare = bare.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    Some(bare.ok().or_else(bracketed)?.to_canonical())
}

/// Reads the name of a protocol; anything but `https` is taken for plain HTTP.
pub(super) fn is_https(text: &str) -> bool {
    text.eq_ignore_ascii_case("https")
}

/// Reads a whole `Forwarded` field value; `None` if it breaks the grammar, for then no element of
/// it can be trusted to begin where it seems to.
pub(super) fn forwarded(value: &str) -> Option<Vec<Hop>> {
    // Empty elements of a list are none (RFC 9110 §5.6.1); a lone `;` is an element that is silent.
    let elements = split_quoted(value, ',')?.into_iter().map(|text| text.trim_matches(BLANKS));
    let hops: Option<Vec<Hop>> = elements.filter(|text| !text.is_empty()).map(element).collect();
    hops.filter(|hops| !hops.is_empty())
}

/// Reads `[ forwarded-pair ] *( ";" [ forwarded-pair ] )`; each parameter that counts at most once.
fn element(text: &str) -> Option<Hop> {
    let mut hop = Hop::default();
    let (mut seen_for, mut seen_proto) = (false, false);
    for pair in split_quoted(text, ';')? {
        // Not in the grammar, but many proxies write a blank after `;`, and it can hide nothing.
        let pair = pair.trim_matches(BLANKS);
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=').filter(|(name, _)| is_token(name))?;
        let value = unquote(value)?;
        if name.eq_ignore_ascii_case("for") {
            if std::mem::replace(&mut seen_for, true) {
                return None;
            }
            hop.address = node(&value);
        } else if name.eq_ignore_ascii_case("proto") {
            if std::mem::replace(&mut seen_proto, true) {
                return None;
            }
            hop.https = is_https(&value);
        }
    }
    Some(hop)
}

/// Reads a node (RFC 7239 §6): IPv6 stands in brackets; `unknown` and `_hidden` have no address.
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

/// Tells whether a text is `[ ":" node-port ]` (RFC 7239 §6): up to five digits, or an obfuscated port.
/// Which one is of no interest, but a node that is not understood whole is not an address.
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

/// Splits at a separator outside quoted strings; `None` if a quoted string never ends.
fn split_quoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (index, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        } else if !quoted && character == separator {
            parts.push(text.get(start..index)?);
            start = index + separator.len_utf8();
        }
    }
    parts.push(text.get(start..)?);
    (!quoted).then_some(parts)
}

/// Reads `token / quoted-string` (RFC 9110 §5.6.4).
fn unquote(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix('"') else {
        // Colons and brackets, which should be quoted, often are not.
        return (!text.is_empty() && !text.contains(['"', ' ', '\t'])).then(|| text.to_owned());
    };
    let inner = rest.strip_suffix('"')?;
    let (mut value, mut escaped) = (String::with_capacity(inner.len()), false);
    for character in inner.chars() {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return None,
            _ => {
                value.push(character);
                escaped = false;
            }
        }
    }
    (!escaped).then_some(value)
}

/// Tells whether a text is a `token` (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(in_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(address: &str, https: bool) -> Hop {
        Hop { address: address.parse().ok(), https }
    }

    #[test]
    fn forwarded_elements_follow_the_grammar() {
        for (value, expected) in [
            ("for=192.0.2.60;proto=http", Some(vec![hop("192.0.2.60", false)])),
            ("For=\"[2001:db8:cafe::17]:4711\"", Some(vec![hop("2001:db8:cafe::17", false)])),
            (
                "for=192.0.2.43, for=198.51.100.17;PROTO=HTTPS",
                Some(vec![hop("192.0.2.43", false), hop("198.51.100.17", true)]),
            ),
            ("for=\"192.0.2.43:80\";by=\"a,b;c\"", Some(vec![hop("192.0.2.43", false)])),
            ("for=\"[::ffff:10.0.0.1]\"", Some(vec![hop("10.0.0.1", false)])),
            ("for=unknown;proto=https", Some(vec![hop("", true)])),
            ("for=_hidden", Some(vec![hop("", false)])),
            ("proto=https;host=\"a\\\"b\"", Some(vec![hop("", true)])),
            ("for=192.0.2.43;;", Some(vec![hop("192.0.2.43", false)])),
            ("for=2001:db8::1", Some(vec![hop("", false)])), // needs brackets and quotes
            ("for=192.0.2.43;for=10.0.0.1", None),
            ("proto=http;proto=https", None),
            ("for=\"192.0.2.43", None),
            ("for=\"1\"2\"", None),
            ("for=\"1\"2\"3\"", None),
            // A backslash that is escaped escapes nothing, and is a part of the value.
            ("for=\"1\\\\0.0.0.1\"", Some(vec![hop("", false)])),
            ("for", None),
            // A name is a token, and nothing stands around `=` (RFC 7239 §4).
            ("for=8.8.8.8;proto =http", None),
            ("for=8.8.8.8;proto\t=http", None),
            ("for=8.8.8.8;proto= http", None),
            ("for=8.8.8.8;proto=", None),
            ("for=8.8.8.8;=http", None),
            ("for=8.8.8.8;(proto)=http", None),
            ("for=8.8.8.8;\"proto\"=http", None),
            ("for=192.0.2.43;x-a!b=c", Some(vec![hop("192.0.2.43", false)])),
            // Empty elements of a list are none (RFC 9110 §5.6.1), but there must be one that is.
            ("for=192.0.2.43;proto=https,", Some(vec![hop("192.0.2.43", true)])),
            (", ,\t,for=192.0.2.43 , ", Some(vec![hop("192.0.2.43", false)])),
            ("for=192.0.2.43,;", Some(vec![hop("192.0.2.43", false), hop("", false)])),
            ("for=192.0.2.43,\"\"", None),
            ("", None),
            (" , ", None),
        ] {
            assert_eq!(forwarded(value), expected, "{value}");
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
            assert_eq!(address(text), expected, "{text}");
        }
    }
}
