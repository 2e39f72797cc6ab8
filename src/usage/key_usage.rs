//! The usage of one key, in a list of keys.

/// The requests of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUsage {
    /// The id of the key.
    pub key: String,
    /// The account of the key.
    pub account: String,
    /// The requests that a gate admitted.
    pub admitted: u64,
    /// The requests with the key that a gate or a handler refused.
    pub refused: u64,
}

impl KeyUsage {
    /// Describes the requests of a key.
    pub fn new(
        key: impl Into<String>,
        account: impl Into<String>,
        admitted: u64,
        refused: u64,
    ) -> Self {
        Self { key: key.into(), account: account.into(), admitted, refused }
    }

    /// Returns all requests of the key.
    pub const fn requests(&self) -> u64 {
        self.admitted.saturating_add(self.refused)
    }
}
