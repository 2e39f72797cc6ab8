//! Gates that count clients without a valid key together: failed attempts, and anonymous clients.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use http::Request;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::limits::AnonymousQuotas;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};
use tower_api_key_redis::RedisLimiter;

use super::crowded_networks::{FULL, neighbours};
use crate::support::{KEY, PROFILE, Service, greeting, reason, send, store};
use crate::{Redis, TURNS};

const HOUR: Duration = Duration::from_secs(3_600);
const LIMIT: u32 = 5;
const GATES: usize = 4;
const HOME: &str = "192.0.2.1";

/// Gates as in processes of their own, each with a connection of its own.
fn gates(
    server: &Redis,
    describe: impl Fn(ApiKeyLayerBuilder, RedisLimiter) -> ApiKeyLayerBuilder,
) -> Vec<Service> {
    let gate = |_| {
        let limiter = server.limiter().build().unwrap();
        let builder = ApiKeyLayer::builder(PROFILE, store(|key| key));
        greeting(&describe(builder, limiter).build().unwrap())
    };
    (0..GATES).map(gate).collect()
}

async fn reason_for(gate: &Service, peer: &str, key: Option<&str>) -> &'static str {
    let mut request = Request::new(());
    request.extensions_mut().insert(Connection::tls(format!("{peer}:4711").parse().unwrap()));
    if let Some(key) = key {
        let bearer = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
    }
    reason(&send(gate, request).await)
}

#[tokio::test]
async fn a_network_fails_as_often_at_all_gates_together_as_at_one() {
    let _turn = TURNS.read().await;
    for program in Redis::programs() {
        let server = Redis::start_program(&program, &[]);
        let gates = gates(&server, |builder, limiter| {
            let attempts = FailedAttempts::new(LIMIT, HOUR);
            builder.failed_attempts(attempts.counted_by(limiter, OnLimiterFailure::Deny))
        });
        for gate in &gates {
            assert_eq!(reason_for(gate, HOME, Some(KEY)).await, "admitted");
        }
        assert_eq!(server.scripts_run(), 0, "a valid key of a network without failures");
        let mut unknown = 0;
        for number in 0..10 * GATES {
            let guess = Some("a_key_that_nobody_has");
            let answer = reason_for(&gates[number % GATES], HOME, guess).await;
            assert!(["key_unknown", "too_many_failures"].contains(&answer), "{answer}");
            unknown += u32::from(answer == "key_unknown");
        }
        assert_eq!(unknown, LIMIT, "{}", program.display());
        for gate in &gates {
            assert_eq!(reason_for(gate, HOME, Some(KEY)).await, "too_many_failures");
            assert_eq!(reason_for(gate, "198.51.100.1", Some(KEY)).await, "admitted");
        }
    }
}

/// A gate that asks before it looks a key up gives the attempt back.
#[tokio::test]
async fn a_valid_key_of_a_network_with_a_failure_is_no_failed_attempt() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let gates = gates(&server, |builder, limiter| {
        let attempts = FailedAttempts::new(LIMIT, HOUR);
        builder.failed_attempts(attempts.counted_by(limiter, OnLimiterFailure::Deny))
    });
    assert_eq!(reason_for(&gates[0], HOME, Some("a_key_that_nobody_has")).await, "key_unknown");
    for number in 0..10 * u64::from(LIMIT) {
        assert_eq!(reason_for(&gates[0], HOME, Some(KEY)).await, "admitted", "{number}");
        // A call gives it back, for which no request waits.
        while server.scripts_run() < 1 + 2 * (number + 1) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A client can choose its site so that it lies in the set of another, and can keep the counters of the set in use.
#[tokio::test]
async fn a_set_full_of_failures_locks_out_no_valid_key() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let gates = gates(&server, |builder, limiter| {
        let attempts = FailedAttempts::new(LIMIT, HOUR);
        builder.failed_attempts(attempts.counted_by(limiter, OnLimiterFailure::Deny))
    });
    let guess = Some("a_key_that_nobody_has");
    let sites = neighbours(2);
    let peer = |site: usize, number: u16| {
        let IpAddr::V6(first) = sites[site][0] else { panic!("{sites:?}") };
        format!("[{}]", Ipv6Addr::from_bits(first.to_bits() + (u128::from(number) << 64)))
    };
    for number in 0..FULL {
        assert_eq!(reason_for(&gates[0], &peer(0, number), guess).await, "key_unknown");
    }
    // Each gate that has seen a failure of the network asks before it looks a key up.
    let home = peer(1, 0);
    for gate in &gates {
        assert_eq!(reason_for(gate, &home, guess).await, "key_unknown");
    }
    let mut valid = tokio::task::JoinSet::new();
    for gate in gates.iter().chain(&gates) {
        let (gate, home) = (gate.clone(), home.clone());
        valid.spawn(async move { reason_for(&gate, &home, Some(KEY)).await });
    }
    assert!(valid.len() > LIMIT as usize);
    let answers = valid.join_all().await;
    assert!(answers.iter().all(|answer| *answer == "admitted"), "{answers:?}");
    // Others of the site use up the counter that it shares.
    for number in 1..=2 * u16::try_from(LIMIT).unwrap() {
        reason_for(&gates[0], &peer(1, number), guess).await;
    }
    assert_eq!(reason_for(&gates[0], &peer(1, 99), guess).await, "too_many_failures");
    for gate in &gates {
        assert_eq!(reason_for(gate, &home, Some(KEY)).await, "admitted");
    }
    // What a gate has counted itself still bounds the guesses.
    for _ in 0..LIMIT {
        assert_eq!(reason_for(&gates[0], &home, guess).await, "too_many_failures");
    }
    assert_eq!(reason_for(&gates[0], &home, Some(KEY)).await, "too_many_failures");
}

#[tokio::test]
async fn an_anonymous_network_has_its_quota_once_at_all_gates_together() {
    let _turn = TURNS.read().await;
    for program in Redis::programs() {
        let server = Redis::start_program(&program, &[]);
        let gates = gates(&server, |builder, limiter| {
            let quotas = AnonymousQuotas::new([Quota::new("hour", LIMIT, HOUR)]);
            builder.optional().anonymous_quotas(quotas).limits(limiter, OnLimiterFailure::Deny)
        });
        let mut passed = 0;
        for number in 0..5 * GATES {
            passed += u32::from(reason_for(&gates[number % GATES], HOME, None).await == "admitted");
        }
        assert_eq!(passed, LIMIT, "{}", program.display());
        assert_eq!(reason_for(&gates[0], "198.51.100.1", None).await, "admitted");
    }
}
