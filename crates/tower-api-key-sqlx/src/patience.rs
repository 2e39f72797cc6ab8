//! How long the connection for notices waits: what its listeners ask of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::deadline::after;

/// What a listener asks of a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// How long an answer may take.
    pub(super) answer: Duration,
    /// After how long without a notice the connection is tested.
    pub(super) quiet: Duration,
    /// How often the listener wants the place in the server's log.
    pub(super) place_every: Option<Duration>,
}

/// How long a channel waits, in nanoseconds. The least patient listener decides.
#[derive(Debug)]
pub(super) struct Patience {
    answer: AtomicU64,
    quiet: AtomicU64,
    place_every: AtomicU64,
    shortened: Notify,
}

impl Patience {
    pub(super) fn of(wish: Wish) -> Self {
        let [answer, quiet, place_every] = wish.nanoseconds().map(AtomicU64::new);
        Self { answer, quiet, place_every, shortened: Notify::new() }
    }

    pub(super) fn shorten(&self, wish: Wish) {
        let [answer, quiet, place_every] = wish.nanoseconds();
        self.answer.fetch_min(answer, Ordering::Relaxed);
        self.quiet.fetch_min(quiet, Ordering::Relaxed);
        self.place_every.fetch_min(place_every, Ordering::Relaxed);
        self.shortened.notify_one();
    }

    /// Waits until a listener that joined is less patient than the others.
    pub(super) async fn shortened(&self) {
        self.shortened.notified().await;
    }

    pub(super) fn answer(&self) -> Duration {
        Duration::from_nanos(self.answer.load(Ordering::Relaxed))
    }

    pub(super) fn quiet(&self) -> Duration {
        let quiet = Duration::from_nanos(self.quiet.load(Ordering::Relaxed));
        // Any duration can be waited for.
        after(quiet) - Instant::now()
    }

    pub(super) fn place_every(&self) -> Option<Duration> {
        let every = self.place_every.load(Ordering::Relaxed);
        (every != u64::MAX).then_some(Duration::from_nanos(every))
    }
}

impl Wish {
    fn nanoseconds(self) -> [u64; 3] {
        let place_every = self.place_every.unwrap_or(Duration::MAX);
        [self.answer, self.quiet, place_every]
            .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }
}
