//! Requests that want the same place, under every order of their steps that was drawn. Time stands
//! still: a wait that ends too late is a request that goes away.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::Duration;

use shuttle::{future, thread};
use tokio::runtime::Builder;

use super::*;
use crate::key::AccountId;
use crate::sync::{AtomicUsize, explore};

const NO_QUEUE: Concurrency = Concurrency::new(1);
const QUEUE: Concurrency = NO_QUEUE.queue_for(Duration::from_secs(1));

/// Counts who is inside.
#[derive(Clone, Default)]
struct Room(Arc<AtomicUsize>);

impl Room {
    fn visit(&self) {
        assert_eq!(self.0.fetch_add(1, Ordering::SeqCst), 0, "two have the one place");
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn enter(places: &MemoryPlaces, rule: Concurrency) -> impl Future<Output = Entered> + Send + use<> {
    let account = AccountId::new("acme").unwrap();
    places.enter(Entry { account: &account, route: "GET /", rule })
}

/// Starts a request that waits for its place, has it, and gives it back.
fn stays(places: &MemoryPlaces, room: &Room) -> thread::JoinHandle<()> {
    let (places, room) = (places.clone(), room.clone());
    thread::spawn(move || {
        let permit = future::block_on(enter(&places, QUEUE)).unwrap();
        assert!(permit.is_some(), "the queue has room for all");
        room.visit();
    })
}

/// Explores with a timer that is there, as waiting needs one, and never fires.
fn explore_waiting(name: &str, case: impl Fn() + Clone + Send + Sync + 'static) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    explore(name, case);
}

#[test]
fn one_request_at_a_time_has_the_place() {
    explore("a place without a queue", || {
        let (places, room) = (MemoryPlaces::new(), Room::default());
        let threads = [(); 3].map(|()| {
            let (places, room) = (places.clone(), room.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let permit = future::block_on(enter(&places, NO_QUEUE)).unwrap();
                    permit.iter().for_each(|_| room.visit());
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(places.len(), 0, "nothing is kept for an account at rest");
    });
}

#[test]
fn who_waits_gets_the_place() {
    explore_waiting("a place with a queue", || {
        let (places, room) = (MemoryPlaces::new(), Room::default());
        let threads = [(); 3].map(|()| stays(&places, &room));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(places.len(), 0, "nothing is kept for an account at rest");
    });
}

#[test]
fn who_goes_away_takes_no_place_along() {
    explore_waiting("a request that goes away", || {
        let (places, room) = (MemoryPlaces::new(), Room::default());
        let stays = [(); 2].map(|()| stays(&places, &room));
        let goes = {
            let places = places.clone();
            thread::spawn(move || {
                let mut entering = pin!(enter(&places, QUEUE));
                // Once, and then its client is gone: granted a place or not.
                let _ = entering.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                thread::yield_now();
            })
        };
        stays.into_iter().for_each(|thread| thread.join().unwrap());
        goes.join().unwrap();
        assert_eq!(places.len(), 0, "nothing is kept for an account at rest");
    });
}
