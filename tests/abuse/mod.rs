//! Clients that guess keys: who is refused, what it costs them, and what it costs nobody else.

mod alarms;
mod at_once;
mod counted;
mod fleet;
mod flood;
mod networks;
mod refused;
mod scopes;
mod vendors;

use std::time::Duration;

use http::Request;
use tower_api_key::ApiKeyLayerBuilder;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::request::Connection;

use crate::support::{Service, greeting, reason, send};

const MINUTE: Duration = Duration::from_secs(60);
const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// One failed attempt, and another every minute.
const ONE: FailedAttempts = FailedAttempts::new(1, MINUTE);

/// A service behind a gate with this limit, and its clock.
fn guarded(builder: ApiKeyLayerBuilder, attempts: FailedAttempts) -> (Service, ManualClock) {
    let clock = ManualClock::starting_at(START);
    let layer = builder.failed_attempts(attempts).clock(clock.clone()).build().unwrap();
    (greeting(&layer), clock)
}

/// A request over TLS from an address.
fn from(peer: &str, credential: Option<&str>) -> Request<()> {
    let mut request = Request::new(());
    let peer = format!("{peer}:4711").parse().unwrap();
    request.extensions_mut().insert(Connection::tls(peer));
    if let Some(credential) = credential {
        request.headers_mut().insert("authorization", credential.parse().unwrap());
    }
    request
}

/// An attempt with a key that nobody knows.
fn guess(peer: &str) -> Request<()> {
    from(peer, Some("Bearer a_key_that_nobody_has"))
}

async fn reason_for(service: &Service, request: Request<()>) -> &'static str {
    reason(&send(service, request).await)
}
