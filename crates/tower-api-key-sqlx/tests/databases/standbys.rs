//! Gates at a hot standby, with real streaming replication.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use tower_api_key::store::{Cached, KeyManager, KeyStore};
use tower_api_key_sqlx::SqlStore;

use crate::postgres::Postgres;
use crate::{digest, key};

async fn sql(server: &Postgres, text: &'static str) {
    let pool = PgPool::connect(server.url()).await.unwrap();
    sqlx::raw_sql(text).execute(&pool).await.unwrap();
    pool.close().await;
}

/// Asks again and again until the answer is this one; returns how long that took.
async fn until(store: &dyn KeyStore, id: &str, expected: Result<bool, ()>) -> Duration {
    let began = Instant::now();
    loop {
        let found = store.find(&digest(id)).await;
        let found = found.map(|found| found.is_some_and(|key| !key.is_revoked())).map_err(drop);
        if found == expected {
            return began.elapsed();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{found:?} for good");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_serves_and_proves_how_old_its_data_is() {
    const LAG: Duration = Duration::from_secs(1);
    const STALENESS: Duration = Duration::from_secs(1);
    const SLACK: Duration = Duration::from_secs(3);
    let Some(mut primary) = Postgres::start() else { return };
    let writer = SqlStore::connect(primary.url()).await.unwrap();
    for id in ["good", "revoked", "late"] {
        writer.add(key(id), "test").await.unwrap();
    }
    let standby = primary.standby();
    let told = SqlStore::builder(standby.url()).max_lag(LAG).connect().await.unwrap_err();
    assert!(told.to_string().contains("needs `listen_url`"), "{told}");
    sql(&primary, "CREATE ROLE gate LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO gate")
        .await;
    let gate = |server: &Postgres| server.url().replace("test@", "gate@");
    let reader = loop {
        let builder = SqlStore::builder(gate(&standby)).listen_url(gate(&primary)).max_lag(LAG);
        // The role and its privileges come by the replication.
        if let Ok(reader) = builder.connect().await {
            break reader;
        }
    };
    until(&reader, "good", Ok(true)).await;
    // The staleness of the cache is long, so that notices alone can be the reason.
    let cache = Cached::builder(reader.clone()).staleness(Duration::from_secs(60)).build();
    tokio::spawn(cache.listen(reader.invalidations().unwrap()));
    assert!(cache.find(&digest("revoked")).await.unwrap().is_some());
    assert!(cache.find(&digest("late")).await.unwrap().is_some());
    let short = Cached::builder(reader.clone()).staleness(STALENESS).build();
    tokio::spawn(short.listen(reader.invalidations().unwrap()));
    assert!(short.find(&digest("late")).await.unwrap().is_some());
    tokio::time::sleep(LAG / 2).await;
    writer.revoke("revoked", "test").await.unwrap();
    let took = until(&cache, "revoked", Ok(false)).await;
    println!("a revocation at the primary is refused at the standby after {took:?}");

    // The standby lags: what the notice says is not there yet, and is when the replay goes on.
    sql(&standby, "SELECT pg_wal_replay_pause()").await;
    writer.revoke("late", "test").await.unwrap();
    let began = Instant::now();
    assert!(reader.find(&digest("late")).await.unwrap().is_some_and(|key| !key.is_revoked()));
    // A cache counts no proof of data that is too old, so what it read meanwhile ends with its staleness.
    let cached = until(&short, "late", Err(()));
    let (served, cached) = tokio::join!(until(&reader, "late", Err(())), cached);
    assert!(cached < STALENESS + LAG + SLACK, "{cached:?}");
    println!("a standby that lags refuses after {served:?}, with `max_lag` of {LAG:?}");
    let told = reader.find(&digest("good")).await.unwrap_err().to_string();
    assert!(told.contains("may be older than 1s") && told.contains("max_lag"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(20));
    sql(&standby, "SELECT pg_wal_replay_resume()").await;
    until(&reader, "late", Ok(false)).await;
    until(&cache, "late", Ok(false)).await;
    until(&short, "late", Ok(false)).await;

    // Without its primary nothing is proven. Promoted, the standby is the truth itself.
    primary.kill();
    until(&reader, "good", Err(())).await;
    sql(&standby, "SELECT pg_promote()").await;
    until(&reader, "good", Ok(true)).await;
    SqlStore::connect(standby.url()).await.unwrap().revoke("good", "test").await.unwrap();
    until(&reader, "good", Ok(false)).await;
    tokio::time::sleep(2 * LAG).await;
    until(&reader, "good", Ok(false)).await;
}

/// A standby without a limit serves what it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_without_a_limit_serves_what_it_has() {
    let Some(mut primary) = Postgres::start() else { return };
    let writer = SqlStore::connect(primary.url()).await.unwrap();
    writer.add(key("good"), "test").await.unwrap();
    let standby = primary.standby();
    let reader = SqlStore::connect(standby.url()).await.unwrap();
    until(&reader, "good", Ok(true)).await;
    let told = reader.revoke("good", "test").await.unwrap_err().to_string();
    assert!(told.contains("during recovery") && told.contains("primary"), "{told}");
    primary.kill();
    until(&reader, "good", Ok(true)).await;
}

/// At a primary a limit refuses nothing.
#[tokio::test]
async fn a_limit_of_the_lag_means_nothing_at_a_primary() {
    let Some(server) = Postgres::start() else { return };
    let builder = SqlStore::builder(server.url()).max_lag(Duration::from_millis(200));
    let store = builder.connect().await.unwrap();
    store.add(key("good"), "test").await.unwrap();
    for _ in 0..10 {
        assert!(store.find(&digest("good")).await.unwrap().is_some());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
