//! The requests of this process that wait for a permit: in a line for each route of an account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::backoff::Backoff;
use crate::lock::lock;
use tower_api_key::concurrency::Concurrency;

/// How long the first of a line waits before it asks again.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(100));

/// Keeps a line for every route of an account that requests wait at, and no others.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<Mutex<HashMap<Arc<str>, Arc<Line>>>>);

struct Line {
    /// Had by the first of the line.
    turn: Arc<Semaphore>,
    /// Says that this process gave a permit back.
    freed: Notify,
}

impl Queue {
    /// Tells whether somebody waits.
    pub(super) fn has(&self, key: &str) -> bool {
        self.lines().contains_key(key)
    }

    /// Waits to be the first of the line; `None` if that took too long, or the line is too long.
    pub(super) async fn turn(
        &self,
        key: &Arc<str>,
        rule: Concurrency,
        began: Instant,
    ) -> Option<Turn> {
        let place = self.join(key, rule)?;
        let turn = Arc::clone(&place.line.as_ref()?.turn).acquire_owned();
        let left = rule.longest_wait().saturating_sub(began.elapsed());
        let turn = timeout(left, turn).await.ok()?.ok()?;
        Some(Turn { _first: turn, place, asked: 0 })
    }

    /// Tells the first of a line that a permit was given back.
    pub(super) fn freed(&self, key: &str) {
        if let Some(line) = self.lines().get(key) {
            line.freed.notify_one();
        }
    }

    fn join(&self, key: &Arc<str>, rule: Concurrency) -> Option<InLine> {
        if rule.longest_wait().is_zero() {
            return None;
        }
        let mut lines = self.lines();
        let waiting = lines.get(key).map_or(0, |line| Arc::strong_count(line) - 1); // but the table's
        if waiting >= rule.longest_queue() as usize {
            return None;
        }
        let line = lines.entry(Arc::clone(key)).or_insert_with(|| {
            Arc::new(Line { turn: Arc::new(Semaphore::new(1)), freed: Notify::new() })
        });
        let line = Some(Arc::clone(line));
        Some(InLine { queue: self.clone(), key: Arc::clone(key), line })
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Line>>> {
        lock(&self.0)
    }
}

/// A permit in a line; dropped, it is left.
struct InLine {
    queue: Queue,
    key: Arc<str>,
    line: Option<Arc<Line>>,
}

impl Drop for InLine {
    fn drop(&mut self) {
        let mut lines = self.queue.lines();
        self.line = None;
        if lines.get(&self.key).is_some_and(|line| Arc::strong_count(line) == 1) {
            lines.remove(&self.key);
        }
    }
}

/// Is the first of a line, until it is dropped.
pub(super) struct Turn {
    // Given on before the line is left, and perhaps forgotten.
    _first: OwnedSemaphorePermit,
    place: InLine,
    /// How often it has waited to ask again.
    asked: u32,
}

impl Turn {
    /// Waits until it is time to ask again: when this process has given a permit back, or after a
    /// pause; not longer than `longest`.
    pub(super) async fn wait(&mut self, longest: Duration) {
        let Some(line) = &self.place.line else { return };
        // Processes that were told the same do not ask at the same time.
        let half = PAUSES.pause(self.asked) / 2;
        let jitter = half.mul_f64(f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX));
        let _ = timeout((half + jitter).min(longest), line.freed.notified()).await;
        self.asked = self.asked.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Concurrency =
        Concurrency::new(1).with_longest_wait(Duration::from_secs(1)).with_longest_queue(2);

    async fn turn(queue: &Queue, rule: Concurrency) -> Option<Turn> {
        queue.turn(&"acme".into(), rule, Instant::now()).await
    }

    #[tokio::test(start_paused = true)]
    async fn one_is_the_first_and_the_next_follows_it() {
        let queue = Queue::default();
        assert!(!queue.has("acme"));
        let first = turn(&queue, RULE).await.unwrap();
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { turn(&queue, RULE).await.is_some() }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(turn(&queue, RULE).await.is_none(), "two wait at most");
        drop(first);
        assert!(waiting.await.unwrap());
        assert!(!queue.has("acme"), "nothing is kept where nobody waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_and_leaves_nothing_behind() {
        let queue = Queue::default();
        let first = turn(&queue, RULE).await.unwrap();
        let began = Instant::now();
        assert!(turn(&queue, RULE).await.is_none());
        assert_eq!(began.elapsed(), RULE.longest_wait());
        assert!(queue.has("acme"), "the first is in line still");
        assert!(turn(&queue, Concurrency::new(1)).await.is_none(), "a rule without a wait");
        drop(first);
        assert!(!queue.has("acme"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_asks_less_and_less_often_and_at_once_when_a_place_is_given_back() {
        let queue = Queue::default();
        let mut first = turn(&queue, RULE).await.unwrap();
        for most in [10, 20, 40, 80, 100, 100] {
            let began = Instant::now();
            first.wait(Duration::from_secs(1)).await;
            let waited = began.elapsed().as_millis();
            // Timers go by whole milliseconds.
            assert!((most / 2..=most + 1).contains(&waited), "{waited} of {most} ms");
        }
        queue.freed("acme");
        queue.freed("somebody else");
        let began = Instant::now();
        first.wait(Duration::from_secs(1)).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
