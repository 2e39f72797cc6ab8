//! A receiver of webhooks, which verifies each signature.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use sha2::Sha256;
use tokio::time::sleep;

use crate::upstream::{serve, text};

/// The secret of the webhooks in the tests.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The events that came with a right signature.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub(crate) address: SocketAddr,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Inbox {
    pub(crate) async fn open() -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&events);
        let (address, _) = serve(move |request| {
            let keeps = Arc::clone(&keeps);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let is_right = is_signed(&parts.headers, &body);
                if is_right {
                    keeps.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                }
                let status = if is_right { 204 } else { 400 };
                Response::builder().status(status).body(text("")).unwrap()
            }
        })
        .await;
        Self { address, events }
    }

    /// Waits for an event of a type and a key.
    pub(crate) async fn wait_for(&self, kind: &str, key: &str) -> Value {
        let event = self.find(kind, key, Duration::from_secs(20)).await;
        event.unwrap_or_else(|| panic!("no {kind} of {key} came: {:?}", self.all()))
    }

    /// Returns true if an event of a type and a key comes within 3 seconds, as it does if events are delivered.
    pub(crate) async fn comes(&self, kind: &str, key: &str) -> bool {
        self.find(kind, key, Duration::from_secs(3)).await.is_some()
    }

    async fn find(&self, kind: &str, key: &str, within: Duration) -> Option<Value> {
        let deadline = Instant::now() + within;
        let is_it = |event: &Value| event["type"] == kind && event["data"]["key"] == key;
        loop {
            let found = self.all().into_iter().find(is_it);
            if found.is_some() || Instant::now() >= deadline {
                return found;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }

    /// Returns an item of `[[webhooks]]` that leads here.
    pub(crate) fn webhook(&self, name: &str) -> String {
        format!(
            "[[webhooks]]\nname = '{name}'\nurl = 'http://{}/keys'\nsecret = '{SECRET}'\n\
             insecure_allow_http = true\ninsecure_allow_private_addresses = true\n",
            self.address
        )
    }
}

/// Verifies a message after the Standard Webhooks specification.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(seconds)) = (header("webhook-id"), header("webhook-timestamp")) else {
        return false;
    };
    let secret = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    header("webhook-signature").is_some_and(|all| all.split(' ').any(|one| one == right))
}
