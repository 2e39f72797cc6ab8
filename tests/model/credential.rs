//! The credential of a request, and how keys look: RFC 9110, 7617 and 6750, read naively.

use super::handshake::{is_handshake, offered_keys, token};
use super::question::Question;
use super::vendor::{KeyText, Reason, Scheme, Vendor};

/// A credential: the key, its id where one comes with it, and how it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) key: Vec<u8>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) scheme: Scheme,
}

/// Tells whether a request has nothing that could be a credential.
pub(crate) fn has_none(question: &Question, vendor: &Vendor) -> bool {
    found(question, vendor).is_empty()
}

/// Tells whether a request has no credential besides one in its query.
pub(crate) fn has_none_in_fields(question: &Question, vendor: &Vendor) -> bool {
    has_none(&Question { query: None, ..question.clone() }, vendor)
}

/// Reads the credential.
pub(crate) fn credential(question: &Question, vendor: &Vendor) -> Result<Presented, Reason> {
    let mut found = found(question, vendor);
    let Some(last) = found.pop() else { return Err(Reason::Missing) };
    if found.is_empty() {
        return last;
    }
    let Ok(last) = last else { return Err(Reason::Ambiguous) };
    let equal = found.iter().all(|other| match other {
        Ok(other) => (&other.key, &other.id) == (&last.key, &last.id),
        Err(_) => false,
    });
    if vendor.equal && equal { Ok(last) } else { Err(Reason::Ambiguous) }
}

/// Lists all places with something in them: first `Authorization`, then other fields, then the query.
fn found(question: &Question, vendor: &Vendor) -> Vec<Result<Presented, Reason>> {
    let mut found = Vec::new();
    if vendor.schemes.iter().any(|scheme| scheme.authorization().is_some()) {
        let lines = question.lines("authorization");
        found.extend(lines.first().map(|line| match lines.len() {
            1 => authorization(line, vendor),
            _ => Err(Reason::Ambiguous),
        }));
    }
    for scheme in vendor.schemes {
        let key = |key: Option<Vec<u8>>, id: Option<Vec<u8>>| {
            let key = key.filter(|key| !key.is_empty()).ok_or(Reason::Malformed)?;
            Ok(Presented { key, id, scheme: *scheme })
        };
        match scheme {
            Scheme::Own(name) => match question.lines(name).as_slice() {
                [] => {}
                [line] => found.push(key(visible(line), None)),
                _ => found.push(Err(Reason::Ambiguous)),
            },
            Scheme::TwoFields(id, secret) => {
                match (question.lines(id).as_slice(), question.lines(secret).as_slice()) {
                    ([], []) => {}
                    ([id], [secret]) => found.push(match visible(id) {
                        Some(id) => key(visible(secret), Some(id)),
                        None => Err(Reason::Malformed),
                    }),
                    (ids, secrets) if ids.len() > 1 || secrets.len() > 1 => {
                        found.push(Err(Reason::Ambiguous));
                    }
                    _ => found.push(Err(Reason::Malformed)),
                }
            }
            Scheme::Query(name) => {
                let pairs = question.query.iter().flat_map(|query| query.split('&'));
                let values = pairs.filter_map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (percent(key)? == name.as_bytes()).then_some(value)
                });
                match values.collect::<Vec<_>>().as_slice() {
                    _ if question.query.as_ref().is_some_and(|query| misleads(query, name)) => {
                        found.push(Err(Reason::Ambiguous));
                    }
                    [] => {}
                    [value] => {
                        let readable = value.len() <= 512 && !value.contains('+');
                        let decoded = if readable { percent(value) } else { None };
                        // More than this was never said to fit.
                        let fits = decoded.filter(|key| !value.contains('%') || key.len() <= 384);
                        found.push(key(fits.and_then(|key| visible(&key)), None));
                    }
                    _ => found.push(Err(Reason::Ambiguous)),
                }
            }
            Scheme::Protocol(prefix) if is_handshake(question) => {
                match offered_keys(question, prefix).as_slice() {
                    [] => {}
                    [text] => found.push(key(token(text), None)),
                    _ => found.push(Err(Reason::Ambiguous)),
                }
            }
            _ => {}
        }
    }
    found
}

/// Tells whether a careless reader takes a pair for a parameter of this name.
pub(crate) fn could_be(pair: &str, name: &str) -> bool {
    misleads(pair, name)
        || percent(pair.split('=').next().unwrap()).is_some_and(|pair| pair == name.as_bytes())
}

/// Tells whether a query has a parameter that a careless reader takes for the one of this name: one after a
/// semicolon, in another case, or after spaces.
fn misleads(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| {
        let exact = percent(pair.split('=').next().unwrap_or_default());
        let exact = exact.is_some_and(|exact| exact == name.as_bytes());
        let parts = pair.split(';').map(|part| part.split('=').next().unwrap_or_default());
        parts.enumerate().any(|(index, part)| {
            let careless = percent(part.trim_start_matches('+'))
                .is_some_and(|part| part.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
            careless && !(index == 0 && exact)
        })
    })
}

fn visible(text: &[u8]) -> Option<Vec<u8>> {
    let legal = |byte: &u8| (0x21..=0x7e).contains(byte);
    ((1..=512).contains(&text.len()) && text.iter().all(legal)).then(|| text.to_vec())
}

/// Decodes percent-encoding once; `None` if it is broken.
pub(crate) fn percent(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend(part[2..].bytes());
    }
    Some(decoded)
}

fn authorization(line: &[u8], vendor: &Vendor) -> Result<Presented, Reason> {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(token) {
        return Err(Reason::Malformed);
    }
    let name = String::from_utf8(name.to_ascii_lowercase()).unwrap();
    let read = vendor.schemes.iter().find(|read| read.authorization().as_ref() == Some(&name));
    let Some(scheme) = read else { return Err(Reason::Missing) };
    let text: Vec<u8> = rest.iter().copied().skip_while(|byte| *byte == b' ').collect();
    if text.is_empty() || text.len() > 512 {
        return Err(Reason::Malformed);
    }
    let mut id = None;
    let key =
        match scheme {
            Scheme::Bearer(_) => bearer(text),
            Scheme::WideBearer | Scheme::Named(_) => visible(&text),
            Scheme::UserName => basic(&text).map(|(user, _)| user),
            Scheme::IdPair(_) => basic(&text).and_then(|(user, password)| {
                id = Some(user).filter(|user| !user.is_empty());
                id.is_some().then_some(password)
            }),
            Scheme::BasicAs(name) => basic(&text)
                .and_then(|(user, password)| (user == name.as_bytes()).then_some(password)),
            Scheme::BasicEither(_) => basic(&text)
                .map(|(user, password)| if password.is_empty() { user } else { password }),
            Scheme::Own(_) | Scheme::TwoFields(..) | Scheme::Query(_) | Scheme::Protocol(_) => None,
        };
    let key = key.filter(|key| !key.is_empty()).ok_or(Reason::Malformed)?;
    Ok(Presented { key, id, scheme: *scheme })
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
        KeyText::Imported => {
            let rest = text.strip_prefix(b"imp|");
            rest.is_some_and(|rest| rest.len() == 20 && rest.iter().all(hex))
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
