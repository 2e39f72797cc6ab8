//! A flood of random keys from random addresses: the memory stays as it was.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use http::Request;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::ApiKeyLayer;
use tower_api_key::limits::{FailedAttempts, MemoryLimiter, OnLimiterFailure};
use tower_api_key::request::Connection;

use crate::support::{PROFILE, reason, send, store};
use crate::{from, guarded};

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

/// Sends so many guesses, and some from one address that is over its limit.
fn flood(requests: usize) -> Left {
    let builder = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let (service, clock) = guarded(builder, FailedAttempts::new(10, Duration::from_secs(600)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut random = SmallRng::seed_from_u64(7);
    let attempt =
        |request: Request<()>| runtime.block_on(async { reason(&send(&service, request).await) });
    // Whatever is made once is made by now.
    let offender = || from("192.0.2.1", Some("Bearer a_key_that_nobody_has"));
    for _ in 0..11 {
        attempt(offender());
        attempt(guess(&mut random));
    }
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
    let Left { bytes, refused } = flood(50_000);
    assert_eq!((bytes, refused), (0, 0));
}

/// `cargo test --release --all-features --test abuse -- --ignored --nocapture`
#[test]
#[ignore = "takes a minute in release mode, and says what it found"]
fn ten_million_random_keys_leave_the_memory_as_it_was() {
    const REQUESTS: usize = 10_000_000;
    let (before, began) = (resident(), Instant::now());
    let Left { bytes, refused } = flood(REQUESTS);
    let (took, after) = (began.elapsed(), resident());
    println!("{REQUESTS} guesses from random addresses in {took:.1?}: {refused} refused");
    println!("bytes allocated and not freed: {bytes}");
    println!("resident before the layer was built {before} KiB, and after the flood {after} KiB");
    assert_eq!(bytes, 0);
    // The table takes 1.1 MiB; the rest is the allocator's and the runtime's.
    assert!(after < before + 8_192, "{before} KiB, then {after} KiB");
}

/// The resident memory of this process in KiB, 0 where the system does not say.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
