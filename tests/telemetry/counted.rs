//! What `MetricsObserver` counts, as Prometheus gets it.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower_api_key::telemetry::{Metric, MetricKind, MetricsObserver};

use super::world::{counted, everything, requests, send};
use crate::support::{KEY, request};

/// Renders what a future counts on this thread.
async fn scrape(counted: impl Future<Output = ()>) -> String {
    let builder = PrometheusBuilder::new().set_buckets(&[0.002, 1.0]).unwrap();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    counted.await;
    handle.render()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|it| it == line), "{line}\n{text}");
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_vendor_route_decision_and_reason() {
    let text = scrape(async {
        let layer = counted().observer(MetricsObserver::new()).build().unwrap();
        let (sent, expected): (Vec<_>, Vec<_>) = requests().into_iter().unzip();
        assert_eq!(send(&layer, sent).await, expected);
    })
    .await;
    for (route, decision, count) in [
        ("/v1/users/{id}", "admitted", 2),
        ("/v1/users/{id}", "refused", 1),
        ("/refuse", "refused", 1),
        ("/scope", "refused", 1),
        ("/free", "anonymous", 1),
        ("", "refused", 3),
    ] {
        let labels = format!(r#"vendor="Test",http_route="{route}",decision="{decision}""#);
        has(&text, &format!("tower_api_key_requests_total{{{labels}}} {count}"));
    }
    for (reason, count) in [
        ("rate_limited", 1),
        ("scope_missing", 1),
        ("route_unknown", 1),
        ("account_mismatch", 1),
        ("credentials_missing", 1),
        ("insecure_transport", 1),
    ] {
        let labels = format!(r#"vendor="Test",reason="{reason}""#);
        has(&text, &format!("tower_api_key_denials_total{{{labels}}} {count}"));
    }
    has(&text, r#"tower_api_key_cost_total{vendor="Test",http_route="/v1/users/{id}"} 2"#);
    // The handler refused this request, so it was charged.
    has(&text, r#"tower_api_key_cost_total{vendor="Test",http_route="/refuse"} 1"#);
    has(&text, "tower_api_key_shadow_refusals_total 1");
    has(&text, "tower_api_key_exposed_keys_total 1");
    has(&text, "tower_api_key_refused_networks_total 0");
    let decisions = r#"tower_api_key_decision_duration_seconds_count{vendor="Test",decision="#;
    has(&text, &format!("{decisions}\"refused\"}} 0"));
    assert!(!text.contains("tower_api_key_wait_duration_seconds_count"), "memory answers at once");
}

#[tokio::test(start_paused = true)]
async fn waits_and_failures_are_counted() {
    let text = scrape(async { everything(MetricsObserver::new()).await }).await;
    let wait = |target, outcome, count| {
        let labels = format!(r#"vendor="Test",target="{target}",outcome="{outcome}""#);
        has(&text, &format!("tower_api_key_wait_duration_seconds_count{{{labels}}} {count}"));
    };
    let decisions = "tower_api_key_decision_duration_seconds";
    has(&text, &format!("# TYPE {decisions} histogram"));
    has(&text, &format!("{decisions}_count{{vendor=\"Test\",decision=\"refused\"}} 3"));
    has(&text, &format!("{decisions}_count{{vendor=\"Test\",decision=\"admitted\"}} 2"));
    wait("store", "failed", 1);
    wait("store", "answered", 2);
    wait("permit", "failed", 2);
    has(&text, "tower_api_key_store_failures_total 1");
    for (limiter, fallback, count) in [
        ("requests", "allowed", 1),
        ("requests", "denied", 1),
        ("simultaneous", "allowed", 1),
        ("simultaneous", "denied", 1),
    ] {
        let labels = format!(r#"limiter="{limiter}",fallback="{fallback}""#);
        has(&text, &format!("tower_api_key_limiter_failures_total{{{labels}}} {count}"));
    }
    has(&text, "tower_api_key_keys_used_elsewhere_total 1");
    has(&text, "tower_api_key_refunded_cost_total 1");
}

/// Each metric has help, its kind and exactly its labels. No metric is missing in the list. Those of replicas are in the
/// test of replicas.
#[cfg(feature = "cache")]
#[tokio::test(start_paused = true)]
async fn the_list_of_metrics_is_what_is_emitted() {
    let text = scrape(async {
        everything(MetricsObserver::new()).await;
        super::caches::look_up().await;
    })
    .await;
    let mut emitted = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let metric = Metric::all().find(|metric| metric.name() == name).unwrap();
        let expected = match metric.kind() {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        assert_eq!(kind, expected, "{name}");
        has(&text, &format!("# HELP {name} {}", metric.help()));
        for series in text.lines().filter(|line| line.starts_with(name)) {
            let labels = series.split_once('{').map_or("", |(_, rest)| rest);
            let labels = labels.split("\",").filter_map(|label| label.split_once('='));
            let labels = labels.map(|(name, _)| name).filter(|name| *name != "le");
            let known = metric.labels().iter().map(|label| label.replace('.', "_"));
            assert!(labels.eq(known), "{series}");
        }
        emitted.insert(name.to_owned());
    }
    let listed = Metric::all().map(|metric| metric.name().to_owned());
    let listed = listed.filter(|name| !name.starts_with("tower_api_key_replica_"));
    assert_eq!(emitted, listed.collect());
    assert!(!text.contains(KEY));
}

/// Methods, paths and keys that clients make up add no series.
#[tokio::test(start_paused = true)]
async fn clients_cannot_add_series() {
    let series = |text: &str| text.lines().filter(|line| line.starts_with("tower_")).count();
    let requests = |count: usize| {
        (0..count).map(|number| {
            let method = Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
            let mut request = request(method, &format!("/nowhere/{number}?a={number}"));
            let key = format!("Bearer key_{number:016}").parse().unwrap();
            request.headers_mut().insert("authorization", key);
            request
        })
    };
    let mut sizes = [1, 100].map(|count| requests(count).collect::<Vec<_>>()).into_iter();
    let layer = || counted().observer(MetricsObserver::new()).build().unwrap();
    let few = scrape(async { drop(send(&layer(), sizes.next().unwrap()).await) }).await;
    let many = scrape(async { drop(send(&layer(), sizes.next().unwrap()).await) }).await;
    assert_eq!(series(&few), series(&many));
}

/// The latency of a decision has the wait, and is in seconds.
#[tokio::test]
async fn durations_are_in_seconds() {
    let text = scrape(async { everything(MetricsObserver::new()).await }).await;
    for (series, waits) in [
        (r#"wait_duration_seconds_sum{vendor="Test",target="store",outcome="answered"} "#, 2),
        (r#"decision_duration_seconds_sum{vendor="Test",decision="admitted"} "#, 1),
    ] {
        let name = format!("tower_api_key_{series}");
        let sum = text.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
        let seconds = Duration::from_secs_f64(sum.parse().unwrap());
        // Each wait takes 5 ms.
        let expected = Duration::from_millis(5) * waits..Duration::from_secs(20);
        assert!(expected.contains(&seconds), "{name}{seconds:?}");
    }
}

/// Two layers of one process have the same series.
#[tokio::test(start_paused = true)]
async fn layers_count_together() {
    let text = scrape(async {
        for _ in 0..2 {
            let layer = counted().observer(MetricsObserver::new()).build().unwrap();
            let get = || request(Method::GET, "/v1/users/1");
            assert_eq!(send(&layer, vec![get(), get()]).await, [200, 200]);
        }
    })
    .await;
    let labels = r#"vendor="Test",http_route="/v1/users/{id}",decision="admitted""#;
    has(&text, &format!("tower_api_key_requests_total{{{labels}}} 4"));
}
