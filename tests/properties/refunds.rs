//! Refunds give back what was taken, and never more.

use std::time::Duration;

use tower_api_key::clock::Timestamp;
use tower_api_key::quota::{Algorithm, Counter, Quota};

/// A counter and its twin, to which the refunded request never came.
#[test]
fn a_refund_leaves_no_more_than_if_the_request_had_never_come() {
    const START: u64 = 1_000_020 * 1_000;
    let mut state = 7u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let at = |milliseconds: u64| Timestamp::from_unix_nanoseconds(milliseconds * 1_000_000);
    let (mut exact, mut over) = (0, 0);
    for algorithm in Algorithm::ALL {
        let quota = Quota::new("q", 40, Duration::from_secs(60)).with_algorithm(algorithm);
        for round in 0..4_000 {
            let (mut counter, mut twin) = (Counter::new(&quota), Counter::new(&quota));
            let mut now = START + random(100_000);
            // In half of the rounds the other costs are taken without asking whether there is room.
            let (most, is_forced) = if round % 2 == 0 { (4, false) } else { (60, true) };
            for _ in 0..random(4) {
                let cost = u32::try_from(random(most)).unwrap();
                counter.charge(&quota, at(now), cost);
                twin.charge(&quota, at(now), cost);
                now += random(40_000);
            }
            let (taken_at, cost) = (at(now), 1 + u32::try_from(random(most + 1)).unwrap());
            // Only a charge that had room is refunded.
            if counter.wait(&quota, taken_at, cost).is_some() {
                assert!(is_forced, "{algorithm:?}");
                continue;
            }
            counter.charge(&quota, taken_at, cost);
            // A window that is open already does not open again.
            let opens = twin.is_idle(taken_at);
            for _ in 0..random(4) {
                now += if is_forced { random(3) * random(15_000) } else { random(30_000) };
                let cost = u32::try_from(random(most)).unwrap();
                over += u32::from(counter.wait(&quota, at(now), cost).is_some());
                counter.charge(&quota, at(now), cost);
                twin.charge(&quota, at(now), cost);
            }
            now += random(30_000);
            let before = counter.status(&quota, at(now));
            counter.refund(&quota, at(now), taken_at, cost);
            let after = counter.status(&quota, at(now));
            let without = twin.status(&quota, at(now));
            assert!(after.remaining() >= before.remaining(), "{algorithm:?}");
            let fixed = algorithm == Algorithm::FixedWindow && opens;
            assert!(fixed || after.remaining() <= without.remaining(), "{algorithm:?}");
            exact += u32::from(!is_forced && after.remaining() == without.remaining());
            // Once more gives back no more than the limit.
            counter.refund(&quota, at(now), taken_at, u32::MAX);
            assert!(counter.status(&quota, at(now)).remaining() <= quota.limit());
        }
    }
    assert!(exact > 8_000, "most refunds give all of it back: {exact}");
    assert!(over > 3_000, "many costs are taken without room: {over}");
}

/// The one exception: what came late into a window that the refunded request opened ends with that window.
#[test]
fn a_window_that_a_refunded_request_opened_keeps_its_end_and_passes_twice_the_limit_at_most() {
    let quota = Quota::new("q", 40, Duration::from_secs(60));
    let at = |seconds: u64| Timestamp::from_unix_seconds(1_000_000 + seconds);
    let mut counter = Counter::new(&quota);
    counter.charge(&quota, at(0), 1);
    counter.charge(&quota, at(59), 39);
    counter.refund(&quota, at(59), at(0), 1);
    assert_eq!(counter.wait(&quota, at(59), 1), None);
    counter.charge(&quota, at(59), 1);
    // 40 count at 59 s, and 40 more one second later.
    assert_eq!(counter.wait(&quota, at(59), 1), Some(Duration::from_secs(1)));
    assert_eq!(counter.wait(&quota, at(60), 40), None);
    counter.charge(&quota, at(60), 40);
    assert_eq!(counter.wait(&quota, at(119), 1), Some(Duration::from_secs(1)));
}
