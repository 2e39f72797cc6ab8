//! Quotas by the name of a plan.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tower_api_key::key::{Account, AccountBuilder, KeyRecordBuilder};
use tower_api_key::limits::{LimiterError, LimiterFallback, MemoryLimiter, Plans};
use tower_api_key::quota::{OnLimiterFailure, Quota, Share};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Observer};

use crate::support::{PROFILE, greeting, request, send, store};

const MINUTE: Duration = Duration::from_secs(60);

static TWO: [Quota; 1] = [Quota::new("minute", 2, MINUTE)];

fn minute(limit: u32) -> [Quota; 1] {
    [Quota::new("minute", limit, MINUTE)]
}

fn put(store: &MemoryStore, describe: impl FnOnce(AccountBuilder) -> AccountBuilder) {
    store.save_account_now(describe(Account::builder("acme")).build().unwrap());
}

/// Sends requests until one is refused; how many passed, and how that was answered.
async fn passes(layer: &ApiKeyLayer) -> (usize, u16) {
    let service = greeting(layer);
    for passed in 0..50 {
        let status = send(&service, request(Method::GET, "/")).await.status();
        if status != 200 {
            return (passed, status.as_u16());
        }
    }
    (50, 200)
}

#[tokio::test]
async fn whose_quotas_count() {
    type Describe = fn(AccountBuilder) -> AccountBuilder;
    type Change = fn(KeyRecordBuilder) -> KeyRecordBuilder;
    let cases: [(&str, Describe, Change, usize); 5] = [
        ("the profile's", |account| account, |key| key, 2),
        ("the plan's", |account| account.plan("gold"), |key| key, 3),
        ("the account's own", |account| account.plan("gold").quotas(minute(4)), |key| key, 4),
        ("the key's own", |account| account.plan("gold"), |key| key.quotas(minute(5)), 5),
        ("a plan's that counts nothing", |account| account.plan("staff"), |key| key, 50),
    ];
    for (whose, describe, change, expected) in cases {
        let (store, plans) = (store(change), Plans::new());
        put(&store, describe);
        plans.set("gold", minute(3)).unwrap();
        plans.set("staff", []).unwrap();
        let profile = tower_api_key::Profile { quotas: &TWO, ..PROFILE };
        let layer = ApiKeyLayer::builder(profile, store).plans(plans);
        let layer = layer.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build().unwrap();
        let refused = if expected == 50 { 200 } else { 429 };
        assert_eq!(passes(&layer).await, (expected, refused), "{whose}");
    }
}

#[tokio::test]
async fn a_change_counts_from_the_next_request_and_keeps_what_was_counted() {
    let (store, plans) = (store(|key| key), Plans::new());
    put(&store, |account| account.plan("free"));
    plans.set("free", minute(2)).unwrap();
    plans.set("gold", minute(10)).unwrap();
    let layer = ApiKeyLayer::builder(PROFILE, store.clone()).plans(plans.clone());
    let layer = layer.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build().unwrap();
    assert_eq!(passes(&layer).await, (2, 429));
    plans.set("free", minute(5)).unwrap();
    assert_eq!(passes(&layer).await, (3, 429), "the plan has more");
    put(&store, |account| account.plan("gold"));
    assert_eq!(passes(&layer).await, (5, 429), "the account is on another");
    plans.set("gold", minute(1)).unwrap();
    assert_eq!(passes(&layer).await, (0, 429), "the plan has less than was used");
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Observer for Heard {
    fn limiter_failed(&self, error: &LimiterError, _: LimiterFallback) {
        let source = std::error::Error::source(error).unwrap().to_string();
        self.0.lock().unwrap().push(source);
    }
}

#[tokio::test]
async fn an_account_on_a_plan_that_is_not_there_cannot_be_counted() {
    let half = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));
    // Nobody knows what a share of it would be.
    for (failure, expected) in
        [(OnLimiterFailure::Deny, 503), (OnLimiterFailure::Allow, 200), (half, 503)]
    {
        for plans in [None, Some(Plans::new())] {
            let (store, heard) = (store(|key| key), Heard::default());
            put(&store, |account| account.plan("forgotten"));
            let layer = ApiKeyLayer::builder(PROFILE, store).observer(heard.clone());
            let layer = match &plans {
                Some(plans) => layer.plans(plans.clone()),
                None => layer,
            };
            let layer = layer.limits(MemoryLimiter::new(), failure).build().unwrap();
            let service = greeting(&layer);
            let answer = send(&service, request(Method::GET, "/")).await;
            assert_eq!(answer.status(), expected);
            assert_eq!(
                *heard.0.lock().unwrap(),
                [
                    "the account is on a plan that the layer does not have: add the plan with `Plans::set`"
                ]
            );
            if let Some(plans) = plans {
                plans.set("forgotten", minute(1)).unwrap();
                assert_eq!(passes(&layer).await, (1, 429));
            }
        }
    }
}

/// The quotas of its route are known, and one that denies outweighs all others.
#[tokio::test]
async fn a_route_chooses_for_itself_where_a_plan_is_not_there() {
    const ALLOW: OnLimiterFailure = OnLimiterFailure::Allow;
    const DENY: OnLimiterFailure = OnLimiterFailure::Deny;
    const HALF: OnLimiterFailure = OnLimiterFailure::Local(Share::of(NonZeroU32::new(2).unwrap()));
    static DENIES: [Quota; 1] = [Quota::new("route", 4, MINUTE).with_failure_choice(DENY)];
    static DENIES_NOTHING: [Quota; 1] =
        [Quota::new("dark", 4, MINUTE).with_failure_choice(DENY).in_shadow()];
    static COUNTS: [Quota; 1] = [Quota::new("route", 4, MINUTE).with_failure_choice(HALF)];
    static ALLOWS: [Quota; 1] = [Quota::new("route", 4, MINUTE)];
    // The profile's are not the account's, so what they would choose counts for nothing.
    static OTHERS: [Quota; 1] = [Quota::new("minute", 2, MINUTE).with_failure_choice(DENY)];
    for (quotas, failure, expected) in [
        (&DENIES, ALLOW, (0, 503)),
        (&DENIES_NOTHING, ALLOW, (50, 200)),
        (&COUNTS, ALLOW, (2, 429)),
        (&ALLOWS, ALLOW, (50, 200)),
        (&ALLOWS, DENY, (0, 503)),
        (&ALLOWS, HALF, (0, 503)),
    ] {
        let store = store(|key| key);
        put(&store, |account| account.plan("forgotten"));
        let profile = tower_api_key::Profile { quotas: &OTHERS, ..PROFILE };
        let routes = Routes::new().otherwise(Otherwise::Need(Route::new().quotas(quotas)));
        let layer = ApiKeyLayer::builder(profile, store).plans(Plans::new()).routes(routes);
        let layer = layer.limits(MemoryLimiter::new(), failure).build().unwrap();
        assert_eq!(passes(&layer).await, expected, "{quotas:?} {failure:?}");
    }
}

#[test]
fn quotas_need_a_limiter_whoever_names_them() {
    let bare = || ApiKeyLayer::builder(PROFILE, MemoryStore::new());
    let of_a_profile = || {
        let profile = tower_api_key::Profile { quotas: &TWO, ..PROFILE };
        ApiKeyLayer::builder(profile, MemoryStore::new())
    };
    let of_a_route = || {
        let counted = Route::new().quotas(&TWO);
        bare().routes(Routes::new().on(&[], "/", Route::new()).on(&[], "/x", counted))
    };
    let of_a_plan = || bare().plans(Plans::new());
    let builders: [&dyn Fn() -> ApiKeyLayerBuilder; 3] = [&of_a_profile, &of_a_route, &of_a_plan];
    for builder in builders {
        assert!(matches!(builder().build(), Err(ConfigError::LimiterMissing)));
        assert!(builder().without_limits().build().is_ok());
    }
    assert!(bare().build().is_ok());
}
