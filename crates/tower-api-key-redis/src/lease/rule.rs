//! The settings of leases.

use std::num::NonZeroU32;
use std::time::Duration;

/// The settings of a lease: a node takes a batch of an account's tokens from Redis, and spends it locally.
///
/// Most requests of a busy account then cost no round trip. Redis charges a batch to all of the account's
/// windows when the node takes it. Requests that wait already get all that is left.
///
/// # Size
///
/// A batch is a quarter of the tokens that the node spent lately for the account, and at most an eighth of what is left.
/// "Lately" is the shortest window of the quotas, or 10 s if that is less. What was spent before counts less and less. So
/// the batches of all nodes together are about a quarter of what the fleet spends, however many nodes there are. After
/// requests have come for such a time without a pause, a batch is half of what was spent, and at most a quarter of what
/// is left. While calls to Redis fail, a node takes nothing in advance.
///
/// # Age
///
/// A task gives a batch back that lies unused: after four times the usual time between two requests of the account, and
/// at least 50 to 250 ms. It gives any batch back after 5 s, or half the shortest window. This needs no request.
/// [`give_back_all`](tower_api_key::limits::Limiter::give_back_all) gives all batches back, when a process ends. Tokens
/// are given back once, to the window that they were taken from, by the server's clock.
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
/// * While a node holds tokens, the others cannot use them. A refusal elsewhere is asked again after 50 ms, then after
///   twice the time and so on, because tokens may be given back. The guide "Limits across a fleet" has the worst case.
/// * A node that dies loses its batches until their windows end.
/// * Tokens of a leaky bucket are never given back, because they drain in the meantime.
/// * A leaky bucket holds a sixteenth less, in whole requests, because tokens drain while a node holds them.
///   `remaining` shows this. A larger cost never passes. Under a limit below 16, nothing is leased.
/// * A node without leases may fill this sixteenth. So use leases on all nodes of a fleet, or on none.
/// * `remaining` is what Redis answered with the batch, plus the unspent tokens. It does not include what other
///   nodes have taken since.
///
/// Two kinds of requests are charged one by one: those under a quota in shadow, and those in
/// [`ChargeMode::Force`](tower_api_key::limits::ChargeMode::Force). A node repeats a refusal until the time
/// that the refusal names, and for 10 s at most.
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
    /// Creates a lease with batches of up to 1,000 tokens, of up to 65,536 accounts.
    pub const fn new() -> Self {
        Self { most: 1_000, longest: Duration::from_secs(10), accounts: 65_536 }
    }

    /// Sets the most tokens of a batch, 1,000 unless set.
    pub const fn at_most(mut self, tokens: NonZeroU32) -> Self {
        self.most = tokens.get();
        self
    }

    /// Sets the longest time for which a node repeats a refusal, 10 s unless set. A node holds a batch for half of it
    /// at most, unless a window is shorter.
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
