//! What an observer of a limiter gets, and what `RedisMetrics` counts of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tower_api_key::caller::Caller;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter};
use tower_api_key::quota::{AppliedQuotas, Quota};
use tower_api_key_redis::{ChargeWay, Lease, RedisLimiter, RedisMetrics, RedisObserver};

use crate::{Redis, fresh_prefix};

/// Passes each call on to the metrics, and keeps it.
#[derive(Clone)]
struct Both(Arc<RedisMetrics>, Arc<Mutex<Vec<String>>>);

impl RedisObserver for Both {
    fn charged(&self, way: ChargeWay) {
        self.0.charged(way);
        self.1.lock().unwrap().push(way.name().to_owned());
    }

    fn called(&self, time: Duration, has_failed: bool) {
        self.0.called(time, has_failed);
        self.1.lock().unwrap().push(format!("call failed={has_failed}"));
    }

    fn held(&self, accounts: usize) {
        self.0.held(accounts);
        self.1.lock().unwrap().push(format!("holds {accounts}"));
    }
}

async fn charge(limiter: &RedisLimiter) -> bool {
    let account = Account::builder("acme").build().unwrap();
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    let general = &[Quota::new("minute", 1_000_000, Duration::from_secs(60))];
    let quotas = AppliedQuotas { general, route: &[] };
    let (caller, mode, now) = (Caller::Key(&record), ChargeMode::IfAllowed, Timestamp::default());
    limiter.charge(Charge { caller, quotas, cost: 1, mode, now }).await.is_ok()
}

#[tokio::test]
async fn charges_calls_and_leases_are_observed() {
    let Some(mut server) = Redis::start() else { return };
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let metrics = metrics::with_local_recorder(&recorder, RedisMetrics::new);
    let both = Both(Arc::new(metrics), Arc::default());
    let seen = || std::mem::take(&mut *both.1.lock().unwrap());

    let alone = server.limiter().prefix(fresh_prefix()).observer(both.clone()).build().unwrap();
    assert!(charge(&alone).await && charge(&alone).await);
    assert_eq!(seen(), ["called", "call failed=false", "called", "call failed=false"]);

    // A lease takes more at each call, until tokens are in hand.
    let leased = server.limiter().prefix(fresh_prefix()).lease(Lease::new());
    let leased = leased.observer(both.clone()).build().unwrap();
    for _ in 0..100 {
        assert!(charge(&leased).await);
    }
    let events = seen();
    assert_eq!(events.first().map(String::as_str), Some("called"), "{events:?}");
    let count = |wanted: &str| events.iter().filter(|event| *event == wanted).count();
    assert_eq!(count("held") + count("joined") + count("called"), 100, "{events:?}");
    assert!(count("held") > 0 && count("holds 1") > 0, "{events:?}");

    server.kill();
    assert!(!charge(&alone).await);
    assert_eq!(seen(), ["called", "call failed=true"]);
    let text = handle.render();
    for line in [
        format!("tower_api_key_redis_charges_total{{way=\"held\"}} {}", count("held")),
        format!("tower_api_key_redis_charges_total{{way=\"called\"}} {}", count("called") + 3),
        "tower_api_key_redis_round_trip_seconds_count{outcome=\"failed\"} 1".to_owned(),
        "tower_api_key_redis_leases_held 1".to_owned(),
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}
