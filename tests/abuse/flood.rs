//! A flood of random keys from random addresses: the memory stays as it was.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use http::Request;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::ApiKeyLayer;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::request::Connection;
use tower_api_key::store::KeyStore;

use super::{from, guarded};
use crate::support::{PROFILE, reason, send, store};

/// A guess that nobody has made before, from an address that nobody has had.
fn guess(random: &mut SmallRng) -> Request<()> {
    let mut request = Request::new(());
    let address: IpAddr = if random.random() {
        Ipv4Addr::from_bits(random.random()).into()
    } else {
        Ipv6Addr::from_bits(random.random()).into()
    };
    request.extensions_mut().insert(Connection::tls(SocketAddr::new(address, 4_711)));
    let key: [u64; 4] = random.random();
    let key = format!("Bearer {:016x}{:016x}{:016x}{:016x}", key[0], key[1], key[2], key[3]);
    request.headers_mut().insert("authorization", key.parse().unwrap());
    request
}

/// What a flood leaves behind.
struct Left {
    bytes: i64,
    refused: usize,
}

/// Sends so many guesses to a store, after some that fill what is filled once, and now and then one from
/// an address that is over its limit.
fn flood(store: impl KeyStore, before: usize, requests: usize) -> Left {
    let builder =
        ApiKeyLayer::builder(PROFILE, store).limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let (service, clock) = guarded(builder, FailedAttempts::new(10, Duration::from_secs(600)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut random = SmallRng::seed_from_u64(7);
    let attempt =
        |request: Request<()>| runtime.block_on(async { reason(&send(&service, request).await) });
    let offender = || from("192.0.2.1", Some("Bearer a_key_that_nobody_has"));
    (0..11).for_each(|_| {
        attempt(offender());
    });
    (0..before).for_each(|_| {
        attempt(guess(&mut random));
    });
    let mut refused = 0;
    let info = measure(|| {
        for number in 0..requests {
            match attempt(guess(&mut random)) {
                "key_unknown" => {}
                // By chance, of a network that was drawn before.
                "too_many_failures" => refused += 1,
                other => panic!("{other}"),
            }
            if number % 1_000 == 0 {
                assert_eq!(attempt(offender()), "too_many_failures", "after {number}");
                clock.advance(Duration::from_millis(1));
            }
        }
    });
    Left { bytes: info.bytes_current, refused }
}

#[test]
fn a_flood_of_random_keys_leaves_the_memory_as_it_was() {
    let Left { bytes, refused } = flood(store(|key| key), 10, 50_000);
    assert_eq!((bytes, refused), (0, 0));
}

/// A cache remembers some unknown keys, for a second.
#[cfg(feature = "cache")]
#[test]
fn a_cache_remembers_no_more_unknown_keys_than_it_may() {
    let cached = cached();
    let Left { bytes, .. } = flood(cached.clone(), 5_000, 20_000);
    assert!(cached.unknown_len() <= 1_000, "{}", cached.unknown_len());
    assert!(bytes < 50_000, "{bytes} bytes after 20,000 guesses more");
}

#[cfg(feature = "cache")]
fn cached() -> tower_api_key::store::Cached<tower_api_key::store::MemoryStore> {
    tower_api_key::store::Cached::builder(store(|key| key)).capacity(1_000, 1_000).build()
}

/// `cargo test --release --test gate abuse -- --ignored --nocapture`
#[test]
#[ignore = "takes a minute or two in release mode, and says what it found"]
fn ten_million_random_keys_leave_the_memory_as_it_was() {
    report("in memory", store(|key| key), 0);
    #[cfg(feature = "cache")]
    report("behind a cache", cached(), 50_000);
}

fn report(kind: &str, store: impl KeyStore, most: i64) {
    const REQUESTS: usize = 10_000_000;
    let (before, began) = (resident(), Instant::now());
    let Left { bytes, refused } = flood(store, 5_000, REQUESTS);
    let (took, after) = (began.elapsed(), resident());
    println!("{kind}: {REQUESTS} guesses from random addresses in {took:.1?}, {refused} refused");
    println!("  bytes allocated and not freed: {bytes}");
    println!("  resident {before} KiB before the layer was built, {after} KiB after the flood");
    assert!(bytes <= most, "{bytes}");
    // The table takes 1.6 MiB; the rest is the allocator's and the runtime's.
    assert!(after < before + 8_192, "{before} KiB, then {after} KiB");
}

/// The resident memory of this process in KiB, 0 where the system does not say.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
