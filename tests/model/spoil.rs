//! Damage to a text.

use super::choices::Choices;

/// Changes, adds or takes away a few bytes.
pub(crate) fn spoil(choices: &mut Choices<'_>, text: &mut Vec<u8>) {
    const ODD: &[u8] = b" \t=:/+-_.~,;\"\\@%\x00\x7f\x80\xc3\xa9\xffAaZz09";
    let at = choices.below(text.len() + 1);
    match choices.below(9) {
        0 if at < text.len() => text[at] ^= 1 << choices.below(8),
        1 if at < text.len() => text[at] = choices.pick(ODD),
        2 => text.insert(at, choices.pick(ODD)),
        3 => text.truncate(at),
        4 if at < text.len() => {
            text.remove(at);
        }
        5 => text.extend_from_within(at..),
        6 => {
            let filling = choices.pick(b"a0=");
            let longer = text.len() + 2 * usize::from(choices.byte());
            text.resize(longer, filling);
        }
        7 => text.iter_mut().for_each(u8::make_ascii_lowercase),
        _ => text.iter_mut().for_each(u8::make_ascii_uppercase),
    }
}

/// The byte itself, or one that a field may have.
pub(crate) const fn legal(byte: u8) -> u8 {
    match byte {
        b'\t' => byte,
        0..=31 => byte + 32,
        127 => b'~',
        _ => byte,
    }
}
