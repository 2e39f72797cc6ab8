//! Key formats that match no key, or match one text in two ways.

use super::format::KeyFormat;
use super::name::Environment;
use super::segment::Segment;

/// Reports a key format that matches no key, or matches one text in two ways.
///
/// ```
/// use tower_api_key::key::{Alphabet, KeyFormat};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore, vendors};
///
/// // Where do the digits end, and the checksum begin?
/// const AMBIGUOUS: KeyFormat = KeyFormat::new().between(Alphabet::Hex, 20, 40).checksum();
///
/// let profile = Profile { formats: &[AMBIGUOUS], ..vendors::POLYTEIA };
/// let error = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap_err();
/// assert!(error.to_string().contains("only the last segment may vary in length"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key format: {0}")]
pub struct InvalidFormat(&'static str);

impl KeyFormat<'_> {
    /// Checks that the format matches some keys, and each in one way.
    pub(crate) fn check(&self) -> Result<(), InvalidFormat> {
        let segments: Vec<Segment<'_>> = self.segments().collect();
        if segments.is_empty() {
            return Err(InvalidFormat("the format has no segment: add one"));
        }
        for (index, segment) in segments.iter().enumerate() {
            let last = index + 1 == segments.len();
            match *segment {
                Segment::Literal(text) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    return Err(InvalidFormat("a literal may have visible ASCII characters only"));
                }
                Segment::Literal("") => {
                    return Err(InvalidFormat(
                        "a literal is empty: name a prefix, or leave it out",
                    ));
                }
                Segment::Environment(tags) => {
                    let before = segments.iter().take(index);
                    if before.into_iter().any(|other| matches!(other, Segment::Environment(_))) {
                        return Err(InvalidFormat(
                            "a format may have one environment segment: keep one of them",
                        ));
                    }
                    check_tags(tags)?;
                }
                Segment::Characters { at_least, at_most, .. }
                    if at_most == 0 || at_least > at_most =>
                {
                    return Err(InvalidFormat(
                        "a segment allows no characters: make its largest count at least 1, and at least its smallest",
                    ));
                }
                Segment::Characters { at_least, at_most, .. } if at_least < at_most && !last => {
                    return Err(InvalidFormat(
                        "only the last segment may vary in length: give this one a fixed length",
                    ));
                }
                Segment::Checksum if !last || index == 0 => {
                    return Err(InvalidFormat(
                        "a checksum must be the last segment, after at least one other: move it",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn check_tags(tags: &[&str]) -> Result<(), InvalidFormat> {
    if tags.is_empty() {
        return Err(InvalidFormat(
            "the environment segment has no tag: add one, or leave the segment out",
        ));
    }
    for (index, tag) in tags.iter().enumerate() {
        // A record's environment must equal the tag, so both follow one grammar.
        if Environment::new(tag).is_err() {
            return Err(InvalidFormat(
                "an environment tag must be 1 to 255 visible ASCII characters",
            ));
        }
        let clash =
            |(other_index, other): (usize, &&str)| other_index != index && other.starts_with(tag);
        if tags.iter().enumerate().any(clash) {
            return Err(InvalidFormat(
                "one environment tag is the beginning of another: rename one of them",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::alphabet::Alphabet;
    use super::*;

    #[test]
    fn ambiguous_formats_are_refused() {
        let long = "x".repeat(256);
        let long = [&*long];
        let token = |format: KeyFormat<'static>| format.between(Alphabet::Base62, 1, 5);
        for format in [
            KeyFormat::new(),
            KeyFormat::new().checksum(),
            KeyFormat::new().checksum().literal("x"),
            KeyFormat::new().literal("no space"),
            KeyFormat::new().environment(&[]),
            KeyFormat::new().environment(&["a", "ab"]),
            KeyFormat::new().environment(&[""]),
            // No record can have an environment with so long a name.
            KeyFormat::new().environment(&long),
            KeyFormat::new().environment(&["a", "b"]).environment(&["a", "b"]),
            KeyFormat::new().characters(Alphabet::Hex, 0),
            KeyFormat::new().between(Alphabet::Hex, 5, 4),
            token(token(KeyFormat::new())),
            token(KeyFormat::new()).checksum(),
        ] {
            assert!(format.check().is_err(), "{format:?}");
        }
        let checked = KeyFormat::new().environment(&["live", "test"]).checksum();
        assert_eq!(checked.check(), Ok(()));
        assert_eq!(KeyFormat::uuid().check(), Ok(()));
    }
}
