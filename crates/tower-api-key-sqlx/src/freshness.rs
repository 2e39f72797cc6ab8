//! How old the data of a standby server may be.
//!
//! The clocks of servers differ, and a standby whose primary is idle looks like one that lost it. So no clock of
//! a server is read. This process asks the primary for its place in the log, and asks the standby later whether
//! it has replayed that place. If so, the standby has everything that was committed before the first question.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::listener::LogPlace;

/// The places that are kept, so that a standby that lags by a minute is told by how much.
const PLACES: usize = 64;

/// What is known of the age of a server's data.
#[derive(Debug)]
pub(super) struct Freshness {
    /// The latest places of the primary.
    places: Mutex<VecDeque<LogPlace>>,
    /// Everything that was committed before this instant is visible.
    proven: watch::Sender<Option<Instant>>,
    /// Names the run of the server that answered last.
    server: Mutex<Option<String>>,
}

impl Freshness {
    pub(super) fn new() -> Self {
        Self {
            places: Mutex::default(),
            proven: watch::Sender::new(None),
            server: Mutex::default(),
        }
    }

    /// Notes which server answers. Returns false if it is another than before. Then nothing is proven any more.
    pub(super) fn meet(&self, server: &str) -> bool {
        let mut known = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() == Some(server) {
            return true;
        }
        let is_first = known.replace(server.to_owned()).is_none();
        if !is_first {
            self.proven.send_replace(None);
        }
        is_first
    }

    /// Returns true if what is proven is about this server.
    pub(super) fn is_of(&self, server: &str) -> bool {
        let known = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_deref().is_none_or(|known| known == server)
    }

    /// Returns how old the data may be that a lookup sees which begins now.
    pub(super) fn age(&self) -> Option<Duration> {
        self.proven.borrow().map(|proven| proven.elapsed())
    }

    /// Returns a receiver of the instant for which the data is proven.
    pub(super) fn proven(&self) -> watch::Receiver<Option<Instant>> {
        self.proven.subscribe()
    }

    pub(super) fn note(&self, place: LogPlace) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() == PLACES {
            places.pop_front();
        }
        places.push_back(place);
    }

    /// Returns the latest instant whose place a standby of this cluster has replayed. Places of another
    /// cluster say nothing.
    pub(super) fn as_of(&self, replayed: i64, cluster: i64) -> Option<Instant> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = |it: &&LogPlace| it.place <= replayed && it.cluster == cluster;
        places.iter().rev().find(reached).map(|place| place.asked)
    }

    pub(super) fn prove(&self, instant: Instant) {
        self.proven.send_if_modified(|proven| {
            let is_later = proven.is_none_or(|proven| proven < instant);
            if is_later {
                *proven = Some(instant);
            }
            is_later
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_proven_of_a_server_is_not_proven_of_another() {
        let freshness = Freshness::new();
        assert!(freshness.is_of("one") && freshness.meet("one") && freshness.meet("one"));
        freshness.prove(Instant::now());
        assert!(freshness.is_of("one") && !freshness.is_of("two"));
        assert!(freshness.age().is_some());
        assert!(!freshness.meet("two"));
        assert_eq!(freshness.age(), None);
        assert!(freshness.meet("two") && freshness.is_of("two") && !freshness.is_of("one"));
        freshness.prove(Instant::now());
        assert!(freshness.age().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn data_is_as_old_as_the_latest_question_whose_place_was_replayed() {
        let freshness = Freshness::new();
        assert_eq!(freshness.as_of(i64::MAX, 1), None);
        let began = Instant::now();
        for second in 0..100 {
            let place = 10 * i64::try_from(second).unwrap();
            let asked = began + Duration::from_secs(second);
            freshness.note(LogPlace { asked, place, cluster: 1 });
        }
        for (replayed, expected) in [
            (990, Some(99)),
            (i64::MAX, Some(99)),
            (989, Some(98)),
            (500, Some(50)),
            // Older ones are forgotten.
            (100, None),
        ] {
            let expected = expected.map(|second| began + Duration::from_secs(second));
            assert_eq!(freshness.as_of(replayed, 1), expected, "{replayed}");
            assert_eq!(freshness.as_of(replayed, 2), None, "a standby of another primary");
        }
        assert_eq!(freshness.age(), None);
        freshness.prove(began);
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(freshness.age(), Some(Duration::from_secs(7)));
        freshness.prove(began + Duration::from_secs(5));
        // A proof that comes late proves less.
        freshness.prove(began + Duration::from_secs(2));
        assert_eq!(freshness.age(), Some(Duration::from_secs(2)));
    }
}
