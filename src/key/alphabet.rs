//! The characters that keys are made of.

use super::checksum::BASE62;
use super::lanes::{Lanes, all_are};

/// Names the characters that a segment of a key may have.
///
/// ```
/// use tower_api_key::key::{Alphabet, KeyFormat};
///
/// const TOKEN: KeyFormat = KeyFormat::new().characters(Alphabet::Base62, 22);
/// assert!(TOKEN.entropy_bits() > 128.0, "62 characters are nearly 6 bits each");
/// assert!(TOKEN.matches(b"0123456789abcdefghiABC"));
/// assert!(!TOKEN.matches(b"0123456789abcdefghi-_."));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alphabet {
    /// Hexadecimal digits in either case. Issued keys have upper case. Two texts that differ in case
    /// are two different keys.
    Hex,
    /// Hexadecimal digits in lower case only.
    LowerHex,
    /// `0-9 A-Z a-z`.
    Base62,
    /// `0-9 A-Z a-z - _` (RFC 4648 §5).
    Base64Url,
    /// `0-9 A-Z a-z - . _ ~ + /`: the characters of a Bearer token before its padding (RFC 6750 §2.1).
    Token,
}

impl Alphabet {
    /// Lists all alphabets.
    pub(super) const ALL: [Self; 5] =
        [Self::Hex, Self::LowerHex, Self::Base62, Self::Base64Url, Self::Token];

    /// Returns the alphabet's name in the text of a [`KeyForm`](super::KeyForm).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::LowerHex => "lower-hex",
            Self::Base62 => "base62",
            Self::Base64Url => "base64url",
            Self::Token => "token",
        }
    }

    /// Returns the random bits of one issued character.
    pub(super) fn entropy_bits(self) -> f64 {
        let characters = u32::try_from(self.characters().len()).unwrap_or(u32::MAX);
        f64::from(characters).log2()
    }

    /// Returns the characters that issued keys are drawn from.
    pub(super) const fn characters(self) -> &'static [u8] {
        match self {
            Self::Hex => b"0123456789ABCDEF",
            Self::LowerHex => b"0123456789abcdef",
            Self::Base62 => BASE62,
            Self::Base64Url => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Token => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/",
        }
    }

    /// Returns true if every byte of a text is in the alphabet.
    pub(crate) fn holds(self, text: &[u8]) -> bool {
        let digit = |lanes: Lanes| lanes.within(b'0', b'9');
        let letter = |lanes: Lanes| lanes.in_lower_case().within(b'a', b'z');
        match self {
            Self::Hex => all_are(text, |at| digit(at).or(at.in_lower_case().within(b'a', b'f'))),
            Self::LowerHex => all_are(text, |at| digit(at).or(at.within(b'a', b'f'))),
            Self::Base62 => all_are(text, |at| digit(at).or(letter(at))),
            Self::Base64Url => all_are(text, |at| {
                let mark = at.within(b'-', b'-').or(at.within(b'_', b'_'));
                digit(at).or(letter(at)).or(mark)
            }),
            Self::Token => all_are(text, |at| {
                // `-`, `.`, `/` and the digits follow one another.
                let mark = at.within(b'+', b'+').or(at.within(b'_', b'_'));
                let mark = mark.or(at.within(b'~', b'~'));
                at.within(b'-', b'9').or(letter(at)).or(mark)
            }),
        }
    }

    /// Returns the alphabet as a character class of a regular expression.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Hex => "[0-9A-Fa-f]",
            Self::LowerHex => "[0-9a-f]",
            Self::Base62 => "[0-9A-Za-z]",
            Self::Base64Url => "[0-9A-Za-z_-]",
            Self::Token => "[0-9A-Za-z._~+/-]",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alphabet_holds_its_own_characters_and_no_others() {
        use Alphabet::{Base62, Base64Url, Hex, LowerHex, Token};
        for (alphabet, count) in
            [(Hex, 22), (LowerHex, 16), (Base62, 62), (Base64Url, 64), (Token, 68)]
        {
            assert!(alphabet.holds(alphabet.characters()));
            let all = alphabet.characters().to_ascii_lowercase();
            let is_own = |byte: &u8| match alphabet {
                Hex => all.contains(&byte.to_ascii_lowercase()),
                _ => alphabet.characters().contains(byte),
            };
            let held: Vec<u8> = (0..=u8::MAX).filter(|byte| alphabet.holds(&[*byte])).collect();
            assert_eq!(held.len(), count, "{alphabet:?}");
            assert!(held.iter().all(is_own), "{alphabet:?}");
            assert!(!alphabet.holds(b"00000000 00000000") && alphabet.holds(b""));
        }
    }
}
