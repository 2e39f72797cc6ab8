//! Credentials as clients present them, and as nobody should.

use super::choices::Choices;
use super::holder::HOLDERS;
use super::question::Question;
use super::spoil::{legal, spoil};
use super::vendor::{Scheme, Vendor};

/// Adds what a client presents: one or more lines of `Authorization`, or what else the vendor reads.
pub(crate) fn present(choices: &mut Choices<'_>, vendor: &Vendor, question: &mut Question) {
    if vendor.schemes.iter().all(|scheme| {
        matches!(scheme, Scheme::BasicAs(_) | Scheme::BasicEither(_) | Scheme::Bearer(_))
    }) {
        return authorization(choices, vendor, question);
    }
    let places = [1, 1, 1, 1, 2, 2, 2, 2, 3, 0][choices.below(10)];
    let holder = match choices.below(3) {
        0 => HOLDERS[0],
        _ => choices.pick(HOLDERS),
    };
    for _ in 0..places {
        let other = choices.pick(HOLDERS);
        let of = |other_one: bool| if other_one { other } else { holder };
        let mut key = of(choices.one_in(12)).key(vendor).into_bytes();
        let mut id = of(choices.one_in(12)).id.as_bytes().to_vec();
        if choices.one_in(12) {
            spoil(choices, &mut key);
        }
        if choices.one_in(20) {
            spoil(choices, &mut id);
        }
        let scheme = choices.pick(vendor.schemes);
        let field = |text: &[u8]| text.iter().map(|byte| legal(*byte)).collect::<Vec<u8>>();
        let mut line = |name: &str, text: &[u8]| {
            let line = [name.as_bytes(), b" ", text].concat();
            question.fields.push(("authorization", field(&line)));
        };
        match scheme {
            Scheme::BasicAs(_) | Scheme::BasicEither(_) | Scheme::Bearer(_) => {}
            Scheme::WideBearer => line("Bearer", &key),
            Scheme::Named(name) => line(name, &key),
            Scheme::UserName => {
                let password = choices.pick(&[&b""[..], b"X", b"a:b", b"\x01"]);
                line("Basic", &pair(choices, &key, password));
            }
            Scheme::IdPair(name) => line(name, &pair(choices, &id, &key)),
            Scheme::Own(name) => question.fields.push((name, field(&key))),
            Scheme::Protocol(prefix) => {
                let prefix = choices.pick(&[prefix, prefix, prefix, "API-KEY.", "key.", "token."]);
                let key = [prefix.as_bytes(), &key].concat();
                let offer = match choices.below(5) {
                    0 => [&key, &b", chat.v1"[..]].concat(),
                    1 => [&b"chat.v1,"[..], &key].concat(),
                    2 => [&b"chat.v1 ,, "[..], &key, b"\t,chat.v2"].concat(),
                    3 => b"chat.v1".to_vec(),
                    _ => key,
                };
                question.fields.push(("sec-websocket-protocol", field(&offer)));
            }
            Scheme::TwoFields(of_id, secret) => {
                if !choices.one_in(20) {
                    question.fields.push((of_id, field(&id)));
                }
                if !choices.one_in(20) {
                    question.fields.push((secret, field(&key)));
                }
            }
            Scheme::Query(name) => {
                let name =
                    choices.pick(&[name, name, name, "k%65y", "%6Bey", "Key", "k%y", "keys"]);
                let value = match choices.below(8) {
                    0..4 => encoded(&key, false),
                    4..6 => encoded(&key, true),
                    _ => String::from_utf8(
                        key.iter()
                            .filter(|byte| b"%+.=;".contains(byte) || byte.is_ascii_alphanumeric())
                            .copied()
                            .collect(),
                    )
                    .unwrap(),
                };
                let before = question.query.take().map_or_else(String::new, |query| query + "&");
                question.query = Some(format!("{before}{name}={value}"));
            }
        }
    }
}

/// A text in percent-encoding: all of it, or where it has to be.
fn encoded(text: &[u8], all: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() && !all;
    let write = |byte: &u8| {
        if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") }
    };
    text.iter().map(write).collect()
}

fn authorization(choices: &mut Choices<'_>, vendor: &Vendor, question: &mut Question) {
    let lines = match choices.below(12) {
        0..10 => 1,
        10 => 0,
        _ => 2,
    };
    for _ in 0..lines {
        let line = match choices.below(16) {
            15 => raw(choices),
            _ => line(choices, vendor),
        };
        question.fields.push(("authorization", line));
    }
}

/// Any bytes that a field may have.
fn raw(choices: &mut Choices<'_>) -> Vec<u8> {
    let length = usize::from(choices.byte() % 64);
    (0..length).map(|_| legal(choices.byte())).collect()
}

fn line(choices: &mut Choices<'_>, vendor: &Vendor) -> Vec<u8> {
    let holder = match choices.below(3) {
        0 => HOLDERS[0],
        _ => choices.pick(HOLDERS),
    };
    let mut key = holder.key(vendor).into_bytes();
    if choices.one_in(5) {
        spoil(choices, &mut key);
    }
    let mut usual = vendor.schemes[0];
    if matches!(usual, Scheme::BasicEither(_)) && holder.kind != Some("deployment") {
        usual = vendor.schemes[1];
    }
    if choices.one_in(8) {
        usual = choices.pick(&[
            Scheme::Bearer(&[]),
            Scheme::BasicAs("api"),
            Scheme::BasicAs("api "),
            Scheme::BasicAs("API"),
            Scheme::BasicAs("a:pi"),
            Scheme::BasicEither(""),
        ]);
    }
    let (name, mut text) = match usual {
        Scheme::Bearer(_) => ("Bearer", key),
        Scheme::BasicAs(user) => ("Basic", pair(choices, user.as_bytes(), &key)),
        Scheme::BasicEither(_) if choices.one_in(2) => ("Basic", pair(choices, &key, b"")),
        // The others are presented in their own way.
        _ => ("Basic", pair(choices, b"anyone", &key)),
    };
    if choices.one_in(10) {
        spoil(choices, &mut text);
    }
    let name = match choices.below(12) {
        0..9 => name.to_owned(),
        9 => name.to_ascii_lowercase(),
        10 => name.to_ascii_uppercase(),
        _ => choices
            .pick(&["Digest", "Bearer:", "Bear", "Basic\t", "", " ", "DPoP", "Béarer", "Bearer,"])
            .to_owned(),
    };
    let space = match choices.below(12) {
        0..9 => " ",
        9 => "   ",
        10 => "",
        _ => choices.pick(&["\t", " \t", "  ", "="]),
    };
    let mut line = name.into_bytes();
    line.extend(space.bytes());
    line.extend(text);
    if choices.one_in(12) {
        spoil(choices, &mut line);
    }
    for byte in &mut line {
        *byte = legal(*byte);
    }
    line
}

/// `user:password` in base64.
fn pair(choices: &mut Choices<'_>, user: &[u8], password: &[u8]) -> Vec<u8> {
    let mut pair = user.to_vec();
    if !choices.one_in(20) {
        pair.push(b':');
    }
    pair.extend(password);
    if choices.one_in(12) {
        spoil(choices, &mut pair);
    }
    if choices.one_in(40) {
        pair.extend("é\u{85}".bytes());
    }
    base64(&pair)
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for three in bytes.chunks(3) {
        let byte = |at| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= three.len() { digit } else { b'=' });
        }
    }
    text
}
