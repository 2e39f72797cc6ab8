//! The checksum at the end of a key: CRC-32 (ISO-HDLC) of all text before it, in base 62.
//!
//! It finds typing errors and made-up keys without asking a store. It is no secret: who can
//! compute it has still to guess the random part.

/// The length of a checksum in characters; 62^6 exceeds 2^32.
pub(super) const CHECKSUM_LENGTH: usize = 6;

/// Digits in ASCII order, as base 62 is usually written.
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
}
