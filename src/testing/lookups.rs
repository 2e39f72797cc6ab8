//! The promises of a [`KeyStore`], checked without a way to write.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::fresh::{Fresh, Make, Maker, Records, subject};
use super::outcome::done;
use super::promise::{Promise, list, run};
use crate::clock::Timestamp;
use crate::key::{Account, KeyDigest, KeyHasher, KeyRecord, KeyRecordBuilder, SharedRecord};
use crate::quota::Quota;
use crate::store::KeyStore;

/// The promises of a [`KeyStore`]. Each is one test of [`lookup_tests!`](crate::lookup_tests):
///
/// * `every_secret_leads_to_its_record`
/// * `an_unknown_secret_is_no_failure`
/// * `all_256_bits_count`
/// * `everything_set_comes_back`
/// * `keys_that_serve_no_more_are_found`
/// * `lookups_at_once_are_not_mixed_up`
pub const LOOKUP_PROMISES: &[Promise<Maker<dyn KeyStore, Records>>] =
    crate::__lookup_promises!([list]);

/// Writes one test for each promise of a [`KeyStore`](crate::store::KeyStore). For a store that is also a
/// [`KeyManager`](crate::store::KeyManager), see [`store_tests!`](crate::store_tests).
///
/// The argument is a function or a closure, async or not. Its argument is a list of
/// [`Records`](crate::testing::Records), and it makes a store with these records and no others. A test calls
/// it once for each store that it needs. [`Fresh`](crate::testing::Fresh) lists what it may return.
///
/// ```
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::testing::Records;
///
/// fn make_store(records: Records) -> MemoryStore {
///     let store = MemoryStore::new();
///     for (digest, record) in records {
///         store.add_now(digest, record);
///     }
///     store
/// }
///
/// tower_api_key::lookup_tests!(make_store);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! lookup_tests {
    ($make:expr $(,)?) => {
        $crate::__lookup_promises! {
            [$crate::__promise_tests] $crate::testing::__check_lookups, $make;
        }
    };
}

/// Passes the promises of a `KeyStore` to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __lookup_promises {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! {
            $($given)*
            self::every_secret_leads_to_its_record,
            self::an_unknown_secret_is_no_failure,
            self::all_256_bits_count,
            self::everything_set_comes_back,
            self::keys_that_serve_no_more_are_found,
            self::lookups_at_once_are_not_mixed_up,
        }
    };
}

/// Checks one promise on new stores.
#[doc(hidden)]
pub fn __check_lookups<How>(promise: &str, make: impl Make<dyn KeyStore, Records, How>) {
    let make = Maker::new(make);
    run(LOOKUP_PROMISES, promise, async |promise| {
        if make.fresh(Records::new()).await.subject().is_some() {
            promise.check(&make).await;
        }
    });
}

const KEYS: usize = 500;

fn digest(secret: &str) -> KeyDigest {
    KeyHasher::sha256().digest(secret.as_bytes())
}

/// Makes a key. Its secret is its id.
fn key(
    id: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) -> (KeyDigest, KeyRecord) {
    let account = Account::builder("acme").scopes(["read"]).build();
    let record = KeyRecord::builder(id, Arc::new(done(account, "building an account")));
    (digest(id), done(describe(record).build(), "building a record"))
}

fn many() -> Records {
    (0..KEYS).map(|number| key(&format!("key_{number}"), |key| key)).collect()
}

async fn find(store: &dyn KeyStore, digest: &KeyDigest) -> Option<SharedRecord> {
    done(store.find(digest).await, "a lookup")
}

/// Looks up each record by its secret, and compares the answer.
async fn come_back(make: &Maker<dyn KeyStore, Records>, records: Records) {
    let made = make.fresh(records.clone()).await;
    for (digest, record) in &records {
        let found = find(subject(&*made), digest).await;
        assert_eq!(
            found.as_deref(),
            Some(record),
            "the record found by the secret of `{}`",
            record.id()
        );
    }
}

async fn every_secret_leads_to_its_record(make: &Maker<dyn KeyStore, Records>) {
    come_back(make, many()).await;
}

async fn an_unknown_secret_is_no_failure(make: &Maker<dyn KeyStore, Records>) {
    for records in [Records::new(), many()] {
        let made = make.fresh(records).await;
        for secret in ["unknown", "", "key_"] {
            let found = find(subject(&*made), &digest(secret)).await;
            assert!(found.is_none(), "a lookup by the unknown secret {secret:?} found {found:?}");
        }
    }
}

async fn all_256_bits_count(make: &Maker<dyn KeyStore, Records>) {
    let made = make.fresh(vec![key("bits", |key| key)]).await;
    assert!(
        find(subject(&*made), &digest("bits")).await.is_some(),
        "a lookup by the key's own digest found no key"
    );
    let whole = *digest("bits").as_bytes();
    for bit in 0..256 {
        let mut other = whole;
        if let Some(byte) = other.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        let found = find(subject(&*made), &KeyDigest::from_bytes(other)).await;
        assert!(found.is_none(), "a lookup found a key by a digest that differs in bit {bit}");
    }
}

async fn everything_set_comes_back(make: &Maker<dyn KeyStore, Records>) {
    let everything = |key: KeyRecordBuilder| {
        key.owner("ada")
            .kind("partner")
            .environment("sandbox")
            .audience("billing")
            .scopes(["read", "write"])
            .networks(["10.0.0.0/8", "2001:db8::/32"])
            .quotas([Quota::named("minute", 7, Duration::from_secs(60))])
            .not_before(Timestamp::from_unix_nanoseconds(1_000_000_000_000_000_001))
            .expires(Timestamp::from_unix_seconds(4_000_000_000))
            .name("a \"name\" with é")
            .description("what it is for")
            .metadata("team", "blue")
    };
    come_back(make, vec![key("everything", everything), key("nothing", |key| key)]).await;
}

/// The gate checks the record, and names the reason of a refusal.
async fn keys_that_serve_no_more_are_found(make: &Maker<dyn KeyStore, Records>) {
    let past = Timestamp::from_unix_seconds(1_000_000);
    let future = Timestamp::from_unix_seconds(4_000_000_000);
    let records = vec![
        key("revoked", |key| key.revoked(true)),
        key("disabled", |key| key.disabled(true)),
        key("expired", |key| key.expires(past)),
        key("early", |key| key.not_before(future)),
    ];
    come_back(make, records).await;
}

async fn lookups_at_once_are_not_mixed_up(make: &Maker<dyn KeyStore, Records>) {
    let made: Arc<dyn Fresh<dyn KeyStore>> = make.fresh(many()).await;
    let asking: Vec<_> = (0..KEYS)
        .map(|number| {
            let made = Arc::clone(&made);
            tokio::spawn(async move {
                let id = format!("key_{number}");
                let found = find(subject(&*made), &digest(&id)).await;
                let found = found.map(|record| record.id().to_string());
                assert_eq!(
                    found.as_ref(),
                    Some(&id),
                    "the key found by the secret of `{id}`, during other lookups"
                );
                id
            })
        })
        .collect();
    let mut ids = HashSet::new();
    for asked in asking {
        ids.insert(done(asked.await, "a lookup in a task"));
    }
    assert_eq!(ids.len(), KEYS, "the number of answered lookups");
}
