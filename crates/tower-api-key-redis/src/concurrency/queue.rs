//! The queues of requests in this process that wait for a permit: one line for each route of an account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::backoff::Backoff;
use crate::lock::lock;
use tower_api_key::concurrency::Concurrency;

/// The pauses after which the first request of a line asks the server again.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(100));

/// The lines of waiting requests. A route of an account without waiting requests has no line.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<Mutex<HashMap<Arc<str>, Arc<Line>>>>);

struct Line {
    /// Held by the first request of the line.
    turn: Arc<Semaphore>,
    /// Notified when this process gave a permit back.
    freed: Notify,
}

impl Queue {
    /// Returns true if a request waits for a permit under this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.lines().contains_key(key)
    }

    /// Waits until the request is the first of its line. Returns `None` if the wait or the line is too long.
    pub(super) async fn turn(
        &self,
        key: &Arc<str>,
        rule: Concurrency,
        began: Instant,
    ) -> Option<Turn> {
        let in_line = self.join(key, rule)?;
        let turn = Arc::clone(&in_line.line.as_ref()?.turn).acquire_owned();
        let left = rule.longest_wait().saturating_sub(began.elapsed());
        let turn = timeout(left, turn).await.ok()?.ok()?;
        Some(Turn { _first: turn, in_line, asked: 0 })
    }

    /// Wakes the first request of a line, because this process gave a permit back.
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
        let waiting = lines.get(key).map_or(0, |line| Arc::strong_count(line) - 1); // without the map's
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

/// A request in a line, which it leaves when this is dropped.
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

/// The turn of a line's first request, until it is dropped.
pub(super) struct Turn {
    // Dropped first: the turn passes on before the request leaves the line, which may remove the line.
    _first: OwnedSemaphorePermit,
    in_line: InLine,
    /// The number of waits so far.
    asked: u32,
}

impl Turn {
    /// Waits until it is time to ask again: until this process gives a permit back, or for a pause of at most
    /// `longest`.
    pub(super) async fn wait(&mut self, longest: Duration) {
        let Some(line) = &self.in_line.line else { return };
        // Random pauses, so that processes with the same answer do not ask at the same time.
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
        assert!(!queue.has("acme"), "no line without a waiting request");
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
    async fn the_first_asks_less_and_less_often_and_at_once_when_a_permit_is_given_back() {
        let queue = Queue::default();
        let mut first = turn(&queue, RULE).await.unwrap();
        for most in [10, 20, 40, 80, 100, 100] {
            let began = Instant::now();
            first.wait(Duration::from_secs(1)).await;
            let waited = began.elapsed().as_millis();
            // Timers have a resolution of 1 ms.
            assert!((most / 2..=most + 1).contains(&waited), "{waited} of {most} ms");
        }
        queue.freed("acme");
        queue.freed("globex");
        let began = Instant::now();
        first.wait(Duration::from_secs(1)).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
