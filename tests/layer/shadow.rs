//! Quotas in shadow: what they would have refused is told to the operator, and to no client.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::LimitHeaders;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Observer, Profile};

use crate::support::{PROFILE, greeting, reason, request, send, store, tls};

const MINUTE: Duration = Duration::from_secs(60);
const ENFORCED: Quota = Quota::new("enforced", 4, MINUTE);
const DARK: Quota = Quota::new("dark", 1, MINUTE).in_shadow();

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Observer for Log {
    fn would_refuse(&self, record: &KeyRecord, quota: &str) {
        self.0.lock().unwrap().push(format!("{} {quota}", record.id()));
    }
}

fn layer(profile: &Profile, quotas: &[Quota], routes: Routes) -> (ApiKeyLayer, Log) {
    let log = Log::default();
    let layer = ApiKeyLayer::builder(*profile, store(|key| key.quotas(quotas.to_vec())))
        .routes(routes)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .observer(log.clone())
        .build();
    (layer.unwrap(), log)
}

#[tokio::test]
async fn what_would_be_refused_is_told_once_for_each_request() {
    const ON_ROUTE: &[Quota] = &[Quota::new("route", 2, MINUTE).in_shadow()];
    let plain = Route::new().quotas(ON_ROUTE);
    for route in [plain, plain.concurrency(Concurrency::new(1))] {
        let routes = Routes::new().on(&[], "/", route);
        let (layer, log) = layer(&PROFILE, &[DARK, ENFORCED], routes);
        let service = greeting(&layer);
        for (remaining, heard) in [
            (Some("3"), &[][..]),
            (Some("2"), &["key_1 dark"]),
            (Some("1"), &["key_1 dark", "key_1 route"]),
            (Some("0"), &["key_1 dark", "key_1 route"]),
            (None, &[]),
        ] {
            let response = send(&service, request(Method::GET, "/")).await;
            let expected = if remaining.is_some() { "admitted" } else { "rate_limited" };
            assert_eq!(reason(&response), expected);
            // The dark ones have none left, and nobody hears of it.
            assert_eq!(response.headers()["ratelimit-remaining"], remaining.unwrap_or("0"));
            assert_eq!(std::mem::take(&mut *log.0.lock().unwrap()), heard);
        }
    }
}

#[tokio::test]
async fn limit_headers_do_not_speak_of_them() {
    for (dialect, name, told) in [
        (LimitHeaders::RATE_LIMIT, "ratelimit-remaining", "3"),
        (LimitHeaders::STRUCTURED, "ratelimit-policy", r#""enforced";q=4;w=60"#),
        (LimitHeaders::STRUCTURED, "ratelimit", r#""enforced";r=3;t=60"#),
    ] {
        let profile = Profile { limit_headers: dialect, ..PROFILE };
        for (quotas, told) in [(&[DARK, ENFORCED][..], Some(told)), (&[DARK], None)] {
            let routes = Routes::new().on(&[], "/", Route::new());
            let (layer, _) = layer(&profile, quotas, routes);
            let response = send(&greeting(&layer), request(Method::GET, "/")).await;
            let found = response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(found, told, "{name}");
        }
    }
}

#[test]
fn they_make_no_decision_depend_on_the_moment() {
    for (quotas, outcome) in [(&[DARK][..], Outcome::Passed), (&[DARK, ENFORCED], Outcome::Depends)]
    {
        let (layer, _) = layer(&PROFILE, &[], Routes::new().on(&[], "/", Route::new()));
        let account = crate::support::account("acme");
        let record = KeyRecord::builder("key_1", account).quotas(quotas.to_vec()).build().unwrap();
        let (request, now) =
            (request(Method::GET, "/"), tower_api_key::clock::Timestamp::default());
        let explanation = layer.explain(&request, tls(), Some(&record), now);
        assert_eq!(explanation.outcome(Check::RequestLimits), &outcome);
    }
}
