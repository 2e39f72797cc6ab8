//! Whose attempts are counted together.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use tower_api_key::clock::ManualClock;
use tower_api_key::key::Networks;
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::{ApiKeyLayer, Observer};

use super::{MINUTE, ONE, START, guarded, guess, reason_for};
use crate::support::{PROFILE, greeting, send, store};

#[tokio::test]
async fn attempts_of_one_network_are_counted_together() {
    let by_site = ONE.prefixes(24, 48);
    for (attempts, one, other, together) in [
        (&ONE, "192.0.2.1", "192.0.2.1", true),
        (&ONE, "192.0.2.1", "192.0.2.2", false),
        (&ONE, "192.0.2.1", "[::ffff:192.0.2.1]", true),
        (&ONE, "192.0.2.1", "[64:ff9b::192.0.2.1]", true),
        (&ONE, "[64:ff9b::192.0.2.1]", "[64:ff9b::192.0.2.2]", false),
        (&ONE, "[2001:db8:1:2::1]", "[2001:db8:1:2:ffff::1]", true),
        (&ONE, "[2001:db8:1:2::1]", "[2001:db8:1:3::1]", false),
        (&by_site, "[2001:db8:1:2::1]", "[2001:db8:1:3::1]", true),
        (&by_site, "192.0.2.1", "192.0.2.2", true),
        (&by_site, "192.0.2.1", "192.0.3.1", false),
    ] {
        let builder = ApiKeyLayer::builder(PROFILE, store(|key| key));
        let (service, _) = guarded(builder, attempts.clone());
        assert_eq!(reason_for(&service, guess(one)).await, "key_unknown");
        let second = reason_for(&service, guess(other)).await;
        let expected = if together { "too_many_failures" } else { "key_unknown" };
        assert_eq!(second, expected, "{one} {other}");
    }
}

/// A guess over a proxy that names the client so.
fn through_proxy(forwarded: &str) -> Request<()> {
    let mut request = guess("10.0.0.1");
    request.headers_mut().insert("forwarded", forwarded.parse().unwrap());
    request
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_client_counts_and_not_the_proxy() {
    let trusted = Networks::new(["10.0.0.0/8"]).unwrap();
    let builder = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .trusted_proxies(TrustedProxies::new(trusted, ProxyHeaders::Forwarded));
    let (service, _) = guarded(builder, ONE);
    for (forwarded, expected) in [
        ("for=192.0.2.1;proto=https", "key_unknown"),
        ("for=192.0.2.1;proto=https", "too_many_failures"),
        // What stands left of the proxy's entry is the client's own word.
        ("for=198.51.100.9;proto=https, for=192.0.2.1;proto=https", "too_many_failures"),
        ("for=192.0.2.2;proto=https", "key_unknown"),
        // An address that nobody knows is nobody's.
        ("for=unknown;proto=https", "key_unknown"),
        ("for=unknown;proto=https", "key_unknown"),
    ] {
        assert_eq!(reason_for(&service, through_proxy(forwarded)).await, expected, "{forwarded}");
    }
}

/// The bound on guesses holds whatever a client writes before what an appending proxy writes.
#[tokio::test]
async fn what_a_client_writes_does_not_hide_its_network() {
    for written in ["x", "for=\"", "\u{e9}", "for=a;for=b", "for=\"6.6.6.6", "\"", ";;=", "x=\"\\"]
    {
        let trusted = Networks::new(["10.0.0.0/8"]).unwrap();
        let builder = ApiKeyLayer::builder(PROFILE, store(|key| key))
            .assume_https()
            .trusted_proxies(TrustedProxies::new(trusted, ProxyHeaders::Forwarded));
        let (service, _) = guarded(builder, ONE);
        let appended = || {
            let mut request = guess("10.0.0.1");
            let line = format!("{written}, for=192.0.2.1;proto=https");
            request.headers_mut().insert("forwarded", line.parse().unwrap());
            request
        };
        assert_eq!(reason_for(&service, appended()).await, "key_unknown", "{written}");
        assert_eq!(reason_for(&service, appended()).await, "too_many_failures", "{written}");
    }
}

#[tokio::test]
async fn clients_of_unknown_address_do_not_lock_each_other_out() {
    let builder = ApiKeyLayer::builder(PROFILE, store(|key| key)).assume_https();
    let (service, _) = guarded(builder, ONE);
    for _ in 0..5 {
        let mut request = guess("192.0.2.1");
        request.extensions_mut().insert(Connection::unknown());
        assert_eq!(reason_for(&service, request).await, "key_unknown");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(IpAddr, Duration)>>>);

impl Observer for Log {
    fn network_refused(&self, client: IpAddr, retry_after: Duration) {
        self.0.lock().unwrap().push((client, retry_after));
    }
}

#[tokio::test]
async fn the_operator_hears_once_of_a_network_that_comes_to_its_limit() {
    let (log, clock) = (Log::default(), ManualClock::starting_at(START));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .failed_attempts(ONE)
        .observer(log.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let service = greeting(&layer);
    for _ in 0..5 {
        send(&service, guess("192.0.2.1")).await;
    }
    let heard = ("192.0.2.1".parse().unwrap(), MINUTE);
    assert_eq!(*log.0.lock().unwrap(), [heard]);
    clock.advance(MINUTE);
    send(&service, guess("192.0.2.1")).await;
    assert_eq!(*log.0.lock().unwrap(), [heard, heard], "and again when it is over");
}
