//! A source that proves that it is up to date: records are read once, and the promise holds all the same.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::Account;
use tower_api_key::store::{
    Cached, CachedBuilder, Invalidation, Invalidations, KeyStore, ManageError, ManageFuture,
    StoreError,
};

use crate::double::{Double, Mood, digest};
use crate::{MOMENT, NOBODY_KNOWS, REVOKED, SECOND, SERVES, UNKNOWN, ask};

/// The time between two proofs.
const BEAT: Duration = Duration::from_millis(500);

/// A machine under tokio's paused time. Its wall clock can be set, and it can be suspended.
#[derive(Clone, Default)]
struct Machine(Arc<Mutex<Skew>>);

#[derive(Default)]
struct Skew {
    /// How far the wall clock is ahead of the time that passed, in seconds.
    wall: i64,
    start: Option<tokio::time::Instant>,
}

impl Machine {
    fn elapsed(&self) -> Duration {
        let now = tokio::time::Instant::now();
        now - *self.0.lock().unwrap().start.get_or_insert(now)
    }

    fn sets_wall_clock(&self, seconds: i64) {
        self.0.lock().unwrap().wall += seconds;
    }

    /// Time passes, and neither tasks nor the steady clock go on.
    fn is_suspended(&self, for_seconds: i64) {
        self.sets_wall_clock(for_seconds);
    }

    fn cache(&self, store: &Double) -> CachedBuilder<Double> {
        self.elapsed();
        Cached::builder(store.clone()).clock(self.clone())
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let seconds = 1_000_000i64 + self.0.lock().unwrap().wall;
        Timestamp::from_unix_seconds(seconds.unsigned_abs()).plus(self.elapsed())
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    fn steady(&self) -> Duration {
        self.elapsed()
    }

    fn exact_steady(&self) -> Duration {
        self.steady()
    }
}

/// A source that gives a proof at each beat while it is alive, and what a test says.
struct Source {
    said: UnboundedReceiver<Result<Invalidation, ManageError>>,
    alive: Arc<Mutex<bool>>,
}

impl Invalidations for Source {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async move {
            loop {
                match tokio::time::timeout(BEAT, self.said.recv()).await {
                    Ok(Some(said)) => return said,
                    Ok(None) => std::future::pending().await,
                    Err(_) if *self.alive.lock().unwrap() => {
                        let since = tokio::time::Instant::now().into_std();
                        // The round trip.
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        return Ok(Invalidation::UpToDate(since));
                    }
                    Err(_) => {}
                }
            }
        })
    }
}

struct Remote {
    says: UnboundedSender<Result<Invalidation, ManageError>>,
    alive: Arc<Mutex<bool>>,
}

impl Remote {
    fn says(&self, what: Invalidation) {
        self.says.send(Ok(what)).unwrap();
    }

    fn fails(&self) {
        self.says.send(Err(ManageError::Store(StoreError::new("lost")))).unwrap();
    }

    /// Falls silent, or is alive again, with all that it had to say.
    fn is_alive(&self, alive: bool) {
        *self.alive.lock().unwrap() = alive;
    }
}

async fn listening<S: KeyStore>(cache: &Cached<S>) -> Remote {
    let (says, said) = unbounded_channel();
    let alive = Arc::new(Mutex::new(true));
    tokio::spawn(cache.listen(Source { said, alive: Arc::clone(&alive) }));
    says.send(Ok(Invalidation::Everything)).unwrap();
    tokio::time::sleep(3 * BEAT).await;
    Remote { says, alive }
}

/// Asks for some secrets, ten times a second for a minute.
async fn a_hot_minute(cache: &Cached<Double>, secrets: &[&str]) {
    for _ in 0..600 {
        for secret in secrets {
            ask(cache, secret).await.unwrap();
        }
        tokio::time::sleep(SECOND / 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_record_is_read_once_while_proofs_come() {
    let secrets = ["good", "unknown", "another"];
    for (proven, lookups) in [(false, 12 + 2 * 60), (true, 3)] {
        let (store, machine) = (Double::new(Mood::Right), Machine::default());
        let cache = machine.cache(&store).build();
        let remote = listening(&cache).await;
        remote.is_alive(proven);
        // Lasts until the proofs before are over.
        tokio::time::sleep(10 * SECOND).await;
        a_hot_minute(&cache, &secrets).await;
        let asked = store.asked();
        assert!(asked.abs_diff(lookups) <= lookups / 10, "{asked} lookups, proven: {proven}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_age_counts_from_the_last_proof_and_no_longer_than_stated() {
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    let remote = listening(&cache).await;
    assert_eq!((ask(&cache, "good").await, ask(&cache, "unknown").await), (SERVES, UNKNOWN));
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 2));
    // The source falls silent, and something changes at once.
    remote.is_alive(false);
    store.turns(Mood::Revoked);
    let silent = tokio::time::Instant::now();
    let (mut last, mut last_unknown) = (silent, silent);
    while silent.elapsed() < 10 * SECOND {
        let now = tokio::time::Instant::now();
        last = if ask(&cache, "good").await == SERVES { now } else { last };
        let asked = store.asked();
        ask(&cache, "unknown").await.unwrap();
        last_unknown = if asked == store.asked() && asked == 2 { now } else { last_unknown };
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (late, late_unknown) = (last - silent, last_unknown - silent);
    assert!(late < 5 * SECOND && late > 4 * SECOND, "{late:?}");
    assert!(late_unknown < SECOND, "{late_unknown:?}");
    // Then as without a source.
    store.turns(Mood::Right);
    tokio::time::sleep(5 * SECOND).await;
    let before = store.asked();
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, before + 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_notice_names_is_read_again_though_proofs_come() {
    let acme = Account::builder("acme").build().unwrap().id().clone();
    for what in [
        Invalidation::Secret(digest("good")),
        Invalidation::Account(acme),
        Invalidation::Everything,
    ] {
        let (store, machine) = (Double::new(Mood::Right), Machine::default());
        let cache = machine.cache(&store).build();
        let remote = listening(&cache).await;
        assert_eq!(ask(&cache, "good").await, SERVES);
        tokio::time::sleep(60 * SECOND).await;
        store.turns(Mood::Revoked);
        remote.says(what.clone());
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!((ask(&cache, "good").await, store.asked()), (REVOKED, 2), "{what:?}");
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!((ask(&cache, "good").await, store.asked()), (REVOKED, 2), "{what:?}");
    }
    // An unknown secret is added.
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    let remote = listening(&cache).await;
    assert_eq!(ask(&cache, "unknown").await, UNKNOWN);
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((ask(&cache, "unknown").await, store.asked()), (UNKNOWN, 1));
    remote.says(Invalidation::Added);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((ask(&cache, "unknown").await, store.asked()), (UNKNOWN, 2));
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_source_each_record_is_read_again_once() {
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    let remote = listening(&cache).await;
    let secrets = ["good", "unknown", "another"];
    a_hot_minute(&cache, &secrets).await;
    assert_eq!(store.asked(), 3);
    remote.fails();
    tokio::time::sleep(Duration::from_millis(1)).await;
    remote.says(Invalidation::Everything);
    tokio::time::sleep(SECOND).await;
    a_hot_minute(&cache, &secrets).await;
    assert_eq!(store.asked(), 6, "once more each");
}

/// A proof after lost notices says nothing about what was read before.
#[tokio::test(start_paused = true)]
async fn no_later_proof_makes_a_doubtful_record_younger() {
    for (grace, seconds) in [(Duration::ZERO, 5), (60 * SECOND, 65)] {
        let (store, machine) = (Double::new(Mood::Right), Machine::default());
        let cache = machine.cache(&store).grace(grace).build();
        let remote = listening(&cache).await;
        assert_eq!(ask(&cache, "good").await, SERVES);
        tokio::time::sleep(600 * SECOND).await;
        assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
        // The store fails, and with it the source, which comes back alone.
        store.turns(Mood::Down);
        remote.fails();
        let lost = tokio::time::Instant::now();
        tokio::time::sleep(2 * SECOND).await;
        remote.says(Invalidation::Everything);
        let mut last = lost;
        while lost.elapsed() < 100 * SECOND {
            let now = tokio::time::Instant::now();
            last = if ask(&cache, "good").await == SERVES { now } else { last };
            tokio::time::sleep(SECOND / 50).await;
        }
        let late = last - lost;
        let expected = (seconds - 1) * SECOND..seconds * SECOND;
        assert!(expected.contains(&late), "{late:?} after the last proof, with grace {grace:?}");
        assert_eq!(ask(&cache, "good").await, NOBODY_KNOWS);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_makes_nothing_younger() {
    for (seconds, again) in [(-3, 0), (-3_600, 1), (3_600, 1), (-1_000_000, 1)] {
        for alive in [true, false] {
            let (store, machine) = (Double::new(Mood::Right), Machine::default());
            let cache = machine.cache(&store).build();
            let remote = listening(&cache).await;
            assert_eq!(ask(&cache, "good").await, SERVES);
            tokio::time::sleep(60 * SECOND).await;
            assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
            remote.is_alive(alive);
            machine.sets_wall_clock(seconds);
            tokio::time::sleep(3 * BEAT).await;
            if alive {
                assert_eq!(ask(&cache, "good").await, SERVES);
                assert!(store.asked() <= 1 + again, "set by {seconds} s");
                let asked = store.asked();
                tokio::time::sleep(60 * SECOND).await;
                assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, asked));
                continue;
            }
            store.turns(Mood::Revoked);
            let changed = tokio::time::Instant::now();
            let mut last = changed;
            while changed.elapsed() < 10 * SECOND {
                let now = tokio::time::Instant::now();
                last = if ask(&cache, "good").await == SERVES { now } else { last };
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(last - changed < 5 * SECOND, "{:?}, set by {seconds} s", last - changed);
        }
    }
}

/// The same without a source. A record from long ago is none from now, though the clock says so.
#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_revives_no_record() {
    for age in [4, 3_600] {
        let (store, machine) = (Double::new(Mood::Right), Machine::default());
        let cache = machine.cache(&store).build();
        assert_eq!(ask(&cache, "good").await, SERVES);
        store.turns(Mood::Revoked);
        tokio::time::sleep(Duration::from_secs(age)).await;
        machine.sets_wall_clock(1 - i64::try_from(age).unwrap());
        tokio::time::sleep(SECOND).await;
        assert_eq!(ask(&cache, "good").await, REVOKED, "after {age} s");
    }
}

/// Its tasks stand still, and its steady clock too; time does not.
#[tokio::test(start_paused = true)]
async fn a_machine_that_was_suspended_asks_before_it_answers() {
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    let _remote = listening(&cache).await;
    assert_eq!(ask(&cache, "good").await, SERVES);
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
    store.turns(Mood::Revoked);
    machine.is_suspended(600);
    assert_eq!(ask(&cache, "good").await, REVOKED);
}

/// Each source reports other changes.
#[tokio::test(start_paused = true)]
async fn the_age_counts_from_the_oldest_proof_of_several_sources() {
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    let (one, other) = (listening(&cache).await, listening(&cache).await);
    assert_eq!(ask(&cache, "good").await, SERVES);
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
    other.is_alive(false);
    store.turns(Mood::Revoked);
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!((ask(&cache, "good").await, store.asked()), (REVOKED, 2));
    drop(one);
}

/// What changed before the source listened it cannot have reported.
#[tokio::test(start_paused = true)]
async fn a_source_that_comes_late_proves_nothing_about_earlier_records() {
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    assert_eq!(ask(&cache, "good").await, SERVES);
    store.turns(Mood::Revoked);
    let (_says, said) = unbounded_channel();
    tokio::spawn(cache.listen(Source { said, alive: Arc::new(Mutex::new(true)) }));
    tokio::time::sleep((5 * SECOND).saturating_sub(MOMENT)).await;
    assert_eq!(ask(&cache, "good").await, REVOKED);
}

#[tokio::test(start_paused = true)]
async fn a_record_is_read_again_after_a_while_all_the_same() {
    for (refresh_after, lookups) in [(20 * SECOND, 4..=7), (Duration::ZERO, 12..=13)] {
        let (store, machine) = (Double::new(Mood::Right), Machine::default());
        let cache = machine.cache(&store).refresh_after(refresh_after).build();
        let _remote = listening(&cache).await;
        a_hot_minute(&cache, &["good"]).await;
        assert!(lookups.contains(&store.asked()), "{} lookups", store.asked());
    }
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    let _remote = listening(&cache).await;
    for _ in 0..240 {
        ask(&cache, "good").await.unwrap();
        tokio::time::sleep(60 * SECOND).await;
    }
    assert!((4..=9).contains(&store.asked()), "{} lookups in four hours", store.asked());
}

/// A clock whose ticks come late, as on a machine whose processor was taken away.
struct LateTicks(Arc<Mutex<Duration>>, Instant);

impl Clock for LateTicks {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000).plus(self.steady())
    }

    fn lag(&self) -> Duration {
        Duration::from_millis(4)
    }

    fn steady(&self) -> Duration {
        self.exact_steady().saturating_sub(*self.0.lock().unwrap())
    }

    fn exact_steady(&self) -> Duration {
        tokio::time::Instant::now().into_std() - self.1
    }
}

#[tokio::test(start_paused = true)]
async fn a_tick_that_comes_late_makes_no_record_serve_longer() {
    for late in [0, 4, 5, 100, 600] {
        let behind = Arc::new(Mutex::new(Duration::ZERO));
        let start = tokio::time::Instant::now().into_std();
        let store = Double::new(Mood::Right);
        let clock = LateTicks(Arc::clone(&behind), start);
        let cache = Cached::builder(store.clone()).clock(clock).build();
        let asked = tokio::time::Instant::now();
        assert_eq!(ask(&cache, "good").await, SERVES);
        store.turns(Mood::Revoked);
        tokio::time::sleep(SECOND).await;
        *behind.lock().unwrap() = Duration::from_millis(late);
        let mut last = asked;
        while asked.elapsed() < 6 * SECOND {
            let now = tokio::time::Instant::now();
            last = if ask(&cache, "good").await == SERVES { now } else { last };
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(last - asked < 5 * SECOND, "{:?}, {late} ms behind", last - asked);
        assert!(last - asked > 4 * SECOND + SECOND / 2, "{:?}", last - asked);
    }
}

/// The real clock, with its ticks.
#[tokio::test]
async fn the_systems_clock_makes_no_record_serve_longer() {
    const STALENESS: Duration = Duration::from_millis(40);
    let mut latest = Duration::ZERO;
    for _ in 0..25 {
        let store = Double::new(Mood::Right);
        let cache = Cached::builder(store.clone()).staleness(STALENESS).build();
        assert_eq!(ask(&cache, "good").await, SERVES);
        store.turns(Mood::Revoked);
        let revoked = Instant::now();
        loop {
            let began = Instant::now();
            if ask(&cache, "good").await == REVOKED {
                break;
            }
            latest = latest.max(began - revoked);
        }
    }
    assert!(latest < STALENESS, "{latest:?}");
}

#[test]
fn the_systems_steady_clock_goes_on() {
    let (steady, exact) = (SystemClock.steady(), SystemClock.exact_steady());
    assert!(steady <= exact, "{steady:?} is not behind {exact:?}");
    std::thread::sleep(Duration::from_millis(30));
    assert!(SystemClock.exact_steady() >= exact + Duration::from_millis(30));
    assert!(SystemClock.steady() > steady);
    let shared: Arc<dyn Clock> = Arc::new(SystemClock);
    assert!(shared.steady() > steady && shared.exact_steady() > exact);
}

/// A source whose two proofs take 3 seconds each. Then it falls silent.
struct Slow(usize);

impl Invalidations for Slow {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async {
            let since = tokio::time::Instant::now().into_std();
            self.0 += 1;
            tokio::time::sleep(if self.0 > 2 { Duration::MAX } else { 3 * SECOND }).await;
            Ok(Invalidation::UpToDate(since))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_takes_long_is_about_its_beginning() {
    let (store, machine) = (Double::new(Mood::Right), Machine::default());
    let cache = machine.cache(&store).build();
    let began = tokio::time::Instant::now();
    tokio::spawn(cache.listen(Slow(0)));
    // The second proof has begun, and ends at 6 s.
    tokio::time::sleep(3 * SECOND + SECOND / 10).await;
    assert_eq!(ask(&cache, "good").await, SERVES);
    store.turns(Mood::Revoked);
    let mut last = began;
    while began.elapsed() < 15 * SECOND {
        let now = tokio::time::Instant::now();
        last = if ask(&cache, "good").await == SERVES { now } else { last };
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = (last - began).as_secs_f64();
    assert!((8.0..8.2).contains(&after), "the last pass came after {after} s");
}
