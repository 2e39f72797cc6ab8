//! Random numbers that depend on nothing but the seed and what they are for.

/// A source of random numbers. Equal questions get equal answers, in whatever order they are asked.
#[derive(Debug, Clone, Copy)]
pub struct Chance(u64);

impl Chance {
    /// Creates a source.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a random number for a purpose.
    pub fn number(self, purpose: &[u64]) -> u64 {
        purpose.iter().fold(mix(self.0), |state, word| mix(state ^ *word))
    }

    /// Returns a random number from 0 to below 1.
    pub fn fraction(self, purpose: &[u64]) -> f64 {
        (self.number(purpose) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns another source.
    pub fn of(self, purpose: &[u64]) -> Self {
        Self(self.number(purpose))
    }
}

/// The finalizer of SplitMix64.
fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
