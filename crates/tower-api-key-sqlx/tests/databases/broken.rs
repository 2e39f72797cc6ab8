//! Rows that somebody has broken by hand: they serve nobody, and can be ended.

use sqlx::{AssertSqlSafe, SqlitePool};
use tower_api_key::events::{Event, EventKind, EventLog};
use tower_api_key::key::Account;
use tower_api_key::store::{
    Action, Cached, Command, CommandOptions, KeyFilter, KeyManager, KeyState, KeyStore,
    Precondition,
};
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::{digest, key, sqlite};

async fn ids(store: &dyn KeyManager, limit: usize) -> (Vec<String>, Vec<String>) {
    let page = store.page(&KeyFilter::default(), None, limit).await.unwrap();
    let listed = store.list(&KeyFilter::default(), None, limit).await.unwrap();
    assert_eq!(page.found, listed);
    let found = listed.iter().map(|entry| entry.record.id().to_string()).collect();
    (found, page.broken.iter().map(|row| row.id.clone()).collect())
}

#[tokio::test]
async fn a_broken_key_can_be_ended_and_hides_no_other() {
    for breaking in [
        "UPDATE tower_api_key_keys SET scopes = 'junk'",
        "UPDATE tower_api_key_keys SET networks = '[\"10.0.0.0/99\"]'",
        "UPDATE tower_api_key_keys SET metadata = X'00ff'",
        "UPDATE tower_api_key_keys SET kind = 'two words'",
        "UPDATE tower_api_key_keys SET quotas = '{}'",
        "UPDATE tower_api_key_keys SET disabled = 'x'",
        "UPDATE tower_api_key_keys SET created = 'x'",
    ] {
        let folder = Folder::new();
        let url = sqlite(&folder);
        let store = SqlStore::connect(&url).await.unwrap();
        for id in ["a", "b", "c", "d", "e"] {
            store.add(key(id), "test").await.unwrap();
        }
        let pool = SqlitePool::connect(&url).await.unwrap();
        let sql = AssertSqlSafe(format!("{breaking} WHERE id IN ('b', 'c')"));
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        let only = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            ids(&store, 10).await,
            (only(&["a", "d", "e"]), only(&["b", "c"])),
            "{breaking}"
        );
        assert_eq!(ids(&store, 2).await, (only(&["a", "d"]), only(&["b", "c"])), "{breaking}");
        assert_eq!(ids(&store, 1).await, (only(&["a"]), only(&[])), "{breaking}");
        if !breaking.contains("created") {
            assert!(store.find(&digest("b")).await.is_err(), "{breaking}: fails closed");
        }
        let told = store.get("b").await.unwrap_err().to_string();
        assert!(told.contains("a row of the database is broken"), "{told}");
        for _ in 0..2 {
            store.revoke("b", "test").await.unwrap();
        }
        let revoked = |event: &Event| event.key == "b" && event.kind == EventKind::Revoked;
        let events = store.events(0, 100).await.unwrap();
        assert_eq!(events.iter().filter(|event| revoked(event)).count(), 1, "{breaking}");
        store.delete("c", "test").await.unwrap();
        assert!(store.find(&digest("c")).await.unwrap().is_none());
        let revoked: i64 =
            sqlx::query_scalar("SELECT revoked FROM tower_api_key_keys WHERE id = 'b'")
                .fetch_one(&pool)
                .await
                .unwrap();
        assert_eq!(revoked, 1, "{breaking}");
        let last = store.changes(5, 10).await.unwrap();
        let done: Vec<_> = last.iter().map(|line| (line.action, line.account.as_str())).collect();
        assert_eq!(
            done,
            [
                (Action::KeyRevoked, "acme"),
                (Action::KeyRevoked, "acme"),
                (Action::KeyDeleted, "acme")
            ]
        );
        store.delete_account("acme", "test").await.unwrap();
        assert_eq!(ids(&store, 10).await, (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_broken_account_hides_no_other_and_can_be_saved_anew() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    for id in ["a", "b", "y", "z"] {
        store.save_account(Account::builder(id).build().unwrap(), "test").await.unwrap();
    }
    let pool = SqlitePool::connect(&url).await.unwrap();
    let broken = "UPDATE tower_api_key_accounts SET scopes = 'junk' WHERE id IN ('acme', 'b')";
    sqlx::query(broken).execute(&pool).await.unwrap();
    for (limit, expected) in [(1, &["a"][..]), (2, &["a", "y"]), (3, &["a", "y", "z"])] {
        let listed = store.list_accounts(None, limit).await.unwrap();
        let ids: Vec<_> = listed.iter().map(|account| account.id().as_str()).collect();
        assert_eq!(ids, expected, "{limit} at most");
    }
    let page = store.page_of_accounts(None, 10).await.unwrap();
    assert_eq!(page.broken.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["acme", "b"]);
    assert!(store.find(&digest("key")).await.is_err());
    store.revoke("key", "test").await.unwrap();
    store.save_account(Account::builder("acme").build().unwrap(), "test").await.unwrap();
    assert!(store.find(&digest("key")).await.unwrap().unwrap().is_revoked());
    store.delete_account("b", "test").await.unwrap();
}

#[tokio::test]
async fn an_action_of_a_newer_program_does_not_end_the_trail() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    let pool = SqlitePool::connect(&url).await.unwrap();
    let newer = "INSERT INTO tower_api_key_changes (at, author, action, key_id, account) \
                 VALUES (1, 'ada', 'key_painted', 'key', 'acme')";
    sqlx::query(newer).execute(&pool).await.unwrap();
    store.revoke("key", "test").await.unwrap();
    let actions: Vec<_> =
        store.changes(0, 10).await.unwrap().into_iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::KeyAdded, Action::Unknown, Action::KeyRevoked]);
}

/// What was legal before may be in the rows: it is read, and refused when it comes again.
#[tokio::test]
async fn an_old_name_with_a_control_character_still_serves() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = Cached::new(SqlStore::connect(&url).await.unwrap());
    store.add(key("key"), "test").await.unwrap();
    let pool = SqlitePool::connect(&url).await.unwrap();
    let old = "UPDATE tower_api_key_keys SET name = char(27) || '[2J', description = char(10), \
               metadata = '{\"a\\nb\":\"\\u202e\"}'";
    sqlx::query(old).execute(&pool).await.unwrap();
    assert_eq!(store.find(&digest("key")).await.unwrap().unwrap().name(), "\u{1b}[2J");
    let edited = store.update("key", Box::new(|key| key.kind("partner")), "test").await.unwrap();
    assert_eq!(edited.record.metadata("a\nb"), Some("\u{202e}"), "what is not changed stays");
    assert!(store.update("key", Box::new(|key| key.name("a\n")), "test").await.is_err());
    assert!(store.update("key", Box::new(|key| key.kind("x")), "a\rb").await.is_err());
    assert_eq!(
        store.get("key").await.unwrap().unwrap().state(tower_api_key::clock::Timestamp::default()),
        KeyState::Active
    );
}

/// As after a deletion by hand, over a connection that holds to no references.
#[tokio::test]
async fn a_key_whose_account_is_gone_is_named_and_can_be_ended() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    for id in ["a", "b", "c", "d"] {
        store.add(key(id), "test").await.unwrap();
    }
    let pool = SqlitePool::connect(&url).await.unwrap();
    let gone = "PRAGMA foreign_keys = OFF; \
                UPDATE tower_api_key_keys SET account = 'gone' WHERE id IN ('b', 'c')";
    sqlx::raw_sql(gone).execute(&pool).await.unwrap();
    let cache = Cached::new(store);
    let broken = ["b", "c"].map(str::to_owned).to_vec();
    for limit in [2, 10] {
        assert_eq!(
            ids(&cache, limit).await,
            (["a", "d"].map(str::to_owned).to_vec(), broken.clone())
        );
    }
    assert!(cache.find(&digest("b")).await.unwrap().is_none(), "it serves nobody");
    cache.revoke("b", "test").await.unwrap();
    cache.delete("c", "test").await.unwrap();
    assert_eq!(ids(&cache, 10).await.1, ["b"]);
}

#[tokio::test]
async fn a_broken_account_is_there_for_a_precondition() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    let account = || Account::builder("acme").build().unwrap();
    store.save_account(account(), "test").await.unwrap();
    let pool = SqlitePool::connect(&url).await.unwrap();
    let broken = "UPDATE tower_api_key_accounts SET scopes = 'junk'";
    sqlx::raw_sql(broken).execute(&pool).await.unwrap();
    let absent = CommandOptions::by("test").when(Precondition::Absent);
    let told = store.apply(Command::SaveAccount(account()), absent).await.unwrap_err().to_string();
    assert!(told.contains("a row of the database is broken"), "{told}");
    store.save_account(account(), "test").await.unwrap();
}

/// A program of an earlier release adds keys without their tags.
#[tokio::test]
async fn a_change_of_a_key_adds_its_missing_tags() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    store.update("key", Box::new(|key| key.metadata("team", "a")), "test").await.unwrap();
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql("DELETE FROM tower_api_key_tags").execute(&pool).await.unwrap();
    let filter =
        KeyFilter { tag: Some(("team".to_owned(), "a".to_owned())), ..KeyFilter::default() };
    assert!(store.list(&filter, None, 10).await.unwrap().is_empty());
    store.update("key", Box::new(|key| key.name("new")), "test").await.unwrap();
    assert_eq!(store.list(&filter, None, 10).await.unwrap().len(), 1);
}
