//! Every vendor refuses in its own words, and says nothing of any account.

use std::time::Duration;

use tower_api_key::attempts::FailedAttempts;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Profile, vendors};

use super::{from, guarded};
use crate::support::{reason, send, text};

const BASIC: &str = "Basic YXBpOkZEMDk5MDhGMjVCRUNCMDlENzhFQkVBMURBREZCNjE4NjUxRjYxMkQ=";
const PERSONA: &str = "Bearer persona_sandbox_4f8a9b2c7d3e4f1a9b0c2d3e4f8a9b2c7d3e4f1a";
const POLYTOMIC: &str = "Bearer pk_live_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c";
const PLAIN: &str = "Bearer 0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn every_vendor_refuses_in_its_own_words() {
    #[rustfmt::skip]
    let cases: [(Profile, &str, &str, &str); 5] = [
        (vendors::PERSONYZE, BASIC, "text/plain; charset=utf-8", "Too many requests"),
        (vendors::REST_INTEGRATIONS, PLAIN, "application/json", r#"{"error":"Rate limit exceeded."}"#),
        (vendors::POLYTEIA, PLAIN, "application/json",
            r#"{"error":{"code":"rate_limit_exceeded","message":"Too many requests."}}"#),
        (vendors::PERSONA, PERSONA, "application/json",
            r#"{"errors":[{"title":"Too many requests","details":"The rate limit was exceeded."}]}"#),
        (vendors::POLYTOMIC, POLYTOMIC, "application/json",
            r#"{"key":"too_many_requests","message":"Too many requests","metadata":{},"status":429}"#),
    ];
    for (profile, credential, content_type, body) in cases {
        let builder = ApiKeyLayer::builder(profile, MemoryStore::new()).without_limits();
        let five_in_seven = FailedAttempts::new(5, Duration::from_secs(7));
        let (service, clock) = guarded(builder, five_in_seven);
        let attempt = || from("192.0.2.1", Some(credential));
        for _ in 0..5 {
            let failed = send(&service, attempt()).await;
            assert_eq!(reason(&failed), "key_unknown", "{}", profile.name);
        }
        let refused = send(&service, attempt()).await;
        assert_eq!(refused.status(), 429, "{}", profile.name);
        let mut headers: Vec<String> = refused
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        let length = format!("content-length: {}", body.len());
        let kind = format!("content-type: {content_type}");
        // One of five has drained after 1.4 s.
        let expected = ["cache-control: no-store", &length, &kind, "retry-after: 2"];
        assert_eq!(headers, expected, "{}", profile.name);
        assert_eq!(text(refused).await, body, "{}", profile.name);
        clock.advance(Duration::from_millis(1_400));
        assert_eq!(reason(&send(&service, attempt()).await), "key_unknown", "{}", profile.name);
    }
}
