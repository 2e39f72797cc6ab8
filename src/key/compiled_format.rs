//! A key format that owns its texts, for gates and issuers.

use super::alphabet::Alphabet;
use super::format::KeyFormat;
use super::matcher::{KeyText, read};
use super::segment::Segment;

/// A [`KeyFormat`] that owns its texts.
#[derive(Debug, Clone)]
pub(crate) struct CompiledFormat(Box<[OwnedSegment]>);

#[derive(Debug, Clone)]
enum OwnedSegment {
    Literal(Box<str>),
    Environment(Box<[Box<str>]>),
    Characters { alphabet: Alphabet, at_least: u16, at_most: u16 },
    Checksum,
}

impl CompiledFormat {
    /// Returns what a key's text names; `None` if the text does not match this format.
    #[inline]
    pub(crate) fn read(&self, key: &[u8]) -> Option<KeyText<'_>> {
        read(self.segments(), key)
    }

    /// Lists the environment tags; `None` if the format has no environment segment.
    pub(crate) fn tags(&self) -> Option<&[Box<str>]> {
        self.0.iter().find_map(|segment| match segment {
            OwnedSegment::Environment(tags) => Some(&**tags),
            _ => None,
        })
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = Segment<'_, Box<str>>> {
        self.0.iter().map(|segment| match segment {
            OwnedSegment::Literal(text) => Segment::Literal(text),
            OwnedSegment::Environment(tags) => Segment::Environment(tags),
            OwnedSegment::Characters { alphabet, at_least, at_most } => {
                let (alphabet, at_least, at_most) = (*alphabet, *at_least, *at_most);
                Segment::Characters { alphabet, at_least, at_most }
            }
            OwnedSegment::Checksum => Segment::Checksum,
        })
    }
}

impl From<&KeyFormat<'_>> for CompiledFormat {
    fn from(format: &KeyFormat<'_>) -> Self {
        let owned = format.segments().map(|segment| match segment {
            Segment::Literal(text) => OwnedSegment::Literal(text.into()),
            Segment::Environment(tags) => {
                OwnedSegment::Environment(tags.iter().copied().map(Box::from).collect())
            }
            Segment::Characters { alphabet, at_least, at_most } => {
                OwnedSegment::Characters { alphabet, at_least, at_most }
            }
            Segment::Checksum => OwnedSegment::Checksum,
        });
        Self(owned.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_its_description_reads() {
        let tags = ["live", "test"].map(String::from);
        let compiled = {
            let tags = tags.each_ref().map(String::as_str);
            let format = KeyFormat::new().literal("a_").environment(&tags);
            let format = format.characters(Alphabet::LowerHex, 2);
            assert_eq!(format.environment_of(b"a_test0f"), Some("test"));
            CompiledFormat::from(&format)
        };
        assert_eq!(compiled.tags().unwrap(), tags.each_ref().map(|tag| Box::from(tag.as_str())));
        for (key, environment) in [
            (&b"a_live0f"[..], Some(Some((0, "live")))),
            (b"a_test0f", Some(Some((1, "test")))),
            (b"a_test0F", None),
            (b"b_test0f", None),
            (b"a_test0f0", None),
        ] {
            assert_eq!(compiled.read(key).map(|text| text.environment), environment);
        }
        let checked = CompiledFormat::from(&KeyFormat::STANDARD);
        assert!(checked.read(b"key_live_4f8a9b2c7d3e4f1a9b0c2d3e000000").is_none(), "a checksum");
        assert!(CompiledFormat::from(&KeyFormat::hex(4)).tags().is_none());
    }
}
