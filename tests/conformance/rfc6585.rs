//! RFC 6585: statuses that came later than HTTP.

use std::time::Duration;

use tower_api_key::ApiKeyLayer;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Quota};

use super::gates::rest;
use super::server::Server;
use super::wire::{Answer, Client, get, head};
use crate::support::{KEY, PROFILE, store};

/// The REST API's answer to one request too many.
const LIMITED: &str = "\
HTTP/1.1 429 Too Many Requests
cache-control: no-store
content-length: 32
content-type: application/json

{\"error\":\"Rate limit exceeded.\"}";

/// §4: a 429 says when to come back, in whole seconds, never 0; and to come back then works.
#[tokio::test]
async fn rfc6585_4_retry_after_is_a_promise() {
    let minute = |limit| Quota::new("minute", limit, Duration::from_secs(60));
    let bucket = |limit| minute(limit).with_algorithm(Algorithm::LeakyBucket);
    let sliding = |limit| minute(limit).with_algorithm(Algorithm::SlidingWindow);
    for (quota, waited, told) in [
        (minute(2), 0, "60"),
        (minute(2), 500, "60"),
        (minute(2), 59_001, "1"),
        (minute(2), 59_999, "1"),
        (bucket(60), 0, "1"),
        (bucket(2), 0, "30"),
        (bucket(7), 0, "9"), // 60/7 rounded up
        (sliding(2), 0, "65"),
        (sliding(2), 64_999, "1"),
    ] {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000));
        let layer = ApiKeyLayer::builder(PROFILE, store(|key| key.quotas([quota.clone()])))
            .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
            .clock(clock.clone());
        let server = Server::start(&layer.build().unwrap()).await;
        let line = format!("Authorization: Bearer {KEY}");
        for _ in 0..quota.limit() {
            assert_eq!(get(&server, &line).await.status(), 200, "{quota:?}");
        }
        clock.advance(Duration::from_millis(waited));
        for _ in 0..3 {
            let mut refused = get(&server, &line).await;
            assert_eq!(refused.field("retry-after"), Some(told), "{quota:?} after {waited} ms");
            let of_limits = ["retry-after", "ratelimit-remaining", "ratelimit-reset"];
            refused.fields.retain(|(name, _)| !of_limits.contains(&&**name));
            assert_eq!(refused, Answer::of(LIMITED), "§4: and it is never stored");
        }
        clock.advance(Duration::from_secs(told.parse().unwrap()));
        assert_eq!(get(&server, &line).await.status(), 200, "{quota:?} after {told} s more");
    }
}

/// §5: fields that are too large, all together or one of them, are refused by the server.
#[tokio::test]
async fn rfc6585_5_fields_that_are_too_large_are_no_request() {
    let server = Server::start(&rest()).await;
    let key = format!("Authorization: Bearer {KEY}");
    let many = "X-A: b\r\n".repeat(1_000);
    let long = format!("X-A: {}\r\n", "a".repeat(1_000_000));
    for lines in [many, long] {
        let mut client = Client::connect(&server).await;
        client.send(head("GET / HTTP/1.1", lines + &key)).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), &*answer.body), (431, ""));
    }
    assert_eq!(server.reached(), 0);
}
