//! Notices that wake a delivery, in PostgreSQL. A look that nothing woke is made when its time has come.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::events::{EventKind, EventLog, EventSubject, Occurrence};
use tower_api_key::store::{Cached, KeyManager};
use tower_api_key_sqlx::{EventDelivery, SqlStore};

use super::Receiver;
use crate::key;
use crate::postgres::{Postgres, url_at};
use crate::relay::Relay;

/// A time that no test waits for.
const NEVER: Duration = Duration::from_secs(3_600);

/// What a busy machine needs for a delivery that was woken.
const SOON: Duration = Duration::from_secs(10);

/// Starts a delivery in the background, and waits until the store knows its sinks: they get what is written from then on.
async fn deliver(store: &SqlStore, receivers: &[&Receiver], look_every: Duration) {
    let sinks = receivers.iter().map(|receiver| receiver.sink());
    let delivery = EventDelivery::new(store.clone(), sinks).unwrap().look_every(look_every);
    tokio::spawn(delivery.run());
    let began = Instant::now();
    for receiver in receivers {
        let name = receiver.name;
        while !store.has_event_sink(name).await.unwrap() {
            assert!(began.elapsed() < SOON, "the store does not know {name}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Counts the connections that listen.
async fn listening(look: &PgPool) -> i64 {
    let count = "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    sqlx::query_scalar(count).fetch_one(look).await.unwrap()
}

async fn until_listening(look: &PgPool, count: i64) {
    let began = Instant::now();
    while listening(look).await != count {
        assert!(began.elapsed() < SOON, "{} listen", listening(look).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The look at the opened connection is over, so that nothing but a notice makes another.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// Waits until a receiver has this number of events, and returns how long it took.
async fn until_taken(receiver: &Receiver, count: usize) -> Duration {
    let began = Instant::now();
    while receiver.taken().len() < count {
        assert!(began.elapsed() < SOON, "it has {:?}", receiver.taken());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}

/// Ends the connections that listen, from the side of the server.
async fn end_listeners(look: &PgPool) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    sqlx::raw_sql(end).execute(look).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_delivered_long_before_the_next_look() {
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let store = SqlStore::connect(server.url()).await.unwrap();
    let receiver = Receiver::new("receiver");
    deliver(&store, &[&receiver], NEVER).await;
    until_listening(&look, 1).await;
    // Each way in which events come to a sink: a change, a request, and a replay.
    store.add(key("a"), "ada").await.unwrap();
    println!("a change was delivered after {:?}", until_taken(&receiver, 1).await);
    let used = EventSubject::Key("a".to_owned());
    let used = Occurrence::new(EventKind::FirstUse, used, SystemClock.now());
    store.record(vec![used]).await.unwrap();
    println!("a request was delivered after {:?}", until_taken(&receiver, 2).await);
    store.replay_events("receiver", 1).await.unwrap();
    println!("a replay was delivered after {:?}", until_taken(&receiver, 3).await);
    assert_eq!(receiver.taken(), ["key.created a", "key.first_use a", "key.first_use a"]);
    // A deleted account has events, and notices of its keys.
    store.delete_account("acme", "ada").await.unwrap();
    until_taken(&receiver, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_sinks_and_caches_of_a_process_share_one_connection() {
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let store = SqlStore::connect(server.url()).await.unwrap();
    let receivers = ["a", "b", "c"].map(Receiver::new);
    deliver(&store, &receivers.each_ref(), NEVER).await;
    let cache = Cached::new(store.clone());
    tokio::spawn(cache.listen(store.invalidations().unwrap()));
    let other = SqlStore::builder(server.url()).prefix("other_").connect().await.unwrap();
    deliver(&other, &[&Receiver::new("d")], NEVER).await;
    until_listening(&look, 1).await;
    store.add(key("a"), "ada").await.unwrap();
    for receiver in &receivers {
        until_taken(receiver, 1).await;
    }
    assert_eq!(listening(&look).await, 1);
}

/// Its way to the server is broken, and nothing but the time makes a look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_connection_an_event_is_delivered_by_the_next_look() {
    const EVERY: Duration = Duration::from_secs(2);
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let relay = Relay::to(server.port()).await;
    let store = SqlStore::builder(server.url()).listen_url(url_at(relay.port()));
    let store = store.connect().await.unwrap();
    let receiver = Receiver::new("receiver");
    deliver(&store, &[&receiver], EVERY).await;
    until_listening(&look, 1).await;
    relay.falls_silent(true);
    end_listeners(&look).await;
    for (count, id) in ["a", "b", "c"].iter().enumerate() {
        store.add(key(id), "ada").await.unwrap();
        let taken = until_taken(&receiver, count + 1).await;
        println!("delivered after {taken:?}");
        assert!(taken < EVERY + SOON / 2, "{taken:?}");
    }
    assert_eq!(listening(&look).await, 0, "nothing woke the delivery");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_replaced_and_what_was_written_meanwhile_is_delivered() {
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let store = SqlStore::connect(server.url()).await.unwrap();
    let receiver = Receiver::new("receiver");
    deliver(&store, &[&receiver], NEVER).await;
    until_listening(&look, 1).await;
    end_listeners(&look).await;
    store.add(key("a"), "ada").await.unwrap();
    until_taken(&receiver, 1).await;
    until_listening(&look, 1).await;
    store.add(key("b"), "ada").await.unwrap();
    until_taken(&receiver, 2).await;
}

/// A database that refuses must not be asked again with each event that others write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_look_the_next_one_waits_for_its_time() {
    const EVERY: Duration = Duration::from_millis(500);
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let store = SqlStore::connect(server.url()).await.unwrap();
    // A sequence counts the refused looks, because no rollback takes its numbers back.
    let refuse = "CREATE SEQUENCE looks;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM nextval('looks'); RAISE EXCEPTION 'refused'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON tower_api_key_event_leases FOR EACH ROW EXECUTE FUNCTION refuse();";
    sqlx::raw_sql(refuse).execute(&look).await.unwrap();
    let receiver = Receiver::new("receiver");
    deliver(&store, &[&receiver], EVERY).await;
    let (began, mut written) = (Instant::now(), 0);
    while began.elapsed() < EVERY * 6 {
        store.add(key(&format!("key_{written}")), "ada").await.unwrap();
        written += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let time = began.elapsed().as_millis();
    let looks: i64 =
        sqlx::query_scalar("SELECT last_value FROM looks").fetch_one(&look).await.unwrap();
    println!("{looks} looks in {time} ms, in which {written} events were written");
    let most = i64::try_from(time / EVERY.as_millis()).unwrap() + 1;
    assert!((2..=most).contains(&looks), "{looks} looks in {time} ms");
    let forgive = "DROP TRIGGER refuse ON tower_api_key_event_leases";
    sqlx::raw_sql(forgive).execute(&look).await.unwrap();
    until_taken(&receiver, written).await;
}

/// All of them hear of it, and one holds the lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_processes_delivers_what_they_hear_of() {
    let Some(server) = Postgres::start() else { return };
    let look = PgPool::connect(server.url()).await.unwrap();
    let store = SqlStore::connect(server.url()).await.unwrap();
    let receiver = Receiver::new("receiver");
    for _ in 0..3 {
        deliver(&store, &[&receiver], NEVER).await;
        until_listening(&look, 1).await;
    }
    for (count, id) in ["a", "b", "c"].iter().enumerate() {
        store.add(key(id), "ada").await.unwrap();
        until_taken(&receiver, count + 1).await;
    }
    assert_eq!(receiver.taken(), ["key.created a", "key.created b", "key.created c"]);
}
