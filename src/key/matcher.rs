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
        let tail = match segment {
            Segment::Literal(text) => rest.strip_prefix(text.as_bytes()),
            Segment::Environment(tags) => tags.iter().enumerate().find_map(|(index, tag)| {
                let tag = tag.as_ref();
                let tail = rest.strip_prefix(tag.as_bytes())?;
                environment = Some((index, tag));
                Some(tail)
            }),
            Segment::Characters { alphabet, at_least, at_most } => {
                // Only the last segment varies in length, so it takes the rest of the text.
                let count = rest.len().min(at_most.into());
                if count < usize::from(at_least) {
                    return None;
                }
                let split = rest.split_at_checked(count);
                split.filter(|(text, _)| alphabet.holds(text)).map(|(_, tail)| tail)
            }
            Segment::Checksum => {
                let text = key.get(..key.len() - rest.len()).unwrap_or_default();
                let digits = rest.split_first_chunk();
                digits.filter(|(digits, _)| is_checksum(**digits, text)).map(|(_, tail)| tail)
            }
        };
        rest = tail?;
    }
    rest.is_empty().then_some(KeyText { environment })
}
