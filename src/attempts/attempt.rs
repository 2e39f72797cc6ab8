//! One attempt to authenticate: while its key is looked up, and after it has failed.

use std::num::NonZeroU64;
use std::time::Duration;

/// An attempt whose lookup is under way. It counts as failed until it is given back.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an attempt that is not given back counts as failed"]
pub(crate) struct Reservation {
    /// The hash of the network.
    pub(super) network: NonZeroU64,
}

/// The state of a network after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The attempt was counted, and the network has room for another.
    Counted,
    /// The attempt was counted, and the network has no room for this long.
    Last(Duration),
    /// The network was over its limit already, for this long.
    Over(Duration),
}
