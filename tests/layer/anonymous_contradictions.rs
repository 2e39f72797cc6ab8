//! Anonymous quotas that never count, or that clients could evade, fail in `build()`.

use std::time::Duration;

use tower_api_key::concurrency::Concurrency;
use tower_api_key::limits::{AnonymousQuotas, MemoryLimiter};
use tower_api_key::quota::{OnLimiterFailure, Per, Quota};
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};

use crate::support::PROFILE;

/// How an error names the builder's method.
const GATE: &str = "`anonymous_quotas`";
const MINUTE: Duration = Duration::from_secs(60);
const TWO: Quota = Quota::new("two", 2, MINUTE);
const TWOS: &[Quota] = &[TWO];
const DARK: &[Quota] = &[TWO.in_shadow()];
const BY_KEY: &[Quota] = &[TWO, Quota::new("each", 9, MINUTE).with_per(Per::Key)];
const TWICE: &[Quota] = &[TWO, TWO];

fn bare() -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(PROFILE, MemoryStore::new())
}

fn counting() -> ApiKeyLayerBuilder {
    bare().limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
}

fn quotas(quotas: &[Quota]) -> AnonymousQuotas {
    AnonymousQuotas::new(quotas.to_vec())
}

fn on(route: Route) -> Routes {
    Routes::new().get("/a", route)
}

#[test]
#[allow(clippy::too_many_lines)] // A table of cases.
fn what_never_counts_is_found_when_the_layer_is_built() {
    let counted = || Route::new().anonymous_quotas(TWOS);
    let open = || TrustedProxies::insecure_whole_internet(ProxyHeaders::Forwarded);
    let optional = || counting().optional();
    let cases: Vec<(&str, ApiKeyLayerBuilder, &[&str])> = vec![
        ("fine", optional().anonymous_quotas(quotas(TWOS)), &[]),
        ("fine on a route", optional().routes(on(counted())), &[]),
        (
            "prefixes for a route",
            optional().routes(on(counted())).anonymous_quotas(quotas(&[]).prefixes(24, 48)),
            &[],
        ),
        (
            "one enforced",
            optional().anonymous_quotas(quotas(&[TWO, Quota::new("dark", 1, MINUTE).in_shadow()])),
            &[],
        ),
        ("needs a key", counting().anonymous_quotas(quotas(TWOS)), &[GATE, "`optional`"]),
        ("needs a key, route", counting().routes(on(counted())), &["`/a`", "`optional`"]),
        (
            "no limiter",
            bare().optional().anonymous_quotas(quotas(TWOS)),
            &["no limiter", "`limits`"],
        ),
        ("no limiter, route", bare().optional().routes(on(counted())), &["no limiter", "`limits`"]),
        (
            "off",
            bare().without_limits().optional().anonymous_quotas(quotas(TWOS)),
            &[GATE, "`without_limits`"],
        ),
        ("off, route", bare().without_limits().routes(on(counted())), &[]),
        ("none", optional().anonymous_quotas(quotas(&[])), &[GATE, "list a quota"]),
        (
            "none, but routes",
            optional().routes(on(Route::new())).anonymous_quotas(AnonymousQuotas::default()),
            &[GATE, "list a quota"],
        ),
        (
            "open proxies",
            optional().anonymous_quotas(quotas(TWOS)).trusted_proxies(open()),
            &[GATE, "`insecure_whole_internet`"],
        ),
        (
            "open proxies, route",
            optional().routes(on(counted())).trusted_proxies(open()),
            &["`/a`", "`insecure_whole_internet`"],
        ),
        ("by key", optional().anonymous_quotas(quotas(BY_KEY)), &[GATE, "`each`", "`with_per`"]),
        (
            "by key, route",
            optional().routes(on(Route::new().anonymous_quotas(BY_KEY))),
            &["`/a`", "`each`", "`with_per`"],
        ),
        ("shadow", optional().anonymous_quotas(quotas(DARK)), &[GATE, "in shadow"]),
        (
            "shadow, route",
            optional().routes(on(Route::new().anonymous_quotas(DARK))),
            &["`/a`", "in shadow"],
        ),
        ("twice", optional().anonymous_quotas(quotas(TWICE)), &["`two`"]),
        (
            "twice, route",
            optional().routes(on(Route::new().anonymous_quotas(TWICE))),
            &["`/a`", "`anonymous_quotas`", "`two`"],
        ),
        ("scope", optional().routes(on(counted().all_of(&["a"]))), &["`/a`", "without a key"]),
        ("kind", optional().routes(on(counted().kinds(&["a"]))), &["`/a`", "without a key"]),
        (
            "one",
            optional().routes(on(counted().concurrency(Concurrency::new(1)))),
            &["`/a`", "without a key"],
        ),
        ("metered", optional().routes(on(counted().metered())), &["`/a`", "`metered`"]),
        (
            "otherwise",
            optional().routes(Routes::new().otherwise(Otherwise::Need(counted().all_of(&["a"])))),
            &["`*`", "without a key"],
        ),
        ("dear", optional().routes(on(counted().cost(3))), &["`/a`", "cost of 3", "`two`"]),
        (
            "dear, gate",
            optional().routes(on(Route::new().cost(3))).anonymous_quotas(quotas(TWOS)),
            &["`/a`", "cost of 3", "`two`"],
        ),
        (
            "dear for keys",
            optional()
                .routes(on(Route::new().cost(3).all_of(&["a"])))
                .anonymous_quotas(quotas(TWOS)),
            &[],
        ),
        (
            "no bits",
            optional().anonymous_quotas(quotas(TWOS).prefixes(0, 64)),
            &["`AnonymousQuotas::prefixes`", "0 bits", "1 to 32"],
        ),
        (
            "too many bits",
            optional().anonymous_quotas(quotas(TWOS).prefixes(32, 129)),
            &["`AnonymousQuotas::prefixes`", "129 bits", "1 to 128"],
        ),
    ];
    for (case, builder, words) in cases {
        let complaint = builder.build().err().map(|error| error.to_string());
        assert_eq!(complaint.is_none(), words.is_empty(), "{case}: {complaint:?}");
        for word in words {
            let complaint = complaint.as_deref().unwrap();
            assert!(complaint.contains(word), "{case}: `{complaint}` says nothing of {word}");
        }
    }
}
