//! Tests an older and a newer program on one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::SqlStore;
use super::dialect::Dialect;
use super::migration::{Migration, steps};
use super::on_both::{on_both, run};
use super::plan::postgres::Postgres;
use super::statement::Statement;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, PepperName};
use tower_api_key::store::{KeyManager, KeyStore, NewKey, PepperManager, Rehash, StoreError};

/// A database, whose steps this program knows.
async fn at(url: &str) -> (SqlStore, Vec<Migration>) {
    let store = SqlStore::connect(url).await.unwrap();
    let known = steps(store.dialect);
    (store, known)
}

/// The steps of a program that is newer by two steps. The last of them says who may go on.
fn newer(known: &[Migration], compatible_from: i64) -> Vec<Migration> {
    let newest = known.last().unwrap().version;
    let step = |plus, name, sql, compatible_from| Migration {
        version: newest + plus,
        name,
        sql,
        compatible_from,
    };
    let mut steps = known.to_vec();
    steps.push(step(
        1,
        "notes",
        "ALTER TABLE {keys} ADD COLUMN note TEXT; ALTER TABLE {changes} ADD COLUMN note TEXT",
        newest,
    ));
    steps.push(step(
        2,
        "marks",
        "CREATE TABLE \"{prefix}marks\" (mark BIGINT NOT NULL); \
         CREATE INDEX \"{prefix}notes\" ON {keys} (note)",
        compatible_from,
    ));
    steps
}

fn digest(id: &str) -> KeyDigest {
    KeyHasher::sha256().digest(id.as_bytes())
}

fn key(id: &str) -> NewKey {
    let account = Arc::new(Account::builder("acme").build().unwrap());
    NewKey::new(digest(id), KeyRecord::builder(id, account).build().unwrap())
}

fn told(error: &StoreError) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

on_both!(
    goes_on,
    an_older_program_goes_on_where_postgres_says_that_it_may,
    an_older_program_goes_on_where_sqlite_says_that_it_may
);
async fn goes_on(url: &str) {
    let (store, known) = at(url).await;
    let newest = known.last().unwrap().version;
    store.migrate_by(&newer(&known, newest)).await.unwrap();
    // The newer program finds all done, the older one finds more than it knows, and both go on.
    store.migrate_by(&newer(&known, newest)).await.unwrap();
    let older = SqlStore::connect(url).await.unwrap();
    older.add(key("key"), "test").await.unwrap();
    assert!(older.find(&digest("key")).await.unwrap().is_some());
    older.revoke("key", "test").await.unwrap();
    assert_eq!(older.changes(0, 10).await.unwrap().len(), 2);
}

on_both!(
    lacks_peppers,
    a_program_without_peppers_goes_on_in_postgres,
    a_program_without_peppers_goes_on_in_sqlite
);
async fn lacks_peppers(url: &str) {
    let (store, _) = at(url).await;
    for id in ["old", "other"] {
        store.add(key(id), "test").await.unwrap();
    }
    // What such a program adds, and deletes of a secret with two digests.
    run(&store, "UPDATE {secrets} SET pepper = NULL").await;
    let step = |id: &str| {
        let pepper = PepperName::new("new").unwrap();
        Rehash { from: digest(id), to: digest(&format!("new {id}")), pepper }
    };
    let unnamed = store.pepper_usage().await.unwrap();
    assert_eq!((unnamed.len(), &unnamed[0].pepper, unnamed[0].secrets), (1, &None, 2));
    assert_eq!(store.rehash(vec![step("old"), step("other")], "test").await.unwrap(), 2);
    run(&store, "DELETE FROM {secrets} WHERE key_id = 'old' AND successor IS NULL").await;
    assert_eq!(store.get("old").await.unwrap().unwrap().secrets, []);
    assert!(store.find(&digest("old")).await.unwrap().is_some(), "for a day at the most");
    let counted = store.pepper_usage().await.unwrap();
    let counts: Vec<_> = counted.iter().map(|usage| (usage.secrets, usage.rehashed)).collect();
    assert_eq!(counts, [(0, 2), (1, 0)]);
    store.revoke("old", "test").await.unwrap();
    assert!(store.find(&digest("old")).await.unwrap().unwrap().is_revoked());
}

on_both!(
    ends,
    an_older_program_ends_where_postgres_says_that_it_must,
    an_older_program_ends_where_sqlite_says_that_it_must
);
async fn ends(url: &str) {
    let (store, known) = at(url).await;
    let newest = known.last().unwrap().version;
    // The last step allows a program that knows the first of the two.
    store.migrate_by(&newer(&known, newest + 1)).await.unwrap();
    let told = told(&SqlStore::connect(url).await.unwrap_err());
    assert!(told.contains("newer release") && told.contains("update the program"), "{told}");
    assert!(told.contains(&format!("step {}", newest + 2)), "names the step that forbids: {told}");
    let mut between = newer(&known, newest + 1);
    between.pop();
    store.migrate_by(&between).await.unwrap();
    // A step that says nothing forbids, too.
    run(&store, "UPDATE {migrations} SET compatible_from = NULL").await;
    assert!(store.migrate_by(&between).await.is_err());
    store.migrate_by(&newer(&known, newest)).await.unwrap();
}

on_both!(
    gets_the_column,
    a_postgres_without_the_column_gets_it_with_the_next_step,
    a_sqlite_without_the_column_gets_it_with_the_next_step
);
async fn gets_the_column(url: &str) {
    let (store, known) = at(url).await;
    run(&store, "ALTER TABLE {migrations} DROP COLUMN compatible_from").await;
    // The older table is up to date, and is left as it is.
    store.migrate().await.unwrap();
    assert!(!store.has_compatible_from(&mut store.transaction().await.unwrap()).await.unwrap());
    let newest = known.last().unwrap().version;
    store.migrate_by(&newer(&known, newest)).await.unwrap();
    assert!(store.has_compatible_from(&mut store.transaction().await.unwrap()).await.unwrap());
    SqlStore::connect(url).await.unwrap();
}

/// An older and a newer program serve at once, while the newer one extends the tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_programs_serve_while_the_tables_are_extended() {
    let Some(server) = Postgres::start() else { return };
    let (older, known) = at(server.url()).await;
    older.add(key("good"), "test").await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let load = |store: SqlStore, name: &'static str| {
        let over = Arc::clone(&over);
        tokio::spawn(async move {
            let mut rounds = 0_u32;
            while !over.load(Ordering::Relaxed) {
                let id = format!("{name}_{rounds}");
                store.add(key(&id), name).await.unwrap();
                assert!(store.find(&digest("good")).await.unwrap().is_some());
                store.revoke(&id, name).await.unwrap();
                assert!(store.find(&digest(&id)).await.unwrap().unwrap().is_revoked());
                rounds += 1;
            }
            rounds
        })
    };
    let mut loads = vec![load(older.clone(), "older"), load(older.clone(), "old")];
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let (newer_store, _) = at(server.url()).await;
    newer_store.migrate_by(&newer(&known, known.last().unwrap().version)).await.unwrap();
    loads.push(load(newer_store.clone(), "newer"));
    // An older program may start after the newer one, as in a rollback.
    loads.push(load(SqlStore::connect(server.url()).await.unwrap(), "again"));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    over.store(true, Ordering::Relaxed);
    let mut changes = 1;
    for load in loads {
        let rounds = load.await.unwrap();
        assert!(rounds > 0);
        changes += 2 * u64::from(rounds);
    }
    let count = Statement::made(older.tables.fill("SELECT COUNT(*) AS count FROM {changes}"));
    let counted = older.read(count).await.unwrap()[0].number("count").unwrap();
    assert_eq!(counted, Some(i64::try_from(changes).unwrap()), "no change was lost");
}

/// A migration waits for another program's long transaction, as of `pg_dump`. Lookups do not wait behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookups_do_not_wait_behind_a_migration_that_waits() {
    let Some(server) = Postgres::start() else { return };
    let (store, known) = at(server.url()).await;
    store.add(key("good"), "test").await.unwrap();
    let mut reading = store.transaction().await.unwrap();
    reading.script(store.tables.fill("SELECT 1 FROM {accounts}")).await.unwrap();
    let steps = newer(&known, known.last().unwrap().version);
    let (upgraded, migrating) = (store.clone(), steps.clone());
    let migrating = tokio::spawn(async move { upgraded.migrate_by(&migrating).await });
    for _ in 0..20 {
        let lookup = store.clone().with_lookup_timeout(std::time::Duration::from_millis(800));
        assert!(lookup.find(&digest("good")).await.unwrap().is_some());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!migrating.is_finished());
    reading.commit().await.unwrap();
    migrating.await.unwrap().unwrap();
    // A migration that never gets its turn says why.
    let mut reading = store.transaction().await.unwrap();
    reading.script(store.tables.fill("SELECT 1 FROM {accounts}")).await.unwrap();
    let mut more = newer(&steps, 1);
    more.iter_mut().skip(steps.len()).for_each(|step| step.sql = "SELECT 1");
    let hasty = store.clone().with_change_timeout(std::time::Duration::from_millis(500));
    let told = told(&hasty.migrate_by(&more).await.unwrap_err());
    assert!(told.contains("lock timeout") && told.contains("long transaction"), "{told}");
}

/// A step may build several indexes of a large table.
#[tokio::test]
async fn each_statement_of_a_step_may_take_as_long_as_a_change() {
    let Some(server) = Postgres::start() else { return };
    let (store, known) = at(server.url()).await;
    let mut more = newer(&known, 1);
    let store = store.with_change_timeout(std::time::Duration::from_secs(3));
    let last = more.last_mut().unwrap();
    last.sql = "SELECT pg_sleep(4); SELECT 1;";
    let told = told(&store.migrate_by(&more).await.unwrap_err());
    assert!(told.contains("timeout"), "{told}");
    more.last_mut().unwrap().sql =
        "SELECT pg_sleep(1); SELECT pg_sleep(1); SELECT pg_sleep(1); SELECT pg_sleep(1);";
    store.migrate_by(&more).await.unwrap();
}

/// A released step allows its own version, and none that comes later.
#[test]
fn released_steps_are_in_order_and_name_a_version_that_exists() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let steps = steps(dialect);
        assert!(steps.is_sorted_by(|one, next| one.version < next.version), "{steps:?}");
        for step in steps {
            assert!((1..=step.version).contains(&step.compatible_from), "{step:?}");
        }
    }
}
