//! The counters of one subject, side by side.

use std::slice::IterMut;
use std::sync::Mutex;
use std::time::Duration;

use smallvec::SmallVec;

use super::super::arithmetic::Counter;
use super::super::limiter::Charge;
use super::super::standing::Verdict;
use crate::clock::Timestamp;
use crate::key::{AccountId, KeyId, MAX_QUOTAS, Per, Quota};

/// How much earlier than the latest instant another may be before the clock counts as set back.
const MAX_DISORDER: Duration = Duration::from_secs(1);

/// The counters that one subject keeps before idle ones make room: those of a request, and as many
/// that changed plans have left behind.
const MAX_COUNTERS: usize = 4 * MAX_QUOTAS;

/// Tells a route's counter from an account's of the same name.
const OF_ROUTE: u64 = 1 << 63;

/// Whose requests are counted together: those of an account, or of one key of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Subject<'a> {
    pub(super) account: &'a AccountId,
    pub(super) key: Option<&'a KeyId>,
}

/// Recognizes a subject's meter at a place that was remembered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim<'a> {
    /// By a hash of the account's id under a secret seed, so that the account need not be looked at.
    /// It would mistake another account's meter only if that has taken this one's place and has the
    /// same 64 bits.
    Tag(u64),
    /// By the ids themselves.
    Subject(Subject<'a>),
}

/// A meter and its lock. With two counters they fill two cache lines that no other meter shares, so
/// that accounts do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct LockedMeter(pub(super) Mutex<Meter>);

/// Counts the requests of one subject.
#[derive(Debug, Default)]
pub(super) struct Meter {
    account: Option<AccountId>,
    account_tag: u64,
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
    /// Returns whose counters these are.
    pub(super) fn subject(&self) -> Option<Subject<'_>> {
        Some(Subject { account: self.account.as_ref()?, key: self.key.as_deref() })
    }

    /// Tells whether these are the counters that are meant.
    pub(super) fn answers(&self, claim: Claim<'_>) -> bool {
        match claim {
            Claim::Tag(tag) => {
                self.account_tag == tag && self.key.is_none() && self.account.is_some()
            }
            Claim::Subject(subject) => self.is_of(subject),
        }
    }

    /// Tells whether these are a subject's counters.
    pub(super) fn is_of(&self, subject: Subject<'_>) -> bool {
        self.account.as_ref() == Some(subject.account) && self.key.as_deref() == subject.key
    }

    /// Begins to count a subject anew.
    pub(super) fn begin(&mut self, subject: Subject<'_>, tag: u64, now: Timestamp) {
        *self = Self {
            account: Some(subject.account.clone()),
            account_tag: tag,
            key: subject.key.cloned().map(Box::new),
            latest: now,
            windows: SmallVec::new(),
        };
    }

    /// Tells whether all counters are as good as new, so that the subject can be forgotten. A meter
    /// without counters waits for the request that it was made for.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let expected = self.windows.is_empty() && now.since(self.latest) < MAX_DISORDER;
        !expected && self.windows.iter().all(|window| window.counter.is_idle(now))
    }

    /// Puts instants in order. A request reads the clock before it waits for the lock, so another
    /// may come first that read it later; to the counters that would look like a clock set back,
    /// and they would forget what lies ahead of it. A clock that really was set back by less stands
    /// still here until it has caught up.
    fn in_order(&mut self, now: Timestamp) -> Timestamp {
        let set_back = self.latest.since(now) > MAX_DISORDER;
        self.latest = if set_back { now } else { self.latest.max(now) };
        self.latest
    }

    /// Puts the counters of a request's quotas in front, in the order of the quotas; mostly they are.
    /// Starts those that are missing. Counters that changed plans have left behind make room when
    /// there are too many of them, idle ones first.
    fn arrange(&mut self, charge: &Charge<'_>, per: Per, now: Timestamp) {
        let own = charge.quotas.iter().filter(|(quota, _)| quota.per() == per);
        for (place, (quota, route)) in own.enumerate() {
            let identity = identity(quota, route);
            if self.windows.get(place).is_none_or(|window| window.identity != identity) {
                self.fetch(quota, identity, place, now);
            }
        }
    }

    #[cold]
    fn fetch(&mut self, quota: &Quota, identity: u64, to: usize, now: Timestamp) {
        // One further in front is taken already: by a quota that is listed twice.
        let behind = self.windows.iter().skip(to).position(|window| window.identity == identity);
        let found = behind.map(|place| to + place);
        let from = found.unwrap_or_else(|| {
            if self.windows.len() >= MAX_COUNTERS {
                let mut place = 0..;
                // Those in front are this request's.
                self.windows
                    .retain(|window| place.next() < Some(to) || !window.counter.is_idle(now));
            }
            self.windows.push(Window { identity, counter: Counter::new(quota) });
            self.windows.len() - 1
        });
        self.windows.swap(from, to);
    }
}

/// Returns what tells counters apart: a route's quota never shares one with an account's.
const fn identity(quota: &Quota, route: bool) -> u64 {
    let of_route = if route { OF_ROUTE } else { 0 };
    quota.identity() & !OF_ROUTE | of_route
}

/// The meters that one request is charged to; none for a peek at a subject that is not counted.
pub(super) struct Meters<'a> {
    pub(super) account: Option<&'a mut Meter>,
    pub(super) key: Option<&'a mut Meter>,
}

impl Meters<'_> {
    /// Charges all quotas of a request, or none.
    pub(super) fn charge(&mut self, charge: &Charge<'_>) -> Verdict {
        let mut now = charge.now;
        let meters = [(&mut self.account, Per::Account), (&mut self.key, Per::Key)];
        for (meter, per) in meters {
            if let Some(meter) = meter {
                now = meter.in_order(now);
                meter.arrange(charge, per, now);
            }
        }
        // What the client is told counts from its own instant.
        let ahead = now.nanoseconds_since(charge.now);
        let mut verdict = Verdict::passed();
        self.each(charge, |quota, counter| {
            if let Some(wait) = counter.nanoseconds_to_wait(quota, now, charge.cost) {
                verdict.refuse_for(wait.saturating_add(ahead));
            }
        });
        let take = charge.commit && verdict.retry_after().is_none();
        self.each(charge, |quota, counter| {
            if take {
                counter.charge(quota, now, charge.cost);
            }
            verdict.push(counter.standing(quota, now).later(ahead));
        });
        verdict
    }

    /// Visits the counter of each quota of a request, in order.
    fn each(&mut self, charge: &Charge<'_>, mut visit: impl FnMut(&Quota, &mut Counter)) {
        let (mut of_account, mut of_key) = (windows(&mut self.account), windows(&mut self.key));
        for (quota, _) in charge.quotas.iter() {
            let window = match quota.per() {
                Per::Account => of_account.next(),
                Per::Key => of_key.next(),
            };
            match window {
                Some(window) => visit(quota, &mut window.counter),
                None => visit(quota, &mut Counter::new(quota)),
            }
        }
    }
}

/// Visits the counters of a meter in the order in which they were arranged.
fn windows<'a>(meter: &'a mut Option<&mut Meter>) -> IterMut<'a, Window> {
    meter.as_deref_mut().map_or_else(IterMut::default, |meter| meter.windows.iter_mut())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_with_two_counters_fills_two_cache_lines() {
        assert_eq!(size_of::<LockedMeter>(), 128);
    }
}
