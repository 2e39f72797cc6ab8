//! WebSocket handshakes, by RFC 6455 and RFC 8441: what is one, and what its client offers.

use super::choices::Choices;
use super::question::Question;
use super::vendor::{Scheme, Vendor};

/// Makes a handshake of a question, most of the time.
pub(crate) fn shake_hands(choices: &mut Choices<'_>, question: &mut Question) {
    let mut field = |name, value: &str| question.fields.push((name, value.into()));
    match choices.below(10) {
        0..5 => {
            field("upgrade", "websocket");
            field("connection", "Upgrade");
        }
        5..8 => {
            let usual = ["websocket", "websocket", "websocket"];
            let others = ["WebSocket", "connect-udp", ""];
            let protocol = choices.pick(&[usual, others].concat());
            (question.method, question.protocol) = ("CONNECT", Some(protocol));
        }
        8 => {
            const UPGRADES: &[&str] =
                &["WEBSOCKET", "h2c,websocket", "web socket", "websocket/13", "h2c", ""];
            const CONNECTIONS: &[&str] =
                &["upgrade", "keep-alive , UPGRADE", "close", "upgrades", "\tupgrade", ""];
            field("upgrade", choices.pick(UPGRADES));
            field("connection", choices.pick(CONNECTIONS));
            if choices.one_in(4) {
                field("connection", "Upgrade");
            }
        }
        _ => {}
    }
}

/// Tells whether a question is a handshake.
pub(crate) fn is_handshake(question: &Question) -> bool {
    let lists = |name: &str, token: &str| {
        let mut elements = list(question, name).into_iter();
        elements.any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    };
    match question.method {
        "GET" => lists("upgrade", "websocket") && lists("connection", "upgrade"),
        "CONNECT" => question.protocol == Some("websocket"),
        _ => false,
    }
}

/// Lists the elements of a field, of all of its lines.
fn list(question: &Question, name: &str) -> Vec<Vec<u8>> {
    let all = question.lines(name).join(&b","[..]);
    let trimmed = |element: &[u8]| {
        let text: Vec<u8> =
            element.iter().copied().skip_while(|byte| b" \t".contains(byte)).collect();
        let blanks = text.iter().rev().take_while(|byte| b" \t".contains(byte)).count();
        text[..text.len() - blanks].to_vec()
    };
    all.split(|byte| *byte == b',').map(trimmed).filter(|element| !element.is_empty()).collect()
}

/// Lists the keys that a client offers as protocols with this prefix.
pub(crate) fn offered_keys(question: &Question, prefix: &str) -> Vec<Vec<u8>> {
    let offered = list(question, "sec-websocket-protocol").into_iter();
    offered.filter_map(|name| Some(name.strip_prefix(prefix.as_bytes())?.to_vec())).collect()
}

/// Lists the offered protocols that the service sees.
pub(crate) fn other_protocols(question: &Question, vendor: &Vendor) -> Vec<Vec<u8>> {
    let carries = |name: &Vec<u8>| {
        vendor.schemes.iter().any(|scheme| match scheme {
            Scheme::Protocol(prefix) => name.starts_with(prefix.as_bytes()),
            _ => false,
        })
    };
    let mut offered = list(question, "sec-websocket-protocol");
    offered.retain(|name| !carries(name));
    offered
}

/// Reads a key that is a token (RFC 9110 §5.6.2).
pub(crate) fn token(text: &[u8]) -> Option<Vec<u8>> {
    let delimiters = b"\"(),/:;<=>?@[\\]{}";
    let legal = |byte: &u8| (0x21..=0x7e).contains(byte) && !delimiters.contains(byte);
    ((1..=512).contains(&text.len()) && text.iter().all(legal)).then(|| text.to_vec())
}
