//! The limiter of failed attempts, which also counts lookups under way.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::attempt::{Attempt, Reservation};
use super::shared::SharedAttempts;
use super::table::{BucketTable, Slot};
use crate::caller::{ClientNetwork, Prefixes};
use crate::clock::Timestamp;
use crate::quota::Quota;

/// The wait of a client whose network has room as soon as a lookup ends.
const NEXT_LOOKUP: Duration = Duration::from_secs(1);

/// A limiter of failed attempts by network.
pub(crate) struct AttemptLimiter {
    pub(super) quota: Quota,
    pub(super) prefixes: Prefixes,
    pub(super) serves_good_keys: bool,
    pub(super) table: BucketTable,
    /// The count of all processes.
    pub(crate) shared: Option<SharedAttempts>,
}

impl AttemptLimiter {
    /// Reserves an attempt of a client before its key is looked up. Without reservations, the store would look
    /// up any number of keys at once before the first attempt has failed. Returns `None` if the client
    /// is not counted.
    ///
    /// # Errors
    ///
    /// The time for which the client's network has no room.
    pub(crate) fn reserve(
        &self,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Reservation>, Duration> {
        let (Some(client), false) = (client, self.serves_good_keys) else { return Ok(None) };
        let network = self.table.hash(self.prefixes.network(client));
        let refused =
            self.table.with(network, |slot| match slot.bucket.wait(&self.quota, now, 1) {
                None => {
                    slot.bucket.take(&self.quota, now, 1);
                    slot.under_way = slot.under_way.saturating_add(1);
                    None
                }
                Some(_) => Some(self.wait(slot, now).unwrap_or(NEXT_LOOKUP)),
            });
        refused.map_or(Ok(Some(Reservation { network })), Err)
    }

    /// Returns the network of a client.
    pub(crate) fn network(&self, client: IpAddr) -> ClientNetwork {
        self.prefixes.network(client)
    }

    /// Returns the time in which one attempt drains.
    pub(crate) fn interval(&self) -> Duration {
        self.quota.window() / self.quota.limit().max(1)
    }

    /// Returns true if a network has a failed attempt on record, or another lookup under way, besides a reserved
    /// attempt.
    pub(crate) fn has_others(&self, reserved: &Reservation, now: Timestamp) -> bool {
        let others = self.table.find(reserved.network, |slot| {
            let most = self.quota.limit().saturating_sub(1);
            slot.under_way > 1 || (most > 0 && slot.bucket.wait(&self.quota, now, most).is_some())
        });
        // The network may have lost its slot meanwhile, and its record with it.
        others.unwrap_or(true)
    }

    /// Gives back a reserved attempt that did not fail.
    pub(crate) fn give_back(&self, Reservation { network }: Reservation, now: Timestamp) {
        self.table.find(network, |slot| {
            // The network may have lost its slot meanwhile, and its reservation with it.
            if slot.under_way > 0 {
                slot.under_way -= 1;
                slot.bucket.give_back(&self.quota, now, 1);
            }
        });
    }

    /// Counts a failed attempt of a client. A reserved attempt was counted when it was reserved.
    #[expect(clippy::needless_pass_by_value, reason = "a reservation ends once")]
    pub(crate) fn fail(
        &self,
        client: IpAddr,
        reserved: Option<Reservation>,
        now: Timestamp,
    ) -> Attempt {
        let Some(Reservation { network }) = reserved else {
            return self.fail_unreserved(client, now);
        };
        let reserved = self.table.find(network, |slot| {
            // The network may have lost its slot meanwhile, and its reservation with it.
            slot.under_way = slot.under_way.checked_sub(1)?;
            slot.bucket.settle(&self.quota, now);
            Some(self.wait(slot, now))
        });
        match reserved.flatten() {
            Some(wait) => wait.map_or(Attempt::Counted, Attempt::Last),
            None => self.fail_unreserved(client, now),
        }
    }

    fn fail_unreserved(&self, client: IpAddr, now: Timestamp) -> Attempt {
        let network = self.table.hash(self.prefixes.network(client));
        self.table.with(network, |slot| {
            if slot.bucket.wait(&self.quota, now, 1).is_some() {
                return Attempt::Over(self.wait(slot, now).unwrap_or(NEXT_LOOKUP));
            }
            slot.bucket.take(&self.quota, now, 1);
            self.wait(slot, now).map_or(Attempt::Counted, Attempt::Last)
        })
    }

    /// Returns how long a network waits for room if all its lookups under way are given back; `None` if it
    /// then has room.
    fn wait(&self, slot: &Slot, now: Timestamp) -> Option<Duration> {
        let mut failed = slot.bucket;
        failed.give_back(&self.quota, now, slot.under_way);
        failed.wait(&self.quota, now, 1).map(Duration::from_nanos)
    }
}

impl fmt::Debug for AttemptLimiter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AttemptLimiter").field("quota", &self.quota).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::FailedAttempts;
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    /// Three at once, and one each second.
    const THREE: FailedAttempts = FailedAttempts::new(3, Duration::from_secs(3));

    fn limiter(attempts: &FailedAttempts) -> AttemptLimiter {
        attempts.clone().build(None).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(milliseconds: u64) -> Timestamp {
        START.plus(Duration::from_millis(milliseconds))
    }

    /// Returns for how long a client is refused. Gives back the reservation of a client that is not.
    fn refusal(limiter: &AttemptLimiter, client: IpAddr, now: Timestamp) -> Option<Duration> {
        match limiter.reserve(Some(client), now) {
            Ok(reserved) => {
                limiter.give_back(reserved.unwrap(), now);
                None
            }
            Err(wait) => Some(wait),
        }
    }

    #[test]
    fn a_network_that_failed_too_often_is_refused_until_one_has_drained() {
        let limiter = limiter(&THREE);
        let (client, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for expected in [Attempt::Counted, Attempt::Counted, Attempt::Last(SECOND)] {
            assert_eq!(refusal(&limiter, client, at(0)), None);
            assert_eq!(limiter.fail(client, None, at(0)), expected);
        }
        assert_eq!(refusal(&limiter, client, at(0)), Some(SECOND));
        assert_eq!(limiter.fail(client, None, at(0)), Attempt::Over(SECOND), "it was malformed");
        assert_eq!(refusal(&limiter, other, at(0)), None);
        assert_eq!(limiter.reserve(None, at(0)), Ok(None));
        assert_eq!(refusal(&limiter, client, at(250)), Some(SECOND * 3 / 4));
        assert_eq!(refusal(&limiter, client, at(1_000)), None);
        assert_eq!(limiter.fail(client, None, at(1_000)), Attempt::Last(SECOND));
        assert_eq!(limiter.fail(client, None, at(11_000)), Attempt::Counted, "all have drained");
        let shown = format!("{limiter:?}");
        assert!(shown.contains("quota") && !shown.contains("192.0.2.1"), "{shown}");
    }

    #[test]
    fn as_many_are_looked_up_at_once_as_may_fail() {
        let (limiter, client) = (limiter(&THREE), address("192.0.2.1"));
        let reserve = |now| limiter.reserve(Some(client), now);
        let mut reserved: Vec<_> = (0..3).map(|_| reserve(at(0)).unwrap().unwrap()).collect();
        assert_eq!(reserve(at(0)), Err(NEXT_LOOKUP), "it has room when one of them serves");
        limiter.give_back(reserved.pop().unwrap(), at(0));
        reserved.push(reserve(at(0)).unwrap().unwrap());
        let failed: Vec<_> = reserved
            .into_iter()
            .map(|reservation| limiter.fail(client, Some(reservation), at(0)))
            .collect();
        assert_eq!(failed, [Attempt::Counted, Attempt::Counted, Attempt::Last(SECOND)]);
        assert_eq!(reserve(at(0)), Err(SECOND));
        let again = reserve(at(1_000)).unwrap().unwrap();
        assert_eq!(limiter.fail(client, None, at(1_000)), Attempt::Over(NEXT_LOOKUP));
        assert_eq!(limiter.fail(client, Some(again), at(1_000)), Attempt::Last(SECOND));
    }

    #[test]
    fn an_attempt_that_serves_late_takes_nothing_and_gives_nothing() {
        let (limiter, client) = (limiter(&THREE), address("192.0.2.1"));
        // One fails, one is under way for long, and drains meanwhile.
        limiter.fail(client, None, at(0));
        let reserved = limiter.reserve(Some(client), at(0)).unwrap().unwrap();
        limiter.give_back(reserved, at(1_500));
        for expected in [Attempt::Counted, Attempt::Counted, Attempt::Last(SECOND)] {
            assert_eq!(limiter.fail(client, None, at(1_500)), expected);
        }
    }

    #[test]
    fn an_attempt_is_given_back_only_to_the_slot_that_counted_it() {
        let limiter = limiter(&FailedAttempts::new(3, 3 * SECOND).capacity(8));
        let client = address("192.0.2.1");
        let reserved = limiter.reserve(Some(client), at(0)).unwrap().unwrap();
        // Other networks push the network out. It comes back and fails.
        for number in 0..=255 {
            for _ in 0..3 {
                limiter.fail(IpAddr::from([10, 0, 0, number]), None, at(0));
            }
        }
        (0..3).for_each(|_| {
            limiter.fail(client, None, at(0));
        });
        limiter.give_back(reserved, at(0));
        assert_eq!(refusal(&limiter, client, at(0)), Some(SECOND));
    }

    #[test]
    fn an_attempt_whose_network_was_pushed_out_meanwhile_counts_when_it_fails() {
        let limiter = limiter(&FailedAttempts::new(3, 3 * SECOND).capacity(8));
        let client = address("192.0.2.1");
        let reserve = || limiter.reserve(Some(client), at(0)).unwrap();
        let push_out = || {
            for number in 0..=255 {
                for _ in 0..3 {
                    limiter.fail(IpAddr::from([10, 0, 0, number]), None, at(0));
                }
            }
        };
        let early = [reserve(), reserve()];
        push_out();
        // One fails while its network has no slot, the other while another lookup is under way.
        let [one, other] = early;
        assert_eq!(limiter.fail(client, one, at(0)), Attempt::Counted);
        let late = reserve();
        assert_eq!(limiter.fail(client, other, at(0)), Attempt::Counted);
        assert_eq!(limiter.fail(client, late, at(0)), Attempt::Last(SECOND));
    }

    #[test]
    fn a_clock_set_back_refuses_nobody_for_longer_than_one_window() {
        for sends_keys_only in [false, true] {
            let (limiter, client) = (limiter(&THREE), address("192.0.2.1"));
            (0..3).for_each(|_| {
                limiter.fail(client, None, at(1_000_000));
            });
            assert_eq!(refusal(&limiter, client, at(0)), Some(SECOND));
            if !sends_keys_only {
                limiter.fail(client, None, at(0));
            }
            assert_eq!(refusal(&limiter, client, at(1_000)), None);
        }
    }

    #[test]
    fn good_keys_are_looked_up_where_that_was_chosen() {
        let limiter = limiter(&THREE.serve_good_keys());
        let client = address("2001:db8::1");
        (0..3).for_each(|_| {
            limiter.fail(client, None, at(0));
        });
        assert_eq!(limiter.reserve(Some(client), at(0)), Ok(None));
        assert_eq!(limiter.fail(client, None, at(0)), Attempt::Over(SECOND));
    }

    #[test]
    fn a_limit_that_cannot_be_counted_is_refused() {
        for attempts in [
            FailedAttempts::new(0, SECOND),
            FailedAttempts::new(1, Duration::ZERO),
            THREE.prefixes(0, 64),
            THREE.prefixes(33, 64),
            THREE.prefixes(32, 0),
            THREE.prefixes(32, 129),
        ] {
            assert!(attempts.clone().build(None).is_err(), "{attempts:?}");
        }
    }
}
