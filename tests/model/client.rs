//! Who the client is, and whether it used HTTPS: RFC 7239 and the older fields, read naively.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::question::Question;

/// Whose word counts: the fields that proxies in 10.0.0.0/8 and fd00::/8 write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Believed {
    Nobody,
    Forwarded,
    XForwarded,
    Either,
}

/// The client's address, if it can be told, and whether it used HTTPS.
pub(crate) type Client = (Option<IpAddr>, bool);

/// An IPv4 address, or the first half of an IPv6 address; `None` for all clients whose address cannot be told.
pub(crate) type Network = Option<(bool, u64)>;

pub(crate) fn network(address: Option<IpAddr>) -> Network {
    address.map(|address| match address {
        IpAddr::V4(four) => (false, u64::from(u32::from(four))),
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => (false, u64::from(u32::from(four))),
            None => (true, (u128::from(six) >> 64) as u64),
        },
    })
}

const NOTHING: Client = (None, false);

pub(crate) fn client(question: &Question, believed: Believed, always_proxies: bool) -> Client {
    let Some((peer, tls)) = question.peer else { return NOTHING };
    let peer = peer.to_canonical();
    let speaks = |name: &str| {
        matches!(name, "forwarded" | "via" | "x-real-ip" | "true-client-ip" | "cf-connecting-ip")
            || matches!(name, "x-envoy-external-address" | "fly-client-ip" | "x-client-ip")
            || name.starts_with("x-forwarded-")
    };
    let spoken = always_proxies || question.fields.iter().any(|(name, _)| speaks(name));
    if believed == Believed::Nobody || !is_proxy(peer) || !spoken {
        return (Some(peer), tls);
    }
    let forwarded = forwarded(question);
    let x_forwarded = x_forwarded(question);
    match believed {
        Believed::Nobody => NOTHING,
        Believed::Forwarded => forwarded.unwrap_or(NOTHING),
        Believed::XForwarded => x_forwarded.unwrap_or(NOTHING),
        Believed::Either => match (forwarded, x_forwarded) {
            (Some(one), Some(other)) => (one.0.filter(|_| one.0 == other.0), one.1 && other.1),
            (one, other) => one.or(other).unwrap_or(NOTHING),
        },
    }
}

pub(crate) fn is_proxy(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.octets()[0] == 10,
        IpAddr::V6(six) => six.octets()[0] == 0xfd,
    }
}

/// Joins the lines of a field. What is not text is kept as characters that no element may have.
fn joined(question: &Question, name: &str) -> String {
    String::from_utf8_lossy(&question.lines(name).join(&b", "[..])).into_owned()
}

fn x_forwarded(question: &Question) -> Option<Client> {
    let absent = |name: &str| question.lines(name).is_empty();
    if absent("x-forwarded-for") && absent("x-forwarded-proto") {
        return None;
    }
    let elements = |name: &str| -> Vec<String> {
        let trim = |element: &str| element.trim_matches([' ', '\t']).to_owned();
        joined(question, name).split(',').map(trim).collect()
    };
    // One that is empty does not say `https`, and is no address; nor is one that is no text, which a
    // client may have written left of what the proxy appended.
    let mut protocols = elements("x-forwarded-proto").into_iter();
    let https = protocols.all(|protocol| is_over_tls(&protocol));
    let mut address = None;
    for hop in elements("x-forwarded-for").iter().rev() {
        address = with_or_without_port(hop);
        if !address.is_some_and(is_proxy) {
            break;
        }
    }
    Some((address, https))
}

/// Of WebSocket, `wss` is what `https` is of HTTP.
fn is_over_tls(protocol: &str) -> bool {
    matches!(protocol.to_ascii_lowercase().as_str(), "https" | "wss")
}

fn with_or_without_port(text: &str) -> Option<IpAddr> {
    if let Some(inner) = text.strip_prefix('[') {
        let (address, port) = inner.split_once(']')?;
        if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
            return None;
        }
        return Some(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?).to_canonical());
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = text.split_once(':')?;
    if !is_port(port) {
        return None;
    }
    Some(IpAddr::V4(address.parse::<Ipv4Addr>().ok()?))
}

fn is_digits(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of 16 bits, of which no RFC says how many zeros it may start with.
fn is_port(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u128>().is_ok_and(|port| port <= 65_535)
}

fn forwarded(question: &Question) -> Option<Client> {
    if question.lines("forwarded").is_empty() {
        return None;
    }
    let mut client = NOTHING;
    for element in elements(&question.lines("forwarded")) {
        // What stands left of an element that nobody can read, nobody can read either.
        let Some(element) = element else { return Some(NOTHING) };
        let value = |name: &str| {
            let pair = element.iter().find(|(other, _)| other == name);
            pair.map(|(_, value)| value.as_str())
        };
        let https = value("proto").is_some_and(is_over_tls);
        let address = value("for").and_then(node);
        client = (address, https);
        if !address.is_some_and(is_proxy) {
            break;
        }
    }
    Some(client)
}

/// Reads a node (RFC 7239 §6): IPv6 only in brackets, and a port that may be hidden.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port) = if text.starts_with('[') {
        let end = text.find(']')?;
        (IpAddr::V6(text[1..end].parse().ok()?), &text[end + 1..])
    } else {
        let end = text.find(':').unwrap_or(text.len());
        (IpAddr::V4(text[..end].parse().ok()?), &text[end..])
    };
    let hidden = |port: &str| {
        let name = port.strip_prefix('_');
        let obfuscated =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(obfuscated))
    };
    let legal = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(port) => is_digits(port) || hidden(port),
    };
    legal.then(|| address.to_canonical())
}

/// The pairs of an element, their names in lower case.
type Element = Vec<(String, String)>;

/// Lists the elements of all lines, the last one first; `None` for one that breaks the grammar. The last
/// element of a line is the shortest text that is one and has a comma, or nothing, on its left.
fn elements(lines: &[&[u8]]) -> Vec<Option<Element>> {
    let mut found = Vec::new();
    for line in lines.iter().rev() {
        // One character for each byte, so that what is not text is no token, and may be quoted.
        let line: String = line.iter().map(|byte| char::from(*byte)).collect();
        let mut rest = Some(line.as_str());
        while let Some(text) = rest {
            let commas =
                text.rmatch_indices(',').map(|(at, _)| (Some(&text[..at]), &text[at + 1..]));
            let mut parts = commas.chain([(None, text)]);
            let blank = |text: &str| text.trim_matches([' ', '\t']).is_empty();
            let part = parts.find(|(_, part)| blank(part) || element(part).is_some());
            let Some((left, part)) = part else {
                found.push(None);
                break;
            };
            // Empty elements of a list are none (RFC 9110 §5.6.1).
            if !blank(part) {
                found.push(element(part));
            }
            rest = left;
        }
    }
    found
}

/// Reads an element, character by character; `None` if it breaks the grammar. Two liberties are taken that
/// many proxies take: blanks around `;`, and values without quotes that need them.
fn element(text: &str) -> Option<Element> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let bare = |c: char| c.is_ascii() && !" \t\",;".contains(c);
    let mut element = Element::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let end = rest.find(|c| !token(c)).unwrap_or(rest.len());
        if end > 0 {
            let name = rest[..end].to_ascii_lowercase();
            rest = rest[end..].strip_prefix('=')?;
            let value = if let Some(inside) = rest.strip_prefix('"') {
                let mut value = String::new();
                let mut characters = inside.chars();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => value.push(characters.next()?),
                        character => value.push(character),
                    }
                }
                rest = characters.as_str();
                value
            } else {
                let end = rest.find(|c| !bare(c)).unwrap_or(rest.len());
                if end == 0 {
                    return None;
                }
                let (value, after) = rest.split_at(end);
                rest = after;
                value.to_owned()
            };
            let matters = matches!(name.as_str(), "for" | "proto");
            if matters && element.iter().any(|(other, _)| *other == name) {
                return None;
            }
            element.push((name, value));
        }
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return Some(element);
        }
        rest = rest.strip_prefix(';')?;
    }
}
