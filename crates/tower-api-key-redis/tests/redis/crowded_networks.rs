//! Sets of networks that are full on a real server: how often they are searched, and who counts together.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tower_api_key::caller::{Caller, ClientNetwork};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyHasher;
use tower_api_key::limits::{Charge, ChargeMode, Limiter};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Quota};
use tower_api_key_redis::RedisLimiter;

use super::keys::keys;
use super::networks::six;
use crate::TURNS;
use crate::server::Redis;

const HOUR: Quota = Quota::new("hour", 1, Duration::from_secs(3_600));
/// The counters of one set.
pub(super) const FULL: u16 = 256;

/// An instant in seconds after the first.
fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_795_600_000 + seconds)
}

/// Returns this many sites of one set, each by two of its networks.
pub(super) fn neighbours(count: usize) -> Vec<[IpAddr; 2]> {
    let set = |site: u32| {
        let site = format!("site 6 {}", u64::from(site) | 0x2001 << 32);
        KeyHasher::sha256().digest(site.as_bytes()).to_hex()[..3].to_owned()
    };
    let first = set(0);
    let network = |site: u32, number: u128| {
        Ipv6Addr::from_bits(u128::from(site) << 80 | 0x2001 << 112 | number << 64).into()
    };
    let sites = (0..).filter(|site| set(*site) == first).take(count);
    sites.map(|site| [network(site, 1), network(site, 2)]).collect()
}

async fn passes(limiter: &RedisLimiter, address: IpAddr, quota: &Quota, now: Timestamp) -> bool {
    let network = ClientNetwork::of(address);
    let quotas = AppliedQuotas { general: std::slice::from_ref(quota), route: &[] };
    let (caller, mode) = (Caller::Network(&network), ChargeMode::IfAllowed);
    let charge = Charge { caller, quotas, cost: 1, mode, now };
    limiter.charge(charge).await.unwrap().retry_after().is_none()
}

/// Returns the instant of the only set's latest search, in seconds after the first instant; `None` before.
fn searched(server: &Redis) -> Option<u64> {
    let [key] = &*keys(server) else { panic!("{:?}", keys(server)) };
    let latest: Vec<u8> = server.ask(&["HGET", key, "at"]);
    let [_, _, _, searched, _] = *latest.as_chunks::<8>().0 else { panic!("{latest:?}") };
    let seconds = Duration::from_secs_f64(f64::from_le_bytes(searched) / 1e6).as_secs();
    seconds.checked_sub(1_795_600_000)
}

#[tokio::test]
async fn a_set_is_searched_only_if_it_is_full_and_a_counter_may_be_over() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in Algorithm::ALL.into_iter().filter(|it| !it.name().starts_with("calendar")) {
        let () = server.ask(&["FLUSHALL"]);
        let limiter = server.limiter().on_request_time().build().unwrap();
        let hour = HOUR.with_algorithm(algorithm);
        for number in 0..FULL {
            assert!(passes(&limiter, six(1, number), &hour, at(number.into())).await);
        }
        assert_eq!(searched(&server), None, "{algorithm:?}: it has room");
        for number in 0..40 {
            passes(&limiter, six(1, FULL + number), &hour, at(300 + u64::from(number))).await;
        }
        assert_eq!(searched(&server), None, "{algorithm:?}: no counter is over yet");
        // The counter of those that find no room for a minute has an earlier end.
        let minute = Quota::new("minute", 1, Duration::from_secs(60)).with_algorithm(algorithm);
        passes(&limiter, six(1, 500), &minute, at(400)).await;
        passes(&limiter, six(1, 501), &minute, at(450)).await;
        assert_eq!(searched(&server), None, "{algorithm:?}");
        passes(&limiter, six(1, 502), &minute, at(470)).await;
        assert_eq!(searched(&server), Some(470), "{algorithm:?}: the minute is over");
        // The first counter is over after an hour, and up to a twelfth if its window slides.
        let late = 3_600 + 300 + 5;
        assert!(passes(&limiter, six(1, 600), &hour, at(late)).await);
        assert_eq!(searched(&server), Some(late), "{algorithm:?}");
    }
}

/// The day is used up, so the minute is refused unused again and again.
#[tokio::test]
async fn counters_that_no_request_uses_are_no_reason_to_search() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().on_request_time().build().unwrap();
    for number in 0..FULL {
        passes(&limiter, six(1, number), &HOUR, at(0)).await;
    }
    let quotas = [Quota::new("minute", 1, Duration::from_secs(60)), HOUR];
    let mut searches = Vec::new();
    for second in 0..300 {
        let network = ClientNetwork::of(six(1, FULL));
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        let (caller, mode) = (Caller::Network(&network), ChargeMode::IfAllowed);
        let charge = Charge { caller, quotas, cost: 1, mode, now: at(second) };
        limiter.charge(charge).await.unwrap();
        searches.extend(searched(&server));
    }
    searches.dedup();
    assert_eq!(searches, [60], "once, after the minute in which one passed");
}

/// A client can choose its site so that it lies in the set of another.
#[tokio::test]
async fn in_a_full_set_each_site_has_a_counter_of_its_own() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let now = at(0);
    let sites = neighbours(1 + 64);
    let passed = async |address: IpAddr| passes(&limiter, address, &HOUR, now).await;
    let mut flood = 0;
    for number in 0..1_000 {
        let [IpAddr::V6(first), _] = sites[0] else { panic!("{:?}", sites[0]) };
        let network = Ipv6Addr::from_bits(first.to_bits() + (number << 64));
        flood += u32::from(passed(network.into()).await);
    }
    assert_eq!(flood, 256 + 1, "and one of those of the site that find no room");
    for (index, [one, other]) in sites.iter().enumerate().skip(1) {
        assert!(passed(*one).await, "{index}: no other site uses its counter up");
        // The last one has no counter of its own, but it is the first to find no room at all.
        assert!(!passed(*one).await && !passed(*other).await, "{index}: its networks share one");
    }
    let [key] = &*keys(&server) else { panic!("{:?}", keys(&server)) };
    let fields: u32 = server.ask(&["HLEN", key]);
    assert_eq!(fields, 1 + 256 + 64 + 1, "the instant, the counters, and that of the others");
    let more = neighbours(1 + 64 + 2);
    for [one, _] in &more[65..] {
        assert!(!passed(*one).await, "sites beyond the bound count together");
    }
    assert_eq!(server.ask::<u32>(&["HLEN", key]), fields);
}

/// Prints what a charge costs the server, in microseconds.
#[tokio::test]
#[ignore = "a measurement"]
async fn what_a_new_network_costs() {
    let _turn = TURNS.write().await;
    let Some(server) = Redis::start() else { return };
    for (counted, asked) in [(8, 32), (100, 100), (200, 40), (FULL, 1_000)] {
        let () = server.ask(&["FLUSHALL"]);
        let limiter = server.limiter().on_request_time().build().unwrap();
        for number in 0..counted {
            passes(&limiter, six(1, number), &HOUR, at(0)).await;
        }
        let () = server.ask(&["CONFIG", "RESETSTAT"]);
        for number in 0..asked {
            passes(&limiter, six(1, counted + number), &HOUR, at(1 + u64::from(number))).await;
        }
        let stats: String = server.ask(&["INFO", "commandstats"]);
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap();
        println!("{counted} counters, {asked} more, one a second: {line}");
    }
}
