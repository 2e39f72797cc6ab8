//! A store that cannot answer, and word of changes that is lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::Account;
use tower_api_key::store::{
    Cached, Invalidation, Invalidations, ManageError, ManageFuture, StoreError,
};

use crate::double::{Double, Mood, digest};
use crate::{MOMENT, NOBODY_KNOWS, REVOKED, SECOND, SERVES, ask, cached};

/// Word that a test sends, or loses.
struct Word(UnboundedReceiver<Result<Invalidation, ManageError>>);

impl Invalidations for Word {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async move {
            match self.0.recv().await {
                Some(word) => word,
                None => std::future::pending().await,
            }
        })
    }
}

type Says = UnboundedSender<Result<Invalidation, ManageError>>;

fn lost() -> Result<Invalidation, ManageError> {
    Err(ManageError::Store(StoreError::new("lost")))
}

fn listening(store: &Double, grace: Duration) -> (Cached<Double>, ManualClock, Says) {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000_000));
    let cache = Cached::builder(store.clone()).clock(clock.clone()).grace(grace).build();
    let (says, word) = unbounded_channel();
    tokio::spawn(cache.listen(Word(word)));
    (cache, clock, says)
}

async fn a_moment() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn lost_word_makes_the_store_be_asked_and_forgets_nothing() {
    for grace in [Duration::ZERO, 60 * SECOND] {
        let store = Double::new(Mood::Right);
        let (cache, clock, says) = listening(&store, grace);
        assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
        says.send(lost()).unwrap();
        a_moment().await;
        assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 2), "it is asked again");
        assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 2), "and that is kept");
        // Further failures say nothing new.
        for _ in 0..3 {
            says.send(lost()).unwrap();
            tokio::time::sleep(10 * SECOND).await;
        }
        assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 2));
        store.turns(Mood::Down);
        clock.advance((5 * SECOND + grace).saturating_sub(MOMENT));
        assert_eq!(
            ask(&cache, "good").await,
            SERVES,
            "the number holds, with a grace of {grace:?}"
        );
        clock.advance(MOMENT);
        assert_eq!(ask(&cache, "good").await, NOBODY_KNOWS);
        // Word is back. What changed in between nobody has heard.
        store.turns(Mood::Right);
        assert_eq!(ask(&cache, "good").await, SERVES);
        store.turns(Mood::Revoked);
        says.send(Ok(Invalidation::Added)).unwrap();
        a_moment().await;
        assert_eq!(ask(&cache, "good").await, REVOKED);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_down_with_its_word_is_outlived() {
    for (grace, after) in [(Duration::ZERO, 4), (60 * SECOND, 64)] {
        for mood in [Mood::Down, Mood::Hangs] {
            let store = Double::new(Mood::Right);
            let (cache, clock, says) = listening(&store, grace);
            assert_eq!(ask(&cache, "good").await, SERVES);
            store.turns(mood);
            says.send(lost()).unwrap();
            a_moment().await;
            for second in 1..=after {
                clock.advance(SECOND);
                let began = Instant::now();
                assert_eq!(ask(&cache, "good").await, SERVES, "after {second} s, {mood:?}");
                let longest = if second == 1 { 2 * SECOND } else { Duration::ZERO };
                assert!(began.elapsed() <= longest, "it waited after {second} s, {mood:?}");
                says.send(lost()).unwrap();
                a_moment().await;
            }
            clock.advance(SECOND);
            assert_eq!(ask(&cache, "good").await, NOBODY_KNOWS, "{mood:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_grace_nobody_waits_and_the_store_is_asked_behind() {
    let store = Double::new(Mood::Right);
    let (cache, clock, _says) = listening(&store, 60 * SECOND);
    assert_eq!(ask(&cache, "good").await, SERVES);
    store.turns(Mood::Hangs);
    clock.advance(5 * SECOND);
    // The first waits for the whole of its lookup, and those that come meanwhile as long as it does.
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { (ask(&cache, "good").await, Instant::now()) })
        })
        .collect();
    let began = Instant::now();
    for request in waiting {
        let (answer, at) = request.await.unwrap();
        assert_eq!((answer, at - began), (SERVES, 2 * SECOND));
    }
    let began = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(ask(&cache, "good").await, SERVES);
    }
    assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits any more");
    assert_eq!(ask(&cache, "other").await, NOBODY_KNOWS, "what is not kept has to");
    assert_eq!(store.asked(), 4, "once for all of them");
    // The store is back, and says that the key is revoked.
    tokio::time::sleep(2 * SECOND).await;
    store.turns(Mood::Revoked);
    assert_eq!(ask(&cache, "good").await, SERVES, "this one finds out");
    tokio::time::sleep(SECOND).await;
    assert_eq!(ask(&cache, "good").await, REVOKED);
    // And is not failing any more: an old record waits for its lookup.
    store.turns(Mood::Right);
    clock.advance(6 * SECOND);
    assert_eq!(ask(&cache, "good").await, SERVES);
}

#[tokio::test(start_paused = true)]
async fn who_waits_with_an_old_record_at_hand_is_served_when_the_store_fails_at_another_lookup() {
    let store = Double::new(Mood::Right);
    let (cache, clock, _says) = listening(&store, 60 * SECOND);
    assert_eq!(ask(&cache, "good").await, SERVES);
    store.turns(Mood::Hangs);
    let other = tokio::spawn({
        let cache = cache.clone();
        async move { ask(&cache, "other").await }
    });
    tokio::time::sleep(SECOND).await;
    clock.advance(5 * SECOND);
    let began = Instant::now();
    assert_eq!(ask(&cache, "good").await, SERVES);
    assert_eq!(began.elapsed(), SECOND, "when the other lookup failed");
    assert_eq!(other.await.unwrap(), NOBODY_KNOWS);
}

#[tokio::test(start_paused = true)]
async fn what_was_named_serves_in_no_grace() {
    let acme = Account::builder("acme").build().unwrap().id().clone();
    for what in [Invalidation::Secret(digest("good")), Invalidation::Account(acme)] {
        let store = Double::new(Mood::Right);
        let (cache, _, says) = listening(&store, 60 * SECOND);
        assert_eq!(ask(&cache, "good").await, SERVES);
        store.turns(Mood::Down);
        assert_eq!(ask(&cache, "other").await, NOBODY_KNOWS, "the store is known to fail");
        assert_eq!(ask(&cache, "good").await, SERVES);
        says.send(Ok(what.clone())).unwrap();
        a_moment().await;
        assert_eq!(ask(&cache, "good").await, NOBODY_KNOWS, "{what:?}");
    }
}

/// Loses word whenever it is asked for some, and counts that.
struct Lost(Arc<Mutex<usize>>);

impl Invalidations for Lost {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        *self.0.lock().unwrap() += 1;
        Box::pin(async { lost() })
    }
}

/// A database that is down is not asked for word all the time, nor is it asked too seldom.
#[tokio::test(start_paused = true)]
async fn word_that_stays_lost_is_asked_for_after_pauses_that_grow_to_five_seconds() {
    let (cache, _) = cached(&Double::new(Mood::Right));
    let asked = Arc::new(Mutex::new(0));
    tokio::spawn(cache.listen(Lost(Arc::clone(&asked))));
    let asked_within = async |time: Duration| {
        tokio::time::sleep(time).await;
        std::mem::take(&mut *asked.lock().unwrap())
    };
    // 50, 100, 200, 400 and 800 ms, and the one after that is under way.
    assert_eq!(asked_within(2 * SECOND).await, 6);
    // 1.6 and 3.2 s end within this, and the first of 5 s.
    assert_eq!(asked_within(10 * SECOND).await, 3);
    assert_eq!(asked_within(60 * SECOND).await, 12);
}

/// The task would keep its connection to the database otherwise.
#[tokio::test(start_paused = true)]
async fn listening_ends_with_the_cache() {
    let (cache, _) = cached(&Double::new(Mood::Right));
    let (says, word) = unbounded_channel();
    let quiet = tokio::spawn(cache.listen(Word(word)));
    let pausing = tokio::spawn(cache.listen(Lost(Arc::default())));
    let late = cache.listen(Lost(Arc::default()));
    tokio::time::sleep(60 * SECOND).await;
    assert!(!quiet.is_finished() && !pausing.is_finished() && !says.is_closed());
    drop(cache);
    let began = Instant::now();
    for task in [quiet, pausing, tokio::spawn(late)] {
        task.await.unwrap();
    }
    assert!(began.elapsed().is_zero() && says.is_closed(), "without a further notice");
}

/// A clock that moves in ticks, of which no number is 5 seconds.
#[derive(Clone)]
struct Coarse(Arc<Mutex<Timestamp>>);

impl tower_api_key::clock::Clock for Coarse {
    fn now(&self) -> Timestamp {
        let now = self.0.lock().unwrap().unix_nanoseconds();
        Timestamp::from_unix_nanoseconds(now - now % TICK)
    }

    fn lag(&self) -> Duration {
        Duration::from_nanos(TICK)
    }
}

const TICK: u64 = 7_000_000;

#[tokio::test(start_paused = true)]
async fn a_coarse_clock_makes_no_record_serve_longer() {
    let start = Timestamp::from_unix_nanoseconds(1_000_000 * TICK);
    for offset in [0, 1, TICK - 1] {
        let time = Arc::new(Mutex::new(start.plus(Duration::from_nanos(offset))));
        let clock = Coarse(Arc::clone(&time));
        let store = Double::new(Mood::Right);
        let cache = Cached::builder(store.clone()).clock(clock.clone()).build();
        let looked = *time.lock().unwrap();
        assert_eq!(ask(&cache, "good").await, SERVES);
        store.turns(Mood::Revoked);
        *time.lock().unwrap() =
            looked.plus((5 * SECOND).saturating_sub(2 * Duration::from_nanos(TICK)));
        assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 1));
        *time.lock().unwrap() = looked.plus(5 * SECOND);
        assert_eq!(ask(&cache, "good").await, REVOKED, "{offset} ns into a tick");
    }
    // The system's own clock says how coarse it is.
    let lag = tower_api_key::clock::Clock::lag(&tower_api_key::clock::SystemClock);
    assert!(lag <= Duration::from_millis(10), "{lag:?}");
    let (_, manual) = cached(&Double::new(Mood::Right));
    assert_eq!(tower_api_key::clock::Clock::lag(&manual), Duration::ZERO);
}
