//! The checksum at the end of a key: CRC-32 (ISO-HDLC) of all text before it, in base 62.
//!
//! With it, a gate finds typing errors and made-up keys without asking the store. The checksum is no
//! secret: an attacker who computes it still has to guess the random part.

/// The length of a checksum in characters. Six are enough, because 62^6 exceeds 2^32.
pub(super) const CHECKSUM_LENGTH: usize = 6;

/// The digits of base 62 in ASCII order, the usual one.
pub(super) const BASE62: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Computes the checksum of `text`.
pub(super) fn checksum(text: &[u8]) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(text) as usize;
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        // The remainder is below 62, so the default never comes up.
        *digit = BASE62.get(rest % BASE62.len()).copied().unwrap_or_default();
        rest /= BASE62.len();
    }
    digits
}

/// Returns true if `digits` are the checksum of `text`.
#[inline]
pub(super) fn is_checksum(digits: [u8; CHECKSUM_LENGTH], text: &[u8]) -> bool {
    // Reading six digits takes half the time of writing the expected ones, which needs six divisions. Read in pairs,
    // they do not wait for one another.
    let values = digits.map(value);
    let (pairs, _) = values.as_chunks();
    let number = pairs.iter().fold(0, |number, [high, low]| {
        number * BASE * BASE + (u64::from(*high) * BASE + u64::from(*low))
    });
    let are_digits = values.iter().fold(0, |all, value| all | value) & NO_DIGIT == 0;
    are_digits & (number == u64::from(crc32fast::hash(text)))
}

const BASE: u64 = BASE62.len() as u64;

#[expect(clippy::indexing_slicing, reason = "the table has 256 entries, one for each byte")]
fn value(digit: u8) -> u8 {
    VALUES[usize::from(digit)]
}

/// The value of a byte that is no digit. No digit's value has this bit.
const NO_DIGIT: u8 = 0x80;

/// The value of each byte as a digit.
static VALUES: [u8; 256] = values();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler evaluates this function, and refuses an index out of bounds"
)]
const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < BASE62.len() {
        values[BASE62[value] as usize] = value as u8;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_check_value() {
        // CRC-32/ISO-HDLC of "123456789" is 0xCBF43926 = 3421780262.
        let mut value = 0u64;
        for digit in checksum(b"123456789") {
            value = value * 62 + BASE62.iter().position(|&d| d == digit).unwrap() as u64;
        }
        assert_eq!(value, 0xCBF4_3926);
    }
    #[test]
    fn what_is_written_is_read() {
        for text in (0..2_000u32).map(u32::to_be_bytes) {
            let digits = checksum(&text);
            assert!(is_checksum(digits, &text));
            for place in 0..CHECKSUM_LENGTH {
                for byte in 0..=u8::MAX {
                    let mut changed = digits;
                    changed[place] = byte;
                    assert_eq!(is_checksum(changed, &text), changed == digits);
                }
            }
        }
    }
}
