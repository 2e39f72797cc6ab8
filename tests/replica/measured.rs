//! What a replica costs. Repeat it with `cargo test --release -p tests --test replica measured -- --ignored --nocapture`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord};
use tower_api_key::store::{
    FeedAnswer, FeedChanges, FeedFuture, FeedPage, FeedPosition, FeedSecret, KeyFeed, KeyStore,
    MemoryStore, Replica,
};

const KEYS: usize = 1_000_000;
const PAGE: usize = 10_000;
const LOOKUPS: usize = 300_000;

/// A feed without changes, whose records are made when they are read.
struct Still {
    digests: Arc<Vec<KeyDigest>>,
    accounts: Vec<Arc<Account>>,
}

impl Still {
    fn record(&self, digest: &KeyDigest) -> KeyRecord {
        let number = usize::from(digest.as_bytes()[1]) * 256 + usize::from(digest.as_bytes()[2]);
        let account = Arc::clone(&self.accounts[number % self.accounts.len()]);
        KeyRecord::builder(&digest.to_hex()[..20], account).build().unwrap()
    }
}

impl KeyFeed for Still {
    fn position(&self) -> FeedFuture<'_, FeedPosition> {
        Box::pin(async { Ok(FeedPosition::START) })
    }

    fn keys_after(
        &self,
        _position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        Box::pin(async move {
            let begin = after.map_or(0, |after| {
                self.digests.partition_point(|digest| digest.as_bytes() <= after.as_bytes())
            });
            let page = &self.digests[begin..(begin + PAGE).min(self.digests.len())];
            let secret = |digest: &KeyDigest| FeedSecret {
                digest: *digest,
                record: Ok(self.record(digest)),
            };
            let secrets = page.iter().map(secret).collect();
            let is_last = begin + PAGE >= self.digests.len();
            Ok(FeedAnswer::Same(FeedPage { secrets, is_last, latest: FeedPosition::START }))
        })
    }

    fn changes_after(
        &self,
        since: FeedPosition,
        _seen: FeedPosition,
    ) -> FeedFuture<'_, FeedAnswer<FeedChanges>> {
        let behind = Duration::ZERO;
        let (position, latest) = (since, since);
        let nothing = FeedChanges { changes: Vec::new(), position, latest, more: false, behind };
        Box::pin(async move { Ok(FeedAnswer::Same(nothing)) })
    }
}

/// Returns the resident memory in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1_024
}

/// Returns the time that the processor gave this thread, in nanoseconds. Other programs do not count.
fn processor_time() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    status.split_whitespace().next().unwrap().parse().unwrap()
}

/// Returns the nanoseconds of a lookup, the least of several rounds.
#[allow(clippy::cast_precision_loss)]
fn lookup(store: &impl KeyStore, digests: &[KeyDigest]) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..10 {
        let begun = processor_time();
        for number in 0..LOOKUPS {
            let found = store.find(&digests[number * 104_729 % digests.len()]).now_or_never();
            // A gate reads the record, too.
            black_box(found.unwrap().unwrap().unwrap().is_disabled());
        }
        least = least.min((processor_time() - begun) as f64 / LOOKUPS as f64);
    }
    least
}

#[test]
#[ignore = "measures"]
fn measured() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let account = |number| Account::builder(format!("account_{number}")).scopes(["read"]);
        let accounts = (0..10_000).map(|number| Arc::new(account(number).build().unwrap()));
        let accounts: Vec<_> = accounts.collect();
        let hasher = KeyHasher::sha256();
        let mut digests: Vec<_> =
            (0..KEYS).map(|number| hasher.digest(number.to_string().as_bytes())).collect();
        digests.sort_by_key(|digest| *digest.as_bytes());
        let feed = Still { digests: Arc::new(digests.clone()), accounts };
        let small: Vec<_> = digests.iter().copied().step_by(KEYS / 1_000).collect();
        let memory_store = MemoryStore::new();
        for number in 0..KEYS {
            // Not in the order of the digests.
            let digest = digests[number * 7_919 % KEYS];
            memory_store.add_now(digest, feed.record(&digest));
        }
        let before = memory();
        // The runtime has one thread, which the lookups take.
        let builder = Replica::builder(feed).staleness(Duration::from_secs(3_600));
        let replica = builder.build().unwrap();
        let begun = processor_time();
        tokio::spawn(replica.follow());
        replica.ready().await;
        let took = Duration::from_nanos(processor_time() - begun);
        println!("{KEYS} keys in {took:?} of the processor");
        println!("{} bytes a key", (memory() - before) / KEYS);
        for (name, digests) in [("1,000 keys", &small), ("a million keys", &digests)] {
            let (memory, copied) = (lookup(&memory_store, digests), lookup(&replica, digests));
            println!("{name}: {memory:.1} ns in a MemoryStore, {copied:.1} ns in a Replica");
        }
    });
}
