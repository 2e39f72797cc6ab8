//! No public value panics, however large, small or odd it is: it serves, saturates, or is an error of the
//! function that builds with it.

use std::future::Future;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;
use proptest::prelude::*;
use tower_api_key::attempts::{FailedAttempts, RefusedRequests};
use tower_api_key::clock::{Clock, ManualClock, SystemClock, Timestamp};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::{
    Account, AccountId, Alphabet, Environment, Issuer, KeyDigest, KeyFormat, KeyHasher, KeyId,
    KeyKind, KeyRecord, Networks, Pepper, PlanName, ScopeSet,
};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter, Plans};
use tower_api_key::profile::{
    Answer, Answers, BasicKey, CredentialSource, ErrorBody, Expected, LimitField, LimitHeaders,
    LimitValue, PathAnswers, PrincipalHeader, PrincipalValue, Problem, ProblemMember, ProblemValue,
    RequestIdHeader, RequiredHeader, ResponseHeader, SchemeChallenge,
};
use tower_api_key::quota::{
    Algorithm, Counter, OnLimiterFailure, Per, Quota, QuotaStatus, Quotas, Share, Verdict,
};
use tower_api_key::rules::{Otherwise, Roles, Route, Routes, ScopeRules};
use tower_api_key::store::{KeyEntry, KeyState, MemoryStore, SecretEntry};
use tower_api_key::{ApiKeyLayer, Preflight, Profile, Reply};

use crate::support::{KEY, PROFILE, digest, greeting, request, send, store};

const OWN: LimitHeaders = LimitHeaders {
    fields: &[
        LimitField::new("own-used", LimitValue::Used),
        LimitField::new("own-reset", LimitValue::ResetUnixTime).decimals(9),
        LimitField::new("own-each-{quota}", LimitValue::ResetDuration).decimals(3),
    ],
    partition_keys: true,
    ..LimitHeaders::STRUCTURED
};

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![prop::sample::select(vec![0, 1, 2, 7, u32::MAX - 1, u32::MAX]), any::<u32>()]
}

/// Sizes; none between what fits into memory and what does not.
fn size() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![
        0,
        1,
        7,
        8,
        9,
        65_536,
        1 << 40,
        usize::MAX / 2,
        usize::MAX - 1,
        usize::MAX,
    ])
}

fn span() -> impl Strategy<Value = Duration> {
    let year = 366 * 24 * 3_600;
    prop_oneof![
        prop::sample::select(vec![
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_nanos(999_999_999),
            Duration::from_secs(1),
            Duration::from_secs(year),
            Duration::from_secs(year) + Duration::from_nanos(1),
            Duration::from_nanos(u64::MAX),
            Duration::from_secs(u64::MAX),
            Duration::MAX,
        ]),
        (any::<u64>(), 0..1_000_000_000u32).prop_map(|(s, n)| Duration::new(s, n)),
    ]
}

fn instant() -> impl Strategy<Value = Timestamp> {
    let odd = vec![0, 1, 999_999_999, 1_700_000_000_000_000_000, u64::MAX - 1, u64::MAX];
    prop_oneof![prop::sample::select(odd), any::<u64>()].prop_map(Timestamp::from_unix_nanoseconds)
}

fn text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        "a",
        "/",
        "two words",
        "é",
        "\0",
        "\n",
        "\u{202e}",
        "{",
        "}",
        "{*",
        "a:b",
        "\"",
        "%",
        "/{",
    ];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        Just("x".repeat(100_000)),
        Just("{".repeat(10_000)),
        any::<String>(),
        "[/{}*:a.%?]{0,12}",
    ]
}

fn quota() -> impl Strategy<Value = Quota> {
    let algorithm = prop::sample::select(Algorithm::ALL.to_vec());
    let name = prop_oneof![3 => Just("calls".to_owned()), 1 => text()];
    (name, number(), span(), algorithm, any::<bool>(), any::<bool>()).prop_map(
        |(name, limit, window, algorithm, key, shadow)| {
            let quota = Quota::named(name, limit, window).with_algorithm(algorithm);
            let quota = if key { quota.with_per(Per::Key) } else { quota };
            if shadow { quota.in_shadow() } else { quota }
        },
    )
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// Says of every limit whatever it was told to.
struct Says(u32, u32, Duration, Option<Duration>);

impl Limiter for Says {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let mut verdict = Verdict::passed();
        for _ in charge.quotas.iter() {
            verdict.push(QuotaStatus::new(self.0, self.1, self.2));
        }
        if let Some(wait) = self.3 {
            verdict.refuse(wait);
        }
        Reply::now(Ok(verdict))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_layer_builds_and_serves_or_says_why_not(
        quotas in prop::collection::vec(quota(), 0..6),
        own in quota(),
        (cost, places, length) in (number(), number(), number()),
        (budget, wait) in (span(), span()),
        (failures, window, networks) in (number(), span(), size()),
        (ipv4, ipv6) in any::<(u8, u8)>(),
        capacity in size(),
        nodes in number(),
        (now, later) in (instant(), span()),
        pattern in text(),
    ) {
        let own = [own];
        let route = Route::new().cost(cost).quotas(&own).metered().budget(budget)
            .concurrency(Concurrency::new(places).with_longest_wait(wait).with_longest_queue(length));
        let clock = ManualClock::starting_at(now);
        let attempts = FailedAttempts::new(failures, window).capacity(networks).prefixes(ipv4, ipv6);
        let share = Share::of(NonZeroU32::new(nodes).unwrap_or(NonZeroU32::MIN));
        let build = |routes: Routes, with_attempts: bool| {
            let profile = Profile { quotas: &quotas, ..PROFILE };
            let builder = ApiKeyLayer::builder(profile, store(|key| key))
                .routes(routes)
                .limits(MemoryLimiter::with_capacity(capacity), OnLimiterFailure::Local(share))
                .clock(clock.clone());
            let refusals = RefusedRequests::new(failures, window).keys(networks);
            let builder = if with_attempts { builder.failed_attempts(attempts.clone()) } else { builder };
            let builder = if with_attempts { builder.refused_requests(refusals) } else { builder };
            builder.build()
        };
        let _ = build(Routes::new().on(&[], pattern, route), true);
        let otherwise = || Routes::new().otherwise(Otherwise::Need(route));
        let _ = build(otherwise(), true);
        if let Ok(layer) = build(otherwise(), false) {
            let service = greeting(&layer);
            block_on(async {
                for _ in 0..3 {
                    send(&service, request(Method::GET, "/")).await;
                    clock.advance(later);
                }
            });
        }
    }

    #[test]
    fn a_profile_of_odd_texts_builds_or_says_why_not(
        texts in prop::collection::vec(text(), 4),
        (least, most) in any::<(u16, u16)>(),
        seconds in number(),
    ) {
        let [a, b, c, d] = &texts[..] else { unreachable!() };
        let (a, b, c, d) = (&**a, &**b, &**c, &**d);
        let (first, other, one, two) = ([a], [b], [c], [b, c]);
        let sources = [
            CredentialSource::header(a),
            CredentialSource::basic(BasicKey::PasswordOf(b)),
            CredentialSource::bearer().only(&one),
        ];
        let format = KeyFormat::new().literal(a).environment(&two)
            .between(Alphabet::Token, least, most).checksum();
        let simple = KeyFormat::new().literal(a).between(Alphabet::Base62, least, most);
        for format in [format, simple] {
            let _ = (format.pattern(), format.entropy_bits(), format.matches(d.as_bytes()));
            let _ = Issuer::new(format, KeyHasher::sha256()).issue(Some(b));
            for source in sources {
                let (credentials, formats) = (&[source], &[format]);
                let _ = ApiKeyLayer::builder(Profile { credentials, formats, ..PROFILE }, MemoryStore::new()).build();
            }
        }
        let answer = Answer::new(http::StatusCode::FORBIDDEN, ErrorBody::Text(d)).retry_after(seconds);
        let answers = Answers { scope_missing: answer, ..PROFILE.answers };
        let headers = [
            PrincipalHeader { name: a, value: PrincipalValue::RequestId(b) },
            PrincipalHeader { name: c, value: PrincipalValue::Metadata(d) },
        ];
        let demanded = [
            RequiredHeader { name: a, expected: Expected::OneOf(&two) },
            RequiredHeader { name: a, expected: Expected::MediaType(d) },
        ];
        let parameters = [(c, d), (d, b)];
        let challenges = [SchemeChallenge::new(a).parameters(&parameters).without_realm()];
        let fixed = [ResponseHeader { name: a, value: d }];
        let members = [
            ProblemMember { name: a, value: ProblemValue::Text(d) },
            ProblemMember { name: b, value: ProblemValue::Json(d) },
        ];
        let problem = Problem::new(a, b, c).instance(d).members(&members);
        let problems = Answers::all(Answer::of_code(least, ErrorBody::Problem(problem)));
        let by_path = [PathAnswers { prefix: a, answers }, PathAnswers { prefix: d, answers }];
        let (own, values) = ([(a, d), (d, a)], [(b, d)]);
        let json = ErrorBody::Json { shape: d, values: &values };
        let json = Answer::new(http::StatusCode::FORBIDDEN, json).headers(&own);
        let json = json.documentation_url(d);
        let json = Answers { scope_missing: json, ..PROFILE.answers };
        let request_id = Some(RequestIdHeader::new(a).prefix(d));
        let profiles = vec![
            Profile { answers, ..PROFILE },
            Profile { answers: problems, ..PROFILE },
            Profile { challenges: &challenges, ..PROFILE },
            Profile { response_headers: &fixed, ..PROFILE },
            Profile { answers_by_path: &by_path, ..PROFILE },
            Profile { answers: json, ..PROFILE },
            Profile { request_id, ..PROFILE },
            Profile { realm: d, name: d, ..PROFILE },
            Profile { principal_headers: &headers, ..PROFILE },
            Profile { required_headers: &demanded, ..PROFILE },
        ];
        for profile in profiles {
            let _ = ApiKeyLayer::builder(profile, MemoryStore::new()).build();
        }
        let route = Route::new().all_of(&first).any_of(&other).kinds(&one).account_parameter(d);
        let routes = Routes::new().on(&[Method::GET], a, route).on(&[], b, route).on(&[], c, route);
        let builder = ApiKeyLayer::builder(PROFILE, MemoryStore::new()).routes(routes);
        let rows: [(&str, &[&str]); 2] = [(a, &[b, c]), (b, &[d])];
        let separator = d.chars().next().unwrap_or('.');
        let scopes = ScopeRules::new().wildcards().prefixes().separator(separator).hierarchy(&rows);
        let _ = (Roles::new().set(a, [b, c]), Roles::new().remove(d));
        let _ = builder.environment(d).scopes(scopes).build();
        let fields = [
            LimitField::new(a, LimitValue::QuotaName).of_quota(b),
            LimitField::new(c, LimitValue::ResetDuration).decimals(a.len().try_into().unwrap_or(u8::MAX)),
        ];
        let limit_headers = LimitHeaders { fields: &fields, unit: Some(d), ..LimitHeaders::STRUCTURED };
        let _ = ApiKeyLayer::builder(Profile { limit_headers, ..PROFILE }, MemoryStore::new()).build();
    }

    #[test]
    fn records_and_names_are_built_or_refused(
        texts in prop::collection::vec(text(), 3),
        quotas in prop::collection::vec(quota(), 0..6),
        (from, until, now) in (instant(), instant(), instant()),
    ) {
        let [a, b, c] = &texts[..] else { unreachable!() };
        let _ = (AccountId::new(a), KeyId::new(a), KeyKind::new(a), Environment::new(a), PlanName::new(a));
        let _ = (ScopeSet::new([a, b]), Networks::new([a.as_str(), b]), a.parse::<KeyDigest>());
        let _ = (Quotas::new(quotas.clone()), Plans::new().set(a, quotas.clone()), a.parse::<OnLimiterFailure>());
        let _ = Pepper::new(a.as_bytes());
        let account = Account::builder(a).scopes([b]).quotas(quotas.clone()).plan(c).build();
        let account = account.or_else(|_| Account::builder("acme").build()).unwrap();
        let account = Arc::new(account);
        for id in [a.as_str(), "key_1"] {
            let odd = KeyRecord::builder(id, Arc::clone(&account)).name(b).description(c).owner(a)
                .kind(b).environment(c).scopes([a]).networks([b.as_str()]).quotas(quotas.clone())
                .metadata(a, b).not_before(from).expires(until).build();
            let plain = KeyRecord::builder(id, Arc::clone(&account)).not_before(from).expires(until).build();
            for record in odd.into_iter().chain(plain) {
                let _ = KeyState::of(&record, now);
                let store = MemoryStore::with_clock(ManualClock::starting_at(now));
                store.add_now(digest(KEY), record.clone());
                let secret = SecretEntry::new(digest(KEY), from);
                let entry = KeyEntry::new(record, from, vec![secret]);
                let _ = (entry.state(now), entry.last_used());
            }
        }
    }

    #[test]
    fn clocks_and_instants_saturate(start in instant(), by in prop::collection::vec(span(), 0..5)) {
        let clock = ManualClock::starting_at(start);
        let mut expected = start;
        for span in by {
            let before = clock.now();
            clock.advance(span);
            expected = expected.plus(span);
            prop_assert_eq!(clock.now(), expected);
            prop_assert!(clock.now() >= before, "a clock that is moved forward goes back");
            let _ = (clock.now().since(start), start.since(clock.now()), clock.now().unix_seconds());
            if let Some(time) = SystemTime::UNIX_EPOCH.checked_add(span) {
                let _ = Timestamp::from(time);
            }
        }
        let _ = (SystemClock.now(), Timestamp::from_unix_seconds(start.unix_nanoseconds()));
    }

    #[test]
    fn counters_count_whatever_the_quota(
        quota in quota(),
        steps in prop::collection::vec((instant(), number()), 1..8),
    ) {
        let mut counter = Counter::new(&quota);
        for (now, cost) in steps {
            let _ = counter.wait(&quota, now, cost);
            counter.charge(&quota, now, cost);
            let status = counter.status(&quota, now);
            prop_assert!(status.remaining() <= quota.limit());
            let _ = (counter.is_idle(now), status.reset_after());
        }
    }

    #[test]
    fn a_verdict_says_whatever_a_limiter_of_ones_own_says(
        (limit, remaining) in (number(), number()),
        (reset, wait) in (span(), span()),
        refused in any::<bool>(),
        pushes in 0..70usize,
        shadow in any::<bool>(),
    ) {
        let mut verdict = Verdict::passed();
        for _ in 0..pushes {
            let status = QuotaStatus::new(limit, remaining, reset);
            if shadow { verdict.push_in_shadow(status, true) } else { verdict.push(status) }
        }
        if refused {
            verdict.refuse(wait);
            prop_assert!(verdict.retry_after() > Some(Duration::ZERO), "it would hammer");
        }
        let _ = (verdict.statuses().len(), verdict.shadow_refusals().count());
        for limit_headers in [LimitHeaders::RATE_LIMIT, LimitHeaders::X_RATE_LIMIT, OWN] {
            for algorithm in Algorithm::ALL {
                let quotas = [Quota::new("calls", 5, Duration::from_secs(60)).with_algorithm(algorithm)];
                let profile = Profile { quotas: &quotas, limit_headers, ..PROFILE };
                let says = Says(limit, remaining, reset, refused.then_some(wait));
                let layer = ApiKeyLayer::builder(profile, store(|key| key))
                    .limits(says, OnLimiterFailure::Deny).build().unwrap();
                block_on(send(&greeting(&layer), request(Method::GET, "/")));
            }
        }
    }
}

#[test]
fn more_than_fits_into_memory_is_refused() {
    let minute = Duration::from_secs(60);
    for size in [1 << 40, usize::MAX / 2, usize::MAX] {
        let builder = || ApiKeyLayer::builder(PROFILE, MemoryStore::new());
        let attempts = FailedAttempts::new(10, minute).capacity(size);
        let refusals = RefusedRequests::new(10, minute).keys(size);
        for builder in [builder().failed_attempts(attempts), builder().refused_requests(refusals)] {
            let built = catch_unwind(AssertUnwindSafe(|| builder.build()));
            let error = built.expect("it panics").unwrap_err().to_string();
            assert!(error.contains(&size.to_string()) && error.contains("at most"), "{error}");
        }
    }
}

#[test]
fn an_answer_to_preflights_is_built_or_refused() {
    for text in ["", "*", "null", "https://a", "a\nb", "\u{202e}", "HTTPS://A", "https://a/"] {
        for age in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            for preflight in [Preflight::from_origins([text]), Preflight::from_any_origin()] {
                let preflight = preflight.headers([text, "x-other"]).max_age(age);
                let builder = ApiKeyLayer::builder(PROFILE, MemoryStore::new());
                let _ = builder.answer_preflight(preflight).build();
            }
        }
    }
    let nothing = Preflight::from_any_origin().methods([]);
    let builder = ApiKeyLayer::builder(PROFILE, MemoryStore::new()).answer_preflight(nothing);
    let error = builder.build().unwrap_err().to_string();
    assert!(error.contains("methods") && error.contains("is empty"), "{error}");
}

/// A cache has no error to build with: more records than can be kept are all that fit.
#[cfg(feature = "cache")]
#[test]
fn a_cache_of_any_size_and_time_is_built() {
    use tower_api_key::store::{Cached, KeyStore};
    for size in [0, 1, 1 << 40, usize::MAX] {
        for time in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let cached = Cached::builder(store(|key| key))
                .capacity(size, size)
                .lookups_at_once(size)
                .staleness(time)
                .grace(time)
                .unknown_for(time)
                .refresh_after(time)
                .timeout(Duration::from_secs(1).max(time))
                .build();
            let found = block_on(async {
                let _ = cached.find(&digest("nobody's")).await;
                cached.find(&digest(KEY)).await
            });
            if size > 0 {
                assert!(found.unwrap().is_some(), "{size} {time:?}");
            }
        }
    }
}
