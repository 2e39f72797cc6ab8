//! The accept path over memory allocates nothing of its own: only what `http::Extensions` and
//! `http::HeaderMap` take to hold what the gate puts into them. Each is measured by itself, and the
//! sum must be the whole.
//!
//! `cargo test --test allocations -- --nocapture` prints the figures.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use tower::{Layer, Service, service_fn};
use tower_api_key::decision::{ObservedRequest, RequestEnd};
use tower_api_key::key::{Account, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::profile::{
    Answer, Answers, BasicKey, CredentialSource, ErrorBody, LimitHeaders, PathAnswers,
    RequestIdHeader, SchemeChallenge,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Grant, Observer, Profile, vendors};

const KEY: &str = "FD09908F25BECB09D78EBEA1DADFB618651F612D";

const BARE: Profile = Profile {
    credentials: &[
        CredentialSource::bearer(),
        CredentialSource::basic(BasicKey::PasswordOf("api")),
    ],
    formats: &[KeyFormat::hex(40)],
    quotas: &[],
    limit_headers: LimitHeaders::NONE,
    ..vendors::REST_INTEGRATIONS
};

const LIMITED: Profile = Profile {
    quotas: &[
        Quota::new("minute", 9_999, Duration::from_secs(60)),
        Quota::new("hour", 9_999, Duration::from_secs(3_600)),
    ],
    limit_headers: LimitHeaders::RATE_LIMIT,
    ..BARE
};

const LARGE: Profile =
    Profile { quotas: &[Quota::new("hour", 1_000_000, Duration::from_secs(3_600))], ..LIMITED };

fn store() -> MemoryStore {
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    let store = MemoryStore::new();
    store.add_now(KeyHasher::sha256().digest(KEY.as_bytes()), record);
    store
}

fn builder(profile: &Profile) -> ApiKeyLayerBuilder {
    let builder = ApiKeyLayer::builder(*profile, store());
    builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
}

fn layer(profile: &Profile) -> ApiKeyLayer {
    builder(profile).build().unwrap()
}

fn request(authorization: &str) -> Request<()> {
    let peer = "192.0.2.1:4711".parse().unwrap();
    Request::get("/v1/users")
        .header("authorization", authorization)
        .extension(Connection::tls(peer))
        .body(())
        .unwrap()
}

fn bearer() -> Request<()> {
    request(&format!("Bearer {KEY}"))
}

fn basic() -> Request<()> {
    request(&format!("Basic {}", STANDARD.encode(format!("api:{KEY}"))))
}

/// Measures one request through the gate, future and poll included. The inner service keeps the
/// request, so that nothing is freed within.
fn accepted(profile: &Profile, request: fn() -> Request<()>) -> AllocationInfo {
    passed(&layer(profile), true, request)
}

fn passed(layer: &ApiKeyLayer, granted: bool, request: fn() -> Request<()>) -> AllocationInfo {
    let kept = Cell::new(None);
    let inner = service_fn(|request: Request<()>| {
        kept.set(Some(request));
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let mut gate = layer.layer(inner);
    let mut context = Context::from_waker(Waker::noop());
    let mut once = || {
        let request = request();
        let mut polled = Poll::Pending;
        let info = measure(|| polled = pin!(gate.call(request)).poll(&mut context));
        let Poll::Ready(Ok(response)) = polled else { panic!("a gate over memory had to wait") };
        assert_eq!(response.status(), 200);
        assert_eq!(kept.take().unwrap().extensions().get::<Grant>().is_some(), granted);
        info
    };
    // The first request of a thread and of an account sets up what stays, the second that of a gate.
    once();
    once();
    let info = once();
    assert!((0..1_000).all(|_| once() == info), "every request is alike");
    info
}

/// What it takes to put a grant into the extensions of a request that has its connection there.
fn one_extension() -> AllocationInfo {
    let request = bearer();
    let connection = *request.extensions().get::<Connection>().unwrap();
    let kept = Cell::new(None);
    let inner = service_fn(|request: Request<()>| {
        kept.set(request.extensions().get::<Grant>().cloned());
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let mut context = Context::from_waker(Waker::noop());
    let answered = pin!(layer(&BARE).layer(inner).call(request)).poll(&mut context);
    assert!(answered.is_ready());
    let grant = kept.take().unwrap();
    let mut extensions = Extensions::new();
    extensions.insert(connection);
    let info = measure(|| assert!(extensions.insert(grant).is_none()));
    drop(extensions);
    info
}

/// What it takes to put three headers into an empty map, if their values take nothing.
fn three_headers() -> AllocationInfo {
    let mut headers = HeaderMap::new();
    let info = measure(|| {
        for name in ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"] {
            let name = HeaderName::from_static(name);
            headers.insert(name, HeaderValue::from_static("9999"));
        }
    });
    drop(headers);
    info
}

#[test]
fn the_accept_path_allocates_what_http_forces_and_no_more() {
    let print = |what: &str, info: AllocationInfo| {
        let (count, bytes) = (info.count_total, info.bytes_total);
        println!("{what:<58} {count:>2} allocations, {bytes:>4} bytes");
    };
    let (extension, headers) = (one_extension(), three_headers());
    print("http: one extension beside another", extension);
    print("http: three headers into an empty map", headers);
    let mut both = extension;
    both += headers;
    for (scheme, request) in [("Bearer", bearer as fn() -> _), ("Basic", basic)] {
        let bare = accepted(&BARE, request);
        let what = format!("{scheme}: grant; no limits, no headers");
        print(&what, bare);
        assert_eq!(figures(bare), figures(extension), "{what}");
        let limited = accepted(&LIMITED, request);
        let what = format!("{scheme}: grant, two windows, three headers");
        print(&what, limited);
        assert_eq!(limited.count_total, both.count_total, "{what}");
        assert!(limited.bytes_total <= both.bytes_total, "{what}");
    }
}

/// Counted by two windows, and with nothing left on request or response, a request allocates nothing.
#[test]
fn without_grant_and_headers_nothing_is_allocated() {
    const SILENT: Profile = Profile { limit_headers: LimitHeaders::NONE, ..LIMITED };
    for request in [bearer as fn() -> _, basic] {
        let info = passed(&builder(&SILENT).without_grant().build().unwrap(), false, request);
        assert_eq!(figures(info), (0, 0));
    }
}

/// A rule that refunds by status allocates nothing, for a request that it does not refund.
#[test]
fn a_rule_about_refunds_allocates_nothing() {
    const SILENT: Profile = Profile { limit_headers: LimitHeaders::NONE, ..LIMITED };
    let route = Route::new().refund_on(&[500..=599]);
    let routes = Routes::new().otherwise(Otherwise::Need(route));
    let layer = builder(&SILENT).routes(routes).without_grant().build().unwrap();
    assert_eq!(figures(passed(&layer, false, bearer)), (0, 0));
}

/// Counts how often it is called about a request.
struct Calls(Arc<AtomicUsize>, bool);

impl Observer for Calls {
    fn observes_requests(&self) -> bool {
        self.1
    }

    fn admitted(&self, request: &ObservedRequest<'_>) {
        assert_eq!((request.cost(), request.route()), (1, None));
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, _: &ObservedRequest<'_>, _: RequestEnd) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// With or without an observer of requests, nothing is allocated.
#[test]
fn an_observer_of_requests_takes_no_allocation() {
    const SILENT: Profile = Profile { limit_headers: LimitHeaders::NONE, ..LIMITED };
    for observes in [false, true] {
        let calls = Arc::new(AtomicUsize::new(0));
        let layer = builder(&SILENT).without_grant().observer(Calls(Arc::clone(&calls), observes));
        let info = passed(&layer.build().unwrap(), false, bearer);
        assert_eq!(figures(info), (0, 0), "{observes}");
        assert_eq!(calls.load(Ordering::Relaxed) > 2, observes);
    }
}

/// An account's plan is looked up and held without any allocation.
#[test]
fn a_plan_allocates_nothing() {
    const SILENT: Profile = Profile { limit_headers: LimitHeaders::NONE, quotas: &[], ..LIMITED };
    let account = Arc::new(Account::builder("acme").plan("gold").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    let store = MemoryStore::new();
    store.add_now(KeyHasher::sha256().digest(KEY.as_bytes()), record);
    let plans = Plans::new();
    plans.set("gold", LIMITED.quotas.iter().cloned()).unwrap();
    let limiter = Arc::new(MemoryLimiter::new());
    let layer = ApiKeyLayer::builder(SILENT, store)
        .limits(Arc::clone(&limiter), OnLimiterFailure::Deny)
        .plans(plans)
        .without_grant()
        .build()
        .unwrap();
    assert_eq!(figures(passed(&layer, false, bearer)), (0, 0));
    assert_eq!(limiter.len(), 1, "it was counted");
}

/// Limit headers say numbers below ten thousand without allocating; larger ones are formatted, and
/// `http` has to own the text.
#[test]
fn large_numbers_allocate_as_http_does() {
    let mut both = one_extension();
    both += three_headers();
    let number = measure(|| drop(HeaderValue::from(999_999_u64)));
    let large = accepted(&LARGE, bearer);
    // The limit and what remains; the reset is small.
    let expected = both.count_total + 2 * number.count_total;
    assert_eq!(large.count_total, expected);
}

/// An answer whose texts have no facts is rendered once: a refusal copies its headers and holds its body.
#[test]
fn a_refusal_without_facts_copies_what_is_rendered() {
    const FACTS: Answer = Answer::new(StatusCode::NOT_FOUND, ErrorBody::Error("{path}"));
    let answers = Answers { route_unknown: FACTS, ..BARE.answers };
    let layer = layer(&Profile { answers, ..BARE });
    for (denial, more) in
        [(Denial::KeyUnknown, false), (Denial::KindNotAllowed, false), (Denial::RouteUnknown, true)]
    {
        // The first answer lets all later ones share the body.
        drop(layer.answer(&denial));
        let mut answer = None;
        let info = measure(|| answer = Some(layer.answer(&denial)));
        let answer = answer.unwrap();
        let mut copy = Response::new(Bytes::new());
        let copied = measure(|| {
            *copy.headers_mut() = answer.headers().clone();
            *copy.body_mut() = answer.body().clone();
            copy.extensions_mut().insert(denial.clone());
        });
        assert_eq!(info.count_total > copied.count_total, more, "{denial}");
    }
}

/// A refusal puts its denial into the table of the request's extensions, and its body and headers have no counts.
#[test]
fn a_refusal_allocates_its_headers_and_its_denial() {
    let inner = service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let mut gate = layer(&BARE).layer(inner);
    let mut context = Context::from_waker(Waker::noop());
    for token in ["", "Bearer a,b", "Bearer a"] {
        let mut once = || {
            let request = request(token);
            let mut polled = Poll::Pending;
            let info = measure(|| polled = pin!(gate.call(request)).poll(&mut context));
            let Poll::Ready(Ok(response)) = polled else {
                panic!("a gate over memory had to wait")
            };
            assert!(response.extensions().get::<Denial>().is_some(), "{token}");
            (info.count_total, response)
        };
        // As above, the second request of a gate sets up what stays.
        once();
        once();
        let (count, response) = once();
        let mut copy = HeaderMap::new();
        let headers = measure(|| copy = response.headers().clone());
        assert_eq!(count, headers.count_total + 1, "{token}");
    }
}

/// A gate whose answers have a path keeps the path of each request, and one with ids an id.
#[test]
fn only_gates_that_ask_for_facts_keep_them() {
    const PATHS: Answer = Answer::new(StatusCode::NOT_FOUND, ErrorBody::Error("{path}"));
    const OTHER: Answer = Answer::new(StatusCode::NOT_FOUND, ErrorBody::Error("{account}"));
    let with = |route_unknown| Answers { route_unknown, ..BARE.answers };
    let one = one_extension();
    let figures = |profile: Profile| accepted(&profile, bearer).count_total - one.count_total;
    assert_eq!(figures(Profile { answers: with(OTHER), ..BARE }), 0);
    assert_eq!(figures(Profile { answers: with(PATHS), ..BARE }), 2, "a box and the path");
    let request_id = Some(RequestIdHeader::new("x-request-id"));
    assert!(figures(Profile { request_id, ..BARE }) > 2);
    // The answers of a path are an index, and challenges are rendered when the gate is built.
    let by_path = [PathAnswers { prefix: "/v1", answers: with(OTHER) }];
    let challenges = &[SchemeChallenge::new("Bearer")];
    let of_paths = Profile { answers_by_path: &by_path, challenges, ..BARE };
    assert_eq!(figures(of_paths), 0);
}

const fn figures(info: AllocationInfo) -> (u64, u64) {
    (info.count_total, info.bytes_total)
}
