//! The numbers of a question, as the script reads them.

use smallvec::SmallVec;

/// Doubles below this number are exact: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The numbers of a question: doubles in one argument of the script. A number takes 1 % of the time there that an argument
/// of its own would.
///
/// Instants and spans are pairs of microseconds and the nanoseconds that remain, so all numbers are exact.
#[derive(Debug, Default)]
pub(super) struct Numbers(SmallVec<[u8; 8 * 24]>);

impl Numbers {
    /// Adds a number below 2^53.
    #[allow(clippy::cast_precision_loss)] // Below 2^53 there is none.
    pub(super) fn push(&mut self, number: u64) {
        self.0.extend_from_slice(&(number as f64).to_le_bytes());
    }

    /// Adds a span or an instant in nanoseconds, as two numbers.
    pub(super) fn push_pair(&mut self, nanoseconds: u64) {
        self.push(nanoseconds / 1_000);
        self.push(nanoseconds % 1_000);
    }

    /// Adds two numbers that stand for no instant.
    pub(super) fn push_none(&mut self) {
        self.0.extend_from_slice(&(-1.0_f64).to_le_bytes());
        self.push(0);
    }

    /// Returns the argument.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the whole numbers of an answer; `None` if it has others.
    #[allow(clippy::cast_possible_truncation)] // They are whole, and below 2^53.
    pub(super) fn integers(answer: &[u8]) -> Option<SmallVec<[i64; 21]>> {
        let (numbers, rest) = answer.as_chunks::<8>();
        let integer = |bytes: &[u8; 8]| {
            let number = f64::from_le_bytes(*bytes);
            (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
        };
        rest.is_empty().then(|| numbers.iter().map(integer).collect())?
    }

    /// Returns the numbers of an argument.
    #[cfg(test)]
    pub(super) fn read(argument: &[u8]) -> Vec<f64> {
        let (numbers, rest) = argument.as_chunks::<8>();
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
        numbers.iter().map(|number| f64::from_le_bytes(*number)).collect()
    }
}
