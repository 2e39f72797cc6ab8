//! How often strangers, and thieves, can alarm the operator.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::ManualClock;
use tower_api_key::key::{Alphabet, KeyDigest, KeyFormat, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Observer, Profile};

use super::{MINUTE, ONE, START, from};
use crate::support::{KEY, PROFILE, Service, digest, greeting, send, store};

const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Clone, Default)]
struct Log {
    exposed: Arc<Mutex<Vec<KeyDigest>>>,
    elsewhere: Arc<Mutex<usize>>,
}

impl Observer for Log {
    fn key_exposed(&self, digest: &KeyDigest) {
        self.exposed.lock().unwrap().push(*digest);
    }

    fn key_used_elsewhere(&self, _: &KeyRecord, _: Option<IpAddr>) {
        *self.elsewhere.lock().unwrap() += 1;
    }
}

fn watched(builder: ApiKeyLayerBuilder) -> (Service, Log, ManualClock) {
    let (log, clock) = (Log::default(), ManualClock::starting_at(START));
    let layer = builder.observer(log.clone()).clock(clock.clone()).build().unwrap();
    (greeting(&layer), log, clock)
}

fn gate(profile: &Profile) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(*profile, store(|key| key))
}

/// A request over plain HTTP with this key.
fn in_clear(peer: Option<&str>, key: &str) -> Request<()> {
    let mut request = from("192.0.2.1", Some(&format!("Bearer {key}")));
    let connection = match peer {
        Some(peer) => Connection::plain(format!("{peer}:4711").parse().unwrap()),
        None => Connection::unknown(),
    };
    request.extensions_mut().insert(connection);
    request
}

fn made_up(number: usize) -> String {
    format!("made_up_{number:032}")
}

#[tokio::test]
async fn made_up_keys_raise_no_flood_of_alarms() {
    for (attempts, most) in [(None, 60), (Some(ONE), 1), (Some(FailedAttempts::new(7, HOUR)), 7)] {
        let builder = gate(&PROFILE);
        let (service, log, clock) = watched(match &attempts {
            Some(attempts) => builder.failed_attempts(attempts.clone()),
            None => builder,
        });
        let heard = || log.exposed.lock().unwrap().len();
        for number in 0..1_000 {
            send(&service, in_clear(Some("192.0.2.1"), &made_up(number))).await;
        }
        assert_eq!(heard(), most, "{attempts:?}");
        // Another network is heard, and this one again later.
        send(&service, in_clear(Some("192.0.2.2"), KEY)).await;
        assert_eq!(heard(), most + 1);
        assert_eq!(log.exposed.lock().unwrap().last(), Some(&digest(KEY)));
        clock.advance(HOUR);
        send(&service, in_clear(Some("192.0.2.1"), KEY)).await;
        assert_eq!(heard(), most + 2);
        // Those whose address nobody knows share one.
        for number in 0..200 {
            send(&service, in_clear(None, &made_up(number))).await;
        }
        assert_eq!(heard(), most * 2 + 2);
    }
}

#[tokio::test]
async fn what_fits_no_format_alarms_nobody_and_uses_no_alarm_up() {
    const CHECKED: KeyFormat =
        KeyFormat::new().literal("key_").characters(Alphabet::Base62, 24).checksum();
    let (service, log, _) = watched(gate(&Profile { formats: &[CHECKED], ..PROFILE }));
    for number in 0..1_000 {
        send(&service, in_clear(Some("192.0.2.1"), &format!("key_{number:030}"))).await;
    }
    assert_eq!(log.exposed.lock().unwrap().len(), 0);
    let issued = tower_api_key::key::Issuer::new(CHECKED, tower_api_key::key::KeyHasher::sha256());
    let issued = issued.issue(None).unwrap();
    let text = issued.expose();
    send(&service, in_clear(Some("192.0.2.1"), text)).await;
    assert_eq!(*log.exposed.lock().unwrap(), [*issued.digest()]);
}

#[tokio::test]
async fn a_key_that_is_used_elsewhere_all_the_time_is_heard_of_now_and_then() {
    let store = store(|key| key.networks(["10.0.0.0/8"]));
    let (service, log, clock) = watched(ApiKeyLayer::builder(PROFILE, store));
    let thief = || from("192.0.2.1", Some(&format!("Bearer {KEY}")));
    for _ in 0..1_000 {
        assert_eq!(send(&service, thief()).await.status(), 403);
    }
    assert_eq!(*log.elsewhere.lock().unwrap(), 60);
    clock.advance(MINUTE);
    send(&service, thief()).await;
    assert_eq!(*log.elsewhere.lock().unwrap(), 61);
}
