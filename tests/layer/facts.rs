//! Answers with facts: placeholders in the texts of a profile, and functions of the facts.

use http::{Method, StatusCode};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{Answer, Answers, ErrorBody};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{PROFILE, greeting, request, send, store, text};

const fn error(status: StatusCode, text: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::Error(text))
}

const FACTS: Profile = Profile {
    answers: Answers {
        scope_missing: error(StatusCode::FORBIDDEN, "{account} needs {scopes} for {method} {path}"),
        rate_limited: error(
            StatusCode::TOO_MANY_REQUESTS,
            "{limit} requests by {quota} in {window} s; wait {retry_after} s",
        ),
        ..PROFILE.answers
    },
    ..PROFILE
};

#[tokio::test]
async fn texts_have_the_facts_of_the_refusal() {
    const MINUTE: &[Quota] = &[Quota::new("minute", 1, std::time::Duration::from_secs(60))];
    let routes = Routes::new()
        .get("/users", Route::new().all_of(&["users.read", "users.list"]))
        .get("/open", Route::new().quotas(MINUTE));
    let builder = ApiKeyLayer::builder(FACTS, store(|key| key)).routes(routes);
    let layer = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build().unwrap();
    let service = greeting(&layer);
    let refused = send(&service, request(Method::GET, "/users?page=1")).await;
    let expected = r#"{"error":"acme needs users.read, users.list for GET /users"}"#;
    assert_eq!(text(refused).await, expected);
    send(&service, request(Method::GET, "/open")).await;
    let refused = text(send(&service, request(Method::GET, "/open")).await).await;
    assert!(refused.starts_with(r#"{"error":"1 requests by minute in 60 s; wait "#), "{refused}");
}
