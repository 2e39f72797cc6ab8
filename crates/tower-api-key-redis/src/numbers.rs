//! The numbers of questions and answers, as the script reads and writes them.

use smallvec::SmallVec;

/// Doubles below this number are integers of 64 bits.
const LARGEST: f64 = 9.2e18;

/// The numbers of a question, in one argument of the script.
///
/// Instants and spans are pairs of microseconds and the nanoseconds that remain, so all numbers are exact.
#[derive(Debug, Default)]
pub(super) struct Numbers(SmallVec<[u8; 128]>);

impl Numbers {
    /// Adds a number of 8 bits.
    pub(super) fn byte(&mut self, number: u8) {
        self.0.push(number);
    }

    /// Adds a number below 2^16.
    pub(super) fn short(&mut self, number: u32) {
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Adds a number of 32 bits.
    pub(super) fn long(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Adds a number below 2^53.
    #[allow(clippy::cast_precision_loss)] // Below 2^53 there is none.
    pub(super) fn double(&mut self, number: u64) {
        self.0.extend_from_slice(&(number as f64).to_le_bytes());
    }

    /// Adds a span or an instant in nanoseconds.
    pub(super) fn pair(&mut self, nanoseconds: u64) {
        self.double(nanoseconds / 1_000);
        self.short(u32::try_from(nanoseconds % 1_000).unwrap_or_default());
    }

    /// Adds the sign of no instant.
    pub(super) fn no_instant(&mut self) {
        self.0.extend_from_slice(&(-1.0_f64).to_le_bytes());
        self.short(0);
    }

    /// Returns the argument.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Reads the numbers of an answer, in the order in which the script writes them.
pub(super) struct AnswerReader<'a>(pub(super) &'a [u8]);

impl AnswerReader<'_> {
    /// Returns true if there are no more numbers.
    pub(super) const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a number of 8 bits.
    pub(super) fn byte(&mut self) -> Option<i64> {
        self.take().map(|[byte]: [u8; 1]| byte.into())
    }

    /// Reads a number of 16 bits.
    pub(super) fn short(&mut self) -> Option<i64> {
        self.take().map(|bytes| u16::from_le_bytes(bytes).into())
    }

    /// Reads a number of 32 bits.
    pub(super) fn long(&mut self) -> Option<i64> {
        self.take().map(|bytes| u32::from_le_bytes(bytes).into())
    }

    /// Reads a whole number.
    #[allow(clippy::cast_possible_truncation)] // The number is whole.
    pub(super) fn double(&mut self) -> Option<i64> {
        let number = f64::from_le_bytes(self.take()?);
        (number.fract() == 0.0 && number.abs() < LARGEST).then_some(number as i64)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}
