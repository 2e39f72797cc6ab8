//! The slot of a Redis key.

use crc::{CRC_16_XMODEM, Crc};

/// The number of slots.
pub(super) const SLOTS: u16 = 16_384;

static CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// Returns the slot of a Redis key: the checksum of the tag in braces, or of the whole key.
pub(super) fn slot(key: &[u8]) -> u16 {
    CRC.checksum(tag(key).unwrap_or(key)) % SLOTS
}

fn tag(key: &[u8]) -> Option<&[u8]> {
    let begin = key.iter().position(|byte| *byte == b'{')? + 1;
    let rest = key.get(begin..)?;
    let tag = rest.get(..rest.iter().position(|byte| *byte == b'}')?)?;
    (!tag.is_empty()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_of_the_tag_or_of_the_whole_key() {
        // As `CLUSTER KEYSLOT` answers.
        for (key, expected) in [
            ("123456789", 12_739),
            ("foo", 12_182),
            ("tower-api-key:{foo}", 12_182),
            ("{foo}:key:{bar}", 12_182),
            ("foo{}{bar}", slot(b"foo{}{bar}")),
            ("", 0),
        ] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
        assert_ne!(slot(b"foo{}{bar}"), slot(b"bar"));
    }
}
