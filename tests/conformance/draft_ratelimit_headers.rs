//! draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` and `RateLimit`, as structured fields.

use std::time::Duration;

use http::StatusCode;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{Answer as Row, Answers, ErrorBody, LimitHeaders, Problem};
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Profile};

use super::server::Server;
use super::structured::{Item, list, parameter};
use super::wire::{Answer, get, request};
use crate::support::{KEY, PROFILE, store};

const PROFILED: Profile = Profile { limit_headers: LimitHeaders::STRUCTURED, ..PROFILE };
const MINUTE: Quota = Quota::new("minute", 3, Duration::from_secs(60));
const HOUR: Quota = Quota::new("an:hour/'s", 5, Duration::from_millis(3_600_001));
const ROUTE: &[Quota] = &[Quota::new("route", 4, Duration::from_secs(10))];

/// A server with these quotas, `ROUTE` for `/few`, a scope for `/scope`, and its clock.
async fn server(profile: Profile<'_>, quotas: &[Quota]) -> (Server, ManualClock) {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000));
    let routes = Routes::new()
        .on(&[], "/", Route::new())
        .on(&[], "/few", Route::new().quotas(ROUTE))
        .on(&[], "/scope", Route::new().all_of(&["lacking"]));
    let layer = ApiKeyLayer::builder(profile, store(|key| key.quotas(quotas.iter().cloned())))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .routes(routes)
        .clock(clock.clone());
    (Server::start(&layer.build().unwrap()).await, clock)
}

fn key() -> String {
    format!("Authorization: Bearer {KEY}")
}

/// Reads a field strictly, and tells the names and one parameter of its items.
fn told(answer: &Answer, field: &str, name: &str) -> Vec<(String, i64)> {
    let items = list(answer.field(field).unwrap()).unwrap();
    let each = |item: &Item| (item.0.clone(), parameter(item, name).unwrap());
    items.iter().map(each).collect()
}

fn named(items: &[(&str, i64)]) -> Vec<(String, i64)> {
    items.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// §3: a list of strings; `q` (§3.1.1) and `w` in whole seconds, not zero (§3.1.3); and the same on
/// every answer.
#[tokio::test]
async fn draft_ratelimit_headers_3_policies_are_a_list_of_strings() {
    let (server, clock) = server(PROFILED, &[MINUTE, HOUR]).await;
    for _ in 0..5 {
        let answer = get(&server, key()).await;
        let policy = r#""minute";q=3;w=60, "an:hour/'s";q=5;w=3601"#;
        assert_eq!(answer.field("ratelimit-policy"), Some(policy));
        assert_eq!(
            told(&answer, "ratelimit-policy", "q"),
            named(&[("minute", 3), ("an:hour/'s", 5)])
        );
        assert_eq!(
            told(&answer, "ratelimit-policy", "w"),
            named(&[("minute", 60), ("an:hour/'s", 3_601)])
        );
        clock.advance(Duration::from_secs(1));
    }
    let answer = request(&server, "GET /few HTTP/1.1", key()).await;
    assert_eq!(told(&answer, "ratelimit-policy", "q").last(), Some(&("route".to_owned(), 4)));
}

/// §4: `r` (§4.1.1) and `t` (§4.1.2) are integers that are not negative, for each policy.
#[tokio::test]
async fn draft_ratelimit_headers_4_limits_are_told_of_each_policy() {
    let (server, clock) = server(PROFILED, &[MINUTE, HOUR]).await;
    for (number, remaining, resets) in
        [(0, [2, 4], [60, 3_601]), (1, [1, 3], [30, 3_570]), (2, [2, 2], [60, 3_540])]
    {
        let answer = get(&server, key()).await;
        assert_eq!(answer.status(), 200);
        let [minute, hour] = remaining;
        assert_eq!(
            told(&answer, "ratelimit", "r"),
            named(&[("minute", minute), ("an:hour/'s", hour)]),
            "{number}"
        );
        let [minute, hour] = resets;
        assert_eq!(
            told(&answer, "ratelimit", "t"),
            named(&[("minute", minute), ("an:hour/'s", hour)]),
            "{number}"
        );
        clock.advance(Duration::from_millis(30_001));
    }
}

/// §4.1.2: `t` is the time until *more* is there, not until all is.
#[tokio::test]
async fn draft_ratelimit_headers_4_1_2_reset_is_when_more_is_there() {
    let bucket =
        Quota::new("bucket", 60, Duration::from_secs(600)).with_algorithm(Algorithm::LeakyBucket);
    let (server, clock) = server(PROFILED, &[bucket]).await;
    for (later, remaining, resets) in [(0, 59, 10), (0, 58, 10), (5, 57, 5), (5, 57, 10)] {
        clock.advance(Duration::from_secs(later));
        let answer = get(&server, key()).await;
        assert_eq!(told(&answer, "ratelimit", "r"), named(&[("bucket", remaining)]));
        assert_eq!(told(&answer, "ratelimit", "t"), named(&[("bucket", resets)]));
    }
}

/// §6: `Retry-After` is not earlier than the reset of a policy that has nothing left.
#[tokio::test]
async fn draft_ratelimit_headers_6_retry_after_is_not_before_the_reset() {
    for algorithm in [Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow] {
        let (server, clock) = server(PROFILED, &[MINUTE.with_algorithm(algorithm), HOUR]).await;
        for _ in 0..3 {
            assert_eq!(get(&server, key()).await.status(), 200);
            clock.advance(Duration::from_secs(7));
        }
        let mut refused = get(&server, key()).await;
        if refused.status() == 200 {
            refused = get(&server, key()).await; // a bucket has drained so much
        }
        let wait: i64 = refused.field("retry-after").unwrap().parse().unwrap();
        let [left, resets] = ["r", "t"].map(|name| told(&refused, "ratelimit", name)[0].1);
        assert_eq!(left, 0);
        assert!((1..=wait).contains(&resets), "{algorithm:?}: {resets} after {wait}");
    }
}

/// §3 and §4: both lists are not empty, so who has no quotas gets neither field.
#[tokio::test]
async fn draft_ratelimit_headers_3_no_policy_no_field() {
    let (server, _) = server(PROFILED, &[]).await;
    let answer = get(&server, key()).await;
    assert_eq!((answer.field("ratelimit-policy"), answer.field("ratelimit")), (None, None));
    // And a stranger learns nothing of anyone's.
    let (server, _) = self::server(PROFILED, &[MINUTE]).await;
    let answer = get(&server, "").await;
    assert_eq!((answer.field("ratelimit-policy"), answer.field("ratelimit")), (None, None));
}

/// §6: the fields come with every status, also that of a refusal, which takes nothing.
#[tokio::test]
async fn draft_ratelimit_headers_6_refusals_speak_of_limits_too() {
    let (server, _) = server(PROFILED, &[MINUTE]).await;
    for _ in 0..3 {
        let refused = request(&server, "GET /scope HTTP/1.1", key()).await;
        assert_eq!(refused.status(), 403);
        assert_eq!(told(&refused, "ratelimit", "r"), named(&[("minute", 3)]));
    }
    assert_eq!(told(&get(&server, key()).await, "ratelimit", "r"), named(&[("minute", 2)]));
}

/// §5.1: a vendor may answer with the registered problem type, and names the policy that refused.
#[tokio::test]
async fn draft_ratelimit_headers_5_1_quota_exceeded_is_a_problem_type() {
    const KIND: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    const LIMITED: Row = Row::new(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorBody::Problem(Problem::quota_exceeded("Try again later.")),
    );
    let answers = Answers { rate_limited: LIMITED, ..PROFILE.answers };
    let (server, _) = server(Profile { answers, ..PROFILED }, &[MINUTE]).await;
    for _ in 0..3 {
        get(&server, key()).await;
    }
    let refused = get(&server, key()).await;
    assert_eq!(refused.field("content-type"), Some("application/problem+json"));
    let members: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!((&members["type"], &members["status"]), (&KIND.into(), &429.into()));
    let violated = members["violated-policies"][0].as_str().unwrap();
    assert_eq!(told(&refused, "ratelimit", "r"), named(&[(violated, 0)]));
}
