//! Failures of the store, the limiter and the reader of usage: the client gets 503, and an observer the cause.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{
    Account, Issuer, KeyDigest, KeyFormat, KeyHasher, KeyRecord, SharedRecord,
};
use tower_api_key::limits::{Charge, Limiter, LimiterError, LimiterFallback};
use tower_api_key::policy::Policies;
use tower_api_key::quota::{Quota, Verdict};
use tower_api_key::store::{
    Applied, Change, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, KeyStore,
    ManageError, ManageFuture, MemoryStore, NewKey, StoreError, TrailFilter,
};
use tower_api_key::testing::grant_for;
use tower_api_key::usage::{
    KeyUsage, LastUse, TopKeysQuery, UsageCount, UsageFuture, UsageQuery, UsageReader,
};
use tower_api_key::{Observer, Reply};
use tower_api_key_admin::management::{ChangeRequest, Management, ManagementError};

use crate::world::{NOW, World, operator_scopes};

/// A store, a limiter and a reader of usage that cannot answer.
struct Down;

fn cause() -> StoreError {
    StoreError::new("connection reset")
}

fn fails<'a, T: Send + 'a>() -> ManageFuture<'a, T> {
    Box::pin(std::future::ready(Err(ManageError::Store(cause()))))
}

impl KeyStore for Down {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Err(cause()))
    }
}

impl KeyManager for Down {
    fn apply<'a>(&'a self, _: Command<'a>, _: CommandOptions<'a>) -> ManageFuture<'a, Applied> {
        fails()
    }

    fn import<'a>(&'a self, _: Vec<NewKey>, _: &'a str) -> ManageFuture<'a, u64> {
        fails()
    }

    fn get<'a>(&'a self, _: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        fails()
    }

    fn list<'a>(
        &'a self,
        _: &'a KeyFilter,
        _: Option<&'a str>,
        _: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        fails()
    }

    fn find_account<'a>(&'a self, _: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        fails()
    }

    fn list_accounts<'a>(
        &'a self,
        _: Option<&'a str>,
        _: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        fails()
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        fails()
    }

    fn changes(&self, _: u64, _: usize) -> ManageFuture<'_, Vec<Change>> {
        fails()
    }

    fn trail<'a>(
        &'a self,
        _: &'a TrailFilter,
        _: Option<u64>,
        _: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        fails()
    }

    fn note_uses(&self, _: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        fails()
    }
}

impl Limiter for Down {
    fn refunds(&self) -> bool {
        true
    }

    fn charge(&self, _: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::now(Err(LimiterError::new("the limiter is away")))
    }
}

impl UsageReader for Down {
    fn usage<'a>(&'a self, _: &'a UsageQuery) -> UsageFuture<'a, Vec<UsageCount>> {
        Box::pin(std::future::ready(Err(cause())))
    }

    fn top_keys<'a>(&'a self, _: &'a TopKeysQuery) -> UsageFuture<'a, Vec<KeyUsage>> {
        Box::pin(std::future::ready(Err(cause())))
    }

    fn last_use<'a>(&'a self, _: &'a str) -> UsageFuture<'a, Option<LastUse>> {
        Box::pin(std::future::ready(Err(cause())))
    }
}

/// A store behind a replica that applies no change in time. The store has made it.
struct Lagging(MemoryStore);

impl KeyStore for Lagging {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.0.find(digest)
    }
}

impl KeyManager for Lagging {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        Box::pin(async move {
            self.0.apply(command, options).await?;
            Err(ManageError::NotYetApplied(Duration::from_secs(1)))
        })
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, by: &'a str) -> ManageFuture<'a, u64> {
        self.0.import(keys, by)
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        self.0.get(id)
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
        self.0.note_uses(uses)
    }
}

/// Keeps the causes.
#[derive(Clone, Default)]
struct Causes(Arc<Mutex<Vec<String>>>);

impl Causes {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Causes {
    fn store_failed(&self, error: &StoreError) {
        self.0.lock().unwrap().push(error.to_string());
    }

    fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.0.lock().unwrap().push(format!("{error} {}", fallback.name()));
    }
}

/// The requests of all operations that ask the store.
fn requests() -> Vec<(&'static str, Option<Value>)> {
    vec![
        ("GET /manage/keys", None),
        ("POST /manage/keys", Some(json!({ "account": "acme", "scopes": [] }))),
        ("GET /manage/keys/key_1", None),
        ("PATCH /manage/keys/key_1", Some(json!({ "name": "new" }))),
        ("DELETE /manage/keys/key_1", None),
        ("POST /manage/keys/key_1/rotate", Some(json!({ "overlap_seconds": 0 }))),
        ("POST /manage/keys/key_1/end-earlier-secrets", None),
        ("POST /manage/keys/key_1/revoke", Some(json!({ "reason": "x" }))),
        ("POST /manage/who-is", Some(json!({ "secret": "x" }))),
        ("GET /manage/keys/key_1/policies", None),
        ("GET /manage/keys/key_1/usage", None),
        ("GET /manage/accounts", None),
        ("GET /manage/accounts/acme", None),
        ("PUT /manage/accounts/acme", Some(json!({}))),
        ("PATCH /manage/accounts/acme", Some(json!({}))),
        ("DELETE /manage/accounts/acme", None),
        ("GET /manage/accounts/acme/usage", None),
        ("GET /manage/policies", None),
        ("GET /manage/policies/all", None),
        ("GET /manage/policies/review", None),
        ("PUT /manage/policies/accounts/acme", Some(json!({ "most_keys": 1 }))),
        ("DELETE /manage/policies/accounts/acme", None),
        ("GET /manage/trail", None),
        ("GET /manage/counters/key_1", None),
        ("POST /manage/counters/key_1/reset", Some(json!({ "quota": "minute" }))),
        // Customers, too.
        ("GET /own/keys", None),
        ("GET /own/trail", None),
    ]
}

#[tokio::test]
async fn no_503_of_an_operation_is_silent() {
    let causes = Causes::default();
    let clock = ManualClock::starting_at(NOW);
    let store = MemoryStore::with_clock(clock.clone());
    let operator =
        crate::world::add(&store, "operator", "staff", |key| key.scopes(operator_scopes())).await;
    let observer = causes.clone();
    let world = World::with(Arc::new(Down), Arc::new(store), clock, |management| {
        management.observer(observer).usage(Down)
    });
    for (line, body) in requests() {
        let conditional = ["PATCH", "PUT"].iter().any(|method| line.starts_with(method));
        let headers: &[_] = if conditional { &[("if-match", "*")] } else { &[] };
        let answer = world.ask(&operator, line, headers, body).await;
        let told = (answer.status.as_u16(), answer.code());
        assert_eq!(told, (503, "unavailable".to_owned()), "{line}: {answer:?}");
        assert_eq!(answer.header("retry-after"), "5", "{line}");
        assert!(!answer.text.contains("connection reset"), "{line}: {answer:?}");
        let causes = causes.take();
        let all = causes.iter().all(|cause| cause.contains("connection reset"));
        assert!(!causes.is_empty() && all, "{line}: {causes:?}");
    }
}

#[tokio::test]
async fn a_limiter_and_a_reader_of_usage_that_fail_are_reported() {
    let causes = Causes::default();
    let store = MemoryStore::with_clock(ManualClock::starting_at(NOW));
    let quota = Quota::new("minute", 10, Duration::from_secs(60));
    let acme = Account::builder("acme").quotas([quota]).build().unwrap();
    let record = KeyRecord::builder("key_1", acme);
    let hasher = KeyHasher::sha256();
    let issuer = Issuer::new(KeyFormat::STANDARD, hasher.clone());
    let issued = issuer.issue(Some("live")).unwrap();
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    let management = Management::builder(Arc::new(store), issuer, hasher).operators(["staff"]);
    let management = management.limiter(Down, []).usage(Down).observer(causes.clone());
    let management = management.build().unwrap();
    let staff = Account::builder("staff").scopes(operator_scopes()).build().unwrap();
    let operator = KeyRecord::builder("operator", staff).build().unwrap();
    let caller = management.caller(&grant_for(operator)).unwrap();

    let read = management.read_counters(&caller, "key_1").await;
    assert!(matches!(read, Err(ManagementError::Unavailable(_))), "{read:?}");
    let given = management.give_back(&caller, "key_1", "minute", None, &ChangeRequest::new()).await;
    assert!(matches!(given, Err(ManagementError::Unavailable(_))), "{given:?}");
    let told = causes.take();
    assert!(told.len() == 2 && told.iter().all(|cause| cause.ends_with(" denied")), "{told:?}");

    let at = Timestamp::from_unix_seconds;
    let used = management.read_usage(&caller, "key_1", at(0), at(3_600), []).await;
    assert!(matches!(used, Err(ManagementError::Unavailable(_))), "{used:?}");
    assert_eq!(causes.take().len(), 1);

    // What a caller has done wrong is no failure.
    let missing = management.show_key(&caller, "none").await;
    assert!(matches!(missing, Err(ManagementError::NotFound(_))), "{missing:?}");
    assert_eq!(causes.take(), Vec::<String>::new());
}

/// The key exists, and the one before has ended. Nothing could show the secret later.
#[tokio::test]
async fn a_secret_is_shown_though_a_replica_does_not_apply_its_key_yet() {
    let clock = ManualClock::starting_at(NOW);
    let store = MemoryStore::with_clock(clock.clone());
    let operator =
        crate::world::add(&store, "operator", "staff", |key| key.scopes(operator_scopes())).await;
    store.save_account(Account::builder("acme").build().unwrap(), "test").await.unwrap();
    let world = World::over(Arc::new(Lagging(store.clone())), Arc::new(store), clock);
    let draft =
        || Some(json!({ "account": "acme", "environment": "live", "scopes": ["keys.read"] }));
    let once = [("idempotency-key", "1")];
    let created = world.ask(&operator, "POST /manage/keys", &once, draft()).await;
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.json()["key"]["id"].as_str().unwrap().to_owned();
    let line = format!("POST /manage/keys/{id}/rotate");
    let rotated = world.ask(&operator, &line, &[], Some(json!({ "overlap_seconds": 0 }))).await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    let secret =
        |answer: &crate::world::Answer| answer.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&secret(&created), "/own/keys").await.status, 401);
    assert_eq!(world.get(&secret(&rotated), "/own/keys").await.status, 200);
    // A replay has no secret to show, and other changes say that they are not applied.
    let again = world.ask(&operator, "POST /manage/keys", &once, draft()).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (503, "not-yet-applied"));
    let edited =
        world.patch(&operator, &format!("/manage/keys/{id}"), json!({ "name": "a" })).await;
    assert_eq!((edited.status.as_u16(), edited.code().as_str()), (503, "not-yet-applied"));
}
