//! Every way through the gate of every vendor, accepted and refused.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{Method, Request};
use metrics_exporter_prometheus::PrometheusBuilder;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;

use crate::canary::basic;
use crate::support::anonymous;
use crate::traced;
use crate::vendors::{Log, Vendor, World, all, denials};

/// Writes the wrong things that a client can do with its key.
fn mistakes(vendor: &Vendor) -> Vec<Request<()>> {
    let (key, line) = (&vendor.canary.key, &vendor.line);
    let with = |values: &[String]| {
        let mut request = anonymous(Method::GET, "/");
        for value in values {
            request.headers_mut().append("authorization", value.parse().unwrap());
        }
        request
    };
    let beside = |name: &'static str, value: &str| {
        let mut request = anonymous(Method::GET, "/");
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let plain = |mark: Option<Connection>| {
        let mut request = vendor.request("/");
        request.extensions_mut().remove::<Connection>();
        mark.map(|mark| request.extensions_mut().insert(mark));
        request
    };
    let address = "192.0.2.1:4711".parse().unwrap();
    let pair = basic(key, key);
    vec![
        with(&[line.clone(), line.clone()]),
        with(&[format!("{line}x")]),
        with(&[format!("{line} ")]),
        with(&[format!("{line}, {line}")]),
        with(&[format!("Digest {key}")]),
        with(&[format!("\"{key}\"")]),
        with(std::slice::from_ref(key)),
        with(&[format!("Bearer \"{key}\"")]),
        with(&[format!("Bearer {key}%")]),
        with(&[format!("Bearer {}", key.repeat(20))]),
        with(&[format!("Basic {key}")]),
        with(&[pair]),
        with(&[basic("api", &format!("{key}\u{1}"))]),
        with(&[basic(key, "\u{7f}")]),
        with(&[basic("other", &format!("{key}:{key}"))]),
        beside("x-api-key", key),
        beside("cookie", key),
        beside("proxy-authorization", line),
        anonymous(Method::GET, &format!("/?key={key}")),
        anonymous(Method::GET, &format!("https://api:{key}@api.example.com/")),
        plain(Some(Connection::plain(address))),
        plain(None),
    ]
}

/// One request an hour, if it were enforced.
fn shadowed(key: KeyRecordBuilder) -> KeyRecordBuilder {
    key.quotas([Quota::new("hour", 1, Duration::from_secs(3_600)).in_shadow()])
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_a_key_or_a_digest() {
    let mut seen = BTreeSet::new();
    traced::write_down();
    let recorder = PrometheusBuilder::new().build_recorder();
    let scrape = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    for vendor in all() {
        let log = Log::default();
        for request in mistakes(&vendor) {
            seen.extend(vendor.send(World::Record(|key| key), vec![request], &log).await);
        }
        for (world, paths) in [
            (World::Record(|key| key), &["/", "/"][..]), // and one too many
            (World::Record(|key| key), &["/kind"]),
            (World::Record(|key| key), &["/of/other"]),
            (World::Record(|key| key), &["/scope"]),
            (World::Record(|key| key), &["/budget"]),
            (World::Record(|key| key), &["/nowhere"]),
            (World::Record(KeyRecordBuilder::inherit_quotas), &["/permit", "/permit"]),
            (World::Record(|key| key.revoked(true)), &["/"]),
            (World::Record(|key| key.disabled(true)), &["/"]),
            (World::Record(|key| key.expires(Timestamp::from_unix_seconds(1))), &["/"]),
            (World::Record(|key| key.not_before(Timestamp::MAX)), &["/"]),
            (World::Record(|key| key.networks(["10.0.0.0/8"])), &["/"]),
            (World::Record(|key| key.kind("neither")), &["/"]),
            (World::Unknown, &["/"]),
            (World::Pinned, &["/"]),
            (World::HeaderMissing, &["/"]),
            (World::StoreDown, &["/"]),
            (World::LimiterDown(OnLimiterFailure::Deny), &["/"]),
            (World::LimiterDown(OnLimiterFailure::Allow), &["/"]),
            (World::PlacesDown(OnLimiterFailure::Deny), &["/permit"]),
            (World::PlacesDown(OnLimiterFailure::Allow), &["/permit"]),
            (World::FewAttempts, &["/", "/", "/"]),
            (World::Record(shadowed), &["/", "/"]),
        ] {
            let requests = paths.iter().map(|path| vendor.request(path)).collect();
            seen.extend(vendor.send(world, requests, &log).await);
        }
        for denial in denials() {
            let mut request = vendor.request("/");
            request.headers_mut().insert("denial", denial.name().parse().unwrap());
            let found = vendor.send(World::Record(|key| key), vec![request], &log).await;
            assert_eq!(found, [denial.name()]);
        }
        let printed = log.0.lock().unwrap().clone();
        assert!(printed.len() > 50_000, "{} bytes", printed.len());
        vendor.canary.is_not_in(&printed, vendor.profile.name);
        vendor.canary.is_not_in(&scrape.render(), "the metrics");
        traced::shows_nothing_of(&vendor.canary);
        for heard in [
            "in shadow: hour KeyRecord",
            "exposed: KeyDigest",
            "elsewhere: Some(192.0.2.1) KeyRecord",
            "a network is refused: 192.0.2.1",
            "the store failed: ",
            "permits failed: ",
            "the limiter failed: ",
            "LimiterFailures { denied: 1",
            "LimiterFailures { denied: 0, allowed: 1",
        ] {
            assert!(printed.contains(heard), "{}: no {heard:?}", vendor.profile.name);
        }
    }
    for line in ["request DEBUG", "request INFO", "request WARN", "trouble WARN"] {
        traced::is_heard(&format!("tower_api_key::{line}"));
    }
    assert!(scrape.render().contains("tower_api_key_denials_total{"), "{}", scrape.render());
    assert_eq!(seen.len(), 26, "every reason but the service's own, and `admitted`: {seen:?}");
}
