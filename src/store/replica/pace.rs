//! When the feed is asked next.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::progress::Wake;

/// The least time between two questions after notices. So a store with many changes is asked at most 100 times a second.
const LEAST: Duration = Duration::from_millis(10);
/// The first pause after a failure is this part of the poll interval. Each further failure doubles the pause.
const FIRST_PART: u32 = 8;
/// The longest pause after failures, in poll intervals.
const LONGEST: u32 = 4;
/// A longer poll interval is one of this length: about a year. So no sum of times overflows.
const LONGEST_INTERVAL: Duration = Duration::from_secs(32_000_000);

/// The pauses between questions. They are random in part, so that a fleet does not ask in step.
pub(super) struct Pace {
    interval: Duration,
    random: u64,
    failures: u32,
    asked: Option<Instant>,
    /// The last request before the latest question.
    requested: u64,
}

impl Pace {
    pub(super) fn new(interval: Duration, seed: u64) -> Self {
        let interval = interval.min(LONGEST_INTERVAL);
        Self { interval, random: seed, failures: 0, asked: None, requested: 0 }
    }

    /// Records that the feed is asked now. Returns the number of the last request before.
    pub(super) fn asks(&mut self, wake: &Wake) -> u64 {
        self.asked = Some(Instant::now());
        self.requested = wake.requested();
        self.requested
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(super) const fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Waits until the feed is to be asked again: after the poll interval at the latest, or sooner if the task is woken.
    pub(super) async fn wait(&mut self, wake: &Wake) {
        if self.failures > 0 {
            return self.wait_after_failure().await;
        }
        let asked = self.asked.unwrap_or_else(Instant::now);
        let due = asked + self.jittered(self.interval);
        if timeout_at(due, wake.woken()).await.is_ok() && wake.requested() == self.requested {
            // Woken by a notice.
            sleep_until((asked + LEAST).min(due)).await;
        }
    }

    /// Waits before a failed question is repeated. Notices do not shorten the pause.
    pub(super) async fn wait_after_failure(&mut self) {
        let doubled = 1_u32.checked_shl(self.failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = (self.interval / FIRST_PART).saturating_mul(doubled);
        let pause = self.jittered(pause.min(self.interval * LONGEST));
        sleep(pause).await;
    }

    /// Returns between three quarters of a duration and all of it.
    fn jittered(&mut self, whole: Duration) -> Duration {
        // SplitMix64, whose numbers need not be unpredictable.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = u32::try_from((mixed ^ (mixed >> 31)) % 1024).unwrap_or_default();
        whole.saturating_sub(whole / 4096 * part)
    }
}

#[cfg(all(test, not(shuttle)))]
#[allow(clippy::unchecked_time_subtraction)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn polls_come_within_the_interval_and_not_in_step() {
        let wake = Wake::new();
        let mut pauses = Vec::new();
        for seed in 0..100 {
            let mut pace = Pace::new(SECOND, seed);
            pace.asks(&wake);
            let begun = Instant::now();
            pace.wait(&wake).await;
            pauses.push(begun.elapsed());
        }
        assert!(
            pauses.iter().all(|pause| *pause > SECOND * 3 / 4 && *pause <= SECOND + SECOND / 500)
        );
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 80, "{} different pauses", pauses.len());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_with_failures_and_end_with_them() {
        let wake = Wake::new();
        let mut pace = Pace::new(SECOND, 7);
        for longest in [125, 250, 500, 1_000, 2_000, 4_000, 4_000, 4_000] {
            pace.failed();
            wake.hint();
            let begun = Instant::now();
            pace.wait(&wake).await;
            let (pause, longest) = (begun.elapsed(), Duration::from_millis(longest));
            assert!(
                pause > longest / 2 && pause <= longest + SECOND / 500,
                "{pause:?}, {longest:?}"
            );
        }
        for _ in 0..100 {
            pace.failed();
        }
        let begun = Instant::now();
        pace.wait(&wake).await;
        assert!(begun.elapsed() <= 4 * SECOND + SECOND / 500);
        pace.succeeded();
        wake.hint();
        let begun = Instant::now();
        pace.wait(&wake).await;
        assert!(begun.elapsed() <= SECOND / 50);
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_interval_overflows_nothing_and_a_notice_ends_it() {
        let (wake, mut pace) = (Wake::new(), Pace::new(Duration::MAX, 7));
        pace.asks(&wake);
        wake.hint();
        let begun = Instant::now();
        pace.wait(&wake).await;
        assert!(begun.elapsed() <= SECOND / 50);
        for _ in 0..100 {
            pace.failed();
        }
        pace.wait(&wake).await;
        assert!(begun.elapsed() <= LONGEST_INTERVAL * LONGEST + SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn notices_come_together_and_a_request_does_not_wait() {
        let clock = crate::clock::ManualClock::default();
        let freshness =
            super::super::freshness::Freshness::new(&super::super::settings::FollowSettings {
                clock: std::sync::Arc::new(clock),
                ..Default::default()
            });
        let (wake, mut pace) = (Wake::new(), Pace::new(SECOND, 7));
        for (requests, least) in [(false, LEAST), (true, Duration::ZERO)] {
            pace.asks(&wake);
            wake.hint();
            if requests {
                wake.request(freshness.ask());
            }
            let begun = Instant::now();
            pace.wait(&wake).await;
            let pause = begun.elapsed();
            assert!(pause >= least && pause <= least + Duration::from_millis(2), "{pause:?}");
        }
    }
}
