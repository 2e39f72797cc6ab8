//! What a replica publishes for monitors.

use metrics_exporter_prometheus::PrometheusBuilder;
use tower_api_key::telemetry::ReplicaMetrics;

use crate::fake::{Fake, Fault};
use crate::support::{Node, SECOND, add};

#[tokio::test(start_paused = true)]
async fn age_keys_and_failures_are_published_until_the_replica_is_dropped() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let store = Fake::new();
    add(&store, "one", "acme").await;
    store.state().fault = Fault::Fails;
    let node = Node::new(&store);
    let published = tokio::spawn(ReplicaMetrics::new().publish(node.replica.gauge(), SECOND));
    let has = |metric: &str, value: &str| {
        let (text, line) = (handle.render(), format!("tower_api_key_replica_{metric} {value}"));
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    };
    tokio::time::sleep(2 * SECOND + SECOND / 2).await;
    has("age_seconds", "2");
    has("keys", "0");
    has("failing", "1");

    store.state().fault = Fault::None;
    node.replica.ready().await;
    node.settle().await;
    store.state().fault = Fault::Fails;
    node.clock.advance(7 * SECOND);
    tokio::time::sleep(2 * SECOND).await;
    has("keys", "1");
    has("failing", "1");
    assert!(node.replica.gauge().read().unwrap().age.unwrap() >= 7 * SECOND);

    let gauge = node.replica.gauge();
    drop(node);
    assert!(gauge.read().is_none());
    tokio::time::timeout(5 * SECOND, published).await.unwrap().unwrap();
}
