//! What the gates of a layer count in memory, besides the requests that a limiter counts.

use std::sync::Arc;

use crate::attempts::{Alarms, AttemptLimiter, EventLimiter, FailedAttempts, RefusedRequests};
use crate::clock::Timestamp;
use crate::concurrency::MemoryConcurrency;
use crate::error::ConfigError;
use crate::limits::{FailureCounts, FallbackLimiter};

/// What the gates of a layer count in memory. A layer that is built after another one takes it over.
pub(super) struct LayerCounts {
    pub(super) attempts: Option<AttemptLimiter>,
    /// Counts the requests of each key that the rules refuse.
    pub(super) refusals: Option<EventLimiter>,
    /// Limits how often the observer is called about one key or network. `None` without an observer.
    pub(super) alarms: Option<Alarms>,
    /// Grants permits if no other limiter of simultaneous requests is configured, and while that limiter cannot answer.
    pub(super) local_concurrency: MemoryConcurrency,
    /// Decides while the limiter cannot answer.
    pub(super) fallback: Arc<FallbackLimiter>,
    /// Counts what the limiter could not answer.
    pub(super) failures: Arc<FailureCounts>,
}

impl LayerCounts {
    /// Starts to count, from what the layer before has counted by an instant.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a limit is not valid, or a number of subjects is too large.
    pub(super) fn new(
        attempts: Option<FailedAttempts>,
        refusals: Option<RefusedRequests>,
        has_observer: bool,
        previous: Option<(&Self, Timestamp)>,
    ) -> Result<Self, ConfigError> {
        let before = part(previous, |counts| counts.alarms.as_ref());
        let limit = attempts.clone();
        let alarms = || Alarms::new(limit.as_ref(), before);
        let before = part(previous, |counts| counts.attempts.as_ref());
        let attempts = attempts.map(|attempts| attempts.build(before)).transpose()?;
        let before = part(previous, |counts| counts.refusals.as_ref());
        let refusals = refusals.map(|refusals| refusals.build(before)).transpose()?;
        let previous = previous.map(|(counts, _)| counts);
        Ok(Self {
            attempts,
            refusals,
            alarms: has_observer.then(alarms),
            local_concurrency: previous.map(|it| it.local_concurrency.clone()).unwrap_or_default(),
            fallback: previous.map(|it| Arc::clone(&it.fallback)).unwrap_or_default(),
            failures: previous.map(|it| Arc::clone(&it.failures)).unwrap_or_default(),
        })
    }
}

/// Returns a part of what another layer has counted, and the instant.
fn part<'a, T>(
    previous: Option<(&'a LayerCounts, Timestamp)>,
    part: impl FnOnce(&'a LayerCounts) -> Option<&'a T>,
) -> Option<(&'a T, Timestamp)> {
    previous.and_then(|(counts, now)| Some((part(counts)?, now)))
}
