//! Notices that are repeated when a standby server has their changes.
//!
//! A notice comes from the primary. The standby may get the change later, and a cache that looks the key up in
//! between keeps the old record. So the notice is repeated when the standby is proven to have the change.

use std::collections::VecDeque;

use tokio::sync::watch;
use tokio::time::Instant;

use tower_api_key::store::Invalidation;

/// The most notices that wait. More become one notice of everything.
const MOST: usize = 10_000;

/// Notices that wait for their changes.
pub(super) struct Repeats {
    waiting: VecDeque<(Instant, Invalidation)>,
    proven: watch::Receiver<Option<Instant>>,
}

impl Repeats {
    pub(super) fn new(proven: watch::Receiver<Option<Instant>>) -> Self {
        Self { waiting: VecDeque::new(), proven }
    }

    /// Repeats a notice that came now.
    pub(super) fn note(&mut self, what: Invalidation) {
        let now = Instant::now();
        if self.waiting.len() == MOST {
            self.waiting.clear();
            self.waiting.push_back((now, Invalidation::Everything));
        } else {
            self.waiting.push_back((now, what));
        }
    }

    /// Waits until a notice may be repeated. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Invalidation {
        loop {
            let proven = *self.proven.borrow_and_update();
            if let Some((came, _)) = self.waiting.front()
                && proven.is_some_and(|proven| proven >= *came)
                && let Some((_, what)) = self.waiting.pop_front()
            {
                return what;
            }
            if self.proven.changed().await.is_err() {
                // The store is gone, and nothing is proven any more.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_notice_is_repeated_when_its_change_is_proven() {
        let (prove, proven) = watch::channel(None);
        let mut repeats = Repeats::new(proven);
        let waits = async |repeats: &mut Repeats| {
            tokio::time::timeout(Duration::from_millis(1), repeats.next()).await.ok()
        };
        let began = Instant::now();
        repeats.note(Invalidation::Added);
        prove.send_replace(Some(began - Duration::from_millis(1)));
        assert_eq!(waits(&mut repeats).await, None, "it was proven before the notice came");
        prove.send_replace(Some(began));
        assert_eq!(waits(&mut repeats).await, Some(Invalidation::Added));
        assert_eq!(waits(&mut repeats).await, None, "once");
        for _ in 0..=MOST {
            repeats.note(Invalidation::Added);
        }
        prove.send_replace(Some(Instant::now()));
        assert_eq!(waits(&mut repeats).await, Some(Invalidation::Everything));
        assert_eq!(waits(&mut repeats).await, None);
    }
}
