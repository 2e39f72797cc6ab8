//! The credential of a request, and how keys look: RFC 9110, 7617 and 6750, read naively.

use super::question::Question;
use super::vendor::{KeyText, Reason, Scheme, Vendor};

/// Reads the key, and the scheme that carried it.
pub(crate) fn credential(
    question: &Question,
    vendor: &Vendor,
) -> Result<(Vec<u8>, Scheme), Reason> {
    let lines = question.lines("authorization");
    let line = match lines.as_slice() {
        [] => return Err(Reason::Missing),
        [line] => *line,
        _ => return Err(Reason::Ambiguous),
    };
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (scheme, rest) = line.split_at(end);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if scheme.is_empty() || !scheme.iter().all(token) {
        return Err(Reason::Malformed);
    }
    let scheme = String::from_utf8(scheme.to_ascii_lowercase()).unwrap();
    let read = vendor.schemes.iter().find(|read| match read {
        Scheme::BasicAs(_) | Scheme::BasicEither(_) => scheme == "basic",
        Scheme::Bearer(_) => scheme == "bearer",
    });
    let Some(read) = read else { return Err(Reason::Missing) };
    let text: Vec<u8> = rest.iter().copied().skip_while(|byte| *byte == b' ').collect();
    if text.is_empty() || text.len() > 512 {
        return Err(Reason::Malformed);
    }
    let key =
        match read {
            Scheme::Bearer(_) => bearer(text),
            Scheme::BasicAs(name) => basic(&text)
                .and_then(|(user, password)| (user == name.as_bytes()).then_some(password)),
            Scheme::BasicEither(_) => basic(&text)
                .map(|(user, password)| if password.is_empty() { user } else { password }),
        };
    let key = key.filter(|key| !key.is_empty()).ok_or(Reason::Malformed)?;
    Ok((key, *read))
}

fn bearer(text: Vec<u8>) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = &text[..text.len() - padding];
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    (!body.is_empty() && body.iter().all(legal)).then_some(text)
}

fn basic(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let pair = base64(text)?;
    let readable = String::from_utf8(pair.clone()).ok()?;
    // CTL of RFC 5234, which RFC 7617 §2 cites, is of ASCII.
    if readable.chars().any(|character| character.is_ascii_control()) {
        return None;
    }
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some((pair[..colon].to_vec(), pair[colon + 1..].to_vec()))
}

/// Decodes base64, bit by bit: padded, and with zeros where no byte is left to fill.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bits = Vec::new();
    for byte in &text[..text.len() - padding] {
        let value = ALPHABET.iter().position(|other| other == byte)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let whole = bits.len() / 8 * 8;
    if bits[whole..].iter().any(|bit| *bit) {
        return None;
    }
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    Some(bits[..whole].chunks(8).map(byte).collect())
}

/// Tells whether a text is a key of the vendor's, by its syntax.
pub(crate) fn is_key(text: &[u8], form: KeyText) -> bool {
    let hex = |byte: &u8| byte.is_ascii_hexdigit();
    match form {
        KeyText::FortyHex => text.len() == 40 && text.iter().all(hex),
        KeyText::Token => {
            let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
            (16..=256).contains(&text.len()) && text.iter().all(token)
        }
        KeyText::Persona => {
            let after = text
                .strip_prefix(b"persona_sandbox_")
                .or_else(|| text.strip_prefix(b"persona_production_"));
            let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
            after.is_some_and(|after| (16..=200).contains(&after.len()) && after.iter().all(legal))
        }
        KeyText::Polytomic => {
            let lower = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
            let live = text.strip_prefix(b"pk_live_");
            let dashes = [8, 13, 18, 23];
            let uuid = text.len() == 36
                && text
                    .iter()
                    .enumerate()
                    .all(|(at, byte)| if dashes.contains(&at) { *byte == b'-' } else { hex(byte) });
            live.is_some_and(|rest| rest.len() == 32 && rest.iter().all(lower)) || uuid
        }
    }
}
