//! Tests of concurrent requests for the same permit, under many random schedules. Time stands still: a request
//! that gives up waiting is one that is dropped.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::Duration;

use shuttle::{future, thread};
use tokio::runtime::Builder;

use super::*;
use crate::concurrency::Permit;
use crate::error::LimiterError;
use crate::key::AccountId;
use crate::sync::{AtomicUsize, explore};

const NO_QUEUE: Concurrency = Concurrency::new(1);
const QUEUE: Concurrency = NO_QUEUE.with_longest_wait(Duration::from_secs(1));

/// Counts the requests that hold a permit.
#[derive(Clone, Default)]
struct Room(Arc<AtomicUsize>);

impl Room {
    fn visit(&self) {
        assert_eq!(self.0.fetch_add(1, Ordering::SeqCst), 0, "two have the one permit");
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn acquire(
    concurrency: &MemoryConcurrency,
    rule: Concurrency,
) -> impl Future<Output = Result<Option<Permit>, LimiterError>> + Send + use<> {
    let account = AccountId::new("acme").unwrap();
    concurrency.acquire(Acquire { account: &account, route: "GET /", rule })
}

/// Starts a request that waits for its permit, takes it, and gives it back.
fn stays(concurrency: &MemoryConcurrency, room: &Room) -> thread::JoinHandle<()> {
    let (concurrency, room) = (concurrency.clone(), room.clone());
    thread::spawn(move || {
        let permit = future::block_on(acquire(&concurrency, QUEUE)).unwrap();
        assert!(permit.is_some(), "the queue has room for all");
        room.visit();
    })
}

/// Explores with a timer, which a wait needs, and which never fires.
fn explore_waiting(name: &str, case: impl Fn() + Clone + Send + Sync + 'static) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    explore(name, case);
}

#[test]
fn one_request_at_a_time_has_the_permit() {
    explore("a permit without a queue", || {
        let (concurrency, room) = (MemoryConcurrency::new(), Room::default());
        let threads = [(); 3].map(|()| {
            let (concurrency, room) = (concurrency.clone(), room.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let permit = future::block_on(acquire(&concurrency, NO_QUEUE)).unwrap();
                    permit.iter().for_each(|_| room.visit());
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(concurrency.len(), 0, "nothing is kept for an account at rest");
    });
}

#[test]
fn a_waiting_request_gets_the_permit() {
    explore_waiting("a permit with a queue", || {
        let (concurrency, room) = (MemoryConcurrency::new(), Room::default());
        let threads = [(); 3].map(|()| stays(&concurrency, &room));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(concurrency.len(), 0, "nothing is kept for an account at rest");
    });
}

#[test]
fn a_dropped_request_keeps_no_permit() {
    explore_waiting("a request that goes away", || {
        let (concurrency, room) = (MemoryConcurrency::new(), Room::default());
        let stays = [(); 2].map(|()| stays(&concurrency, &room));
        let goes = {
            let concurrency = concurrency.clone();
            thread::spawn(move || {
                let mut entering = pin!(acquire(&concurrency, QUEUE));
                // Polled once. Then its client hangs up, with or without a permit.
                let _ = entering.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                thread::yield_now();
            })
        };
        stays.into_iter().for_each(|thread| thread.join().unwrap());
        goes.join().unwrap();
        assert_eq!(concurrency.len(), 0, "nothing is kept for an account at rest");
    });
}
