//! Databases and the model of policies, with the sweep of a database.

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key_sqlx::{PolicySweep, SqlStore};

use crate::folder::Folder;
use crate::policy_steps::{Both, START};
use crate::postgres::Postgres;
use crate::sqlite;

async fn sweep(store: &SqlStore) -> (u64, u64) {
    let sweep = PolicySweep::new(store.clone()).unwrap();
    // Each step has its minute, so the lease of the last sweep has ended.
    let outcome = sweep.assume_uses_recorded_since(Timestamp::default()).sweep().await.unwrap();
    assert!(outcome.swept && !outcome.uses_unknown, "{outcome:?}");
    (outcome.switched_off, outcome.expiries_set)
}

async fn agrees_with_the_model(url: &str, steps: u32) {
    for seed in 0..4 {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(START));
        let store = SqlStore::builder(url).prefix(format!("model_{seed}_")).clock(clock.clone());
        let store = store.connect().await.unwrap();
        let both = Both { store: &store, clock, sweep: Box::new(|| Box::pin(sweep(&store))), seed };
        let seen = both.agree(steps).await;
        assert!(seen.made > 10 && seen.refused > 10 && seen.off + seen.ended > 0, "{seen:?}");
    }
}

#[tokio::test]
async fn sqlite_agrees_with_the_model_of_policies() {
    let folder = Folder::new();
    agrees_with_the_model(&sqlite(&folder), 300).await;
}

#[tokio::test]
async fn postgres_agrees_with_the_model_of_policies() {
    let Some(server) = Postgres::start() else { return };
    agrees_with_the_model(server.url(), 150).await;
}
