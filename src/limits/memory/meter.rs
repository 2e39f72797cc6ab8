//! A meter: the counters of one subject, side by side.

use smallvec::SmallVec;

use super::super::limiter::MAX_DISORDER;
use super::subject::{Claim, Subject};
use crate::clock::Timestamp;
use crate::key::{AccountId, KeyId};
use crate::quota::{Counter, MAX_QUOTAS, Per, Quota, QuotaStatus, Verdict};
use crate::sync::Mutex;

/// The counters that one subject keeps before it drops idle ones: those of a request, and as many that changed
/// plans have left behind.
const MAX_COUNTERS: usize = 4 * MAX_QUOTAS;

/// The bit of an identity that separates a route's counter from an account's of the same name.
const OF_ROUTE: u64 = 1 << 63;

/// A meter and its lock. With two counters they fill two cache lines that no other meter shares. So accounts
/// do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct LockedMeter(pub(super) Mutex<Meter>);

/// Counts the requests of one subject.
#[derive(Debug, Default)]
pub(super) struct Meter {
    account: Option<AccountId>,
    /// Of a network, which has no account, the place of its site.
    pub(super) account_tag: u64,
    key: Option<Box<KeyId>>,
    latest: Timestamp,
    windows: SmallVec<[Window; 2]>,
}

#[derive(Debug)]
struct Window {
    identity: u64,
    counter: Counter,
}

impl Meter {
    /// Returns the subject of the counters.
    pub(super) fn subject(&self) -> Option<Subject<'_>> {
        Some(Subject { account: self.account.as_ref()?, key: self.key.as_deref() })
    }

    /// Returns true if the counters belong to the subject of the claim.
    pub(super) fn answers(&self, claim: Claim<'_>) -> bool {
        match claim {
            Claim::Tag(tag) => {
                self.account_tag == tag && self.key.is_none() && self.account.is_some()
            }
            Claim::Subject(subject) => self.is_of(subject),
        }
    }

    /// Returns true if the counters belong to the subject.
    pub(super) fn is_of(&self, subject: Subject<'_>) -> bool {
        self.account.as_ref() == Some(subject.account) && self.key.as_deref() == subject.key
    }

    /// Starts counting a subject, without counters yet.
    pub(super) fn begin(&mut self, subject: Subject<'_>, tag: u64, now: Timestamp) {
        *self = Self {
            account: Some(subject.account.clone()),
            account_tag: tag,
            key: subject.key.cloned().map(Box::new),
            latest: now,
            windows: SmallVec::new(),
        };
    }

    /// Returns true if all counters are unused, so that the limiter can forget the subject. A new meter
    /// without counters waits 1 s for the request that it was made for. A meter whose latest request
    /// lies ahead of `now` by up to 1 s must remember that instant.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let expected = self.windows.is_empty() && now.since(self.latest) < MAX_DISORDER;
        let ahead = self.latest > now && self.latest.since(now) <= MAX_DISORDER;
        !expected && !ahead && self.windows.iter().all(|window| window.counter.is_idle(now))
    }

    /// Puts an instant in order with the instants before, and returns the instant to count at.
    ///
    /// A request reads the clock before it waits for the lock. So a request that read the clock later may
    /// get the lock first. To the counters, the earlier instant would look like a clock set back, and they
    /// would forget what lies ahead of it. If the clock was really set back by less than [`MAX_DISORDER`], time
    /// stands still here until the clock has caught up.
    pub(super) fn in_order(&mut self, now: Timestamp) -> Timestamp {
        let set_back = self.latest.since(now) > MAX_DISORDER;
        self.latest = if set_back { now } else { self.latest.max(now) };
        self.latest
    }

    /// Sets the latest instant, which another meter of the request has put in order.
    pub(super) const fn set_latest(&mut self, now: Timestamp) {
        self.latest = now;
    }

    /// Returns how long a request must wait for its quotas that count by `per`, in nanoseconds; 0 if all have
    /// room. Quotas in shadow never make a request wait. Afterwards the counters of these quotas lie in
    /// front, in the order of the quotas.
    pub(super) fn ask<'q, const SHADOWS: bool>(
        &mut self,
        quotas: impl Iterator<Item = (&'q Quota, bool)> + Clone,
        per: Per,
        now: Timestamp,
        cost: u32,
    ) -> u64 {
        let own = quotas.filter(|(quota, _)| quota.per() == per);
        let mut windows = self.windows.iter();
        let mut is_next = |identity| windows.next().is_some_and(|it| it.identity == identity);
        if !own.clone().all(|(quota, route)| is_next(identity(quota, route))) {
            for (place, (quota, route)) in own.clone().enumerate() {
                self.fetch(quota, identity(quota, route), place, now);
            }
        }
        let asked = own.zip(&mut self.windows).map(|((quota, _), window)| {
            if SHADOWS && quota.is_in_shadow() {
                return 0;
            }
            let wait = window.counter.nanoseconds_to_wait(quota, now, cost);
            wait.map_or(0, |wait| wait.max(1))
        });
        asked.fold(0, u64::max)
    }

    /// Takes a cost from the quotas that [`ask`](Self::ask) was called for, and adds their statuses to the
    /// verdict.
    pub(super) fn take<'q, const SHADOWS: bool>(
        &mut self,
        quotas: impl Iterator<Item = (&'q Quota, bool)>,
        per: Per,
        taken: Taken,
        verdict: &mut Verdict,
    ) {
        let own = quotas.enumerate().filter(|(_, (quota, _))| quota.per() == per);
        for ((index, (quota, _)), window) in own.zip(&mut self.windows) {
            let mut cost = taken.cost;
            if SHADOWS && quota.is_in_shadow() {
                // A request never waits for a quota in shadow, so `ask` did not ask it.
                let full =
                    window.counter.nanoseconds_to_wait(quota, taken.at, taken.asked).is_some();
                verdict.put_in_shadow(index, full);
                cost = if full { 0 } else { cost };
            }
            let (remaining, reset) = window.counter.take(quota, taken.at, cost);
            let reset = reset.saturating_add(taken.ahead);
            verdict.put(index, QuotaStatus::in_nanoseconds(quota.limit(), remaining, reset));
        }
    }

    /// Returns the counters of the quotas that [`ask`](Self::ask) was called for, in their order.
    pub(super) fn counters(&mut self) -> impl Iterator<Item = &mut Counter> {
        self.windows.iter_mut().map(|window| &mut window.counter)
    }

    /// Puts the counter of a quota at an index, and adds it if it is missing. If the meter has too many
    /// counters, idle ones that changed plans have left behind are dropped.
    #[cold]
    fn fetch(&mut self, quota: &Quota, identity: u64, to: usize, now: Timestamp) {
        // A counter further in front is in use: the quota is listed twice.
        let behind = self.windows.iter().skip(to).position(|window| window.identity == identity);
        let found = behind.map(|place| to + place);
        let from = found.unwrap_or_else(|| {
            if self.windows.len() >= MAX_COUNTERS {
                let mut place = 0..;
                // The counters in front belong to this request.
                self.windows
                    .retain(|window| place.next() < Some(to) || !window.counter.is_idle(now));
            }
            self.windows.push(Window { identity, counter: Counter::new(quota) });
            self.windows.len() - 1
        });
        self.windows.swap(from, to);
    }
}

/// Returns the identity of a counter. A route's quota never shares a counter with an account's.
const fn identity(quota: &Quota, route: bool) -> u64 {
    let of_route = if route { OF_ROUTE } else { 0 };
    quota.identity() & !OF_ROUTE | of_route
}

/// What a request takes from its quotas, and when.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    pub(super) cost: u32,
    /// The cost that a quota in shadow must have room for, or it would refuse. 0 if another quota refuses, or
    /// if the cost is taken in any case.
    pub(super) asked: u32,
    pub(super) at: Timestamp,
    /// How far `at` lies ahead of the request's own instant, in nanoseconds.
    pub(super) ahead: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    /// A meter that was made for a request of an account, or of a key of it.
    fn meter(account: &AccountId, key: Option<&KeyId>) -> Meter {
        let mut meter = Meter::default();
        meter.begin(Subject { account, key }, 7, START);
        meter
    }

    fn acme() -> AccountId {
        AccountId::new("acme").unwrap()
    }

    #[test]
    fn a_meter_knows_its_subject() {
        let (acme, other) = (acme(), AccountId::new("other").unwrap());
        let (key, another) = (KeyId::new("key_1").unwrap(), KeyId::new("key_2").unwrap());
        let subject = |account, key| Subject { account, key };
        let own = [subject(&acme, None), subject(&acme, Some(&key))];
        let foreign = [subject(&acme, Some(&another)), subject(&other, None)];
        for whose in own {
            let meter = meter(whose.account, whose.key);
            for asked in own.into_iter().chain(foreign).chain([subject(&other, Some(&key))]) {
                assert_eq!(meter.is_of(asked), asked == whose, "{asked:?} of {whose:?}");
                assert_eq!(meter.answers(Claim::Subject(asked)), asked == whose);
            }
            assert_eq!(meter.answers(Claim::Tag(7)), whose.key.is_none());
            assert!(!meter.answers(Claim::Tag(8)) && !Meter::default().answers(Claim::Tag(0)));
        }
    }

    #[test]
    fn a_meter_that_was_made_for_a_request_waits_for_it() {
        let meter = meter(&acme(), None);
        assert!(!meter.is_idle(START));
        assert!(!meter.is_idle(START.plus(Duration::from_nanos(999_999_999))));
        assert!(meter.is_idle(START.plus(MAX_DISORDER)));
    }

    #[test]
    fn an_instant_that_is_earlier_by_a_second_is_one_that_comes_late() {
        let later = START.plus(MAX_DISORDER);
        let mut late = meter(&acme(), None);
        assert_eq!((late.in_order(later), late.in_order(START)), (later, later));
        let mut set_back = meter(&acme(), None);
        let after = later.plus(Duration::from_nanos(1));
        assert_eq!((set_back.in_order(after), set_back.in_order(START)), (after, START));
    }

    #[test]
    fn idle_counters_of_plans_that_are_over_make_room() {
        let mut meter = meter(&acme(), None);
        let mut charge = |name: &str, now| {
            let quota = Quota::named(name, 2, MINUTE);
            let quotas = std::iter::once((&quota, false));
            let wait = meter.ask::<false>(quotas.clone(), Per::Account, now, 2);
            let taken = Taken { cost: 2, asked: 2, at: now, ahead: 0 };
            meter.take::<false>(quotas, Per::Account, taken, &mut Verdict::passed());
            (wait == 0, meter.windows.len())
        };
        // Active counters all stay: to forget one would give a fresh quota.
        for number in 0..2 * MAX_COUNTERS {
            assert_eq!(charge(&number.to_string(), START), (true, number + 1));
        }
        assert_eq!(charge("0", START), (false, 2 * MAX_COUNTERS));
        let over = START.plus(MINUTE);
        assert_eq!(charge("another", over), (true, 1), "and then none of them does");
        // Below that number the meter keeps idle counters.
        for number in 1..MAX_COUNTERS {
            let then = over.plus(MINUTE * u32::try_from(number).unwrap());
            assert_eq!(charge(&number.to_string(), then), (true, number + 1));
        }
    }

    #[test]
    fn the_counters_of_a_request_make_no_room_for_each_other() {
        let mut meter = meter(&acme(), None);
        let left_behind: Vec<_> = (0..MAX_COUNTERS - 1)
            .map(|number| Quota::named(number.to_string(), 2, MINUTE))
            .collect();
        let mut ask = |quotas: &[Quota], now| {
            let quotas = quotas.iter().map(|quota| (quota, false));
            meter.ask::<false>(quotas, Per::Account, now, 1);
            meter.windows.len()
        };
        assert_eq!(ask(&left_behind, START), MAX_COUNTERS - 1);
        // Both are idle when the second is made, and the meter is full then.
        let two = ["one", "two"].map(|name| Quota::new(name, 2, MINUTE));
        assert_eq!(ask(&two, START.plus(MINUTE)), 2);
    }

    #[test]
    fn a_meter_with_two_counters_fills_two_cache_lines() {
        assert_eq!(size_of::<LockedMeter>(), 128);
    }
}
