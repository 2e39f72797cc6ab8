//! Random texts, for what stands beside a key.

use rand::seq::IndexedRandom;

const HEX: &[u8] = b"0123456789abcdef";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes a pattern, with random characters for `{hex:32}` and `{base62:20}`.
pub(super) fn random_text(pattern: &str) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (inside, after) = after.split_once('}').unwrap_or((after, ""));
        let (name, count) = inside.split_once(':').unwrap_or((inside, "0"));
        let alphabet = if name == "hex" { HEX } else { BASE62 };
        let mut random = rand::rng();
        for _ in 0..count.parse().unwrap_or(0) {
            text.extend(alphabet.choose(&mut random).map(|byte| char::from(*byte)));
        }
        rest = after;
    }
    text + rest
}
