//! What observers of requests get: each request once, with its decision and its end.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::caller::ClientNetwork;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::decision::{ObservedRequest, RequestDecision, RequestEnd};
use tower_api_key::key::Networks;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::RequestIdHeader;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::{OriginalRequest, ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{
    ApiKeyLayer, ApiKeyLayerBuilder, Denial, Observer, Preflight, Profile, Reply, refusal,
};

use super::decision::preflight;
use crate::support::{PROFILE, anonymous, greeting, request, send, store, tls};

/// Keeps a line for each call.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Lines {
    fn observes_requests(&self) -> bool {
        true
    }

    fn admitted(&self, request: &ObservedRequest<'_>) {
        self.add(format!("admitted {}", line(request)));
    }

    fn ended(&self, request: &ObservedRequest<'_>, end: RequestEnd) {
        let end = match end {
            RequestEnd::Answered(status) => status.as_u16().to_string(),
            other => format!("{other:?}"),
        };
        self.add(format!("{end} {}", line(request)));
    }
}

/// Method, route, decision, denial, key, account, quota and cost.
fn line(request: &ObservedRequest<'_>) -> String {
    let key = request.key_id().zip(request.account());
    let key = key.map_or("-".to_owned(), |(key, account)| format!("{key} of {account}"));
    let denial = request.denial().map_or("-", Denial::name);
    let quota = request.quota().map(|(quota, left)| (quota.name().to_owned(), left.remaining()));
    let quota = quota.map_or("-".to_owned(), |(name, left)| format!("{name}:{left}"));
    let (method, route) = (request.method(), request.route().unwrap_or("-"));
    let (decision, cost) = (request.decision(), request.cost());
    format!("{method} {route} {decision} {denial} {key} {quota} {cost}")
}

fn builder(lines: &Lines) -> ApiKeyLayerBuilder {
    const QUOTAS: &[Quota] = &[
        Quota::new("minute", 4, Duration::from_secs(60)),
        Quota::new("hour", 100, Duration::from_secs(3_600)),
    ];
    let routes = Routes::new()
        .get("/v1/users/{id}", Route::new().cost(2))
        .on(&[], "/free", Route::new().cost(0))
        .on(&[], "/refuse", Route::new().cost(0).metered())
        .on(&[], "/slow", Route::new().cost(0).budget(Duration::from_millis(1)))
        .on(&[], "/never", Route::new().cost(0))
        .on(&[], "/fail", Route::new().cost(0))
        .on(&[], "/scope", Route::new().all_of(&["users.write"]));
    ApiKeyLayer::builder(PROFILE, store(|key| key.quotas(QUOTAS.to_vec())))
        .routes(routes)
        .optional()
        .allow_preflight()
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .observer(lines.clone())
}

async fn inner(request: Request<()>) -> Result<Response<Full<Bytes>>, &'static str> {
    match request.uri().path() {
        "/refuse" => Ok(refusal(Denial::InternalError)),
        "/slow" | "/never" => pending().await,
        "/fail" => Err("the upstream closed the connection"),
        _ => Ok(Response::default()),
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_is_reported_once_with_its_decision_and_its_end() {
    let lines = Lines::default();
    let layer = builder(&lines).build().unwrap();
    let key = "key_1 of acme";
    let cases = [
        (
            request(Method::GET, "/v1/users/7"),
            true,
            "200",
            format!("GET /v1/users/{{id}} admitted - {key} minute:2 2"),
        ),
        (
            request(Method::GET, "/v1/users/8"),
            true,
            "200",
            format!("GET /v1/users/{{id}} admitted - {key} minute:0 2"),
        ),
        (
            request(Method::GET, "/v1/users/9"),
            false,
            "429",
            format!("GET /v1/users/{{id}} refused rate_limited {key} minute:0 0"),
        ),
        (
            request(Method::GET, "/scope"),
            false,
            "403",
            format!("GET /scope refused scope_missing {key} minute:0 0"),
        ),
        (
            request(Method::GET, "/none"),
            false,
            "403",
            format!("GET - refused route_unknown {key} minute:0 0"),
        ),
        (
            request(Method::from_bytes(b"BREW").unwrap(), "/free"),
            true,
            "200",
            format!("_OTHER /free admitted - {key} minute:0 0"),
        ),
        (anonymous(Method::GET, "/free"), true, "200", "GET /free anonymous - - - 0".to_owned()),
        (
            anonymous(Method::GET, "/scope"),
            false,
            "401",
            "GET - refused credentials_missing - - 0".to_owned(),
        ),
        (preflight(), true, "200", "OPTIONS - preflight - - - 0".to_owned()),
    ];
    for (request, passes, status, expected) in cases {
        let path = request.uri().to_string();
        layer.layer(service_fn(inner)).oneshot(request).await.unwrap();
        let admitted = passes.then(|| format!("admitted {expected}"));
        let ended = format!("{status} {expected}");
        assert_eq!(lines.take(), admitted.into_iter().chain([ended]).collect::<Vec<_>>(), "{path}");
    }
    let admitted = |path| format!("admitted GET {path} admitted - {key} minute:0 0");
    for (path, end) in [
        ("/refuse", format!("500 GET /refuse refused internal_error {key} minute:0 0")),
        ("/slow", format!("503 GET /slow refused timed_out {key} minute:0 0")),
        ("/fail", format!("Failed GET /fail admitted - {key} minute:0 0")),
    ] {
        let _ = layer.layer(service_fn(inner)).oneshot(request(Method::GET, path)).await;
        assert_eq!(lines.take(), [admitted(path), end], "{path}");
    }
    let service = layer.layer(service_fn(inner));
    let hung_up = tokio::time::timeout(
        Duration::from_secs(1),
        service.oneshot(request(Method::GET, "/never")),
    );
    assert!(hung_up.await.is_err());
    let end = format!("HungUp GET /never admitted - {key} minute:0 0");
    assert_eq!(lines.take(), [admitted("/never"), end]);
}

#[tokio::test]
async fn a_preflight_that_the_gate_answers_has_an_end_only() {
    let lines = Lines::default();
    let layer = builder(&lines).answer_preflight(Preflight::from_origins(["https://a.example"]));
    send(&greeting(&layer.build().unwrap()), preflight()).await;
    assert_eq!(lines.take(), ["204 OPTIONS - preflight - - - 0"]);
}

/// A store that answers after a minute.
struct Late(MemoryStore, ManualClock);

impl KeyStore for Late {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, clock, digest) = (self.0.clone(), self.1.clone(), *digest);
        Reply::later(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            clock.advance(Duration::from_secs(60));
            store.find(&digest).await
        })
    }
}

/// When, how long, for whom and under which id a request was decided.
type Decided = (Timestamp, Duration, ClientNetwork, Option<String>);

/// Keeps what was decided.
#[derive(Clone, Default)]
struct Facts(Arc<Mutex<Vec<Decided>>>);

impl Observer for Facts {
    fn observes_requests(&self) -> bool {
        true
    }

    fn ended(&self, request: &ObservedRequest<'_>, _: RequestEnd) {
        assert_eq!((request.vendor(), request.client().https), ("Test", true));
        let id = request.request_id().map(ToOwned::to_owned);
        let facts = (request.at(), request.latency(), request.network(), id);
        self.0.lock().unwrap().push(facts);
    }
}

#[tokio::test(start_paused = true)]
async fn the_latency_of_a_decision_has_the_wait_for_the_store() {
    const WITH_IDS: Profile =
        Profile { request_id: Some(RequestIdHeader::new("x-request-id")), ..PROFILE };
    let began = Timestamp::from_unix_seconds(1_700_000_000);
    let (clock, facts) = (ManualClock::starting_at(began), Facts::default());
    let store = Late(store(|key| key), clock.clone());
    let layer = ApiKeyLayer::builder(WITH_IDS, store).clock(clock).observer(facts.clone());
    let response = send(&greeting(&layer.build().unwrap()), request(Method::GET, "/")).await;
    let minute = Duration::from_secs(60);
    let id = response.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    let network = ClientNetwork::of(tls().peer().unwrap());
    let expected = (began.plus(minute), minute, network, Some(id));
    assert_eq!(*facts.0.lock().unwrap(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_before_the_decision_is_unjudged() {
    let (clock, lines) = (ManualClock::starting_at(Timestamp::default()), Lines::default());
    let store = Late(store(|key| key), clock.clone());
    let layer = ApiKeyLayer::builder(PROFILE, store).observer(lines.clone()).build().unwrap();
    let answer = greeting(&layer).oneshot(request(Method::GET, "/"));
    assert!(tokio::time::timeout(Duration::from_millis(1), answer).await.is_err());
    assert_eq!(lines.take(), ["HungUp GET - unjudged - - - 0"]);
}

#[tokio::test]
async fn a_question_that_states_no_request_is_unjudged() {
    let lines = Lines::default();
    let networks = Networks::new(["192.0.2.1/32"]).unwrap();
    let proxies = TrustedProxies::new(networks, ProxyHeaders::XForwarded).always_proxies();
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).trusted_proxies(proxies);
    let layer = layer.forward_auth(OriginalRequest::x_forwarded()).observer(lines.clone());
    let answer = send(&greeting(&layer.build().unwrap()), request(Method::GET, "/check")).await;
    let expected = format!("{} GET - unjudged - - - 0", answer.status().as_u16());
    assert_eq!(lines.take(), [expected]);
}

/// Counts refusals, and does not observe requests.
#[derive(Clone, Default)]
struct Refusals(Lines);

impl Observer for Refusals {
    fn refused(&self, denial: &Denial, _: Option<&tower_api_key::key::KeyRecord>) {
        self.0.add(denial.name().to_owned());
    }

    fn ended(&self, _: &ObservedRequest<'_>, _: RequestEnd) {
        panic!("called without being asked for");
    }
}

#[tokio::test]
async fn a_second_observer_is_called_beside_the_first() {
    let (first, second, third) = (Lines::default(), Lines::default(), Refusals::default());
    let layer = builder(&first).observer(second.clone()).observer(third.clone()).build().unwrap();
    let _ = layer.layer(service_fn(inner)).oneshot(request(Method::GET, "/scope")).await;
    let lines = first.take();
    assert_eq!(lines.len(), 1);
    assert_eq!(second.take(), lines);
    assert_eq!(third.0.take(), ["scope_missing"]);
}

/// A service that panics is reported, and so is the panic of an observer meanwhile.
#[tokio::test]
async fn a_panic_of_the_service_is_reported_as_a_hang_up() {
    struct Careless(Lines);

    impl Observer for Careless {
        fn observes_requests(&self) -> bool {
            true
        }

        fn ended(&self, request: &ObservedRequest<'_>, end: RequestEnd) {
            self.0.ended(request, end);
            panic!("careless");
        }
    }

    let lines = Lines::default();
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).observer(Careless(lines.clone()));
    let layer = layer.build().unwrap();
    let broken = service_fn(|_: Request<()>| async {
        assert_eq!(1, 2, "the handler is broken");
        Ok::<Response<Full<Bytes>>, Infallible>(Response::default())
    });
    let answer = layer.layer(broken).oneshot(request(Method::GET, "/"));
    assert!(tokio::spawn(answer).await.unwrap_err().is_panic());
    assert_eq!(lines.take(), ["HungUp GET - admitted - key_1 of acme - 1"]);
}

#[test]
fn the_names_of_decisions_are_read_back() {
    for decision in RequestDecision::ALL {
        assert_eq!(decision.to_string().parse(), Ok(decision));
    }
    let error = "passed".parse::<RequestDecision>().unwrap_err();
    assert!(error.to_string().contains("`unjudged`"), "{error}");
}
