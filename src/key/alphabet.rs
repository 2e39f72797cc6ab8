//! The characters that keys are made of.

use super::checksum::BASE62;

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
        // Without a branch, a key of 40 characters takes a third of the time that range checks take.
        let all = text.iter().fold(self.bit(), |all, byte| all & class(*byte));
        all != 0
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

    const fn contains(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::LowerHex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Base62 => byte.is_ascii_alphanumeric(),
            Self::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Token => {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
            }
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The alphabets that each byte belongs to, one bit for each alphabet.
static CLASSES: [u8; 256] = classes();

#[allow(clippy::indexing_slicing)] // The table has 256 entries, one for each byte.
fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

// The compiler evaluates this function, and refuses an index out of bounds.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
const fn classes() -> [u8; 256] {
    use Alphabet::{Base62, Base64Url, Hex, LowerHex, Token};
    let alphabets = [Hex, LowerHex, Base62, Base64Url, Token];
    let mut classes = [0; 256];
    let mut at = 0;
    while at < alphabets.len() {
        let mut byte = 0;
        while byte < classes.len() {
            if alphabets[at].contains(byte as u8) {
                classes[byte] |= alphabets[at].bit();
            }
            byte += 1;
        }
        at += 1;
    }
    classes
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
            let held = (0..=u8::MAX).filter(|byte| alphabet.holds(&[*byte])).count();
            assert_eq!(held, count, "{alphabet:?}");
            assert!(!alphabet.holds(b"00000000 00000000") && alphabet.holds(b""));
        }
    }
}
