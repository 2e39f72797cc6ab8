//! What a deployment says of leases.

use std::num::NonZeroU32;
use std::time::Duration;

/// Lets a node take a batch of an account's tokens from Redis and spend it locally, so that most
/// requests of a busy account cost no round trip.
///
/// A batch is charged to all of the account's windows when it is taken. It grows while the account is
/// busy on this node, and is at most an eighth of what is left, so that it shrinks towards the end of a
/// quota and no node starves the others; to requests that wait already all that is left is given.
///
/// **Guarantee.** Over all nodes never more requests pass than the algorithm allows: a batch is spent
/// only as long as that is the same as when it was charged: until the end of the fixed window or calendar
/// day, of a sliding window's present twelfth, and for a sixteenth of a leaky bucket's window. Tokens
/// may be lost, and are never doubled. A node counts that time by the instants of its requests, from
/// before it asked, less a thousandth and 10 ms; so no clock of a node may run slower than the server's by
/// more than that while a batch is held. A node's clock that is set back by more than a second ends the
/// lease; set back by less, it lets a batch be spent later by as much. A server's clock that is set
/// forward ends windows early, with leases as without.
///
/// **Price.** A node that ends, or to which an account does not come back, loses what it holds of that
/// account: one batch, an eighth at most of what was left when it was taken, and about as much as the
/// node had spent in the time of a batch, or twice that. Other unspent tokens are given back with the
/// account's next call from this node, if their window is still open; those of a bucket, which drain
/// meanwhile, are not. A leaky bucket holds a sixteenth less (in whole requests; below a limit of 16
/// nothing is leased under one), for what is held in advance drains; `remaining` says so, and a cost
/// beyond that never passes. A node without leases may fill it all the same, so let all nodes of a
/// fleet have them, or none. `remaining` is what Redis told when the batch was taken, and what is unspent
/// of it: what other nodes have taken since, this one does not know.
///
/// Requests under a quota in shadow, and costs that are taken [always](tower_api_key::limits::ChargeMode::Force), are
/// charged one by one. A refusal is remembered until the time that it names, and for no longer than a batch
/// is held.
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
    /// Allows batches of up to 1,000 tokens, held for up to 10 seconds, of up to 65,536 accounts.
    pub const fn new() -> Self {
        Self { most: 1_000, longest: Duration::from_secs(10), accounts: 65_536 }
    }

    /// Sets the tokens that a batch has at most.
    pub const fn at_most(mut self, tokens: NonZeroU32) -> Self {
        self.most = tokens.get();
        self
    }

    /// Sets how long a batch is held at most, and a refusal remembered. A node that goes quiet keeps its
    /// batch from the others for that long, and until it asks again.
    pub const fn lasting(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// Sets of how many accounts batches and refusals are remembered; requests of more are each
    /// charged in Redis. Each takes about 500 bytes.
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
