//! The fields that proxies write, and that clients would like to.

use super::choices::Choices;
use super::client::Believed;
use super::judge::Setting;
use super::question::Question;
use super::spoil::{legal, spoil};

pub(crate) const ADDRESSES: &[&str] = &[
    "192.0.2.1",
    "198.51.100.7",
    "10.0.0.1",
    "10.255.0.9",
    "::ffff:10.0.0.1",
    "2001:db8::7",
    "fd00::1",
    "::ffff:198.51.100.7",
    "fe80::1",
];

/// Adds some of them, mostly such as the gate believes.
pub(crate) fn proxied(choices: &mut Choices<'_>, setting: &Setting, question: &mut Question) {
    let many = setting.believed != Believed::Nobody || choices.one_in(8);
    if !many || choices.one_in(6) {
        return;
    }
    if choices.one_in(12) {
        let signs = &[
            "via",
            "x-real-ip",
            "x-forwarded-host",
            "true-client-ip",
            "cf-connecting-ip",
            "x-envoy-external-address",
            "fly-client-ip",
            "x-client-ip",
            "x-request-id",
        ];
        question.fields.push((choices.pick(signs), b"x".into()));
    }
    let forwarded = setting.believed != Believed::XForwarded || choices.one_in(8);
    let x_forwarded = setting.believed != Believed::Forwarded || choices.one_in(8);
    if forwarded && !choices.one_in(8) {
        for _ in 0..=choices.below(5) / 4 {
            let line = forwarded_line(choices);
            question.fields.push(("forwarded", line));
        }
    }
    if x_forwarded && !choices.one_in(8) {
        for _ in 0..=choices.below(5) / 4 {
            let line = list(choices, hop);
            question.fields.push(("x-forwarded-for", line));
        }
    }
    if x_forwarded && !choices.one_in(8) {
        let line = list(choices, |choices| {
            let protocols =
                &["https", "https", "wss", "HTTPS", "http", "", "httpsx", "\"https\"", "ws", "Wss"];
            choices.pick(protocols).to_owned()
        });
        question.fields.push(("x-forwarded-proto", line));
    }
}

fn list(choices: &mut Choices<'_>, element: fn(&mut Choices<'_>) -> String) -> Vec<u8> {
    let mut elements = vec![element(choices)];
    while choices.one_in(3) && elements.len() < 5 {
        elements.push(element(choices));
    }
    let mut line = elements.join(choices.pick(&[", ", ",", " , ", ",\t"])).into_bytes();
    spoil_now_and_then(choices, &mut line);
    line
}

fn hop(choices: &mut Choices<'_>) -> String {
    let address = choices.pick(ADDRESSES);
    let bracketed = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    match choices.below(10) {
        0..6 => address.to_owned(),
        6 => format!("{bracketed}:4711"),
        7 => bracketed,
        8 => choices.pick(&["unknown", "_hidden", "", "10.0.0.1.5", "010.0.0.1"]).to_owned(),
        _ => {
            format!("{bracketed}:{}", choices.pick(&["", "0", "65535", "65536", "x", "+80", "_p"]))
        }
    }
}

fn forwarded_line(choices: &mut Choices<'_>) -> Vec<u8> {
    let element = |choices: &mut Choices<'_>| {
        let hop = hop(choices);
        let plain = hop.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        let hop = match choices.below(8) {
            0..7 if plain && !hop.is_empty() => hop,
            7 => hop,
            _ if hop.contains(':') && !hop.contains('[') => format!("\"[{hop}]\""),
            _ => format!("\"{hop}\""),
        };
        let name = choices.pick(&["for", "for", "For", "FOR", "by", "fo"]);
        let mut pairs = vec![format!("{name}={hop}")];
        if !choices.one_in(5) {
            let protocols = &[
                "https",
                "wss",
                "HTTPS",
                "http",
                "\"https\"",
                "\"h\\ttps\"",
                "\"\"",
                "ws",
                "\"WSS\"",
            ];
            pairs.insert(choices.below(2), format!("proto={}", choices.pick(protocols)));
        }
        if choices.one_in(6) {
            let others = &[
                "host=example.com",
                "by=_p",
                "secret=\"a,b;c\\\"\"",
                "for=10.0.0.1",
                "",
                "x=",
                "x",
                "x=\"",
                "x=\"\\\\\"",
                "x=\"\\\"",
                "x=\"\u{e9}\"",
                "\u{ff}",
            ];
            pairs.push(choices.pick(others).to_owned());
        }
        pairs.join(choices.pick(&[";", ";", "; ", " ;", ";;"]))
    };
    let mut elements = vec![element(choices)];
    while choices.one_in(3) && elements.len() < 5 {
        elements.push(element(choices));
    }
    let mut line = elements.join(choices.pick(&[", ", ",", " , ", ",,"])).into_bytes();
    spoil_now_and_then(choices, &mut line);
    line
}

fn spoil_now_and_then(choices: &mut Choices<'_>, line: &mut Vec<u8>) {
    if choices.one_in(10) {
        spoil(choices, line);
        for byte in line {
            *byte = legal(*byte);
        }
    }
}
