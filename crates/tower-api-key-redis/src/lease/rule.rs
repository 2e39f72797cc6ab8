//! The settings of leases.

use std::num::NonZeroU32;
use std::time::Duration;

/// The settings of a lease: a node takes a batch of an account's tokens from Redis, and spends it locally.
///
/// Most requests of a busy account then cost no round trip. Redis charges a batch to all of the account's
/// windows when the node takes it. The batch grows while the account is busy on this node. It is at most an
/// eighth of what is left, so it shrinks towards the end of a quota, and no node starves the others. Requests
/// that wait already get all that is left.
///
/// # Guarantee
///
/// Over all nodes, never more requests pass than the algorithm allows. Tokens may be lost, and are never
/// doubled. A batch may be spent only while it counts as it did when it was charged:
///
/// * in a fixed window or a calendar window, until the window ends;
/// * in a sliding window, until the present twelfth ends;
/// * in a leaky bucket, for a sixteenth of the window.
///
/// The node measures this time by the instants of its requests, from before its call, less a thousandth and
/// 10 ms. So no node's clock may run slower than the server's clock by more than that while the node holds a
/// batch.
///
/// * If a node's clock is set back by more than 1 s, the lease ends. If it is set back by less, the node may
///   spend the batch later by as much.
/// * If the server's clock is set forward, windows end early, with leases and without.
///
/// # Price
///
/// * A node loses the batch of an account if the node ends, or if the account does not come back to it. The
///   batch is at most an eighth of what was left when the node took it. It is about as much as the node spends
///   in the time of a batch, or twice that.
/// * Otherwise the node gives unspent tokens back with its next call for the account, if their window is still
///   open. It never gives back tokens of a leaky bucket, because they drain in the meantime.
/// * A leaky bucket holds a sixteenth less, in whole requests, because tokens drain while a node holds them.
///   `remaining` shows this. A larger cost never passes. Under a limit below 16, nothing is leased.
/// * A node without leases may fill this sixteenth. So use leases on all nodes of a fleet, or on none.
/// * `remaining` is what Redis answered with the batch, plus the unspent tokens. It does not include what other
///   nodes have taken since.
///
/// Two kinds of requests are charged one by one: those under a quota in shadow, and those in
/// [`ChargeMode::Force`](tower_api_key::limits::ChargeMode::Force). A node repeats a refusal until the time
/// that the refusal names, and at most for as long as it may hold a batch.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key_redis::{Lease, RedisLimiter};
///
/// let limiter = RedisLimiter::builder("redis://127.0.0.1")
///     .lease(Lease::new().lasting(Duration::from_secs(2)))
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub(super) most: u32,
    pub(super) longest: Duration,
    pub(super) accounts: usize,
}

impl Lease {
    /// Creates a lease with batches of up to 1,000 tokens, held for up to 10 s, of up to 65,536 accounts.
    pub const fn new() -> Self {
        Self { most: 1_000, longest: Duration::from_secs(10), accounts: 65_536 }
    }

    /// Sets the most tokens of a batch, 1,000 unless set.
    pub const fn at_most(mut self, tokens: NonZeroU32) -> Self {
        self.most = tokens.get();
        self
    }

    /// Sets the longest time for which a node holds a batch or repeats a refusal, 10 s unless set. A node
    /// without requests keeps its batch from the other nodes for this time, and until its next call.
    pub const fn lasting(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// Sets the number of accounts for which a node holds batches and refusals, 65,536 unless set. Each takes
    /// about 500 bytes. Requests of further accounts are charged in Redis one by one.
    pub const fn accounts(mut self, accounts: usize) -> Self {
        self.accounts = accounts;
        self
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_as_it_is_set() {
        let (most, longest) = (NonZeroU32::new(7).unwrap(), Duration::from_secs(2));
        let lease = Lease::new().at_most(most).lasting(longest).accounts(9);
        assert_eq!(lease, Lease { most: 7, longest, accounts: 9 });
        assert_ne!(lease, Lease::default());
    }
}
