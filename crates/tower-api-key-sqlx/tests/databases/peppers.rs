//! A pepper that is replaced on several nodes, over real databases.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyHasher, KeyRecord, Pepper, PepperName, Peppers};
use tower_api_key::store::{
    Action, Cached, KeyManager, KeyStore, NewKey, PepperManager, Rehash, Rehasher, Replica,
};
use tower_api_key::{ApiKeyLayer, vendors};
use tower_api_key_sqlx::SqlStore;

use crate::distance::Distance;
use crate::folder::Folder;
use crate::pgbouncer::PgBouncer;
use crate::postgres::{Postgres, url_at};
use crate::sqlite;

const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 3_600);
const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn old() -> Pepper {
    Pepper::new([1; 32]).unwrap()
}

fn new() -> Pepper {
    Pepper::new([2; 32]).unwrap()
}

/// The hashers of the three steps: the old pepper alone, the new one as the next, and the new one as the current.
fn steps() -> [KeyHasher; 3] {
    let of = |peppers: tower_api_key::key::PeppersBuilder| {
        KeyHasher::with_peppers(peppers.build().unwrap())
    };
    [
        of(Peppers::builder("old", old())),
        of(Peppers::builder("old", old()).next("new", new())),
        of(Peppers::builder("new", new()).former("old", old())),
    ]
}

fn text(id: &str) -> String {
    format!("the-secret-of-{id}")
}

/// A key as a node with this hasher issues it.
fn key(hasher: &KeyHasher, id: &str) -> NewKey {
    let account = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder(id, account).build().unwrap();
    let mut key = NewKey::new(hasher.digest(text(id).as_bytes()), record);
    key.pepper = hasher.pepper().cloned();
    key
}

/// Sends a request with a key to a gate of this hasher over a store.
async fn status(
    store: impl KeyStore + Clone,
    hasher: &KeyHasher,
    rehasher: &Rehasher,
    id: &str,
) -> u16 {
    let gate = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store).assume_https();
    let gate = gate.without_limits().hasher(hasher.clone()).rehasher(rehasher);
    let service = gate.build().unwrap().layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let bearer = format!("Bearer {}", text(id));
    let request = Request::get("/").header("authorization", bearer).body(()).unwrap();
    service.oneshot(request).await.unwrap().status().as_u16()
}

/// Waits until a key has a digest by the new pepper.
async fn until_rehashed(store: &SqlStore, id: &str) {
    let began = Instant::now();
    loop {
        let entry = store.get(id).await.unwrap().unwrap();
        if entry.secrets[0].pepper == Some(PepperName::new("new").unwrap()) {
            assert_eq!((entry.secrets.len(), entry.secrets[0].formers.len()), (1, 1));
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{id} keeps its pepper: {entry:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Two nodes are moved from one pepper to another, one step of one node after the other. Every key passes on both at
/// each moment.
async fn is_replaced_node_by_node<S: PepperManager + Clone>(database: &SqlStore, nodes: [S; 2]) {
    let hashers = steps();
    let rehashers = [Rehasher::new(), Rehasher::new()];
    for (rehasher, node) in rehashers.iter().zip(&nodes) {
        tokio::spawn(rehasher.write_to(Arc::new(node.clone())));
    }
    let mut ids = Vec::new();
    for (one, other) in [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)] {
        for (node, step) in [(0, one), (1, other)] {
            let id = format!("key_{one}{other}{node}");
            let new = key(&hashers[step], &id);
            let digest = new.digest;
            nodes[node].add(new, "test").await.unwrap();
            ids.push(id);
            // A replica hears of a new key some milliseconds later.
            let began = Instant::now();
            while nodes[1 - node].find(&digest).await.unwrap().is_none() {
                assert!(began.elapsed() < PATIENCE, "the other node does not hear of a key");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        for id in &ids {
            for (node, step) in [(0, one), (1, other)] {
                let passed =
                    status(nodes[node].clone(), &hashers[step], &rehashers[node], id).await;
                assert_eq!(passed, 200, "{id} at node {node}, steps {one} and {other}");
            }
        }
    }
    for id in &ids {
        let is_new = ["key_210", "key_220", "key_221"].contains(&id.as_str());
        if !is_new {
            until_rehashed(database, id).await;
        }
        for node in 0..2 {
            let passed = status(nodes[node].clone(), &hashers[2], &rehashers[node], id).await;
            assert_eq!(passed, 200, "{id} at node {node}, rehashed");
        }
    }
    let usage = database.pepper_usage().await.unwrap();
    let counts: Vec<_> = usage.iter().map(|usage| (usage.secrets, usage.rehashed)).collect();
    assert_eq!(counts, [(10, 0), (0, 7)], "the new pepper, and the old one");

    // A revocation by one node holds at the other, whatever pepper it looks the key up by.
    nodes[0].revoke("key_000", "test").await.unwrap();
    let began = Instant::now();
    for hasher in &hashers {
        loop {
            let status = status(nodes[1].clone(), hasher, &rehashers[1], "key_000").await;
            if status == 401 {
                break;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the revoked key gets {status} for good by {hasher:?}"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn cached(url: &str) -> Cached<SqlStore> {
    let store = SqlStore::builder(url).max_connections(2).connect().await.unwrap();
    let cache = Cached::new(store.clone());
    if let Some(changes) = store.invalidations() {
        tokio::spawn(cache.listen(changes));
    }
    cache
}

async fn replicated(url: &str) -> Replica<SqlStore> {
    let store = SqlStore::builder(url).max_connections(2).connect().await.unwrap();
    let replica = Replica::new(store);
    tokio::spawn(replica.follow());
    replica.ready().await;
    replica
}

async fn is_replaced(url: &str) {
    let database = SqlStore::connect(url).await.unwrap();
    is_replaced_node_by_node(&database, [database.clone(), database.clone()]).await;
}

#[tokio::test]
async fn a_pepper_is_replaced_in_sqlite() {
    let folder = Folder::new();
    is_replaced(&sqlite(&folder)).await;
}

#[tokio::test]
async fn a_pepper_is_replaced_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    is_replaced(server.url()).await;
}

#[tokio::test]
async fn a_pepper_is_replaced_behind_caches() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let nodes = [cached(server.url()).await, cached(server.url()).await];
    is_replaced_node_by_node(&database, nodes).await;
}

#[tokio::test]
async fn a_pepper_is_replaced_on_replicas() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let nodes = [replicated(server.url()).await, replicated(server.url()).await];
    is_replaced_node_by_node(&database, nodes).await;
}

fn rehash(id: &str) -> Rehash {
    let [older, _, newer] = steps();
    let (from, to) = (older.digest(text(id).as_bytes()), newer.digest(text(id).as_bytes()));
    Rehash { from, to, pepper: PepperName::new("new").unwrap() }
}

/// Many tasks give the same keys a digest, while others rotate, revoke, delete and use them.
async fn loses_no_race(url: &str) {
    const KEYS: usize = 12;
    let [older, _, newer] = steps();
    let store = SqlStore::builder(url).max_connections(6).connect().await.unwrap();
    let ids: Vec<String> = (0..KEYS).map(|number| format!("key_{number}")).collect();
    let keys = ids.iter().map(|id| key(&older, id)).collect();
    assert_eq!(store.import(keys, "test").await.unwrap(), KEYS as u64);
    let mut tasks = tokio::task::JoinSet::new();
    for start in 0..4 {
        let (store, mut ids) = (store.clone(), ids.clone());
        ids.rotate_left(start * 3);
        tasks.spawn(async move {
            let mut rehashed = 0;
            for few in ids.chunks(2) {
                // A database that ends one of two transactions for the other is asked again, as the rehasher does.
                let asked = || store.rehash(few.iter().map(|id| rehash(id)).collect(), "test");
                let mut answer = asked().await;
                while answer.is_err() {
                    answer = asked().await;
                }
                rehashed += answer.unwrap();
            }
            rehashed
        });
    }
    let changing = {
        let (store, ids, newer) = (store.clone(), ids.clone(), newer.clone());
        tokio::spawn(async move {
            for (number, id) in ids.iter().enumerate() {
                let secret = newer.digest(text(&format!("new_{id}")).as_bytes());
                match number % 4 {
                    0 => drop(store.rotate(id, secret, NOW, "test").await.unwrap()),
                    1 => store.revoke(id, "test").await.unwrap(),
                    2 => store.delete(id, "test").await.unwrap(),
                    _ => {
                        let used = vec![(rehash(id).from, NOW)];
                        while store.note_uses(used.clone()).await.is_err() {}
                    }
                }
            }
        })
    };
    let rehashed: u64 = tasks.join_all().await.into_iter().sum();
    changing.await.unwrap();

    let lines = store.changes(0, 1_000).await.unwrap().into_iter();
    let lines = lines.filter(|change| change.action == Action::KeyRehashed).count();
    assert_eq!(lines as u64, rehashed, "a line for each digest");
    for (number, id) in ids.iter().enumerate() {
        let Rehash { from, to, .. } = rehash(id);
        let found = [store.find(&from).await.unwrap(), store.find(&to).await.unwrap()];
        let [former, current] = found;
        let Some(entry) = store.get(id).await.unwrap() else {
            assert!(number % 4 == 2 && former.is_none() && current.is_none(), "{id} is deleted");
            continue;
        };
        assert!(entry.secrets.len() <= 2, "{id} has a doubled secret: {entry:?}");
        let former = former.expect("the digest is still found");
        match number % 4 {
            // What a rotation ended stays ended, by either digest.
            0 => {
                assert_eq!(former.expires(), Some(NOW), "{id}");
                assert!(current.is_none_or(|current| current.expires() == Some(NOW)), "{id}");
            }
            1 => assert!(former.is_revoked() && current.is_none_or(|key| key.is_revoked()), "{id}"),
            _ => assert!(current.is_some_and(|key| key.expires().is_none()), "{id}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digests_are_given_while_keys_change_in_sqlite() {
    let folder = Folder::new();
    loses_no_race(&sqlite(&folder)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digests_are_given_while_keys_change_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    loses_no_race(server.url()).await;
}

/// A caller that hangs up between any two statements leaves all of a change or nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_change_gives_all_digests_or_none() {
    const TRIP: Duration = Duration::from_millis(8);
    let Some(server) = Postgres::start() else { return };
    let [older, ..] = steps();
    let database = SqlStore::connect(server.url()).await.unwrap();
    let relay = Distance::to(server.port(), TRIP).await;
    let far = SqlStore::builder(url_at(relay.port())).max_connections(1).connect().await.unwrap();
    for half_trips in 0..32 {
        let ids = [0, 1].map(|number| format!("key_{half_trips}_{number}"));
        let keys = ids.iter().map(|id| key(&older, id)).collect();
        database.import(keys, "test").await.unwrap();
        let batch = || ids.iter().map(|id| rehash(id)).collect::<Vec<_>>();
        let _ = tokio::time::timeout(TRIP * half_trips / 2, far.rehash(batch(), "test")).await;
        // The next change waits until the abandoned one has ended, so this sees its result.
        database.save_account(Account::builder("acme").build().unwrap(), "test").await.unwrap();
        let mut given = Vec::new();
        for secret in batch() {
            assert!(database.find(&secret.from).await.unwrap().is_some(), "after {half_trips}");
            given.push(database.find(&secret.to).await.unwrap().is_some());
        }
        assert_eq!(given[0], given[1], "half a change after {half_trips} half trips");
        let missing = given.iter().filter(|given| !**given).count();
        assert_eq!(database.rehash(batch(), "test").await.unwrap(), missing as u64);
    }
}

/// The former digest goes after a day, with any call.
async fn is_deleted_after_a_day(store: SqlStore) {
    let [older, ..] = steps();
    let clock = ManualClock::starting_at(NOW);
    let store = store.with_clock(clock.clone());
    store.add(key(&older, "key"), "test").await.unwrap();
    let Rehash { from, to, .. } = rehash("key");
    assert_eq!(store.rehash(vec![rehash("key")], "test").await.unwrap(), 1);
    let [_, former] = &store.pepper_usage().await.unwrap()[..] else { panic!("two peppers") };
    assert_eq!((former.secrets, former.rehashed), (0, 1));
    assert_eq!(former.goes_at(), Some(NOW.plus(DAY)));
    clock.advance(DAY - Duration::from_nanos(1));
    store.rehash(Vec::new(), "test").await.unwrap();
    assert!(store.find(&from).await.unwrap().is_some(), "a moment before");
    clock.advance(Duration::from_nanos(1));
    let [_] = &store.pepper_usage().await.unwrap()[..] else { panic!("the old one can go") };
    store.rehash(Vec::new(), "test").await.unwrap();
    assert!(store.find(&from).await.unwrap().is_none(), "it has served its time");
    assert!(store.find(&to).await.unwrap().is_some());
    assert_eq!(store.get("key").await.unwrap().unwrap().secrets[0].formers, []);
    assert_eq!(store.changes(0, 10).await.unwrap().len(), 2, "added and rehashed");
}

#[tokio::test]
async fn a_former_digest_is_deleted_after_a_day_in_sqlite() {
    let folder = Folder::new();
    is_deleted_after_a_day(SqlStore::connect(&sqlite(&folder)).await.unwrap()).await;
}

#[tokio::test]
async fn a_former_digest_is_deleted_after_a_day_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    is_deleted_after_a_day(SqlStore::connect(server.url()).await.unwrap()).await;
}

#[tokio::test]
async fn a_pepper_is_replaced_behind_a_pooler() {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, 2) else { return };
    let builder = SqlStore::builder(pooler.url()).behind_pooler(true).max_connections(4);
    is_deleted_after_a_day(builder.connect().await.unwrap()).await;
}
