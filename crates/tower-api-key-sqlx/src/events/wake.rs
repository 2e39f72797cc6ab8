//! Wakes a delivery when events were written, over PostgreSQL's `LISTEN`.

use std::future::pending;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::SqlStore;
use crate::channel::EventSubscription;
use crate::listen::QUIET;
use crate::patience::Wish;

/// The time after which a lost connection is replaced.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits for notices that events were written. All deliveries and all listeners of this process to the same URL share one
/// connection. Without it, each wait takes its whole time.
pub(super) struct EventWake {
    /// How to connect; `None` for SQLite, and behind a pooler in transaction mode.
    options: Option<PgConnectOptions>,
    wish: Wish,
    subscription: Option<EventSubscription>,
    join_at: Instant,
}

impl EventWake {
    pub(super) fn of(store: &SqlStore) -> Self {
        let wish = Wish { answer: store.settings.lookup_timeout, quiet: QUIET, place_every: None };
        let (options, join_at) = (store.listen_options(), Instant::now());
        Self { options, wish, subscription: None, join_at }
    }

    /// Waits for this long, or for a notice if notices are to wake the caller.
    pub(super) async fn wait_if(&mut self, wakes: bool, longest: Duration) {
        if wakes {
            let _ = timeout(longest, self.next()).await;
        } else {
            sleep(longest).await;
        }
    }

    /// Waits for a notice. Dropping the future loses none.
    async fn next(&mut self) {
        let Some(options) = &self.options else { return pending().await };
        loop {
            let subscription = if let Some(subscription) = &mut self.subscription {
                subscription
            } else {
                sleep_until(self.join_at).await;
                self.subscription.insert(EventSubscription::join(options, self.wish))
            };
            if subscription.next().await {
                return;
            }
            self.subscription = None;
            self.join_at = Instant::now() + PAUSE;
        }
    }
}
