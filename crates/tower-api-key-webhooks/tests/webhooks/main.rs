//! Webhooks over real connections on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod receiver;
mod signatures;
mod store;
mod tls;

use std::time::Duration;

use tower_api_key::clock::Timestamp;
use tower_api_key::events::{Event, EventKind, EventSink};
use tower_api_key_webhooks::{Webhook, WebhookBuilder};

/// The secret of the specification's example.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn event() -> Event {
    Event {
        sequence: 7,
        id: "019ad1c2-7a00-7000-8000-000000000001".to_owned(),
        kind: EventKind::Revoked,
        at: Timestamp::from_unix_seconds(1_800_000_000),
        key: "key_1".to_owned(),
        account: "acme".to_owned(),
        data: serde_json::from_str(r#"{"reason":"left the company – é"}"#).unwrap(),
    }
}

/// A webhook to a receiver on this machine.
fn local(url: &str) -> WebhookBuilder {
    let webhook = Webhook::builder("hook", url).secret(SECRET).timeout(Duration::from_secs(10));
    webhook.insecure_allow_http().insecure_allow_private_addresses()
}

/// Delivers the event, and returns the error's text.
async fn failure(webhook: &Webhook) -> String {
    webhook.deliver(&event()).await.unwrap_err().to_string()
}
