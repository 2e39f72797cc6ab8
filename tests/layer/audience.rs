//! Several gates on one store: a key serves only where it is meant to.

use std::sync::Arc;

use http::Method;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{InvalidRecord, KeyRecord};
use tower_api_key::{ApiKeyLayer, ConfigError, Denial};

use crate::support::{PROFILE, account, greeting, reason, request, send, store, tls};

#[tokio::test]
async fn a_key_serves_at_gates_of_its_audience_only() {
    for (audience, gate, serves) in [
        (None, None, true),
        (Some("billing"), Some("billing"), true),
        (Some("billing"), Some("reports"), false),
        (Some("billing"), Some("Billing"), false),
        (Some("billing"), None, false),
        (None, Some("billing"), false),
    ] {
        let store = store(|key| match audience {
            Some(audience) => key.audience(audience),
            None => key,
        });
        let mut builder = ApiKeyLayer::builder(PROFILE, store);
        if let Some(gate) = gate {
            builder = builder.audience(gate);
        }
        let layer = builder.build().unwrap();
        let expected = if serves { "admitted" } else { "key_unknown" };
        let response = send(&greeting(&layer), request(Method::GET, "/")).await;
        assert_eq!(reason(&response), expected, "{audience:?} {gate:?}");
        if !serves {
            let unknown = layer.answer(&Denial::KeyUnknown);
            assert_eq!(
                (response.status(), response.headers()),
                (unknown.status(), unknown.headers())
            );
        }
        let record = KeyRecord::builder("key_1", account("acme"));
        let record = match audience {
            Some(audience) => record.audience(audience),
            None => record.audience("other").without_audience(),
        };
        let record = Arc::new(record.build().unwrap());
        let request = request(Method::GET, "/");
        let explained = layer.explain(&request, tls(), Some(&record), Timestamp::default());
        let explained = explained.decision().map_or_else(Denial::name, |_| "admitted");
        assert_eq!(explained, expected, "{audience:?} {gate:?}");
    }
}

#[tokio::test]
async fn a_key_of_another_audience_is_a_failed_attempt() {
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key.audience("billing").revoked(true)))
        .audience("reports")
        .failed_attempts(FailedAttempts::new(1, std::time::Duration::from_secs(60)))
        .build()
        .unwrap();
    let service = greeting(&layer);
    for expected in ["key_unknown", "too_many_failures"] {
        assert_eq!(reason(&send(&service, request(Method::GET, "/")).await), expected);
    }
}

#[test]
fn an_audience_is_a_name() {
    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key)).audience("two words").build();
    assert!(matches!(gate, Err(ConfigError::Name(_))));
    let record = KeyRecord::builder("key_1", account("acme")).audience("").build();
    assert!(matches!(record, Err(InvalidRecord::Name(_))));
}
