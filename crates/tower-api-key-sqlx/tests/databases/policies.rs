//! Policies that many processes check, and rows that this version cannot read.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord, KeyRecordBuilder};
use tower_api_key::policy::{KeyPolicy, KeyPolicyBuilder, PolicySubject, PolicyViolation};
use tower_api_key::store::{
    Command, CommandOptions, KeyFilter, KeyManager, ManageError, NewKey, Precondition,
};
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, sqlite};

fn key_of(
    id: &str,
    account: &str,
    describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) -> NewKey {
    let account = Arc::new(Account::builder(account).build().unwrap());
    NewKey::new(digest(id), describe(KeyRecord::builder(id, account)).build().unwrap())
}

async fn save(
    store: &SqlStore,
    subject: &str,
    describe: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder,
) {
    let policy = describe(KeyPolicy::builder(subject.parse().unwrap())).build().unwrap();
    store.apply(Command::SavePolicy(policy), CommandOptions::by("test")).await.unwrap();
}

/// Runs a script on the database of a URL.
async fn run(url: &str, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    if url.starts_with("sqlite") {
        let pool = SqlitePool::connect(url).await.unwrap();
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    } else {
        let pool = PgPool::connect(url).await.unwrap();
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    }
}

/// Many processes add, revive and import keys of one account at once.
async fn a_bound_is_not_exceeded(url: &str) {
    const MOST: usize = 5;
    let store = SqlStore::connect(url).await.unwrap();
    save(&store, "account:acme", |policy| policy.most_keys(5)).await;
    let expired = Timestamp::from_unix_seconds(1_000);
    for number in 0..8 {
        let key = key_of(&format!("old_{number}"), "acme", |key| key.expires(expired));
        store.add(key, "test").await.unwrap();
    }
    let mut changes = Vec::new();
    for number in 0..8 {
        let store = SqlStore::connect(url).await.unwrap();
        changes.push(tokio::spawn(async move {
            let (id, other) = (format!("new_{number}"), format!("bulk_{number}"));
            let added = store.add(key_of(&id, "acme", |key| key), "test").await.is_ok();
            let old = format!("old_{number}");
            let revive = store.update(&old, Box::new(|key| key.expires(Timestamp::MAX)), "test");
            let revived = revive.await.is_ok();
            let imported = store.import(vec![key_of(&other, "acme", |key| key)], "test").await;
            assert!(imported.as_ref().err().is_none_or(is_too_many), "{imported:?}");
            usize::from(added) + usize::from(revived) + usize::from(imported.is_ok())
        }));
    }
    let mut made = 0;
    for change in changes {
        made += change.await.unwrap();
    }
    assert_eq!(made, MOST);
    let keys = store.list(&KeyFilter::account("acme"), None, 100).await.unwrap();
    let now = std::time::SystemTime::now().into();
    let active = |expires: Timestamp| expires > now;
    let count = keys.iter().filter(|key| key.record.expires().is_none_or(active)).count();
    assert_eq!(count, MOST);
}

fn is_too_many(error: &ManageError) -> bool {
    matches!(error, ManageError::PolicyViolated(PolicyViolation::TooManyKeys { .. }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_do_not_exceed_a_bound_in_sqlite() {
    let folder = Folder::new();
    a_bound_is_not_exceeded(&sqlite(&folder)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_do_not_exceed_a_bound_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    a_bound_is_not_exceeded(server.url()).await;
}

/// A newer version has saved a rule that this one does not know.
async fn an_unknown_rule_refuses(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    let plain = |key| key;
    for (id, account) in [("kept", "acme"), ("free", "other")] {
        store.add(key_of(id, account, plain), "test").await.unwrap();
    }
    run(
        url,
        "INSERT INTO tower_api_key_policies (subject, rules) \
         VALUES ('account:acme', '{\"most_keys\":9,\"weekdays\":[\"mon\"]}')",
    )
    .await;
    let refused = |error: ManageError| {
        let told = error.to_string();
        assert!(matches!(error, ManageError::PolicyUnreadable { .. }), "{told}");
        for part in ["account:acme", "weekdays", "update the program", "delete the policy"] {
            assert!(told.contains(part), "{told}");
        }
    };
    refused(store.add(key_of("new", "acme", plain), "test").await.unwrap_err());
    let rename = |id| store.update(id, Box::new(|key| key.name("renamed")), "test");
    refused(rename("kept").await.unwrap_err());
    let imported = vec![key_of("bulk", "other", plain), key_of("new", "acme", plain)];
    refused(store.import(imported, "test").await.unwrap_err());
    assert!(store.get("bulk").await.unwrap().is_none());
    refused(store.policies().await.unwrap_err());
    save(&store, "kind:web", |policy| policy.most_keys(7)).await;
    let page = store.page_of_policies().await.unwrap();
    let (found, broken) = (&page.found[0], &page.broken[0]);
    assert_eq!((found.subject().to_string(), &*broken.id), ("kind:web".into(), "account:acme"));
    assert!(broken.problem.contains("weekdays"), "{}", broken.problem);
    let save = |most| {
        let policy = KeyPolicy::builder("account:acme".parse().unwrap()).most_keys(most);
        Command::SavePolicy(policy.build().unwrap())
    };
    let by = CommandOptions::by("test");
    refused(store.apply(save(3), by.when(Precondition::Absent)).await.unwrap_err());

    // What the policy does not cover goes on, and so does what makes keys safe.
    rename("free").await.unwrap();
    store.import(vec![key_of("bulk", "other", plain)], "test").await.unwrap();
    let late = store.rotate("kept", digest("kept 2"), Timestamp::MAX, "test").await;
    refused(late.unwrap_err());
    store.rotate("kept", digest("kept 2"), Timestamp::default(), "test").await.unwrap();
    store.update("kept", Box::new(|key| key.revoked(true)), "test").await.unwrap();
    let subject: PolicySubject = "account:acme".parse().unwrap();
    store.apply(Command::DeletePolicy(subject.clone()), by).await.unwrap();
    let line = store.changes(0, 100).await.unwrap().pop().unwrap();
    assert_eq!(line.differences[0].before.as_deref(), Some("account:acme"));
    store.add(key_of("new", "acme", plain), "test").await.unwrap();
}

/// A newer version has saved policies for keys that this one cannot tell.
async fn an_unknown_subject_refuses(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    let plain = |key| key;
    store.add(key_of("kept", "acme", plain), "test").await.unwrap();
    save(&store, "account:acme", |policy| policy.most_keys(9)).await;
    // Before, between and behind the subjects that this version knows.
    for subject in ["accounts", "All", "alle", "environment:live", "plan:gold", "", "kinds"] {
        let rules = r#"{"most_keys":9}"#;
        run(url, &format!("INSERT INTO tower_api_key_policies VALUES ('{subject}', '{rules}')"))
            .await;
        let refused = |error: ManageError| {
            let told = error.to_string();
            let names = matches!(&error, ManageError::PolicyUnreadable { subject: it, .. } if it == subject);
            assert!(names && told.contains("delete the policy and set it again"), "{told}");
        };
        refused(store.add(key_of("new", "acme", plain), "test").await.unwrap_err());
        let bulk = vec![key_of("bulk", "other", plain)];
        refused(store.import(bulk, "test").await.unwrap_err());
        let rename = store.update("kept", Box::new(|key| key.name("renamed")), "test").await;
        refused(rename.unwrap_err());
        let late = store.rotate("kept", digest("kept 2"), Timestamp::MAX, "test").await;
        refused(late.unwrap_err());
        let page = store.page_of_policies().await.unwrap();
        assert_eq!((page.found.len(), &*page.broken[0].id), (1, subject));

        let stored = PolicySubject::stored(subject);
        let delete =
            || store.apply(Command::DeletePolicy(stored.clone()), CommandOptions::by("test"));
        delete().await.unwrap();
        assert!(matches!(delete().await, Err(ManageError::NotFound)), "{subject}");
        let id = format!("after {subject}").replace([' ', ':'], "_");
        store.add(key_of(&id, "acme", plain), "test").await.unwrap();
    }
    let nul = PolicySubject::stored("plan:\0");
    let deleted = store.apply(Command::DeletePolicy(nul), CommandOptions::by("test")).await;
    assert!(matches!(deleted, Err(ManageError::NotFound)), "{deleted:?}");
}

#[tokio::test]
async fn a_subject_that_is_not_known_refuses_changes_in_sqlite() {
    let folder = Folder::new();
    an_unknown_subject_refuses(&sqlite(&folder)).await;
}

#[tokio::test]
async fn a_subject_that_is_not_known_refuses_changes_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    an_unknown_subject_refuses(server.url()).await;
}

#[tokio::test]
async fn a_rule_that_is_not_known_refuses_changes_in_sqlite() {
    let folder = Folder::new();
    an_unknown_rule_refuses(&sqlite(&folder)).await;
}

#[tokio::test]
async fn a_rule_that_is_not_known_refuses_changes_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    an_unknown_rule_refuses(server.url()).await;
}
