//! Promises on time: calendar periods, clocks that are set back, and instants out of order.

use std::time::Duration;

use super::client::{KeyClient, MINUTE, START, TO_MIDNIGHT, TO_OCTOBER, at};
use crate::clock::Timestamp;
use crate::limits::Limiter;
use crate::quota::{Algorithm, Quota, QuotaStatus};
use crate::testing::fresh::Maker;

/// Each day and each month has a limit of its own.
pub(super) async fn days_and_months_end_at_midnight(make: &Maker<dyn Limiter>) {
    let client = KeyClient::new(make).await;
    let quotas = [Quota::by_day("day", 3), Quota::by_month("month", 5)];
    let status = |limit, remaining, seconds| {
        QuotaStatus::new(limit, remaining, Duration::from_secs(seconds))
    };
    let first = client.take(&quotas, START).await;
    let expected = [status(3, 2, TO_MIDNIGHT), status(5, 4, TO_OCTOBER)];
    assert_eq!(first.statuses(), expected, "after the first request");
    for _ in 0..2 {
        let passes = client.passes(&quotas, at(TO_MIDNIGHT - 1)).await;
        assert!(passes, "a request within the limit of the day is refused");
    }
    let refused = client.take(&quotas, at(TO_MIDNIGHT - 1)).await;
    let wait = Some(Duration::from_secs(1));
    assert_eq!(refused.retry_after(), wait, "retry-after in the last second of a used up day");
    assert!(client.passes(&quotas, at(TO_MIDNIGHT)).await, "a request on a new day is refused");
    let last = client.take(&quotas, at(TO_MIDNIGHT)).await;
    let day = 24 * 3_600;
    let expected = [status(3, 1, day), status(5, 0, TO_OCTOBER - TO_MIDNIGHT)];
    assert_eq!(last.statuses(), expected, "after the last request of the month");
    let refused = client.take(&quotas, at(TO_OCTOBER - 1)).await;
    assert_eq!(refused.retry_after(), wait, "retry-after in the last second of a used up month");
    let october = client.take(&quotas, at(TO_OCTOBER)).await;
    let expected = [status(3, 2, day), status(5, 4, 31 * day)];
    assert_eq!(october.statuses(), expected, "after the first request of a new month");
}

pub(super) async fn instants_out_of_order_begin_no_day_twice(make: &Maker<dyn Limiter>) {
    for (quota, ends) in
        [(Quota::by_day("calls", 10), TO_MIDNIGHT), (Quota::by_month("calls", 10), TO_OCTOBER)]
    {
        let (client, quotas) = (KeyClient::new(make).await, [quota]);
        assert!(client.passes(&quotas, START).await, "the first request is refused");
        let (mut passed, next) = (0, at(ends).unix_nanoseconds());
        for _ in 0..200 {
            for early in [0, 1, 700_000_000] {
                let now = Timestamp::from_unix_nanoseconds(next - early);
                passed += u32::from(client.passes(&quotas, now).await);
            }
        }
        assert_eq!(
            passed, 10,
            "the requests that pass in a new period, with instants around its start"
        );
    }
}

pub(super) async fn a_clock_set_back_locks_nobody_out(make: &Maker<dyn Limiter>) {
    for (algorithm, at_most) in [
        (Algorithm::FixedWindow, 60),
        (Algorithm::LeakyBucket, 60),
        (Algorithm::SlidingWindow, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER),
    ] {
        let client = KeyClient::new(make).await;
        let quotas = [Quota::new("minute", 1, MINUTE).with_algorithm(algorithm)];
        let passes = client.passes(&quotas, at(1_000_000)).await;
        assert!(passes, "{algorithm:?}: the first request is refused");
        let verdict = client.take(&quotas, at(0)).await;
        let wait = verdict.retry_after();
        assert!(
            wait <= Some(Duration::from_secs(at_most)),
            "{algorithm:?}: after the clock was set back, a client waits {wait:?}, more than {at_most} s"
        );
        let passes = client.passes(&quotas, at(at_most)).await;
        assert!(
            passes,
            "{algorithm:?}: a request is refused {at_most} s after the clock was set back"
        );
    }
}

/// A request reads the clock before it reaches the limiter, so instants arrive out of order.
pub(super) async fn instants_out_of_order_free_nothing(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = KeyClient::new(make).await;
        let quotas = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        let (mut passed, edge) = (0, at(5));
        for _ in 0..200 {
            for early in [0, 1, 700_000_000] {
                let now = Timestamp::from_unix_nanoseconds(edge.unix_nanoseconds() - early);
                passed += u32::from(client.passes(&quotas, now).await);
            }
        }
        assert_eq!(passed, 10, "{algorithm:?}: the requests that pass, with instants out of order");
    }
}
