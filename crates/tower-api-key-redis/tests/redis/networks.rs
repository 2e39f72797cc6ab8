//! Counters of anonymous networks on a real server: their names, their bound and their end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tower_api_key::caller::{Caller, ClientNetwork};
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{KeyHasher, Pepper};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, Refund};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Per, Quota, Verdict};
use tower_api_key_redis::{Lease, RedisLimiter};

use super::keys::keys;
use crate::TURNS;
use crate::server::Redis;

const ONE: Quota = Quota::new("minute", 1, Duration::from_secs(60));

async fn ask(
    limiter: &RedisLimiter,
    address: IpAddr,
    quotas: &[Quota],
    mode: ChargeMode,
) -> Verdict {
    let network = ClientNetwork::of(address);
    let quotas = AppliedQuotas { general: quotas, route: &[] };
    let (caller, now) = (Caller::Network(&network), SystemClock.now());
    limiter.charge(Charge { caller, quotas, cost: 1, mode, now }).await.unwrap()
}

async fn passes(limiter: &RedisLimiter, address: IpAddr, quotas: &[Quota]) -> bool {
    ask(limiter, address, quotas, ChargeMode::IfAllowed).await.retry_after().is_none()
}

pub(super) fn six(site: u16, network: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, site, network, 0, 0, 0, 1).into()
}

/// Everything that the server holds, as text. Counters are numbers in bytes, which are shown as hexadecimal digits.
fn dump(server: &Redis) -> String {
    let shown = |word: Vec<u8>| match String::from_utf8(word) {
        Ok(text) if !text.contains(char::is_control) => text,
        Ok(text) => hex(text.as_bytes()),
        Err(error) => hex(error.as_bytes()),
    };
    let all = |key: &String| {
        let words: Vec<Vec<u8>> = server.ask(&["HGETALL", key]);
        words.into_iter().map(shown).collect::<Vec<_>>().join(" ")
    };
    let keys = keys(server);
    let lines: Vec<String> = keys.iter().map(|key| format!("{key} {}", all(key))).collect();
    lines.join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[tokio::test]
async fn no_name_holds_an_address_and_a_pepper_changes_all() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let pepper = Pepper::new(*b"32 bytes of the random generator").unwrap();
    let mut dumps = Vec::new();
    for hasher in [KeyHasher::sha256(), KeyHasher::with_pepper(&pepper)] {
        let limiter = server.limiter().network_hasher(hasher).build().unwrap();
        for address in [IpAddr::from([203, 0, 113, 77]), six(0x7777, 0x6666)] {
            assert!(passes(&limiter, address, &[ONE]).await);
            assert!(!passes(&limiter, address, &[ONE]).await);
        }
        let dump = dump(&server);
        for part in ["203.0.113", "cb00714d", "cb00:714d", "2001:db8", "20010db8"] {
            assert!(!dump.contains(part), "{part} in {dump}");
        }
        assert!(dump.contains("tower-api-key:2:{%network:"), "{dump}");
        dumps.push(dump);
        let () = server.ask(&["FLUSHALL"]);
    }
    let names = |dump: &str| -> Vec<String> {
        let words = dump.split_whitespace().filter(|word| word.contains(":account:"));
        words.map(str::to_owned).collect()
    };
    let [plain, peppered] = [names(&dumps[0]), names(&dumps[1])];
    assert_eq!((plain.len(), peppered.len()), (2, 2));
    assert!(plain.iter().all(|name| !peppered.contains(name)), "{dumps:?}");
}

#[tokio::test]
async fn a_site_fills_one_key_and_then_counts_together() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let early = six(1, 0);
    assert!(passes(&limiter, early, &[ONE]).await);
    let mut passed = 0;
    for number in 1..2_000 {
        passed += u32::from(passes(&limiter, six(1, number), &[ONE]).await);
    }
    assert_eq!(passed, 256, "255 more with a counter, and one of all the others");
    let [key] = &*keys(&server) else { panic!("{:?}", keys(&server)) };
    let fields: u32 = server.ask(&["HLEN", key]);
    assert_eq!(fields, 1 + 256 + 1, "the instant, the counters, and that of the others");
    let ttl: u64 = server.ask(&["PTTL", key]);
    assert!((50_000..=61_100).contains(&ttl), "{ttl}");
    assert!(!passes(&limiter, early, &[ONE]).await, "it keeps its counter");
    // Another site is not concerned.
    assert!(passes(&limiter, six(2, 0), &[ONE]).await && passes(&limiter, six(3, 0), &[ONE]).await);
    assert!(passes(&limiter, Ipv4Addr::new(192, 0, 2, 1).into(), &[ONE]).await);
}

#[tokio::test]
async fn many_sites_have_at_most_4096_keys() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    for site in 0..12_000 {
        passes(&limiter, six(site, 0), &[ONE]).await;
    }
    let count = keys(&server).len();
    assert!((3_000..=4_096).contains(&count), "{count}");
}

#[tokio::test]
async fn counters_that_are_over_make_room_for_others() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for algorithm in Algorithm::ALL.into_iter().filter(|it| !it.name().starts_with("calendar")) {
        let () = server.ask(&["FLUSHALL"]);
        let limiter = server.limiter().build().unwrap();
        let second = [Quota::new("second", 1, Duration::from_secs(1)).with_algorithm(algorithm)];
        for number in 0..400 {
            passes(&limiter, six(1, number), &second).await;
        }
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        // An hour's quota keeps the key.
        let hour = [Quota::new("hour", 1, Duration::from_secs(3_600))];
        let mut passed = 0;
        for number in 1_000..1_100 {
            passed += u32::from(passes(&limiter, six(1, number), &hour).await);
        }
        assert_eq!(passed, 100, "{algorithm:?}");
        let fields: u32 = server.ask(&["HLEN", &keys(&server)[0]]);
        assert!(fields <= 1 + 256 + 1, "{algorithm:?}: {fields}");
    }
}

#[tokio::test]
async fn a_key_of_networks_ends_with_its_last_window_and_a_peek_makes_none() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let second = [Quota::new("second", 1, Duration::from_secs(1))];
    let verdict = ask(&limiter, six(1, 1), &second, ChargeMode::Peek).await;
    assert_eq!((verdict.statuses()[0].remaining(), keys(&server).len()), (1, 0));
    assert!(passes(&limiter, six(1, 1), &second).await);
    let before = dump(&server);
    ask(&limiter, six(1, 2), &second, ChargeMode::Peek).await;
    assert_eq!(dump(&server), before, "a peek stores nothing");
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    assert!(keys(&server).is_empty());
}

/// Leases are for accounts. A flood of networks takes none of their room.
#[tokio::test]
async fn networks_take_no_lease() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let nodes = [(); 2].map(|()| server.limiter().lease(Lease::new()).build().unwrap());
    let ten = [Quota::new("minute", 10, Duration::from_secs(60))];
    let mut passed = 0;
    for number in 0..30 {
        passed += u32::from(passes(&nodes[number % 2], six(1, 1), &ten).await);
    }
    assert_eq!(passed, 10, "exactly, over both nodes");
    assert_eq!(nodes.each_ref().map(RedisLimiter::held), [0, 0]);
}

#[tokio::test]
async fn a_quota_that_counts_by_key_is_refused() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let limiter = server.limiter().build().unwrap();
    let quotas = [ONE.with_per(Per::Key)];
    let quotas = AppliedQuotas { general: &quotas, route: &[] };
    let (caller, mode) = (Caller::Network(&ClientNetwork::UNKNOWN), ChargeMode::IfAllowed);
    let now = SystemClock.now();
    assert!(limiter.charge(Charge { caller, quotas, cost: 1, mode, now }).await.is_err());
    assert!(keys(&server).is_empty());
}

/// Everything that the server holds, whatever the order of the fields.
fn sorted_dump(server: &Redis) -> Vec<String> {
    let mut words: Vec<String> = dump(server).split(' ').map(str::to_owned).collect();
    words.sort();
    words
}

/// Gives the cost of a request back, and returns what is left of its quota.
async fn refund(
    limiter: &RedisLimiter,
    address: IpAddr,
    quotas: &[Quota],
    verdict: &Verdict,
) -> u32 {
    let network = ClientNetwork::of(address);
    let quotas = AppliedQuotas { general: quotas, route: &[] };
    let (caller, now, mode) = (Caller::Network(&network), SystemClock.now(), ChargeMode::IfAllowed);
    let charge = Charge { caller, quotas, cost: 1, mode, now };
    let refund = Refund { charge, verdict, cost: 1, now };
    limiter.refund(refund).await.unwrap().statuses()[0].remaining()
}

#[tokio::test]
async fn a_refund_reaches_only_a_counter_of_the_networks_own() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    for with_lease in [false, true] {
        let () = server.ask(&["FLUSHALL"]);
        let limiter = server.limiter();
        let limiter = if with_lease { limiter.lease(Lease::new()) } else { limiter };
        let limiter = limiter.build().unwrap();
        let bucket = [Quota::new("day", 2, Duration::from_secs(86_400))
            .with_algorithm(Algorithm::LeakyBucket)];
        let early = ask(&limiter, six(1, 0), &bucket, ChargeMode::IfAllowed).await;
        assert!(early.taken_at().is_some());
        for number in 1..256 {
            assert!(passes(&limiter, six(1, number), &[ONE]).await);
        }
        // The set is full, so these two count together.
        let late = ask(&limiter, six(1, 300), &bucket, ChargeMode::IfAllowed).await;
        assert_eq!((late.taken_at(), late.statuses()[0].remaining()), (None, 1));
        let before = sorted_dump(&server);
        assert_eq!(refund(&limiter, six(1, 300), &bucket, &late).await, 1, "what many share");
        // Not even by the verdict on another.
        assert_eq!(refund(&limiter, six(1, 301), &bucket, &early).await, 2, "it has no counter");
        assert!(sorted_dump(&server) == before, "a refund of nothing stores nothing");
        assert_eq!(early.statuses()[0].remaining(), 1);
        assert_eq!(refund(&limiter, six(1, 0), &bucket, &early).await, 2);
        let left = ask(&limiter, six(1, 0), &bucket, ChargeMode::IfAllowed).await;
        assert_eq!(left.statuses()[0].remaining(), 1, "one of two, after the refund");
        let [key] = &*keys(&server) else { panic!("{:?}", keys(&server)) };
        let fields: u32 = server.ask(&["HLEN", key]);
        assert_eq!(fields, 1 + 256 + 1, "the instant, the counters, and that of the others");
    }
}
