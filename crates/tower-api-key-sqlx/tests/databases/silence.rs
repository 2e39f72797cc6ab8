//! A PostgreSQL behind a network that loses what is sent, without a word.

use std::future::Future;
use std::time::{Duration, Instant};

use tower_api_key::key::Account;
use tower_api_key::store::{Invalidation, Invalidations, KeyFilter, KeyManager, KeyStore};
use tower_api_key_sqlx::{SqlStore, SqlStoreBuilder};

use crate::postgres::{Postgres, url_at};
use crate::relay::Relay;
use crate::{digest, key};

const SHORT: Duration = Duration::from_millis(400);

/// More at once than the pool has connections.
const MANY: usize = 64;

/// Connects while there is time, and asks with little.
async fn store(relay: &Relay) -> SqlStore {
    let store = SqlStore::connect(&url_at(relay.port())).await.unwrap();
    store.with_lookup_timeout(SHORT).with_change_timeout(2 * SHORT)
}

/// Returns the same store with much time, for a machine that is busy with other things: a place in the
/// pool that is lost for good shows all the same.
fn patient(store: &SqlStore) -> SqlStore {
    store.clone().with_lookup_timeout(20 * SHORT)
}

/// Does something many times at once; returns how often that went well.
async fn at_once<F>(make: impl Fn(usize) -> F) -> usize
where
    F: Future<Output = bool> + Send + 'static,
{
    let running: Vec<_> = (0..MANY).map(|number| tokio::spawn(make(number))).collect();
    let mut well = 0;
    for one in running {
        well += usize::from(one.await.unwrap());
    }
    well
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_postgres_fails_every_question_in_time() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let store = store(&relay).await;
    store.add(key("good"), "test").await.unwrap();
    relay.falls_silent(true);
    let began = Instant::now();
    assert!(store.find(&digest("good")).await.is_err());
    assert!(store.get("good").await.is_err());
    assert!(store.list(&KeyFilter::default(), None, 10).await.is_err());
    assert!(store.find_account("acme").await.is_err());
    assert!(store.list_accounts(None, 10).await.is_err());
    assert!(store.changes(0, 10).await.is_err());
    let took = began.elapsed();
    assert!(took >= 6 * SHORT && took < 12 * SHORT, "six questions took {took:?}");
    relay.falls_silent(false);
    assert!(store.find(&digest("good")).await.is_ok(), "no silent connection is kept");
}

/// Whatever was under way when all connections fell silent: one timeout later all is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_outlives_the_silence_of_all_its_connections() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let store = store(&relay).await;
    store.add(key("good"), "test").await.unwrap();
    let find = |store: SqlStore| async move { store.find(&digest("good")).await.is_ok() };
    let list =
        |store: SqlStore| async move { store.list(&KeyFilter::default(), None, 10).await.is_ok() };
    let save = |store: SqlStore, number: usize| async move {
        let account = Account::builder(format!("account_{number}")).build().unwrap();
        store.save_account(account, "test").await.is_ok()
    };
    let uses = |store: SqlStore| async move {
        let uses = vec![(digest("good"), tower_api_key::clock::Timestamp::from_unix_seconds(5))];
        store.note_uses(uses).await.is_ok()
    };
    for round in 0..4 {
        // All connections are there, and idle.
        assert_eq!(at_once(|_| find(patient(&store))).await, MANY, "round {round}");
        tokio::time::sleep(SHORT / 2).await;
        relay.falls_silent(true);
        let well = match round {
            0 => at_once(|_| find(store.clone())).await,
            1 => at_once(|_| list(store.clone())).await,
            2 => at_once(|number| save(store.clone(), number)).await,
            _ => at_once(|_| uses(store.clone())).await,
        };
        assert_eq!(well, 0, "nothing comes through");
        relay.falls_silent(false);
        let began = Instant::now();
        assert_eq!(at_once(|_| find(patient(&store))).await, MANY, "after round {round}");
        assert!(began.elapsed() < 10 * SHORT, "at once: {:?}", began.elapsed());
    }
}

/// Connections fall silent at any moment, between a query and the pool's sign of life too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_outlives_a_silence_in_the_midst_of_load() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let store = store(&relay).await;
    store.add(key("good"), "test").await.unwrap();
    let find = |store: SqlStore| async move { store.find(&digest("good")).await.is_ok() };
    for round in 0..5 {
        let end = Instant::now() + SHORT;
        let load = |store: SqlStore| async move {
            while Instant::now() < end {
                let _ = store.find(&digest("good")).await;
            }
            true
        };
        let loading = at_once(|_| load(store.clone()));
        let silence = async {
            tokio::time::sleep(SHORT / 2).await;
            relay.falls_silent(true);
            // Long enough that each connection has lost something.
            tokio::time::sleep(2 * SHORT).await;
            relay.falls_silent(false);
        };
        tokio::join!(loading, silence);
        assert_eq!(at_once(|_| find(patient(&store))).await, MANY, "round {round}");
    }
}

/// A connection that falls silent after its query ended well, just when it is given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_of_life_that_never_comes_keeps_no_place() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let builder = SqlStore::builder(url_at(relay.port())).max_connections(4).lookup_timeout(SHORT);
    let store = patient(&builder.connect().await.unwrap());
    store.add(key("good"), "test").await.unwrap();
    relay.loses_signs_of_life(true);
    for round in 0..12 {
        assert!(store.find(&digest("good")).await.is_ok(), "lookup {round} of a pool of 4");
        store.save_account(Account::builder("other").build().unwrap(), "test").await.unwrap();
    }
    relay.loses_signs_of_life(false);
    assert!(store.find(&digest("good")).await.is_ok());
}

/// Idle connections fall silent one and all, and lookups come one by one; an application's own pool asks
/// each for a sign of life first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_outlives_the_loss_of_all_that_is_idle_in_one_timeout() {
    let Some(server) = Postgres::start() else { return };
    SqlStore::connect(server.url()).await.unwrap().add(key("good"), "test").await.unwrap();
    for is_own in [false, true] {
        let relay = Relay::to(server.port()).await;
        let url = url_at(relay.port());
        let builder = if is_own {
            let pool = sqlx::postgres::PgPoolOptions::new().max_connections(8);
            SqlStoreBuilder::from_postgres(pool.connect(&url).await.unwrap())
        } else {
            SqlStore::builder(url).max_connections(8)
        };
        let store = builder
            .connect()
            .await
            .unwrap()
            .with_lookup_timeout(2 * SHORT)
            .with_change_timeout(2 * SHORT);
        for round in 0..4 {
            let find = |store: SqlStore| async move { store.find(&digest("good")).await.is_ok() };
            assert_eq!(at_once(|_| find(patient(&store))).await, MANY);
            tokio::time::sleep(SHORT / 2).await;
            relay.loses_connections();
            let told = match round % 2 {
                0 => store.find(&digest("good")).await.unwrap_err().to_string(),
                _ => store
                    .save_account(Account::builder("other").build().unwrap(), "test")
                    .await
                    .unwrap_err()
                    .to_string(),
            };
            assert!(told.contains("did not answer"), "{told}");
            assert!(patient(&store).find(&digest("good")).await.is_ok());
            assert!(store.find(&digest("good")).await.is_ok(), "own: {is_own}, round {round}");
        }
    }
}

/// The same over a pool that the application has made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_applications_own_pool_outlives_it_too() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(5);
    let pool = pool.connect(&url_at(relay.port())).await.unwrap();
    let store = SqlStoreBuilder::from_postgres(pool.clone()).connect().await.unwrap();
    let store = store.with_lookup_timeout(SHORT);
    store.add(key("good"), "test").await.unwrap();
    let find = |store: SqlStore| async move { store.find(&digest("good")).await.is_ok() };
    assert_eq!(at_once(|_| find(patient(&store))).await, MANY);
    relay.falls_silent(true);
    assert_eq!(at_once(|_| find(store.clone())).await, 0);
    relay.falls_silent(false);
    assert_eq!(at_once(|_| find(patient(&store))).await, MANY);
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_hears_nothing_asks_whether_anybody_is_there() {
    let Some(server) = Postgres::start() else { return };
    let relay = Relay::to(server.port()).await;
    let store = store(&relay).await;
    let never = Duration::from_secs(3_600);
    let mut changes = store.invalidations().unwrap().probe_after(SHORT).prove_every(never);
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything, "before it listened");
    // Asks a few times and goes on listening.
    let quiet = tokio::time::timeout(5 * SHORT, changes.next()).await;
    assert!(quiet.is_err(), "nothing has changed: {quiet:?}");
    store.add(key("one"), "test").await.unwrap();
    assert_eq!(changes.next().await.unwrap(), Invalidation::Added);
    let before = relay.connections();
    for _ in 0..3 {
        relay.falls_silent(true);
        let lost = tokio::time::timeout(10 * SHORT, changes.next()).await;
        assert!(lost.expect("the silence is noticed").is_err());
        relay.falls_silent(false);
        // A busy machine may need a second try.
        let found = async {
            loop {
                if let Ok(change) = changes.next().await {
                    return change;
                }
            }
        };
        let found = tokio::time::timeout(50 * SHORT, found).await.expect("it listens again");
        assert_eq!(found, Invalidation::Everything, "word was lost");
    }
    // The silent connections are closed, and those that took their leave.
    tokio::time::timeout(100 * SHORT, async {
        while relay.connections() > before {
            tokio::time::sleep(SHORT / 10).await;
        }
    })
    .await
    .expect("no connection is left behind");
}
