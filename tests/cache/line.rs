//! More lookups than may be under way at once.

use std::error::Error;
use std::time::Duration;

use tokio::time::Instant;
use tower_api_key::store::{Cached, Invalidation, KeyStore};

use crate::double::{Double, Mood, digest};
use crate::{NOBODY_KNOWS, SECOND, SERVES, UNKNOWN, ask};

#[tokio::test(start_paused = true)]
async fn more_than_may_be_under_way_wait_in_line() {
    const REQUESTS: usize = 20_000;
    let store = Double::new(Mood::Right);
    let cache = Cached::new(store.clone());
    let requests: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let cache = cache.clone();
            tokio::spawn(async move { ask(&cache, &format!("unknown {number}")).await })
        })
        .collect();
    let began = Instant::now();
    for request in requests {
        assert_eq!(request.await.unwrap(), UNKNOWN);
    }
    // The store takes 10 ms for each, 1,000 at once.
    assert!(began.elapsed() <= Duration::from_millis(220), "{:?}", began.elapsed());
    assert_eq!(store.asked(), REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_line_is_served_in_turn_and_no_longer_than_a_lookup_may_take() {
    let store = Double::new(Mood::Waits);
    let cache = Cached::builder(store.clone()).lookups_at_once(2).build();
    let ask = |secret: &'static str| {
        let cache = cache.clone();
        tokio::spawn(async move { ask(&cache, secret).await })
    };
    let (one, two) = (ask("one"), ask("two"));
    tokio::task::yield_now().await;
    let three = ask("three");
    tokio::task::yield_now().await;
    let (good, same) = (ask("good"), ask("good"));
    tokio::time::sleep(SECOND).await;
    assert_eq!(store.asked(), 2, "as many as may be under way");
    store.let_go();
    assert_eq!(one.await.unwrap(), UNKNOWN);
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(store.asked(), 3);
    store.let_go();
    assert_eq!(two.await.unwrap(), UNKNOWN);
    tokio::time::sleep(SECOND / 4).await;
    store.let_go();
    assert_eq!(three.await.unwrap(), UNKNOWN, "it came before the fourth");
    store.let_go();
    assert_eq!((good.await.unwrap(), same.await.unwrap()), (SERVES, SERVES));
    assert_eq!(store.asked(), 4, "those in line share a lookup, too");

    store.turns(Mood::Hangs);
    let began = Instant::now();
    let early = ["a", "b"].map(ask);
    tokio::time::sleep(SECOND).await;
    let late = ["c", "d"].map(ask);
    for (requests, seconds) in [(early, 2), (late, 3)] {
        for request in requests {
            assert_eq!(request.await.unwrap(), NOBODY_KNOWS);
        }
        assert_eq!(began.elapsed(), seconds * SECOND, "the time in line is a part of a lookup's");
    }
    store.turns(Mood::Right);
    assert_eq!(ask("another").await.unwrap(), UNKNOWN, "all places are free again");
    assert_eq!(began.elapsed(), 4 * SECOND + Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_gives_its_place_in_line_back() {
    let store = Double::new(Mood::Waits);
    let cache = Cached::builder(store.clone()).lookups_at_once(1).build();
    let ask = |secret: String| {
        let cache = cache.clone();
        tokio::spawn(async move { ask(&cache, &secret).await })
    };
    let first = ask("first".into());
    tokio::task::yield_now().await;
    let gone: Vec<_> = (0..1_000).map(|number| ask(format!("gone {number}"))).collect();
    let shared = [ask("shared".into()), ask("shared".into())];
    tokio::time::sleep(SECOND / 4).await;
    gone.iter().for_each(tokio::task::JoinHandle::abort);
    let [one, other] = shared;
    one.abort();
    tokio::time::sleep(SECOND / 4).await;
    store.let_go();
    store.let_go();
    assert_eq!(first.await.unwrap(), UNKNOWN);
    assert_eq!(other.await.unwrap(), UNKNOWN, "it waits for a lookup that another began");
    assert_eq!(store.asked(), 2, "nobody is asked for those who have gone");
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_is_not_made_is_told_from_one_that_is_not_answered() {
    const LINE: usize = 65_536;
    let store = Double::new(Mood::Hangs);
    let cache = Cached::builder(store.clone()).lookups_at_once(1).build();
    let told = |number: usize| {
        let found = cache.find(&digest(&number.to_string()));
        async move { found.await.unwrap_err().source().unwrap().to_string() }
    };
    let (hangs, waits) = (told(0), told(1));
    tokio::task::yield_now().await;
    let others: Vec<_> = (2..=LINE).map(|number| Box::pin(told(number))).collect();
    let began = Instant::now();
    assert!(told(LINE + 1).await.contains("lookups wait already"));
    assert_eq!(began.elapsed(), Duration::ZERO, "the line is full");
    drop(others);
    let (hangs, waits) = tokio::join!(hangs, waits);
    assert!(hangs.contains("the store did not answer within 2s"), "{hangs}");
    assert!(waits.contains("the lookup waited in the queue for 2s"), "{waits}");
    assert_eq!(store.asked(), 1);
    store.turns(Mood::Right);
    assert_eq!(ask(&cache, "good").await, SERVES, "the line is empty again");
}

#[tokio::test(start_paused = true)]
async fn a_notice_keeps_nobody_in_line_from_being_answered_and_kept() {
    let store = Double::new(Mood::Waits);
    let cache = Cached::builder(store.clone()).lookups_at_once(1).build();
    let ask_for = |secret: &'static str| {
        let cache = cache.clone();
        tokio::spawn(async move { ask(&cache, secret).await })
    };
    let first = ask_for("first");
    tokio::task::yield_now().await;
    let good = ask_for("good");
    tokio::task::yield_now().await;
    cache.invalidate(&Invalidation::Secret(digest("good")));
    cache.invalidate(&Invalidation::Everything);
    let same = ask_for("good");
    tokio::task::yield_now().await;
    store.let_go();
    store.let_go();
    assert_eq!(first.await.unwrap(), UNKNOWN);
    assert_eq!((good.await.unwrap(), same.await.unwrap()), (SERVES, SERVES));
    assert_eq!((ask(&cache, "good").await, store.asked()), (SERVES, 2));
}

#[tokio::test]
async fn any_setting_makes_a_cache() {
    for (lookups, capacity) in [(0, 0), (usize::MAX, usize::MAX)] {
        let longest = Duration::MAX;
        let store = Double::new(Mood::Right);
        let cache = Cached::builder(store.clone()).lookups_at_once(lookups);
        let cache = cache.capacity(capacity, capacity).timeout(longest).staleness(longest);
        let cache = cache.grace(longest).unknown_for(longest).build();
        for _ in 0..2 {
            assert!(cache.find(&digest("good")).await.unwrap().is_some());
            assert!(cache.find(&digest("unknown")).await.unwrap().is_none());
        }
        assert_eq!(store.asked(), if capacity == 0 { 4 } else { 2 });
    }
}

#[test]
fn without_a_runtime_a_lookup_fails_and_leaves_nothing_behind() {
    let store = Double::new(Mood::Right);
    let cache = Cached::builder(store.clone()).lookups_at_once(1).build();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().unwrap()
    };
    let ended = runtime();
    let handle = ended.handle().clone();
    drop(ended);
    for _ in 0..3 {
        let _inside = handle.enter();
        let mut asking = Box::pin(async { cache.find(&digest("good")).await.is_err() });
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let answer = asking.as_mut().poll(&mut context);
        assert!(matches!(answer, std::task::Poll::Ready(true)), "its runtime has ended");
    }
    assert_eq!(runtime().block_on(ask(&cache, "good")), SERVES);
}
