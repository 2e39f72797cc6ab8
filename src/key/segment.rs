//! The parts of a key's text.

use super::alphabet::Alphabet;
use super::checksum::CHECKSUM_LENGTH;

/// Describes one part of a key's text. `T` is the text of an environment tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Segment<'a, T = &'a str> {
    /// Fixed text.
    Literal(&'a str),
    /// The key's environment, which is one of these tags.
    Environment(&'a [T]),
    /// Characters of an alphabet. In an issued key they are random.
    Characters {
        /// The characters that are allowed.
        alphabet: Alphabet,
        /// The smallest number of characters.
        at_least: u16,
        /// The largest number of characters. It exceeds `at_least` only in the last segment.
        at_most: u16,
    },
    /// Six base-62 digits: the CRC-32 of all text before them.
    Checksum,
}

impl Segment<'_> {
    /// Returns the segment as a regular expression.
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

    /// Returns the number of random bits in the shortest text of the segment.
    pub(super) fn entropy_bits(self) -> f64 {
        match self {
            Self::Characters { alphabet, at_least, .. } => {
                alphabet.entropy_bits() * f64::from(at_least)
            }
            Self::Literal(_) | Self::Environment(_) | Self::Checksum => 0.0,
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
