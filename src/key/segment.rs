//! The parts of a key's text.

use super::alphabet::Alphabet;
use super::checksum::CHECKSUM_LENGTH;

/// Describes one part of a key's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Segment<'a> {
    /// Fixed text.
    Literal(&'a str),
    /// The tag of the key's environment, one of these.
    Environment(&'a [&'a str]),
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

impl Segment<'_> {
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
