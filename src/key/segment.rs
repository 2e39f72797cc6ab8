//! The parts of a key's text.

use super::checksum::{BASE62, CHECKSUM_LENGTH};

/// The characters that a segment is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alphabet {
    /// Hexadecimal digits of either case; issued in upper case. The two cases of one text are two
    /// different keys.
    Hex,
    /// Hexadecimal digits, lower case only.
    LowerHex,
    /// `0-9 A-Z a-z`.
    Base62,
    /// `0-9 A-Z a-z - _` (RFC 4648 §5).
    Base64Url,
    /// `0-9 A-Z a-z - . _ ~ + /`, all that a Bearer token may hold before its padding
    /// (RFC 6750 §2.1).
    Token,
}

impl Alphabet {
    /// The characters to issue from.
    pub(super) const fn characters(self) -> &'static [u8] {
        match self {
            Self::Hex => b"0123456789ABCDEF",
            Self::LowerHex => b"0123456789abcdef",
            Self::Base62 => BASE62,
            Self::Base64Url => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Token => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/",
        }
    }

    pub(super) const fn contains(self, byte: u8) -> bool {
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

    const fn class(self) -> &'static str {
        match self {
            Self::Hex => "[0-9A-Fa-f]",
            Self::LowerHex => "[0-9a-f]",
            Self::Base62 => "[0-9A-Za-z]",
            Self::Base64Url => "[0-9A-Za-z_-]",
            Self::Token => "[0-9A-Za-z._~+/-]",
        }
    }
}

/// One part of a key's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Segment {
    /// Fixed text.
    Literal(&'static str),
    /// The tag of the key's environment, one of these.
    Environment(&'static [&'static str]),
    /// Characters of an alphabet: the part that is random in an issued key.
    Characters {
        /// Which characters.
        alphabet: Alphabet,
        /// The fewest of them.
        at_least: u16,
        /// The most of them; more than `at_least` only in the last segment.
        at_most: u16,
    },
    /// Six base-62 digits: CRC-32 of all text before.
    Checksum,
}

impl Segment {
    /// Writes the segment as a regular expression.
    pub(super) fn pattern(self) -> String {
        match self {
            Self::Literal(text) => escaped(text),
            Self::Environment(tags) => {
                let tags: Vec<String> = tags.iter().map(|tag| escaped(tag)).collect();
                format!("(?:{})", tags.join("|"))
            }
            Self::Characters { alphabet, at_least, at_most } if at_least == at_most => {
                format!("{}{{{at_least}}}", alphabet.class())
            }
            Self::Characters { alphabet, at_least, at_most } => {
                format!("{}{{{at_least},{at_most}}}", alphabet.class())
            }
            Self::Checksum => format!("{}{{{CHECKSUM_LENGTH}}}", Alphabet::Base62.class()),
        }
    }

    /// Returns the random bits in the shortest form of the segment.
    pub(super) fn entropy_bits(self) -> f64 {
        match self {
            Self::Characters { alphabet, at_least, .. } => {
                let characters = u32::try_from(alphabet.characters().len()).unwrap_or(u32::MAX);
                f64::from(at_least) * f64::from(characters).log2()
            }
            Self::Literal(_) | Self::Environment(_) | Self::Checksum => 0.0,
        }
    }

    /// Returns the length of the longest text that is issued for the segment, in bytes.
    pub(super) fn issued_length(self) -> usize {
        match self {
            Self::Literal(text) => text.len(),
            Self::Environment(tags) => tags.iter().map(|tag| tag.len()).max().unwrap_or(0),
            Self::Characters { at_least, .. } => usize::from(at_least),
            Self::Checksum => CHECKSUM_LENGTH,
        }
    }
}

fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_ascii_alphanumeric() && !matches!(character, '_' | '-') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
