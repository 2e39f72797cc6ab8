//! A limiter of events by subject, in memory of fixed size.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use super::table::{BucketTable, Slot};
use crate::clock::Timestamp;
use crate::quota::Quota;

/// A limiter of events, with one leaky bucket for each subject.
pub(crate) struct EventLimiter {
    quota: Quota,
    table: BucketTable,
}

impl EventLimiter {
    /// Creates a limiter with this quota for each subject, which remembers this many subjects. Takes over what the
    /// previous limiter has counted.
    pub(crate) fn new(quota: Quota, subjects: usize, previous: Option<(&Self, Timestamp)>) -> Self {
        let previous = previous.map(|(limiter, now)| (&limiter.table, &limiter.quota, now));
        Self { table: BucketTable::new(subjects, &quota, previous), quota }
    }

    /// Returns true if the subject has room for another event.
    pub(crate) fn has_room(&self, subject: impl Hash, now: Timestamp) -> bool {
        let wait = |slot: &mut Slot| slot.bucket.wait(&self.quota, now, 1);
        self.table.find(self.table.hash(subject), wait).flatten().is_none()
    }

    /// Counts an event of the subject.
    ///
    /// # Errors
    ///
    /// The time until the subject has room, if it has none. The event is not counted then.
    pub(crate) fn count(&self, subject: impl Hash, now: Timestamp) -> Result<(), Duration> {
        self.table.with(self.table.hash(subject), |slot| {
            if let Some(wait) = slot.bucket.wait(&self.quota, now, 1) {
                return Err(Duration::from_nanos(wait));
            }
            slot.bucket.take(&self.quota, now, 1);
            Ok(())
        })
    }
}

impl fmt::Debug for EventLimiter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventLimiter").field("quota", &self.quota).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_has_its_share() {
        let at = Timestamp::from_unix_seconds;
        let events = EventLimiter::new(Quota::new("two", 2, Duration::from_secs(20)), 64, None);
        for expected in [Ok(()), Ok(()), Err(Duration::from_secs(10))] {
            assert_eq!(events.has_room("a", at(100)), expected.is_ok());
            assert_eq!(events.count("a", at(100)), expected);
        }
        assert!(events.has_room("b", at(100)));
        assert_eq!(events.count("b", at(100)), Ok(()));
        assert_eq!(events.count("a", at(110)), Ok(()), "what was refused was not counted");
        assert_eq!(events.count("a", at(110)), Err(Duration::from_secs(10)));
    }
}
