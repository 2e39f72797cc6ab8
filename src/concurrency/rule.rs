//! The limit on simultaneous requests, and on the wait for a permit.

use std::time::Duration;

use crate::quota::Share;

/// A limit on the requests that an account may have in flight on a route.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::concurrency::Concurrency;
///
/// /// One insert at a time. A second insert waits for up to 1 s.
/// const ONE: Concurrency = Concurrency::new(1).with_longest_wait(Duration::from_secs(1));
/// assert_eq!((ONE.limit(), ONE.longest_wait()), (1, Duration::from_secs(1)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    limit: u32,
    longest_wait: Duration,
    queue: u32,
}

impl Concurrency {
    /// Admits `limit` requests at once, and refuses further requests without a wait.
    pub const fn new(limit: u32) -> Self {
        Self { limit, longest_wait: Duration::ZERO, queue: 1_000 }
    }

    /// Lets further requests wait for a permit for up to this time, first come, first served. Needs a tokio
    /// runtime with its timer enabled.
    pub const fn with_longest_wait(mut self, longest_wait: Duration) -> Self {
        self.longest_wait = longest_wait;
        self
    }

    /// Sets how many requests of an account may wait at once, 1000 unless set. Further requests are refused
    /// without a wait, because every waiting request holds a connection and its memory.
    pub const fn with_longest_queue(mut self, requests: u32) -> Self {
        self.queue = requests;
        self
    }

    /// Returns the rule with this node's share of the limit.
    pub(crate) const fn shared(mut self, share: Share) -> Self {
        self.limit = share.limit(self.limit);
        self
    }

    /// Returns the number of requests that are admitted at once.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns how long a further request may wait. Zero refuses the request at once.
    pub const fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    /// Returns the number of requests that may wait at once.
    pub const fn longest_queue(&self) -> u32 {
        self.queue
    }
}
