//! Key formats, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credential::{owned, texts};
use crate::config::names::names;
use crate::config::read::{Contradiction, Path};
use crate::key::{Alphabet, KeyFormat, MAX_SEGMENTS, Segment};

/// How keys look.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FormatTable {
    /// `key_live_…` and `key_test_…`, with 24 random characters and a checksum.
    Standard,
    /// A prefix, the environment, 24 random characters and a checksum, joined by `_`.
    Prefixed {
        prefix: String,
        environments: Vec<String>,
    },
    /// So many hexadecimal digits.
    Hex(u16),
    Uuid,
    /// Up to twelve segments, one after the other.
    Segments(Vec<SegmentTable>),
}

/// One part of a key's text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SegmentTable {
    Literal(String),
    /// One of these texts, which names the key's environment.
    Environment(Vec<String>),
    /// Random characters: `count`, or from `at_least` to `at_most`.
    Characters {
        alphabet: AlphabetName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_least: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<u16>,
    },
    /// Six characters that are the checksum of the text before.
    Checksum,
}

names! {
    /// The characters of a segment.
    pub(super) enum AlphabetName of Alphabet {
        /// `0-9`, `A-F` and `a-f`
        Hex,
        /// `0-9` and `a-f`
        LowerHex,
        /// `0-9`, `A-Z` and `a-z`
        Base62,
        /// `0-9`, `A-Z`, `a-z`, `_` and `-`
        #[serde(rename = "base64url")]
        Base64Url,
        /// What RFC 6750 allows in a token, but `=`.
        Token,
    }
}

impl FormatTable {
    pub(super) fn describe<'a>(
        &'a self,
        room: &'a Bump,
        path: &Path,
    ) -> Result<KeyFormat<'a>, Contradiction> {
        Ok(match self {
            Self::Standard => KeyFormat::STANDARD,
            Self::Prefixed { prefix, environments } => {
                KeyFormat::prefixed(prefix, texts(environments, room))
            }
            Self::Hex(digits) => KeyFormat::hex(*digits),
            Self::Uuid => KeyFormat::uuid(),
            Self::Segments(segments) if segments.len() > MAX_SEGMENTS => {
                let problem = "a key format has at most twelve segments";
                return Err(Contradiction::new(path.field("segments"), &problem));
            }
            Self::Segments(segments) => {
                let numbered = segments.iter().enumerate();
                numbered.into_iter().try_fold(KeyFormat::new(), |format, (index, segment)| {
                    segment.add_to(format, room, &path.field("segments").item(index))
                })?
            }
        })
    }

    /// Writes a format by the shortest name that it has.
    pub(super) fn of(format: &KeyFormat<'_>) -> Self {
        let segments: Vec<Segment<'_>> = format.segments().collect();
        match *segments.as_slice() {
            _ if *format == KeyFormat::STANDARD => Self::Standard,
            _ if *format == KeyFormat::uuid() => Self::Uuid,
            [Segment::Characters { alphabet: Alphabet::Hex, at_least, at_most }]
                if at_least == at_most =>
            {
                Self::Hex(at_least)
            }
            [Segment::Literal(prefix), _, Segment::Environment(tags), ..]
                if *format == KeyFormat::prefixed(prefix, tags) =>
            {
                Self::Prefixed { prefix: prefix.to_owned(), environments: owned(tags) }
            }
            ref segments => Self::Segments(segments.iter().map(SegmentTable::of).collect()),
        }
    }
}

impl SegmentTable {
    #[allow(clippy::large_types_passed_by_value)] // The builder of a format takes it so.
    fn add_to<'a>(
        &'a self,
        format: KeyFormat<'a>,
        room: &'a Bump,
        path: &Path,
    ) -> Result<KeyFormat<'a>, Contradiction> {
        Ok(match self {
            Self::Literal(text) => format.literal(text),
            Self::Environment(tags) => format.environment(texts(tags, room)),
            Self::Checksum => format.checksum(),
            Self::Characters { alphabet, count: Some(count), at_least: None, at_most: None } => {
                format.characters(alphabet.describe(), *count)
            }
            Self::Characters {
                alphabet,
                count: None,
                at_least: Some(at_least),
                at_most: Some(at_most),
            } => format.between(alphabet.describe(), *at_least, *at_most),
            Self::Characters { .. } => {
                let problem = "write `count`, or both `at_least` and `at_most`";
                return Err(Contradiction::new(path.clone(), &problem));
            }
        })
    }

    fn of(segment: &Segment<'_>) -> Self {
        match *segment {
            Segment::Literal(text) => Self::Literal(text.to_owned()),
            Segment::Environment(tags) => Self::Environment(owned(tags)),
            Segment::Checksum => Self::Checksum,
            Segment::Characters { alphabet, at_least, at_most } => {
                let alphabet = AlphabetName::of(alphabet);
                let (count, at_least, at_most) = if at_least == at_most {
                    (Some(at_least), None, None)
                } else {
                    (None, Some(at_least), Some(at_most))
                };
                Self::Characters { alphabet, count, at_least, at_most }
            }
        }
    }
}
