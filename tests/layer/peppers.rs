//! A keyring of peppers: which keys are found, at which cost, and which get a digest by the current pepper.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request};
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{KeyDigest, KeyHasher, KeyRecord, Pepper, Peppers, SharedRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{
    KeyManager, KeyStore, MemoryStore, PepperManager, Rehasher, StoreError,
};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Observer, Reply};

use crate::support::{KEY, PROFILE, account, greeting, reason, request, send};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn pepper(byte: u8) -> Pepper {
    Pepper::new([byte; 32]).unwrap()
}

/// A keyring with `4` coming, `3` current, `2` and `1` former, and keys without a pepper.
fn keyring() -> KeyHasher {
    let peppers = Peppers::builder("3", pepper(3))
        .former("2", pepper(2))
        .former("1", pepper(1))
        .former_without_pepper("none")
        .next("4", pepper(4));
    KeyHasher::with_peppers(peppers.build().unwrap())
}

fn digest(byte: u8) -> KeyDigest {
    match byte {
        0 => KeyHasher::sha256().digest(KEY.as_bytes()),
        _ => KeyHasher::with_pepper(&pepper(byte)).digest(KEY.as_bytes()),
    }
}

/// A store that counts lookups, answers at once or later, and fails at one of them.
#[derive(Clone, Default)]
struct Counting {
    keys: MemoryStore,
    lookups: Arc<AtomicUsize>,
    is_late: bool,
    fails_at: Option<usize>,
}

impl Counting {
    fn with(byte: u8, change: impl FnOnce(KeyRecord) -> KeyRecord) -> Self {
        let store = Self::default();
        let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
        store.keys.add_now(digest(byte), change(record));
        store
    }

    fn lookups(&self) -> usize {
        self.lookups.swap(0, Ordering::Relaxed)
    }
}

impl KeyStore for Counting {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let lookup = self.lookups.fetch_add(1, Ordering::Relaxed) + 1;
        if self.fails_at == Some(lookup) {
            return Reply::now(Err(StoreError::new("the connection was lost")));
        }
        if !self.is_late {
            return self.keys.find(digest);
        }
        let found = self.keys.find(digest);
        Reply::later(async move {
            tokio::task::yield_now().await;
            found.await
        })
    }
}

fn gate(store: impl KeyStore) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(PROFILE, store).hasher(keyring())
}

#[tokio::test]
async fn keys_of_all_peppers_are_found_the_current_ones_first() {
    for (pepper, lookups) in [(3, 1), (4, 2), (2, 3), (1, 4), (0, 5)] {
        for is_late in [false, true] {
            let store = Counting { is_late, ..Counting::with(pepper, |key| key) };
            let service = greeting(&gate(store.clone()).build().unwrap());
            let response = send(&service, request(Method::GET, "/")).await;
            assert_eq!(reason(&response), "admitted", "pepper {pepper}, late: {is_late}");
            assert_eq!(store.lookups(), lookups, "pepper {pepper}, late: {is_late}");
        }
    }
}

#[tokio::test]
async fn an_unknown_key_costs_a_lookup_for_each_pepper_and_counts_as_one_attempt() {
    for is_late in [false, true] {
        let store = Counting { is_late, ..Counting::with(9, |key| key) };
        let attempts = FailedAttempts::new(3, Duration::from_secs(60));
        let service = greeting(&gate(store.clone()).failed_attempts(attempts).build().unwrap());
        for (expected, lookups) in
            [("key_unknown", 5), ("key_unknown", 5), ("key_unknown", 5), ("too_many_failures", 0)]
        {
            let response = send(&service, request(Method::GET, "/")).await;
            assert_eq!((reason(&response), store.lookups()), (expected, lookups));
        }
    }
    let store = Counting::with(9, |key| key);
    let alone = ApiKeyLayer::builder(PROFILE, store.clone())
        .hasher(KeyHasher::with_pepper(&pepper(3)))
        .build();
    let response = send(&greeting(&alone.unwrap()), request(Method::GET, "/")).await;
    assert_eq!((reason(&response), store.lookups()), ("key_unknown", 1), "without a keyring");
}

#[tokio::test]
async fn a_store_that_fails_at_any_pepper_makes_no_key_unknown() {
    for is_late in [false, true] {
        for fails_at in 1..=5 {
            let keys = Counting::with(9, |key| key);
            let store = Counting { is_late, fails_at: Some(fails_at), ..keys };
            let service = greeting(&gate(store).build().unwrap());
            let response = send(&service, request(Method::GET, "/")).await;
            assert_eq!(reason(&response), "store_unavailable", "lookup {fails_at}");
        }
    }
}

#[tokio::test]
async fn a_key_of_a_former_pepper_is_judged_like_any_other() {
    let edit = |change: fn(tower_api_key::key::KeyRecordBuilder) -> _| {
        Counting::with(2, move |key| {
            let changed: tower_api_key::key::KeyRecordBuilder = change(key.edit());
            changed.build().unwrap()
        })
    };
    for (store, expected) in [
        (edit(|key| key.revoked(true)), "key_revoked"),
        (edit(|key| key.expires(NOW)), "key_expired"),
        (edit(|key| key.audience("other")), "key_unknown"),
    ] {
        let layer = gate(store).clock(ManualClock::starting_at(NOW)).build().unwrap();
        let response = send(&greeting(&layer), request(Method::GET, "/")).await;
        assert_eq!(reason(&response), expected);
    }
}

#[tokio::test]
async fn a_pepper_finds_keys_until_its_end() {
    let end = Timestamp::from_unix_seconds(4_000_000_000);
    let peppers = Peppers::builder("3", pepper(3)).former_until("2", pepper(2), end);
    let hasher = KeyHasher::with_peppers(peppers.build().unwrap());
    let clock = ManualClock::starting_at(end);
    let store = Counting::with(2, |key| key);
    let builder = ApiKeyLayer::builder(PROFILE, store.clone()).hasher(hasher);
    let layer = builder.clock(clock.clone()).build().unwrap();
    let response = send(&greeting(&layer), request(Method::GET, "/")).await;
    assert_eq!((reason(&response), store.lookups()), ("key_unknown", 1));
    clock.set(Timestamp::from_unix_nanoseconds(end.unix_nanoseconds() - 1));
    let response = send(&greeting(&layer), request(Method::GET, "/")).await;
    assert_eq!((reason(&response), store.lookups()), ("admitted", 2));
}

/// Sends a request, and lets the rehasher look at what it recorded.
async fn use_key(layer: &ApiKeyLayer) -> &'static str {
    let response = send(&greeting(layer), request(Method::GET, "/")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    reason(&response)
}

#[tokio::test(start_paused = true)]
async fn a_key_in_use_gets_a_digest_by_the_current_pepper() {
    for (pepper, is_rehashed) in [(3, false), (4, false), (2, true), (1, true), (0, true)] {
        let store = Counting::with(pepper, |key| key);
        let rehasher = Rehasher::new();
        tokio::spawn(rehasher.write_to(Arc::new(store.keys.clone())));
        let layer = gate(store.clone()).rehasher(&rehasher).build().unwrap();
        assert_eq!(use_key(&layer).await, "admitted");
        store.lookups();
        assert_eq!(use_key(&layer).await, "admitted");
        let expected = if is_rehashed { 1 } else { [1, 2][usize::from(pepper == 4)] };
        assert_eq!(store.lookups(), expected, "pepper {pepper}");
        let secret = store.keys.get("key_1").await.unwrap().unwrap().secrets.remove(0);
        let former: Vec<_> = secret.formers.iter().map(|former| former.digest).collect();
        let current = if is_rehashed { digest(3) } else { digest(pepper) };
        assert_eq!(secret.digest, current, "pepper {pepper}");
        assert_eq!(former, if is_rehashed { vec![digest(pepper)] } else { Vec::new() });
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_serves_no_more_or_elsewhere_stays_as_it_is() {
    let clock = ManualClock::starting_at(NOW);
    for (name, change) in [
        ("revoked", Box::new(|key| key) as Box<dyn FnOnce(KeyRecord) -> KeyRecord>),
        ("expired", Box::new(|key: KeyRecord| key.edit().expires(NOW).build().unwrap())),
        ("audience", Box::new(|key: KeyRecord| key.edit().audience("other").build().unwrap())),
    ] {
        let store = Counting::with(2, change);
        if name == "revoked" {
            store.keys.update_now("key_1", |key| key.revoked(true)).unwrap();
        }
        let rehasher = Rehasher::new();
        tokio::spawn(rehasher.write_to(Arc::new(store.keys.clone())));
        let builder = gate(store.clone()).rehasher(&rehasher).clock(clock.clone());
        assert_ne!(use_key(&builder.build().unwrap()).await, "admitted", "{name}");
        assert!(store.keys.find(&digest(3)).await.unwrap().is_none(), "{name}");
        assert_eq!(format!("{rehasher:?}"), "Rehasher(0 waiting)", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn former_digests_are_deleted_after_a_day() {
    let clock = ManualClock::starting_at(NOW);
    let store = MemoryStore::with_clock(clock.clone());
    let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
    store.add_now(digest(2), record);
    let rehasher = Rehasher::new();
    let writing = tokio::spawn(rehasher.write_to(Arc::new(store.clone())));
    let layer = gate(store.clone()).rehasher(&rehasher).clock(clock.clone()).build().unwrap();
    assert_eq!(use_key(&layer).await, "admitted");
    let usage = store.pepper_usage().await.unwrap();
    let [old, new] = &usage[..] else { panic!("{usage:?}") };
    assert_eq!((old.secrets, old.rehashed, new.secrets), (0, 1, 1));
    assert_eq!(old.goes_at(), Some(NOW.plus(Duration::from_secs(86_400))));

    clock.advance(Duration::from_secs(86_399));
    tokio::time::sleep(Duration::from_secs(3_700)).await;
    assert!(store.find(&digest(2)).await.unwrap().is_some(), "a moment before its end");
    clock.advance(Duration::from_secs(1));
    assert!(old.can_go(NOW.plus(Duration::from_secs(86_400))));
    tokio::time::sleep(Duration::from_secs(3_700)).await;
    assert!(store.find(&digest(2)).await.unwrap().is_none(), "it has served its time");
    assert!(store.find(&digest(3)).await.unwrap().is_some());
    assert_eq!(store.get("key_1").await.unwrap().unwrap().secrets[0].formers, []);

    drop((layer, rehasher));
    tokio::time::timeout(Duration::from_secs(10), writing).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_key_in_clear_is_reported_by_each_digest() {
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<KeyDigest>>>);

    impl Observer for Heard {
        fn key_exposed(&self, digest: &KeyDigest) {
            self.0.lock().unwrap().push(*digest);
        }
    }

    let heard = Heard::default();
    let store = Counting::with(1, |key| key);
    let layer = gate(store.clone()).observer(heard.clone()).build().unwrap();
    let mut request: Request<()> = request(Method::GET, "/");
    request.extensions_mut().insert(Connection::plain("192.0.2.1:4711".parse().unwrap()));
    let response = send(&greeting(&layer), request).await;
    assert_eq!((reason(&response), store.lookups()), ("insecure_transport", 0));
    assert_eq!(*heard.0.lock().unwrap(), [3, 4, 2, 1, 0].map(digest));
}
