//! Measures sweeps for the events of time.

use std::time::{Duration, Instant};

use tower_api_key::clock::ManualClock;
use tower_api_key::store::KeyManager;
use tower_api_key_sqlx::{EventSweep, SqlStore};

use super::store::{DAY, NOW, digest, fill};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::sqlite;

async fn sweeps_are_measured(name: &str, store: SqlStore) {
    // A third of the keys was used yesterday.
    let yesterday = super::store::days_from_now(-1);
    let uses: Vec<_> =
        (0..super::store::KEYS).step_by(3).map(|key| (digest(key, 1), yesterday)).collect();
    for chunk in uses.chunks(5_000) {
        store.note_uses(chunk.to_vec()).await.unwrap();
    }
    let clock = ManualClock::starting_at(NOW);
    let store = store.with_clock(clock.clone());
    let measure = async |what: &str, days: Option<u32>| {
        let sweep = EventSweep::new(store.clone()).unwrap();
        let sweep = days.into_iter().fold(sweep, EventSweep::unused_days);
        let began = Instant::now();
        let events = sweep.sweep().await.unwrap();
        println!("{name}: {what}: {events} events in {:.1?}", began.elapsed());
        // The next sweep is of another process.
        clock.advance(Duration::from_secs(120));
    };
    measure("the first sweep", None).await;
    measure("a sweep without news", None).await;
    measure("the first sweep for unused keys", Some(90)).await;
    measure("a sweep for unused keys without news", Some(90)).await;
    clock.advance(Duration::from_secs(DAY));
    measure("a sweep a day later", Some(90)).await;
}

#[tokio::test]
#[ignore = "takes minutes, and says how long the sweeps take"]
async fn sweeps_over_a_million_keys_of_sqlite() {
    let folder = Folder::new();
    sweeps_are_measured("SQLite", fill("SQLite", &sqlite(&folder)).await).await;
}

#[tokio::test]
#[ignore = "takes minutes, and says how long the sweeps take"]
async fn sweeps_over_a_million_keys_of_postgres() {
    let Some(server) = Postgres::start() else { return };
    sweeps_are_measured("PostgreSQL", fill("PostgreSQL", server.url()).await).await;
}
