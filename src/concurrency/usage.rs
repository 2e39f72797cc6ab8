//! The permits of one account on one route: how many are taken, and which requests wait.

use std::collections::VecDeque;

use tokio::sync::oneshot::{self, Receiver, Sender};

/// The permits of an account on a route. No waiting request has room.
#[derive(Default)]
pub(super) struct PermitUsage {
    taken: usize,
    queue: VecDeque<Waiting>,
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

    /// Adds a request to the queue. Returns `None` if this many or more wait.
    pub(super) fn wait(&mut self, most: usize, longest_queue: usize) -> Option<Receiver<()>> {
        if self.queue.len() >= longest_queue {
            return None;
        }
        let (granted, grant) = oneshot::channel();
        self.queue.push_back(Waiting { most, granted });
        Some(grant)
    }

    /// Takes a permit back. Returns the first request with room, which has the permit now.
    pub(super) fn pass_on(&mut self) -> Option<Waiting> {
        self.taken = self.taken.saturating_sub(1);
        let taken = self.taken;
        let next = self.queue.iter().position(|waiting| taken < waiting.most);
        let next = next.and_then(|index| self.queue.remove(index));
        self.taken += usize::from(next.is_some());
        next
    }

    /// Forgets the waiting requests that have gone away.
    pub(super) fn forget_gone(&mut self) {
        self.queue.retain(|waiting| !waiting.granted.is_closed());
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
        let mut old = usage.wait(1, 9).unwrap();
        assert!(usage.take(2) && !usage.take(2), "the new rule has room for one more");
        let mut new = usage.wait(2, 9).unwrap();
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
        let first = usage.wait(1, 1).unwrap();
        assert!(usage.wait(1, 1).is_none());
        drop(first);
        usage.forget_gone();
        let mut second = usage.wait(1, 1).unwrap();
        assert!(usage.pass_on().is_some_and(Waiting::wake));
        assert!(second.try_recv().is_ok() && !usage.is_over(), "the permit is the second's");
    }
}
