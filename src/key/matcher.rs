//! Matches the text of a key against a format, which borrows or owns its texts.

use super::checksum::is_checksum;
use super::segment::Segment;

/// What the text of a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyText<'a> {
    /// The environment: the index of its tag in the format, and the tag.
    pub(crate) environment: Option<(usize, &'a str)>,
}

/// Returns what a key's text names; `None` if the text does not match the format.
#[inline]
pub(super) fn read<'a, T>(
    segments: impl Iterator<Item = Segment<'a, T>>,
    key: &[u8],
) -> Option<KeyText<'a>>
where
    T: AsRef<str> + 'a,
{
    let (mut rest, mut environment) = (key, None);
    for segment in segments {
        match segment {
            Segment::Literal(text) => rest = rest.strip_prefix(text.as_bytes())?,
            Segment::Environment(tags) => {
                let mut read = tags.iter().enumerate().filter_map(|(index, tag)| {
                    let tag = tag.as_ref();
                    Some((rest.strip_prefix(tag.as_bytes())?, (index, tag)))
                });
                let (tail, named) = read.next()?;
                (rest, environment) = (tail, Some(named));
            }
            Segment::Characters { alphabet, at_least, at_most } => {
                // Only the last segment varies in length, so it takes the rest of the text.
                let count = rest.len().min(at_most.into());
                let (text, tail) = rest.split_at_checked(count)?;
                if count < usize::from(at_least) || !alphabet.holds(text) {
                    return None;
                }
                rest = tail;
            }
            Segment::Checksum => {
                let text = key.get(..key.len() - rest.len())?;
                let (digits, tail) = rest.split_first_chunk()?;
                if !is_checksum(*digits, text) {
                    return None;
                }
                rest = tail;
            }
        }
    }
    rest.is_empty().then_some(KeyText { environment })
}
