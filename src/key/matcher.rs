//! Reading the text of a key by its format, whoever holds the format's own texts.

use super::alphabet::Alphabet;
use super::checksum::is_checksum;
use super::segment::Segment;

/// A segment as the matcher sees it; `T` is what holds a tag.
pub(super) enum Step<'a, T> {
    Literal(&'a str),
    Environment(&'a [T]),
    Characters { alphabet: Alphabet, at_least: u16, at_most: u16 },
    Checksum,
}

impl<'a> From<Segment<'a>> for Step<'a, &'a str> {
    fn from(segment: Segment<'a>) -> Self {
        match segment {
            Segment::Literal(text) => Self::Literal(text),
            Segment::Environment(tags) => Self::Environment(tags),
            Segment::Characters { alphabet, at_least, at_most } => {
                Self::Characters { alphabet, at_least, at_most }
            }
            Segment::Checksum => Self::Checksum,
        }
    }
}

/// What the text of a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyText<'a> {
    /// The environment that it names: the place of its tag in the format, and the tag.
    pub(crate) environment: Option<(usize, &'a str)>,
}

/// Matches a text, and reads what it names; `None` if it is no key of this format.
#[inline]
pub(super) fn read<'a, T>(
    steps: impl Iterator<Item = Step<'a, T>>,
    key: &[u8],
) -> Option<KeyText<'a>>
where
    T: AsRef<str> + 'a,
{
    let (mut rest, mut environment) = (key, None);
    for step in steps {
        let tail = match step {
            Step::Literal(text) => rest.strip_prefix(text.as_bytes()),
            Step::Environment(tags) => tags.iter().enumerate().find_map(|(place, tag)| {
                let tag = tag.as_ref();
                let tail = rest.strip_prefix(tag.as_bytes())?;
                environment = Some((place, tag));
                Some(tail)
            }),
            Step::Characters { alphabet, at_least, at_most } => {
                // Only the last segment varies in length, so it takes all that is left.
                let count = rest.len().min(at_most.into());
                if count < usize::from(at_least) {
                    return None;
                }
                let split = rest.split_at_checked(count);
                split.filter(|(text, _)| alphabet.holds(text)).map(|(_, tail)| tail)
            }
            Step::Checksum => {
                let text = key.get(..key.len() - rest.len()).unwrap_or_default();
                let digits = rest.split_first_chunk();
                digits.filter(|(digits, _)| is_checksum(**digits, text)).map(|(_, tail)| tail)
            }
        };
        rest = tail?;
    }
    rest.is_empty().then_some(KeyText { environment })
}
