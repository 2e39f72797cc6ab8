//! Answers of single quotas, and answers without `Retry-After`.

use std::time::Duration;

use http::{Method, StatusCode};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{Answer, Answers, ErrorBody, LimitHeaders, QuotaAnswer};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::{ApiKeyLayer, ConfigError, Denial, Profile};

use crate::support::{PROFILE, greeting, request, send, store, text};

const SPENT: Answer =
    Answer::of_code(456, ErrorBody::Text("{quota}: {limit}")).without_retry_after();
const LIMITED: Answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text("Slow down."));

fn with(rate_limited: Answer<'_>, quotas: &[Quota]) -> Result<ApiKeyLayer, ConfigError> {
    let answers = Answers { rate_limited, ..PROFILE.answers };
    let profile = Profile { answers, quotas, limit_headers: LimitHeaders::NONE, ..PROFILE };
    let builder = ApiKeyLayer::builder(profile, store(|key| key));
    builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build()
}

#[tokio::test]
async fn the_quota_that_refuses_chooses_the_answer() {
    let by_quota = [QuotaAnswer { quota: "month", answer: SPENT }];
    let minute = |limit| Quota::named("minute", limit, Duration::from_secs(60));
    for (quotas, status, retry_after, body) in [
        (vec![minute(1), Quota::by_month("month", 9)], 429, true, "Slow down."),
        (vec![minute(9), Quota::by_month("month", 1)], 456, false, "month: 1"),
        // Both refuse, and the month makes the client wait longer.
        (vec![minute(1), Quota::by_month("month", 1)], 456, false, "month: 1"),
    ] {
        let layer = with(LIMITED.by_quota(&by_quota), &quotas).unwrap();
        let service = greeting(&layer);
        assert_eq!(send(&service, request(Method::GET, "/")).await.status(), 200);
        let refused = send(&service, request(Method::GET, "/")).await;
        assert_eq!(refused.status(), status);
        assert_eq!(refused.headers().contains_key("retry-after"), retry_after);
        assert_eq!(text(refused).await, body);
        // Without a quota, as for a handler's own refusal, the row answers.
        let own = Denial::RateLimited { retry_after: Duration::from_secs(7) };
        assert_eq!(layer.answer(&own).status(), 429);
    }
}

#[test]
fn an_answer_of_a_quota_is_checked() {
    let entry = |quota, answer| [QuotaAnswer { quota, answer }];
    let nested = entry("month", SPENT);
    let twice = [QuotaAnswer { quota: "month", answer: SPENT }; 2];
    let waits = Answer::of_code(429, ErrorBody::Text("{retry_after}")).without_retry_after();
    for (by_quota, part) in [
        (&entry("", SPENT)[..], "by_quota"),
        (&entry("month", LIMITED.by_quota(&nested)), "month"),
        (&twice, "twice"),
        (&entry("month", Answer::of_code(399, ErrorBody::Text("no"))), "399"),
        (&entry("month", waits), "{retry_after}"),
        (&entry("month", Answer::of_code(429, ErrorBody::Text("{nothing}"))), "{nothing}"),
    ] {
        let error = with(LIMITED.by_quota(by_quota), &[]).unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
    }
    let answers = Answers { scope_missing: LIMITED.by_quota(&nested), ..PROFILE.answers };
    let profile = Profile { answers, ..PROFILE };
    let error = ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap_err();
    assert!(error.to_string().contains("rate_limited"), "{error}");
}
