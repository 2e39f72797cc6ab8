//! How many at once, and how long a wait for more.

use std::time::Duration;

use crate::quota::Share;

/// Limits the requests that an account may have in flight on a route.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::concurrency::Concurrency;
///
/// /// One insert at a time; a second one waits for up to a second.
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
    /// Admits `limit` requests at once, and refuses any more without waiting.
    pub const fn new(limit: u32) -> Self {
        Self { limit, longest_wait: Duration::ZERO, queue: 1_000 }
    }

    /// Lets further requests wait for a permit, first come, first served, for up to this time.
    /// Needs a tokio runtime with its timer enabled.
    pub const fn with_longest_wait(mut self, longest_wait: Duration) -> Self {
        self.longest_wait = longest_wait;
        self
    }

    /// Lets at most `requests` of an account wait at once, 1000 unless set; one more is refused
    /// without waiting, since every waiting request holds a connection and its memory.
    pub const fn with_longest_queue(mut self, requests: u32) -> Self {
        self.queue = requests;
        self
    }

    /// Admits a node's share of the requests.
    pub(crate) const fn shared(mut self, share: Share) -> Self {
        self.limit = share.limit(self.limit);
        self
    }

    /// Returns the requests admitted at once.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns how long a further request may wait; zero refuses it at once.
    pub const fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    /// Returns the requests that may wait at once.
    pub const fn longest_queue(&self) -> u32 {
        self.queue
    }
}
