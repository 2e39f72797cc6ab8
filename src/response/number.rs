//! Numbers as header values.

use bytes::Bytes;
use http::HeaderValue;

const DIGITS: usize = 4;
const COUNT: usize = 10_000;

/// All numbers below 10,000, right-aligned. Most numbers in limit headers are among them, and need no
/// formatting and no allocation.
static SMALL: [[u8; DIGITS]; COUNT] = small();

// Evaluated at compile time, where an index out of bounds is an error.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::large_stack_arrays)]
const fn small() -> [[u8; DIGITS]; COUNT] {
    let mut table = [[b'0'; DIGITS]; COUNT];
    let mut number = 0;
    while number < COUNT {
        let (mut rest, mut place) = (number, DIGITS);
        while place > 0 {
            place -= 1;
            table[number][place] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        number += 1;
    }
    table
}

/// Returns a number as a header value.
pub(super) fn value(number: u64) -> HeaderValue {
    let digits = match number {
        0..10 => 1,
        10..100 => 2,
        100..1_000 => 3,
        _ => DIGITS,
    };
    usize::try_from(number)
        .ok()
        .and_then(|number| SMALL.get(number))
        .and_then(|text| text.get(DIGITS - digits..))
        .and_then(|text| HeaderValue::from_maybe_shared(Bytes::from_static(text)).ok())
        .unwrap_or_else(|| HeaderValue::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in (0..20_000).chain([u64::MAX]) {
            assert_eq!(value(number), number.to_string().as_str());
        }
    }
}
