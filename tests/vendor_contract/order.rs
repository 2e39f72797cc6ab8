//! The order of the checks: a request that breaks several rules is answered by the first of them.

use std::time::Duration;

use http::HeaderValue;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::quota::Quota;
use tower_api_key::rules::{Route, RouteRow};
use tower_api_key::{Profile, vendors};

use super::case::{Case, SERVED, Transport, World};
use super::gate::Gate;
use crate::source::Source;

/// A profile and a route that ask for everything.
const STRICT: Profile = Profile {
    credentials: &[CredentialSource::bearer().only(&["writer", "reader"])],
    required_headers: &[RequiredHeader { name: "x-version", expected: Expected::Present }],
    quotas: &[PLENTY],
    ..vendors::REST_INTEGRATIONS
};
const ROUTES: &[RouteRow] = &[RouteRow {
    methods: &[],
    path: "/accounts/{account}/items",
    route: Route::new()
        .kinds(&["writer"])
        .account_parameter("account")
        .all_of(&["write"])
        .concurrency(Concurrency::new(1))
        .budget(Duration::from_secs(2)),
}];
const PLENTY: Quota = Quota::new("minute", 100, Duration::from_secs(60));
const ONE: Quota = Quota::new("minute", 1, Duration::from_secs(60));

/// A request that meets all demands.
const FLAWLESS: Case = Case {
    name: "all is well",
    profile: STRICT,
    source: Source::Constant,
    routes: ROUTES,
    environment: Some("production"),
    world: World::Sound,
    transport: Transport::Tls,
    method: "POST",
    target: "/accounts/acme/items",
    authorization: &["Bearer 0123456789abcdef0123456789abcdef"],
    headers: &[("x-version", "1")],
    key: "0123456789abcdef0123456789abcdef",
    record: Some(|record| {
        let record = record.environment("production").kind("writer");
        record.scopes(["write"]).networks(["192.0.2.0/24"])
    }),
    content_type: "application/json",
    reply: SERVED,
};

/// One way to break a rule.
struct Flaw {
    denial: &'static str,
    breach: Breach,
}

enum Breach {
    Request(fn(Case) -> Case),
    Record(fn(KeyRecordBuilder) -> KeyRecordBuilder),
    Deleted,
    FailedBefore,
    InFlight,
    Stalls,
}

/// The flaws in the order in which they are to be found.
const FLAWS: &[Flaw] = &[
    of_request("insecure_transport", |case| case.over(Transport::Plain)),
    of_request("credentials_missing", |case| case.authorization(&[])),
    of_request("scheme_unsupported", |case| case.authorization(&["Digest x"])),
    Flaw { denial: "too_many_failures", breach: Breach::FailedBefore },
    of_request("credentials_ambiguous", |case| case.authorization(&["Digest x", "Bearer short"])),
    of_request("credentials_malformed", |case| case.authorization(&["Bearer sh,ort"])),
    of_request("key_malformed", |case| case.authorization(&["Bearer short"])),
    Flaw { denial: "key_unknown", breach: Breach::Deleted },
    of_record("key_revoked", |record| record.revoked(true)),
    of_record("key_disabled", |record| record.disabled(true)),
    of_record("key_expired", |record| record.expires(super::case::NOW)),
    of_record("environment_mismatch", |record| record.environment("sandbox")),
    // The kind of key is one: it cannot fit the scheme and the route at once, nor neither.
    of_record("scheme_not_for_kind", |record| record.kind("deployment")),
    of_record("network_not_allowed", |record| record.networks(["198.51.100.0/24"])),
    of_record("kind_not_allowed", |record| record.kind("reader")),
    of_request("account_mismatch", |case| case.request("POST", "/accounts/globex/items")),
    of_request("header_refused", |case| case.headers(&[])),
    of_record("scope_missing", |record| record.scopes(["read"])),
    of_record("rate_limited", |record| record.quotas([ONE])),
    Flaw { denial: "concurrency_exceeded", breach: Breach::InFlight },
    Flaw { denial: "timed_out", breach: Breach::Stalls },
];

const fn of_request(denial: &'static str, change: fn(Case) -> Case) -> Flaw {
    Flaw { denial, breach: Breach::Request(change) }
}

const fn of_record(denial: &'static str, change: fn(KeyRecordBuilder) -> KeyRecordBuilder) -> Flaw {
    Flaw { denial, breach: Breach::Record(change) }
}

/// Sends a request with these flaws and returns the name of the denial.
async fn denial_of(flaws: &[&Flaw]) -> Option<&'static str> {
    let has = |wanted: fn(&Breach) -> bool| flaws.iter().any(|flaw| wanted(&flaw.breach));
    let failed_before = has(|breach| matches!(breach, Breach::FailedBefore));
    let world = if failed_before { World::FailedBefore } else { World::Sound };
    let gate = Gate::of(&FLAWLESS.world(world));
    // The request before uses up a quota of one, and may hold the one place.
    let earlier = gate.respond(FLAWLESS.to_request()).await;
    assert_eq!(earlier.status(), 200);
    let earlier = has(|breach| matches!(breach, Breach::InFlight)).then_some(earlier);
    if has(|breach| matches!(breach, Breach::Stalls)) {
        gate.stall();
    }
    let mut case = FLAWLESS;
    // The last flaw first, so that where two would set the same thing the first one wins.
    for flaw in flaws.iter().rev() {
        match flaw.breach {
            Breach::Request(change) => case = change(case),
            Breach::Record(change) => assert!(gate.store.update_now("key_1", change).unwrap()),
            Breach::Deleted | Breach::FailedBefore | Breach::InFlight | Breach::Stalls => {}
        }
    }
    if has(|breach| matches!(breach, Breach::Deleted)) {
        assert!(gate.store.delete_now("key_1"));
    }
    if failed_before {
        let unknown = FLAWLESS.authorization(&["Bearer fedcba9876543210fedcba9876543210"]);
        assert_eq!(gate.send(unknown.to_request()).await.denial(), Some("key_unknown"));
    }
    let denial = gate.send(case.to_request()).await.denial();
    drop(earlier);
    denial
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_flaw_passes_and_with_one_it_is_named() {
    assert_eq!(denial_of(&[]).await, None);
    for flaw in FLAWS {
        assert_eq!(denial_of(&[flaw]).await, Some(flaw.denial));
    }
}

#[tokio::test(start_paused = true)]
async fn of_any_two_flaws_the_first_is_answered() {
    for (index, first) in FLAWS.iter().enumerate() {
        for second in &FLAWS[index + 1..] {
            let denial = denial_of(&[first, second]).await;
            assert_eq!(denial, Some(first.denial), "before {}", second.denial);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_all_flaws_from_one_on_the_first_is_answered() {
    for index in 0..FLAWS.len() {
        let flaws: Vec<&Flaw> = FLAWS[index..].iter().collect();
        assert_eq!(denial_of(&flaws).await, Some(FLAWS[index].denial));
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_after_the_syntax_and_before_the_rules() {
    let down = FLAWLESS.world(World::StoreFails);
    let asked = |flaw: &&Flaw| !matches!(flaw.breach, Breach::Request(_) | Breach::FailedBefore);
    let first = FLAWS.iter().position(|flaw| asked(&flaw)).unwrap();
    for (index, flaw) in FLAWS.iter().enumerate() {
        let Breach::Request(change) = flaw.breach else {
            continue;
        };
        let answered = Gate::of(&down).send(change(down).to_request()).await;
        let expected = if index < first { flaw.denial } else { "store_unavailable" };
        assert_eq!(answered.denial(), Some(expected), "{}", flaw.denial);
    }
}

#[tokio::test]
async fn a_401_says_nothing_of_the_route() {
    // Whether a path exists, which headers it wants: only a key that serves may learn that.
    let mut request = FLAWLESS.to_request();
    let other = HeaderValue::from_static("Bearer fedcba9876543210fedcba9876543210");
    request.headers_mut().insert("authorization", other);
    request.headers_mut().remove("x-version");
    let gate = Gate::of(&FLAWLESS);
    let known = gate.send(request.clone()).await;
    *request.uri_mut() = "/nowhere".parse().unwrap();
    let unknown = gate.send(request).await;
    assert_eq!(known.status, 401);
    assert_eq!(known.lines(), unknown.lines());
    assert_eq!(known.body, unknown.body);
}
