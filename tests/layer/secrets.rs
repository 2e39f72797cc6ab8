//! A canary key goes every way through the layer, and shows up nowhere.

use std::sync::Arc;

use http::{Method, Request};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::{ApiKeyLayer, vendors};

use crate::support::{PROFILE, account, anonymous, greeting, send, store, text, tls};

const CANARY: &str = "canary0123456789canary";

fn carrying(name: &'static str, value: &str) -> Request<()> {
    let mut request = anonymous(Method::GET, "/");
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn no_output_holds_the_key() {
    let quota = Quota::new("minute", 5, std::time::Duration::from_secs(60));
    let stored = store(|key| key.quotas([quota]));
    let record = KeyRecord::builder("key_2", account("acme")).build().unwrap();
    stored.add_now(crate::support::digest(CANARY), record);
    let layer = ApiKeyLayer::builder(PROFILE, stored.clone())
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .build()
        .unwrap();
    let service = greeting(&layer);
    let mut output = format!("{layer:?} {stored:?} {service:?}");
    for request in [
        carrying("authorization", &format!("Bearer {CANARY}")),
        carrying("authorization", &format!("Bearer {CANARY}x")),
        carrying("authorization", &format!("Bearer {CANARY} ")),
        carrying("authorization", &format!("Digest {CANARY}")),
        carrying("authorization", CANARY),
        carrying("x-api-key", CANARY),
        carrying("x-api-key", &format!("{CANARY},{CANARY}")),
    ] {
        let now = Timestamp::from_unix_seconds(0);
        let record = Arc::new(KeyRecord::builder("key_2", account("acme")).build().unwrap());
        let explained = layer.explain(&request, tls(), Some(&record), now);
        let plain = Connection::plain("192.0.2.1:1".parse().unwrap());
        let mut exposed = request.clone();
        exposed.extensions_mut().insert(plain);
        for request in [request, exposed] {
            let response = send(&service, request).await;
            output += &format!("{explained} {explained:?} {response:?} {:?}", response.headers());
            output += &text(response).await;
        }
    }
    assert!(output.len() > 5_000, "there is something to search");
    assert!(!output.contains("canary"), "{output}");
}

#[test]
fn no_profile_answers_with_what_was_sent() {
    for profile in [vendors::PERSONYZE, vendors::POLYTOMIC_ON_PREMISES, vendors::PERSONA] {
        let stored = tower_api_key::store::MemoryStore::new();
        let layer = ApiKeyLayer::builder(profile, stored).without_limits().build().unwrap();
        let request = Request::get(format!("https://{CANARY}@host/?key={CANARY}"))
            .header("authorization", format!("Bearer {CANARY}"))
            .body(())
            .unwrap();
        let explained = layer.explain(&request, tls(), None, Timestamp::default());
        assert!(!format!("{explained:?}").contains("canary"));
    }
}
