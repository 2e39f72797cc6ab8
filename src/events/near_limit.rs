//! The quotas of a request that are nearly used up.

use std::time::Duration;

use super::kind::EventKind;
use super::occurrence::{EventSubject, Occurrence};
use crate::clock::Timestamp;
use crate::key::KeyRecord;
use crate::quota::{Algorithm, Per, Quota, QuotaStatus};

/// Returns the percentage that a quota has passed: 80 or 100.
pub(super) fn passed(status: QuotaStatus) -> Option<u32> {
    match status {
        status if status.limit() == 0 => None,
        status if status.remaining() == 0 => Some(100),
        status if status.is_near_limit(0.8) => Some(80),
        _ => None,
    }
}

/// Returns when the window of a quota ends. A bucket and a sliding window have no end, so a whole window counts.
pub(super) fn end_of_window(quota: &Quota, status: QuotaStatus, now: Timestamp) -> Timestamp {
    let length = match quota.algorithm() {
        Algorithm::LeakyBucket | Algorithm::SlidingWindow => quota.window(),
        Algorithm::FixedWindow | Algorithm::CalendarDay | Algorithm::CalendarMonth => {
            // Without an end, every request would make an event.
            status.reset_after().max(Duration::from_secs(1))
        }
    };
    now.plus(length)
}

/// Describes a quota that has passed a percentage.
pub(super) fn occurrence(
    record: &KeyRecord,
    (quota, status): (&Quota, QuotaStatus),
    percent: u32,
    now: Timestamp,
) -> Occurrence {
    let until = end_of_window(quota, status, now);
    let subject = EventSubject::Key(record.id().to_string());
    let near = Occurrence::new(EventKind::NearLimit, subject, now)
        .once(format!("{percent} {}", quota.name()), until)
        .with("quota", quota.name())
        .with("percent", percent)
        .with("limit", status.limit())
        .with("remaining", status.remaining())
        .with("per", quota.per().to_string())
        .with("resets", now.plus(status.reset_after()).to_string());
    if quota.per() == Per::Account { near.once_for_account() } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_passed_from_it_on() {
        let passed = |limit, left| passed(QuotaStatus::new(limit, left, Duration::ZERO));
        for (limit, left, percent) in
            [(10, 3, None), (10, 2, Some(80)), (10, 1, Some(80)), (10, 0, Some(100)), (0, 0, None)]
        {
            assert_eq!(passed(limit, left), percent, "{left} of {limit}");
        }
    }
}
