//! The ways in which nodes find keys.

/// How a node finds keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreMode {
    /// It keeps the records that it was asked for, and listens.
    Cached,
    /// It holds every record, and listens.
    Replica,
}

impl StoreMode {
    /// All ways.
    pub const ALL: [Self; 2] = [Self::Cached, Self::Replica];

    /// Returns the number of keys in the database. A replica holds each of them.
    pub const fn keys(self) -> u64 {
        match self {
            Self::Cached => 100_000_000,
            Self::Replica => 500,
        }
    }

    /// Returns the name of the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cached => "Cached, listens",
            Self::Replica => "Replica, listens",
        }
    }
}
