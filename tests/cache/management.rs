//! Keys that are ended through the cache while others change them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tower_api_key::Reply;
use tower_api_key::clock::{Clock, ManualClock, SystemClock, Timestamp};
use tower_api_key::key::{
    Account, KeyDigest, KeyRecord, KeyRecordBuilder, PepperName, SharedRecord,
};
use tower_api_key::policy::Policies;
use tower_api_key::store::{
    Applied, Cached, Change, Command, CommandOptions, IdempotencyKey, KeyEntry, KeyFilter,
    KeyManager, KeyStore, ManageError, ManageFuture, MemoryStore, NewKey, PepperManager, Rehash,
    StoreError, TrailFilter,
};

use crate::double::digest;

/// What goes wrong in a [`Held`] store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    /// It answers `get` late.
    Late,
    /// It cannot read the key.
    Unreadable,
    /// It makes changes, and then says that it could not.
    Denies,
    /// It makes changes, and then says nothing.
    Silent,
    /// It cannot write the first uses.
    ForgetsUses,
    /// It tells of no secret but the newest.
    Forgets,
}

/// A store that is slow to say how a key is, or does not say what became of a change. It counts the uses of
/// each write.
#[derive(Clone)]
struct Held(MemoryStore, Fault, Arc<Mutex<Vec<usize>>>);

impl Held {
    async fn ends<T>(&self, ended: ManageFuture<'_, T>) -> Result<T, ManageError> {
        let ended = ended.await?;
        match self.1 {
            Fault::Denies => Err(StoreError::new("the connection was lost").into()),
            Fault::Silent => std::future::pending().await,
            _ => Ok(ended),
        }
    }
}

impl KeyStore for Held {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.0.find(digest)
    }
}

impl KeyManager for Held {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        let (adds, rotates) =
            (matches!(command, Command::Add(_)), matches!(command, Command::Rotate { .. }));
        if adds {
            return self.0.apply(command, options);
        }
        Box::pin(async move {
            let mut applied = self.ends(self.0.apply(command, options)).await?;
            if let Some(entry) =
                applied.key.as_mut().filter(|_| rotates && self.1 == Fault::Forgets)
            {
                entry.secrets.truncate(1);
            }
            Ok(applied)
        })
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        self.0.import(keys, by)
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        let entry = self.0.get(id);
        Box::pin(async move {
            match self.1 {
                Fault::Late => {
                    let entry = entry.await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    entry
                }
                Fault::Unreadable => Err(StoreError::new("the row is broken").into()),
                _ => entry.await,
            }
        })
    }

    fn list<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        self.0.list(filter, after, limit)
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        self.0.find_account(id)
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        self.0.list_accounts(after, limit)
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        self.0.policies()
    }

    fn changes(&self, sequence: u64, limit: usize) -> ManageFuture<'_, Vec<Change>> {
        self.0.changes(sequence, limit)
    }

    fn trail<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        self.0.trail(filter, before, limit)
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        let mut written = self.2.lock().unwrap();
        written.push(uses.len());
        if self.1 == Fault::ForgetsUses && written.len() == 1 {
            return Box::pin(async { Err(StoreError::new("the connection was lost").into()) });
        }
        self.0.note_uses(uses)
    }
}

/// A cache that has the secret "first" of a key.
async fn cached(fault: Fault) -> Cached<Held> {
    let cache = Cached::new(Held(MemoryStore::new(), fault, Arc::default()));
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    cache.add(NewKey::new(digest("first"), record), "test").await.unwrap();
    assert!(serves(&cache, "first").await);
    cache
}

async fn serves(cache: &Cached<Held>, secret: &str) -> bool {
    let found = cache.find(&digest(secret)).await.unwrap();
    found.is_some_and(|record| {
        !record.is_revoked() && !record.is_disabled() && record.expires().is_none()
    })
}

/// A way to end all use of the key.
#[derive(Debug, Clone, Copy)]
enum End {
    Revoke,
    Delete,
    Disable,
    DeleteAccount,
    SwitchOff,
    Rotate,
}

async fn end(cache: &Cached<Held>, how: End) -> Result<(), ManageError> {
    match how {
        End::Revoke => cache.revoke("key_1", "test").await,
        End::Delete => cache.delete("key_1", "test").await,
        End::Disable => {
            let account = Account::builder("acme").disabled(true).build().unwrap();
            cache.save_account(account, "test").await
        }
        End::DeleteAccount => cache.delete_account("acme", "test").await,
        End::SwitchOff => {
            let off = Box::new(|key: KeyRecordBuilder| key.disabled(true));
            cache.update("key_1", off, "test").await.map(|_| ())
        }
        End::Rotate => {
            let past = Timestamp::default();
            cache.rotate("key_1", digest("third"), past, "test").await.map(|_| ())
        }
    }
}

const ALL: [End; 6] =
    [End::Revoke, End::Delete, End::Disable, End::DeleteAccount, End::SwitchOff, End::Rotate];

#[tokio::test(start_paused = true)]
async fn a_secret_of_a_rotation_at_the_same_time_ends_with_its_key() {
    for how in ALL {
        let cache = cached(Fault::Late).await;
        let ending = tokio::spawn({
            let cache = cache.clone();
            async move { end(&cache, how).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        // By another process, so nobody here hears of it.
        let later = Timestamp::MAX;
        let rotated = cache.store().0.rotate("key_1", digest("second"), later, "other").await;
        if rotated.is_ok() {
            serves(&cache, "second").await;
        }
        ending.await.unwrap().unwrap();
        assert!(!serves(&cache, "first").await && !serves(&cache, "second").await, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_read_can_be_ended() {
    for how in ALL {
        let cache = cached(Fault::Unreadable).await;
        end(&cache, how).await.unwrap();
        assert!(!serves(&cache, "first").await, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_end_nobody_hears_of_counts_all_the_same() {
    for how in ALL {
        let cache = cached(Fault::Denies).await;
        assert!(end(&cache, how).await.is_err());
        assert!(!serves(&cache, "first").await, "{how:?}");

        let cache = cached(Fault::Silent).await;
        let waited = tokio::time::timeout(Duration::from_secs(1), end(&cache, how)).await;
        assert!(waited.is_err() && !serves(&cache, "first").await, "{how:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_there_is_told_and_costs_nobody_a_lookup() {
    let cache = cached(Fault::Denies).await;
    for how in [cache.revoke("key_2", "test").await, cache.delete("key_2", "test").await] {
        assert!(matches!(how, Err(ManageError::NotFound)), "{how:?}");
    }
    cache.store().0.revoke("key_1", "other").await.unwrap();
    assert!(serves(&cache, "first").await, "what was kept still is");
}

/// The store knows that it made the deletion, so the cache must ask it.
#[tokio::test]
async fn a_deletion_that_is_sent_again_is_a_replay() {
    let cache = Cached::new(MemoryStore::new());
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    cache.add(NewKey::new(digest("first"), record), "test").await.unwrap();
    let once = CommandOptions::by("test").once(IdempotencyKey::new("one", &[7; 32]));
    for replayed in [false, true] {
        let applied = cache.apply(Command::Delete { id: "key_1" }, once).await.unwrap();
        assert_eq!(applied.replayed, replayed);
    }
    let other = CommandOptions::by("test").once(IdempotencyKey::new("two", &[7; 32]));
    let unknown = cache.apply(Command::Delete { id: "key_1" }, other).await;
    assert!(matches!(unknown, Err(ManageError::NotFound)), "{unknown:?}");
}

/// A former digest that is deleted may still be cached, and the key no longer names it.
#[tokio::test]
async fn a_key_that_is_disabled_does_not_pass_by_a_deleted_former_digest() {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_700_000_000));
    let store = MemoryStore::with_clock(clock.clone());
    let cache = Cached::new(store.clone());
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    cache.add(NewKey::new(digest("first"), record), "test").await.unwrap();
    let pepper = PepperName::new("new").unwrap();
    let newer = Rehash { from: digest("first"), to: digest("newer"), pepper };
    assert_eq!(cache.rehash(vec![newer], "test").await.unwrap(), 1);
    assert!(cache.find(&digest("first")).await.unwrap().is_some());
    clock.advance(Duration::from_secs(25 * 3_600));
    store.rehash(Vec::new(), "test").await.unwrap();
    cache.update("key_1", Box::new(|key| key.disabled(true)), "test").await.unwrap();
    let found = cache.find(&digest("first")).await.unwrap();
    assert!(found.is_none_or(|record| record.is_disabled()));
}

#[tokio::test(start_paused = true)]
async fn uses_that_could_not_be_written_are_written_with_the_next_ones_and_no_others() {
    let database = Held(MemoryStore::new(), Fault::ForgetsUses, Arc::default());
    let account = Arc::new(Account::builder("acme").build().unwrap());
    for id in ["first", "second"] {
        let record = KeyRecord::builder(id, Arc::clone(&account)).build().unwrap();
        database.add(NewKey::new(digest(id), record), "test").await.unwrap();
    }
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
    let cache = Cached::builder(database.0.clone()).clock(clock.clone()).build();
    let reports = Arc::new(Mutex::new(Vec::new()));
    let report = Arc::clone(&reports);
    let writes = cache.record_uses(Arc::new(database.clone()));
    let writes =
        tokio::spawn(writes.report_to(move |error| report.lock().unwrap().push(error.to_string())));
    let last_used = async |id| database.get(id).await.unwrap().unwrap().last_used();
    for (secret, written) in
        [("first", &[1][..]), ("second", &[1, 2]), ("first", &[1, 2, 1]), ("first", &[1, 2, 1, 1])]
    {
        assert!(cache.find(&digest(secret)).await.unwrap().is_some());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(*database.2.lock().unwrap(), written, "uses of each write");
        assert_eq!(last_used("first").await.is_some(), written.len() > 1);
        clock.advance(Duration::from_secs(60));
    }
    assert_eq!(last_used("second").await, Some(Timestamp::from_unix_seconds(1_060)));
    assert_eq!(reports.lock().unwrap().len(), 1, "the operator learns of the failure");
    drop(cache);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(writes.is_finished(), "it ends with the cache");
}

#[tokio::test(start_paused = true)]
async fn a_store_need_not_tell_of_what_a_rotation_has_ended() {
    let cache = cached(Fault::Forgets).await;
    end(&cache, End::Rotate).await.unwrap();
    assert!(!serves(&cache, "first").await && serves(&cache, "third").await);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_secret_that_is_ended_serves_no_more_and_the_newest_does() {
    let cache = cached(Fault::ForgetsUses).await;
    let later = Timestamp::from_unix_seconds(3_000_000_000);
    cache.rotate("key_1", digest("second"), later, "test").await.unwrap();
    let ends = async |secret| cache.find(&digest(secret)).await.unwrap().unwrap().expires();
    assert_eq!((ends("first").await, ends("second").await), (Some(later), None));
    cache.end_earlier_secrets("key_1", "test").await.unwrap();
    let now = SystemClock.now();
    assert!(ends("first").await.is_some_and(|ends| ends <= now), "the cache kept it");
    assert_eq!(ends("second").await, None);
}

/// Of the other keys of its account a change says nothing, so what is kept of them still serves.
#[tokio::test]
async fn a_change_of_one_key_costs_its_accounts_other_keys_no_lookup() {
    for how in [End::SwitchOff, End::Rotate] {
        let cache = cached(Fault::ForgetsUses).await;
        let account = Arc::new(Account::builder("acme").build().unwrap());
        let other = KeyRecord::builder("key_2", account).build().unwrap();
        cache.add(NewKey::new(digest("other"), other), "test").await.unwrap();
        assert!(serves(&cache, "other").await);
        // By another process, so nobody here hears of it.
        cache.store().0.revoke("key_2", "other").await.unwrap();
        end(&cache, how).await.unwrap();
        assert!(!serves(&cache, "first").await && serves(&cache, "other").await, "{how:?}");
    }
}
