//! Several gates that count failed attempts together.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::ManualClock;
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter, Refund};
use tower_api_key::quota::{OnLimiterFailure, Share, Verdict};
use tower_api_key::{ApiKeyLayer, ConfigError, Reply};

use super::{START, from, guess, reason_for};
use crate::support::{KEY, PROFILE, Service, greeting, store};

const HOUR: Duration = Duration::from_secs(3_600);
const LIMIT: u32 = 5;
const GATES: usize = 8;
const HOME: &str = "192.0.2.1";

/// What all gates ask: a limiter in memory, which counts the questions and can fail.
#[derive(Default)]
struct Asked {
    limiter: MemoryLimiter,
    charges: AtomicUsize,
    refunds: AtomicUsize,
    is_down: AtomicBool,
}

impl Limiter for Asked {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.charges.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Reply::now(Err(LimiterError::new("down")));
        }
        let answer = self.limiter.charge(charge);
        Reply::later(async move {
            tokio::task::yield_now().await;
            answer.await
        })
    }

    fn refunds(&self) -> bool {
        true
    }

    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.refunds.fetch_add(1, Ordering::SeqCst);
        self.limiter.refund(refund)
    }
}

struct Fleet {
    asked: Arc<Asked>,
    gates: Vec<Service>,
    clock: ManualClock,
}

impl Fleet {
    fn new(otherwise: OnLimiterFailure) -> Self {
        let (asked, clock) = (Arc::new(Asked::default()), ManualClock::starting_at(START));
        let attempts = FailedAttempts::new(LIMIT, HOUR).counted_by(Arc::clone(&asked), otherwise);
        let gate = |_| {
            let layer = ApiKeyLayer::builder(PROFILE, store(|key| key));
            greeting(&layer.failed_attempts(attempts.clone()).clock(clock.clone()).build().unwrap())
        };
        Self { gates: (0..GATES).map(gate).collect(), asked, clock }
    }

    /// Guesses on all gates in turn, and counts the keys that were looked up.
    async fn guess(&self, guesses: usize) -> usize {
        let mut unknown = 0;
        for number in 0..guesses {
            let answer = reason_for(&self.gates[number % GATES], guess(HOME)).await;
            assert!(["key_unknown", "too_many_failures"].contains(&answer), "{answer}");
            unknown += usize::from(answer == "key_unknown");
        }
        unknown
    }

    fn asks(&self) -> (usize, usize) {
        let count = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        (count(&self.asked.charges), count(&self.asked.refunds))
    }
}

fn good(peer: &str) -> Request<()> {
    from(peer, Some(&format!("Bearer {KEY}")))
}

#[tokio::test]
async fn a_network_fails_as_often_at_all_gates_together_as_at_one() {
    let fleet = Fleet::new(OnLimiterFailure::Deny);
    assert_eq!(fleet.guess(20 * GATES).await, LIMIT as usize);
    for gate in &fleet.gates {
        assert_eq!(reason_for(gate, good(HOME)).await, "too_many_failures", "as at one gate");
        assert_eq!(reason_for(gate, good("198.51.100.1")).await, "admitted");
    }
    fleet.clock.advance(HOUR);
    assert_eq!(reason_for(&fleet.gates[0], good(HOME)).await, "admitted");
}

/// A gate that has not seen the network looks up one key. Its failure tells it that the network is over its limit.
#[tokio::test]
async fn each_gate_serves_at_most_one_key_of_a_network_over_its_limit() {
    let fleet = Fleet::new(OnLimiterFailure::Deny);
    let [first, second, ..] = &*fleet.gates else { panic!("too few gates") };
    for _ in 0..LIMIT {
        assert_eq!(reason_for(first, guess(HOME)).await, "key_unknown");
    }
    assert_eq!(reason_for(second, good(HOME)).await, "admitted", "nothing is known of it here");
    assert_eq!(reason_for(second, guess(HOME)).await, "too_many_failures");
    // One attempt drains in 12 minutes, so the network has room for one, at all gates together.
    fleet.clock.advance(HOUR / LIMIT);
    for _ in 0..3 {
        assert_eq!(reason_for(second, good(HOME)).await, "admitted", "it is given back");
    }
    assert_eq!(reason_for(first, guess(HOME)).await, "key_unknown");
    assert_eq!(reason_for(second, good(HOME)).await, "too_many_failures", "it asks first");
}

#[tokio::test]
async fn a_valid_key_of_a_network_without_failures_asks_nothing() {
    let fleet = Fleet::new(OnLimiterFailure::Deny);
    for _ in 0..10 {
        for gate in &fleet.gates {
            assert_eq!(reason_for(gate, good(HOME)).await, "admitted");
        }
    }
    assert_eq!(fleet.asks(), (0, 0));
    // After a failure the gate that saw it asks first, until the failure has drained.
    assert_eq!(reason_for(&fleet.gates[0], guess(HOME)).await, "key_unknown");
    assert_eq!(fleet.asks(), (1, 0));
    for gate in &fleet.gates[..2] {
        assert_eq!(reason_for(gate, good(HOME)).await, "admitted");
    }
    assert_eq!(fleet.asks(), (1, 1));
    fleet.clock.advance(HOUR / LIMIT);
    assert_eq!(reason_for(&fleet.gates[0], good(HOME)).await, "admitted");
    assert_eq!(fleet.asks(), (0, 0));
}

#[tokio::test]
async fn guesses_at_the_same_time_are_not_more() {
    let fleet = Arc::new(Fleet::new(OnLimiterFailure::Deny));
    let mut guesses = tokio::task::JoinSet::new();
    for number in 0..50 * GATES {
        let fleet = Arc::clone(&fleet);
        guesses.spawn(async move { reason_for(&fleet.gates[number % GATES], guess(HOME)).await });
    }
    let answers = guesses.join_all().await;
    let unknown = answers.iter().filter(|answer| **answer == "key_unknown").count();
    assert_eq!(unknown, LIMIT as usize);
}

#[tokio::test]
async fn a_limiter_that_cannot_answer_does_what_was_chosen() {
    let local = OnLimiterFailure::Local(Share::of(NonZeroU32::new(5).unwrap()));
    for (otherwise, unknown, then) in [
        (OnLimiterFailure::Deny, 0, "limiter_unavailable"),
        (OnLimiterFailure::Allow, LIMIT as usize, "too_many_failures"),
        (local, 1, "too_many_failures"),
    ] {
        let fleet = Fleet::new(otherwise);
        fleet.asked.is_down.store(true, Ordering::SeqCst);
        let gate = &fleet.gates[0];
        assert_eq!(reason_for(gate, good(HOME)).await, "admitted", "it asks nothing");
        let mut answers = Vec::new();
        for _ in 0..LIMIT {
            answers.push(reason_for(gate, guess(HOME)).await);
        }
        let count = answers.iter().filter(|answer| **answer == "key_unknown").count();
        assert_eq!(count, unknown, "{otherwise}: {answers:?}");
        assert_eq!(reason_for(gate, guess(HOME)).await, then, "{otherwise}");
        assert_eq!(reason_for(gate, good("198.51.100.1")).await, "admitted");
    }
}

/// A guess each time that the last one has drained on the layer: only a limiter of all processes would count them.
#[tokio::test]
async fn a_slow_guesser_is_asked_for_while_the_limiter_fails() {
    let local = OnLimiterFailure::Local(Share::of(NonZeroU32::new(5).unwrap()));
    for (otherwise, first, second, good_key) in [
        (
            OnLimiterFailure::Deny,
            "limiter_unavailable",
            "limiter_unavailable",
            "limiter_unavailable",
        ),
        (OnLimiterFailure::Allow, "key_unknown", "key_unknown", "admitted"),
        (local, "key_unknown", "too_many_failures", "too_many_failures"),
    ] {
        let fleet = Fleet::new(otherwise);
        fleet.asked.is_down.store(true, Ordering::SeqCst);
        let gate = &fleet.gates[0];
        assert_eq!(reason_for(gate, guess(HOME)).await, first, "{otherwise}");
        fleet.clock.advance(HOUR / LIMIT);
        assert_eq!(reason_for(gate, good(HOME)).await, good_key, "{otherwise}: looked up");
        assert_eq!(reason_for(gate, guess(HOME)).await, second, "{otherwise}");
        assert_eq!(reason_for(gate, good("198.51.100.1")).await, "admitted", "{otherwise}");
        fleet.asked.is_down.store(false, Ordering::SeqCst);
        fleet.clock.advance(HOUR / LIMIT);
        assert_eq!(reason_for(gate, good(HOME)).await, "admitted", "{otherwise}: it answers");
    }
}

#[test]
fn a_limiter_that_gives_nothing_back_is_refused() {
    struct Takes;
    impl Limiter for Takes {
        fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
            Reply::now(Ok(Verdict::passed()))
        }
    }
    let attempts = FailedAttempts::new(LIMIT, HOUR).counted_by(Takes, OnLimiterFailure::Deny);
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).failed_attempts(attempts).build();
    assert!(matches!(layer.unwrap_err(), ConfigError::AttemptsNotGivenBack));
}
