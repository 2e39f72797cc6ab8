//! Request limits: two windows of REST API Integrations, and the leaky bucket of Persona.

use std::time::Duration;

use tower_api_key::key::KeyRecordBuilder;

use super::case::{Case, NOW};
use super::gate::{Answered, Gate};
use super::{persona, rest_integrations};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const READ: Case = rest_integrations::GOOD;
/// Refused for want of a route.
const UNROUTED: Case = READ.request("PATCH", "/v1/users");

async fn send(gate: &Gate, case: Case) -> Answered {
    gate.send(case.to_request()).await
}

/// Sends requests that must be served, and returns the last response.
async fn serve(gate: &Gate, case: Case, times: usize) -> Answered {
    let mut answered = send(gate, case).await;
    for _ in 1..times {
        answered = send(gate, case).await;
        assert_eq!(answered.status, 200);
    }
    assert_eq!(answered.status, 200);
    answered
}

/// Asserts a status, `RateLimit-Remaining` and `RateLimit-Reset`, and that `Retry-After` is there
/// on a 429 and nowhere else, and equal to the reset.
fn assert_standing(answered: &Answered, status: u16, remaining: &str, reset: &str) {
    assert_eq!(answered.status, status);
    assert_eq!(answered.header("ratelimit-remaining"), Some(remaining));
    assert_eq!(answered.header("ratelimit-reset"), Some(reset));
    let wait = (status == 429).then_some(reset);
    assert_eq!(answered.header("retry-after"), wait);
    assert_eq!(answered.header("ratelimit-limit"), None);
}

#[tokio::test]
async fn a_hundred_requests_a_minute() {
    let gate = Gate::of(&READ);
    for number in 1..=100 {
        let remaining = (100 - number).to_string();
        assert_standing(&send(&gate, READ).await, 200, &remaining, "60");
    }
    for _ in 0..50 {
        assert_standing(&send(&gate, READ).await, 429, "0", "60");
    }
    assert_eq!(gate.reached(), 100);
    gate.clock.advance(Duration::from_millis(29_500));
    assert_standing(&send(&gate, READ).await, 429, "0", "31");
    gate.clock.advance(Duration::from_nanos(30_499_999_999));
    assert_standing(&send(&gate, READ).await, 429, "0", "1");
    gate.clock.advance(Duration::from_nanos(1));
    assert_standing(&send(&gate, READ).await, 200, "99", "60");
}

#[tokio::test]
async fn five_thousand_requests_an_hour() {
    let gate = Gate::of(&READ);
    for minute in 0..50_u32 {
        gate.clock.set(NOW.plus(MINUTE * minute));
        serve(&gate, READ, 100).await;
        // What the minute refuses takes nothing from the hour, or the hour were over sooner.
        for _ in 0..10 {
            assert_eq!(send(&gate, READ).await.status, 429);
        }
    }
    assert_eq!(gate.reached(), 5_000);
    gate.clock.set(NOW.plus(MINUTE * 50));
    assert_standing(&send(&gate, READ).await, 429, "0", "600");
    // What the hour refuses takes nothing from the minute, and makes nothing longer.
    gate.clock.set(NOW.plus(SECOND * 3_599));
    for _ in 0..200 {
        assert_standing(&send(&gate, READ).await, 429, "0", "1");
    }
    gate.clock.set(NOW.plus(SECOND * 3_600));
    assert_standing(&send(&gate, READ).await, 200, "99", "60");
    assert_standing(&serve(&gate, READ, 99).await, 200, "0", "60");
}

#[tokio::test]
async fn the_headers_speak_of_the_window_nearest_to_its_end() {
    let gate = late(100).await;
    assert_standing(&serve(&gate, READ, 40).await, 200, "60", "660");
    // A new minute is farther from its end than the hour.
    gate.clock.advance(MINUTE);
    assert_standing(&send(&gate, READ).await, 200, "59", "600");
    assert_standing(&serve(&gate, READ, 59).await, 200, "0", "600");
    assert_standing(&send(&gate, READ).await, 429, "0", "600");

    // One more is left of the hour than of the minute.
    let gate = late(101).await;
    assert_standing(&send(&gate, READ).await, 200, "99", "60");
    assert_standing(&serve(&gate, READ, 99).await, 200, "0", "60");
    assert_standing(&send(&gate, READ).await, 429, "0", "60");
}

#[tokio::test]
async fn on_a_tie_the_window_that_resets_last_counts() {
    let gate = late(100).await;
    assert_standing(&send(&gate, READ).await, 200, "99", "660");
    assert_standing(&serve(&gate, READ, 99).await, 200, "0", "660");
    assert_standing(&send(&gate, READ).await, 429, "0", "660");
}

/// Uses up the hour but for `left` requests, until a minute begins 660 s before it ends.
async fn late(left: usize) -> Gate {
    let gate = Gate::of(&READ);
    for minute in 0..49_u32 {
        gate.clock.set(NOW.plus(MINUTE * minute));
        serve(&gate, READ, if minute == 0 { 200 - left } else { 100 }).await;
    }
    gate.clock.set(NOW.plus(MINUTE * 49));
    gate
}

#[tokio::test]
async fn refusals_say_how_the_account_stands_and_take_nothing() {
    let gate = Gate::of(&READ);
    assert_standing(&serve(&gate, READ, 98).await, 200, "2", "60");
    for _ in 0..300 {
        assert_standing(&send(&gate, UNROUTED).await, 403, "2", "60");
    }
    // Strangers learn nothing of it, and take nothing either.
    gate.insert("rk_revoked_revoked_revoked", "key_2", "acme", |record| record.revoked(true));
    for stranger in [
        READ.authorization(&["Bearer rk_revoked_revoked_revoked"]),
        READ.authorization(&["Bearer rk_unknown_unknown_unknown"]),
        READ.authorization(&["Bearer ?"]),
        READ.authorization(&[]),
    ] {
        for _ in 0..100 {
            let answered = send(&gate, stranger).await;
            assert!([400, 401].contains(&answered.status.as_u16()));
            assert_eq!(answered.header("ratelimit-remaining"), None);
            assert_eq!(answered.header("ratelimit-reset"), None);
        }
    }
    assert_standing(&serve(&gate, READ, 2).await, 200, "0", "60");
    assert_standing(&send(&gate, UNROUTED).await, 403, "0", "60");
    assert_standing(&send(&gate, READ).await, 429, "0", "60");
}

#[tokio::test]
async fn an_account_is_counted_over_all_its_keys_and_apart_from_others() {
    let gate = Gate::of(&READ);
    gate.insert("rk_second_second_second", "key_2", "acme", |record| record.scopes(["users.read"]));
    gate.insert("rk_other_other_other", "key_3", "globex", |record| record.scopes(["users.read"]));
    let second = READ.authorization(&["Bearer rk_second_second_second"]);
    let other = READ.authorization(&["Bearer rk_other_other_other"]);
    serve(&gate, READ, 60).await;
    assert_standing(&serve(&gate, second, 40).await, 200, "0", "60");
    assert_standing(&send(&gate, READ).await, 429, "0", "60");
    assert_standing(&send(&gate, second).await, 429, "0", "60");
    assert_standing(&send(&gate, other).await, 200, "99", "60");
    // A key that was replaced does not bring a fresh quota.
    assert!(gate.store.delete_now("key_2"));
    gate.insert("rk_third_third_third", "key_2", "acme", |record| record.scopes(["users.read"]));
    let third = READ.authorization(&["Bearer rk_third_third_third"]);
    assert_standing(&send(&gate, third).await, 429, "0", "60");
}

#[tokio::test]
async fn head_needs_and_costs_what_get_does() {
    let head = READ.request("HEAD", "/v1/users");
    let gate = Gate::of(&READ);
    assert_standing(&send(&gate, head).await, 200, "99", "60");
    let writer = |record: KeyRecordBuilder| record.scopes(["users.write"]);
    assert!(gate.store.update_now("key_1", writer).unwrap());
    for case in [head, READ] {
        let answered = send(&gate, case).await;
        assert_standing(&answered, 403, "99", "60");
        assert_eq!(answered.denial(), Some("scope_missing"));
        assert_eq!(answered.body.is_empty(), case.method == "HEAD");
    }
}

#[tokio::test]
async fn a_bucket_of_three_hundred_drains_evenly() {
    const GOOD: Case = persona::GOOD;
    let gate = Gate::of(&GOOD);
    let quota_status = |answered: &Answered| {
        let header = |name| answered.header(name).map(str::to_owned);
        assert_eq!(header("ratelimit-limit").as_deref(), Some("300"));
        let read = |name| header(name).unwrap().parse::<u32>().unwrap();
        (read("ratelimit-remaining"), read("ratelimit-reset"))
    };
    for number in 1..=300_u32 {
        let answered = send(&gate, GOOD).await;
        assert_eq!(answered.status, 200);
        assert_eq!(quota_status(&answered), (300 - number, number.div_ceil(5)));
    }
    for _ in 0..20 {
        let answered = send(&gate, GOOD).await;
        assert_eq!(answered.status, 429);
        assert_eq!(answered.header("retry-after"), Some("1"));
        assert_eq!(quota_status(&answered), (0, 60));
    }
    gate.clock.advance(Duration::from_nanos(199_999_999));
    assert_eq!(send(&gate, GOOD).await.status, 429);
    gate.clock.advance(Duration::from_nanos(1));
    assert_eq!(send(&gate, GOOD).await.status, 200);
    assert_eq!(send(&gate, GOOD).await.status, 429);
    // Five a second come back, whatever was refused meanwhile.
    gate.clock.advance(SECOND * 10);
    let denied = GOOD.request("GET", "/api/v1/api-keys");
    assert_eq!(quota_status(&send(&gate, denied).await), (50, 50));
    assert_eq!(quota_status(&serve(&gate, GOOD, 50).await), (0, 60));
    assert_eq!(send(&gate, GOOD).await.status, 429);
}
