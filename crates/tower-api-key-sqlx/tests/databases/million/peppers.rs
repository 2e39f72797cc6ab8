//! Measures the replacement of a pepper.

use std::time::Instant;

use tower_api_key::key::PepperName;
use tower_api_key::store::{PepperManager, Rehash};
use tower_api_key_sqlx::SqlStore;

use super::store::{KEYS, digest, fill};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::sqlite;

/// The secrets of one change, as a `Rehasher` writes them.
const AT_ONCE: usize = 100;

async fn peppers_are_measured(name: &str, store: SqlStore) {
    let usage = async |what: &str| {
        let began = Instant::now();
        let usage = store.pepper_usage().await.unwrap();
        println!("{name}: {what}: {} peppers in {:.2?}", usage.len(), began.elapsed());
    };
    usage("pepper_usage").await;
    usage("pepper_usage again").await;
    let pepper = PepperName::new("2027").unwrap();
    let rehash = |number| {
        let (from, to) = (digest(number, 1), digest(number, 2));
        Rehash { from, to, pepper: pepper.clone() }
    };
    let all: Vec<_> = (0..KEYS).map(rehash).collect();
    let (began, mut moved) = (Instant::now(), 0);
    for batch in all.chunks(AT_ONCE) {
        moved += store.rehash(batch.to_vec(), "rehasher").await.unwrap();
    }
    let took = began.elapsed();
    let each = took / u32::try_from(all.len().div_ceil(AT_ONCE)).unwrap();
    println!("{name}: {moved} secrets moved in {took:.0?}: {each:.1?} for each {AT_ONCE}");
    usage("pepper_usage with two digests of each secret").await;
}

#[tokio::test]
#[ignore = "takes minutes, and says how long a replacement takes"]
async fn peppers_of_a_million_keys_of_sqlite() {
    let folder = Folder::new();
    peppers_are_measured("SQLite", fill("SQLite", &sqlite(&folder)).await).await;
}

#[tokio::test]
#[ignore = "takes minutes, and says how long a replacement takes"]
async fn peppers_of_a_million_keys_of_postgres() {
    let Some(server) = Postgres::start() else { return };
    peppers_are_measured("PostgreSQL", fill("PostgreSQL", server.url()).await).await;
}
