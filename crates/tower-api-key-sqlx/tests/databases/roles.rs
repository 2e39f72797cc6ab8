//! Roles that may not do everything, and sessions that may only read.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::{
    EventKind, EventLog, EventSink, EventSubject, EventWriter, Occurrence,
};
use tower_api_key::key::PepperName;
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{
    Command, CommandOptions, Invalidation, Invalidations, KeyManager, KeyStore, PepperManager,
    Rehash,
};
use tower_api_key::testing::store_suite;
use tower_api_key_sqlx::{EventDelivery, EventSweep, PolicySweep, SqlStore};

use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

fn url_of(server: &Postgres, role: &str) -> String {
    server.url().replace("test@", &format!("{role}@"))
}

#[tokio::test]
async fn a_role_that_may_only_read_serves() {
    let Some(server) = Postgres::start() else { return };
    let owner = SqlStore::connect(server.url()).await.unwrap();
    owner.add(key("key"), "test").await.unwrap();
    let pool = PgPool::connect(server.url()).await.unwrap();
    let roles = "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; \
         CREATE ROLE stranger LOGIN; \
         CREATE ROLE writer LOGIN; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO writer; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO writer; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    sqlx::raw_sql(roles).execute(&pool).await.unwrap();

    let reader = SqlStore::connect(&url_of(&server, "reader")).await.unwrap();
    assert!(reader.find(&digest("key")).await.unwrap().is_some());
    assert!(reader.get("key").await.unwrap().is_some());
    let told = reader.revoke("key", "test").await.unwrap_err().to_string();
    assert!(told.contains("permission denied") && told.contains("grant it"), "{told}");

    let writer = SqlStore::connect(&url_of(&server, "writer")).await.unwrap();
    writer.add(key("another"), "test").await.unwrap();
    writer.revoke("another", "test").await.unwrap();
    writer.delete("another", "test").await.unwrap();

    let told = SqlStore::connect(&url_of(&server, "stranger")).await.unwrap_err().to_string();
    assert!(told.contains("permission denied") && told.contains("SELECT"), "{told}");
    let elsewhere = SqlStore::builder(url_of(&server, "writer")).prefix("other_").connect();
    let told = elsewhere.await.unwrap_err().to_string();
    assert!(told.contains("permission denied") && told.contains("CREATE"), "{told}");
}

/// The statements of `docs/postgresql.md`.
#[tokio::test]
async fn the_documented_privileges_are_enough() {
    let page = include_str!("../../../../docs/postgresql.md");
    let statements = page.split("```sql").nth(1).unwrap().split("```").next().unwrap();
    let Some(server) = Postgres::start() else { return };
    let owner = SqlStore::connect(server.url()).await.unwrap();
    owner.add(key("key"), "test").await.unwrap();
    let pool = PgPool::connect(server.url()).await.unwrap();
    let roles = "CREATE ROLE gate LOGIN; CREATE ROLE gate_with_uses LOGIN; CREATE ROLE manager LOGIN; \
         CREATE ROLE gate_with_peppers LOGIN; CREATE ROLE gate_with_events LOGIN; \
         CREATE ROLE gate_with_usage LOGIN; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    sqlx::raw_sql(roles).execute(&pool).await.unwrap();
    sqlx::raw_sql(statements).execute(&pool).await.unwrap();

    let used = || vec![(digest("key"), Timestamp::from_unix_seconds(7))];
    let gate = SqlStore::connect(&url_of(&server, "gate")).await.unwrap();
    assert!(gate.find(&digest("key")).await.unwrap().is_some());
    let mut changes = gate.invalidations().unwrap();
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything);
    assert!(gate.note_uses(used()).await.is_err());
    assert!(gate.revoke("key", "test").await.is_err());
    let gate = SqlStore::connect(&url_of(&server, "gate_with_uses")).await.unwrap();
    gate.note_uses(used()).await.unwrap();
    assert!(gate.revoke("key", "test").await.is_err());
    let newer = || {
        let pepper = PepperName::new("new").unwrap();
        vec![Rehash { from: digest("key"), to: digest("newer"), pepper }]
    };
    assert!(gate.rehash(newer(), "test").await.is_err());
    let gate = SqlStore::connect(&url_of(&server, "gate_with_peppers")).await.unwrap();
    gate.note_uses(used()).await.unwrap();
    assert_eq!(gate.rehash(newer(), "test").await.unwrap(), 1);
    assert!(gate.revoke("key", "test").await.is_err());
    let gate = SqlStore::connect(&url_of(&server, "gate_with_events")).await.unwrap();
    assert!(gate.revoke("key", "test").await.is_err());
    let subject = EventSubject::Key("key".to_owned());
    let used = Occurrence::new(EventKind::FirstUse, subject, Timestamp::from_unix_seconds(7));
    assert_eq!(gate.record(vec![used]).await.unwrap(), 1);
    EventSweep::new(gate.clone()).unwrap().unused_days(1).sweep().await.unwrap();
    let log: Arc<dyn EventSink> = Arc::new(EventWriter::new("log", std::io::sink()));
    EventDelivery::new(gate.clone(), [log]).unwrap().deliver_due().await.unwrap();
    #[cfg(feature = "usage")]
    {
        use tower_api_key::usage::{UsageBatch, UsageSink};
        let batch = UsageBatch::new([1; 16], 1, [], []);
        assert!(gate.write(&batch).await.is_err());
        let gate = SqlStore::connect(&url_of(&server, "gate_with_usage")).await.unwrap();
        crate::usage::writes_and_reads(&gate).await;
        assert!(gate.revoke("key", "test").await.is_err());
    }
    owner.delete_account("acme", "test").await.unwrap();
    let manager = SqlStore::connect(&url_of(&server, "manager")).await.unwrap();
    store_suite(&manager).await;
    let rules = KeyPolicy::builder(PolicySubject::All).require_expiry();
    let rules = rules.switch_off_unused(Duration::from_secs(86_400)).build().unwrap();
    let by = CommandOptions::by("test");
    manager.apply(Command::SavePolicy(rules), by).await.unwrap();
    assert!(PolicySweep::new(manager).unwrap().sweep().await.unwrap().expiries_set > 0);
}

#[tokio::test]
async fn a_session_that_may_only_read_serves() {
    let Some(server) = Postgres::start() else { return };
    let only_reads = format!("{}?options=-c%20default_transaction_read_only%3Don", server.url());
    let told = SqlStore::connect(&only_reads).await.unwrap_err().to_string();
    assert!(told.contains("read-only") && told.contains("primary"), "{told}");
    SqlStore::connect(server.url()).await.unwrap().add(key("key"), "test").await.unwrap();
    let standby = SqlStore::connect(&only_reads).await.unwrap();
    assert!(standby.find(&digest("key")).await.unwrap().is_some());
    let told = standby.revoke("key", "test").await.unwrap_err().to_string();
    assert!(told.contains("read-only") && told.contains("primary"), "{told}");
}

#[tokio::test]
async fn a_sqlite_file_that_is_opened_to_read_serves() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let owner = SqlStore::connect(&url).await.unwrap();
    owner.add(key("key"), "test").await.unwrap();
    let reader = SqlStore::connect(&url.replace("mode=rwc", "mode=ro")).await.unwrap();
    assert!(reader.find(&digest("key")).await.unwrap().is_some());
    let told = reader.revoke("key", "test").await.unwrap_err().to_string();
    assert!(told.contains("readonly"), "{told}");
}
