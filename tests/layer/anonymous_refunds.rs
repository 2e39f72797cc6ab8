//! What a network gets back of its requests' costs, and what a refusal tells an anonymous client.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::caller::ClientNetwork;
use tower_api_key::clock::ManualClock;
use tower_api_key::decision::{Check, GateDecision, Outcome};
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::{
    AnonymousQuotas, Charge, Limiter, LimiterError, LimiterFallback, MemoryLimiter, Refund,
};
use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody, LimitField, LimitHeaders};
use tower_api_key::profile::{LimitValue, Refusal};
use tower_api_key::quota::{OnLimiterFailure, Quota, Share, Verdict};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Observer, Profile, Reply};

use super::cost::{MINUTE, START, TEN};
use super::refunds::{FAILURES, LIMITED};
use crate::support::{PROFILE, anonymous, greeting, reason, send, store, text};

fn builder(profile: Profile<'_>, quotas: &[Quota], route: Route<'_>) -> ApiKeyLayerBuilder {
    let routes = Routes::new().get("/look", Route::new().cost(0)).get("/", route);
    ApiKeyLayer::builder(profile, store(|key| key))
        .routes(routes)
        .clock(ManualClock::starting_at(START))
        .optional()
        .anonymous_quotas(AnonymousQuotas::new(quotas.to_vec()))
}

fn counted(builder: ApiKeyLayerBuilder) -> ApiKeyLayer {
    builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build().unwrap()
}

fn from(address: [u8; 4], path: &str) -> Request<()> {
    let mut request = anonymous(Method::GET, path);
    request.extensions_mut().insert(Connection::tls((address, 4711).into()));
    request
}

fn remaining<B>(response: &Response<B>) -> &str {
    response.headers().get("x-ratelimit-remaining").map_or("", |value| value.to_str().unwrap())
}

async fn left(layer: &ApiKeyLayer, address: [u8; 4]) -> String {
    remaining(&send(&greeting(layer), from(address, "/look")).await).to_owned()
}

/// Answers a request of a network with a status, and returns what the limit headers say is left.
async fn answered(layer: &ApiKeyLayer, address: [u8; 4], status: u16) -> String {
    let inner = service_fn(move |_: Request<()>| async move {
        let response = Response::builder().status(status);
        Ok::<_, Infallible>(response.body(Full::<Bytes>::default()).unwrap())
    });
    remaining(&layer.layer(inner).oneshot(from(address, "/")).await.unwrap()).to_owned()
}

const ONE: [u8; 4] = [192, 0, 2, 1];
const OTHER: [u8; 4] = [192, 0, 2, 2];

#[tokio::test]
async fn a_rule_gives_the_cost_back_to_the_network() {
    for (status, expected) in [(200, "6"), (304, "10"), (404, "6"), (500, "10"), (599, "10")] {
        let plain = builder(LIMITED, &[TEN], FAILURES);
        let own = builder(LIMITED, &[], FAILURES.anonymous_quotas(&[TEN]));
        for (layer, told) in [(counted(plain), true), (counted(own), false)] {
            assert_eq!(answered(&layer, OTHER, 200).await, "6");
            assert_eq!(answered(&layer, ONE, status).await, expected, "{status}");
            if told {
                assert_eq!(left(&layer, ONE).await, expected, "{status}");
                assert_eq!(left(&layer, OTHER).await, "6", "another network gets nothing");
            }
            // Such a request must find room first.
            assert_eq!(answered(&layer, OTHER, 200).await, "2");
            assert_eq!(answered(&layer, OTHER, 500).await, "2", "refused");
        }
    }
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Observer for Events {
    fn refunded(&self, _: &KeyRecord, _: u32) {
        self.0.lock().unwrap().push("a key".to_owned());
    }

    fn refunded_anonymous(&self, network: &ClientNetwork, cost: u32) {
        self.0.lock().unwrap().push(format!("{network} {cost}"));
    }

    fn limiter_failed(&self, _: &LimiterError, fallback: LimiterFallback) {
        self.0.lock().unwrap().push(format!("{fallback:?}"));
    }

    fn answered(&self, refusal: &Refusal<'_>) {
        let quota = refusal.quota().map(|(quota, status)| (quota.name(), status.remaining()));
        assert!(refusal.record().is_none());
        self.0.lock().unwrap().push(format!("{quota:?}"));
    }
}

/// A limiter that is down.
struct Down;

impl Limiter for Down {
    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::now(Err(LimiterError::new("down")))
    }

    fn refunds(&self) -> bool {
        true
    }

    fn refund(&self, _: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        panic!("the charge was counted in the process")
    }
}

#[tokio::test]
async fn the_observer_hears_of_the_network_and_a_fallback_gives_back_what_it_took() {
    let events = Events::default();
    let layer = counted(builder(LIMITED, &[TEN], FAILURES).observer(events.clone()));
    answered(&layer, ONE, 500).await;
    answered(&layer, ONE, 200).await;
    assert_eq!(std::mem::take(&mut *events.0.lock().unwrap()), ["192.0.2.1/32 4"]);
    let half = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));
    let layer = builder(LIMITED, &[TEN], FAILURES).observer(events.clone()).limits(Down, half);
    let layer = layer.build().unwrap();
    assert_eq!(answered(&layer, ONE, 200).await, "1", "5 of 10 are this process's");
    assert_eq!(answered(&layer, OTHER, 500).await, "5");
    assert_eq!(events.0.lock().unwrap().as_slice(), ["Local", "Local", "192.0.2.2/32 4"]);
}

/// What many networks share is given back to none of them.
#[tokio::test]
async fn networks_that_count_together_get_nothing_back() {
    let layer = builder(LIMITED, &[TEN], FAILURES);
    let limiter = MemoryLimiter::new().with_networks(0);
    let layer = layer.limits(limiter, OnLimiterFailure::Deny).build().unwrap();
    assert_eq!(answered(&layer, ONE, 500).await, "6");
    assert_eq!(answered(&layer, OTHER, 500).await, "2");
    assert_eq!(answered(&layer, OTHER, 500).await, "2", "refused");
}

#[test]
fn an_explanation_tells_which_statuses_cost_a_network_nothing() {
    let layer = counted(builder(LIMITED, &[TEN], FAILURES));
    let connection = Connection::tls((ONE, 1).into());
    let request = Request::get("/").body(()).unwrap();
    let told = layer.explain(&request, connection, None, START);
    assert_eq!(told.refund_on(), [304..=304, 500..=599]);
    assert_eq!((told.cost(), told.outcome(Check::RequestLimits)), (4, &Outcome::Depends));
    assert!(told.to_string().contains("refunded on status 500 to 599"), "{told}");
}

/// The facts of the quota are told, and none of an account.
#[tokio::test]
async fn a_refusal_tells_the_quota_and_no_principal() {
    const BODY: &str = "{quota} {limit} {remaining} {retry_after} [{account}{key_id}]";
    let limited = Answer::new(http::StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text(BODY));
    let limited = limited.challenge(Challenge::Bare);
    let answers = Answers { rate_limited: limited, ..PROFILE.answers };
    let problem = Profile {
        answers: Profile::STANDARD.answers,
        limit_headers: LimitHeaders::STRUCTURED,
        ..PROFILE
    };
    for (profile, body) in [
        (Profile { answers, ..LIMITED }, "ten 10 2 60 []"),
        (problem, "\"violated-policies\":[\"ten\"]"),
    ] {
        let events = Events::default();
        let layer = builder(profile, &[TEN], FAILURES).observer(events.clone());
        let service = greeting(&counted(layer.decision_in_response()));
        for expected in ["anonymous", "anonymous", "rate_limited"] {
            let response = send(&service, from(ONE, "/")).await;
            let decision = response.extensions().get::<GateDecision>().unwrap();
            assert_eq!(decision.name(), expected);
            assert!(decision.account().is_none() && decision.key_id().is_none());
            if expected == "rate_limited" {
                assert_eq!((response.status().as_u16(), reason(&response)), (429, expected));
                let found = text(response).await;
                assert!(found.contains(body), "{found}");
            }
        }
        assert_eq!(events.0.lock().unwrap().as_slice(), ["Some((\"ten\", 2))"]);
    }
}

/// The names of limit headers hold anonymous quotas to the same rules as those of keys.
#[test]
fn anonymous_quotas_that_meet_under_one_header_are_refused() {
    let fields = &[LimitField::new("x-left-{quota}", LimitValue::Remaining)];
    let profile =
        Profile { limit_headers: LimitHeaders { fields, ..LimitHeaders::NONE }, ..PROFILE };
    let quota = |name: &str| Quota::named(name, 9, MINUTE);
    for (general, own, fine) in [
        (vec![quota("Minute"), quota("hour")], vec![], true),
        (vec![quota("Minute"), quota("minute")], vec![], false),
        (vec![quota("Minute")], vec![quota("minute")], false),
        (vec![quota("hour")], vec![quota("Minute"), quota("minute")], false),
        (vec![quota("Minute")], vec![quota("Minute")], true),
    ] {
        let built = builder(profile, &general, Route::new().anonymous_quotas(&own));
        let built = built.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build();
        match built {
            Ok(_) => assert!(fine, "{general:?} {own:?}"),
            Err(error) => {
                assert!(!fine && matches!(error, ConfigError::Header { .. }), "{error}");
            }
        }
    }
}
