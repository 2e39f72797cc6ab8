//! The permits of one account on one route: how many are taken, and which requests wait.

use std::collections::BTreeMap;

use tokio::sync::oneshot::{self, Receiver, Sender};

/// The permits of an account on a route. No waiting request has room.
#[derive(Default)]
pub(super) struct PermitUsage {
    taken: usize,
    /// The waiting requests by their numbers, so that one leaves without a search. A client can fill the queue and hang
    /// up, and one lock guards all accounts.
    queue: BTreeMap<u64, Waiting>,
    next_number: u64,
}

/// A request that waits for a permit.
pub(super) struct Waiting {
    /// The limit of the request's own rule.
    most: usize,
    granted: Sender<()>,
}

impl Waiting {
    /// Wakes the request, whose permit is taken. Returns false if the request has gone away.
    pub(super) fn wake(self) -> bool {
        self.granted.send(()).is_ok()
    }
}

impl PermitUsage {
    /// Takes a permit, unless this many or more are taken.
    pub(super) const fn take(&mut self, most: usize) -> bool {
        let has_room = self.taken < most;
        self.taken += has_room as usize;
        has_room
    }

    /// Returns the number of permits that are taken.
    pub(super) fn taken(&self) -> u32 {
        u32::try_from(self.taken).unwrap_or(u32::MAX)
    }

    /// Adds a request to the queue, and returns its number. Returns `None` if this many or more wait.
    pub(super) fn wait(
        &mut self,
        most: usize,
        longest_queue: usize,
    ) -> Option<(u64, Receiver<()>)> {
        if self.queue.len() >= longest_queue {
            return None;
        }
        let (granted, grant) = oneshot::channel();
        let number = self.next_number;
        self.next_number += 1;
        self.queue.insert(number, Waiting { most, granted });
        Some((number, grant))
    }

    /// Takes a permit back. Returns the first request with room, which has the permit now.
    pub(super) fn pass_on(&mut self) -> Option<Waiting> {
        self.taken = self.taken.saturating_sub(1);
        let taken = self.taken;
        let next = self.queue.iter().find(|(_, waiting)| taken < waiting.most);
        let next = next.map(|(number, _)| *number).and_then(|number| self.queue.remove(&number));
        self.taken += usize::from(next.is_some());
        next
    }

    /// Forgets a waiting request that has gone away.
    ///
    /// If the request had left the queue, and the account was forgotten since, another request can have its number. That
    /// one stays, because it has not gone away.
    pub(super) fn forget_gone(&mut self, number: u64) {
        if self.queue.get(&number).is_some_and(|waiting| waiting.granted.is_closed()) {
            self.queue.remove(&number);
        }
    }

    /// Returns true if no permit is taken, and no request waits.
    pub(super) fn is_over(&self) -> bool {
        self.taken == 0 && self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests of an old rule and of a new one meet when a limit changes.
    #[test]
    fn each_request_is_admitted_by_its_own_limit() {
        let mut usage = PermitUsage::default();
        assert!(usage.take(1) && !usage.take(1), "one, under the old rule");
        let (_, mut old) = usage.wait(1, 9).unwrap();
        assert!(usage.take(2) && !usage.take(2), "the new rule has room for one more");
        let (_, mut new) = usage.wait(2, 9).unwrap();
        assert!(usage.pass_on().is_some_and(Waiting::wake));
        assert!(new.try_recv().is_ok() && old.try_recv().is_err(), "two are taken again");
        assert!(usage.pass_on().is_none(), "one is still taken");
        assert!(usage.pass_on().is_some_and(Waiting::wake));
        assert!(old.try_recv().is_ok());
        assert!(usage.pass_on().is_none() && usage.is_over());
    }

    #[test]
    fn a_queue_has_a_length_and_forgets_the_gone() {
        let mut usage = PermitUsage::default();
        assert!(usage.take(1));
        let (number, first) = usage.wait(1, 1).unwrap();
        usage.forget_gone(number);
        assert!(usage.wait(1, 1).is_none(), "the first has not gone away");
        drop(first);
        usage.forget_gone(number);
        let (_, mut second) = usage.wait(1, 1).unwrap();
        assert!(usage.pass_on().is_some_and(Waiting::wake));
        assert!(second.try_recv().is_ok() && !usage.is_over(), "the permit is the second's");
    }

    #[test]
    fn those_who_stay_keep_their_order() {
        const MANY: usize = 50_000;
        let mut usage = PermitUsage::default();
        assert!(usage.take(1));
        let mut waiting: Vec<_> = (0..MANY).map(|_| usage.wait(1, MANY).unwrap()).collect();
        // With a search of the queue for each, this would take minutes.
        for (number, grant) in waiting.drain(10..).rev() {
            drop(grant);
            usage.forget_gone(number);
        }
        for (_, mut grant) in waiting {
            assert!(usage.pass_on().is_some_and(Waiting::wake) && grant.try_recv().is_ok());
        }
        assert!(usage.pass_on().is_none() && usage.is_over());
    }
}
