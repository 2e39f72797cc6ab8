//! Types that Shuttle lacks, and the exploration of schedules.

use std::env;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

use super::{AtomicBool, Mutex};

/// The number of schedules of each kind, unless the environment variable `SCHEDULES` is set.
const SCHEDULES: usize = 20_000;
/// The most preemptions in a schedule of PCT.
const DEPTH: usize = 3;
/// The size of a stack in bytes. Shuttle's default of 32 KB is too small for formatting.
const STACK: usize = 1 << 18;

/// Runs a case under many schedules. Half of them choose the thread of each step at random. The other half
/// have few preemptions, at unlikely steps (PCT). A schedule that fails or deadlocks panics and prints
/// itself.
pub(crate) fn explore(name: &str, case: impl Fn() + Clone + Send + Sync + 'static) {
    let schedules = env::var("SCHEDULES").ok().and_then(|text| text.parse().ok());
    let schedules = schedules.unwrap_or(SCHEDULES);
    let mut config = Config::new();
    config.stack_size = STACK;
    let drawn = Runner::new(RandomScheduler::new(schedules), config.clone()).run(case.clone());
    let few = Runner::new(PctScheduler::new(DEPTH, schedules), config).run(case);
    println!("{name}: {drawn} random schedules, {few} with up to {DEPTH} preemptions");
}

/// `std::sync::OnceLock`, with a step before each read and a step between writing the value and marking it as
/// set.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    is_set: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self { is_set: AtomicBool::new(false), value: std::sync::OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let value = self.value.get_or_init(make);
        self.is_set.store(true, Ordering::Release);
        value
    }
}

/// `arc_swap::Guard`: what `ArcSwap::load` returns.
pub(crate) type ArcGuard<T> = T;

/// `arc_swap::ArcSwap`, whose operations are atomic steps.
pub(crate) struct ArcSwap<T>(Mutex<Arc<T>>);

impl<T> ArcSwap<T> {
    pub(crate) fn from_pointee(value: T) -> Self {
        Self(Mutex::new(Arc::new(value)))
    }

    pub(crate) fn load(&self) -> Arc<T> {
        self.load_full()
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        Arc::clone(&self.0.lock().unwrap())
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        *self.0.lock().unwrap() = value;
    }

    pub(crate) fn swap(&self, value: Arc<T>) -> Arc<T> {
        std::mem::replace(&mut *self.0.lock().unwrap(), value)
    }

    pub(crate) fn rcu<R: Into<Arc<T>>>(&self, mut change: impl FnMut(&Arc<T>) -> R) -> Arc<T> {
        loop {
            let before = self.load_full();
            let after = change(&before).into();
            let mut value = self.0.lock().unwrap();
            if Arc::ptr_eq(&value, &before) {
                *value = after;
                return before;
            }
        }
    }
}

mod schedules {
    use super::super::AtomicUsize;
    use super::*;

    /// Proves that an exploration finds such a bug. Otherwise the other explorations would prove nothing.
    #[test]
    #[should_panic(expected = "an update was lost")]
    fn a_lost_update_is_found() {
        explore("a lost update", || {
            let count = Arc::new(AtomicUsize::new(0));
            let threads = [(); 2].map(|()| {
                let count = Arc::clone(&count);
                shuttle::thread::spawn(move || {
                    let before = count.load(Ordering::SeqCst);
                    count.store(before + 1, Ordering::SeqCst);
                })
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(count.load(Ordering::SeqCst), 2, "an update was lost");
        });
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn a_deadlock_is_found() {
        explore("a deadlock", || {
            let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
            let threads = [(0, 1), (1, 0)].map(|(first, second)| {
                let locks = Arc::clone(&locks);
                shuttle::thread::spawn(move || {
                    let _first = locks[first].lock();
                    let _second = locks[second].lock();
                })
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }
}
