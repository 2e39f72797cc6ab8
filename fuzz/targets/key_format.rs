//! Key formats against their own regular expressions, and a checksum that is computed bit by bit. The
//! first byte chooses the format, and whether the right checksum is put at the end.

#![no_main]

#[path = "../../tests/model/main.rs"]
mod model;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use model::credential::is_key;
use model::vendor::KeyText;
use regex::bytes::Regex;
use tower_api_key::key::{Alphabet, KeyFormat, Segment};
use tower_api_key::vendors;

static FORMATS: LazyLock<Vec<(KeyFormat, Regex)>> = LazyLock::new(|| {
    let profiles = [
        vendors::PERSONYZE,
        vendors::REST_INTEGRATIONS,
        vendors::POLYTEIA,
        vendors::PERSONA,
        vendors::POLYTOMIC,
    ];
    let new = KeyFormat::new;
    let others = [
        new().literal("acme_").environment(&["live", "test"]).literal("_"),
        new().literal("a"),
        new().environment(&["a", "bc", "bdab"]).literal("_"),
    ];
    let others = others.into_iter().flat_map(|format| {
        [
            format.characters(Alphabet::Base62, 24).checksum(),
            format
                .characters(Alphabet::LowerHex, 8)
                .literal(".")
                .characters(Alphabet::Base64Url, 9),
            format.literal("+*.").between(Alphabet::Token, 0, 30),
            format.checksum(),
        ]
    });
    let formats = profiles.iter().flat_map(|profile| profile.formats.iter().copied());
    formats
        .chain(others)
        .map(|format| {
            let whole = format!("(?-u)\\A(?:{})\\z", format.pattern());
            let regex = Regex::new(&whole).unwrap();
            (format, regex)
        })
        .collect()
});

/// The model's word on the formats of the vendors, of which the last has two.
const FORMS: [KeyText; 6] = [
    KeyText::FortyHex,
    KeyText::Token,
    KeyText::Token,
    KeyText::Persona,
    KeyText::Polytomic,
    KeyText::Polytomic,
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let place = usize::from(*first % 128) % FORMATS.len();
    let (format, regex) = &FORMATS[place];
    let mut text = rest.to_vec();
    if *first >= 128 {
        text.extend(checksum(rest));
    }
    let summed = format.segments().any(|segment| segment == Segment::Checksum);
    let right = !summed || {
        let (before, sum) = text.split_at(text.len().saturating_sub(6));
        sum == checksum(before)
    };
    let expected = regex.is_match(&text) && right;
    assert_eq!(format.matches(&text), expected, "{} for {}", text.escape_ascii(), format.pattern());
    if let Some(form) = FORMS.get(place)
        && *form != KeyText::Polytomic
    {
        assert_eq!(is_key(&text, *form), expected, "{}", text.escape_ascii());
    }
});

/// CRC-32 (ISO-HDLC), bit by bit, in six digits of base 62.
fn checksum(text: &[u8]) -> [u8; 6] {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut sum = u32::MAX;
    for byte in text {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    let mut rest = !sum;
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest as usize % 62];
        rest /= 62;
    }
    digits
}
