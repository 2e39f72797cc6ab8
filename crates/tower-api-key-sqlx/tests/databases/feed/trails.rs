//! Trails that lost lines, and lines that an older program wrote.

use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::Account;
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{
    Command, CommandOptions, FeedAnswer, FeedPosition, KeyFeed, KeyManager, KeyStore,
};
use tower_api_key_sqlx::SqlStore;

use super::copy::{StoreCopy, all};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

/// A store of either database, and a way to change it by hand.
enum Console {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Console {
    async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.replace('{', "tower_api_key_").replace('}', ""));
        match self {
            Self::Sqlite(pool) => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()),
            Self::Postgres(pool) => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()),
        }
    }
}

/// Runs a test over a new store of each database.
async fn on_both(test: impl AsyncFn(SqlStore, Console)) {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    test(store, Console::Sqlite(SqlitePool::connect(&url).await.unwrap())).await;
    let Some(server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    test(store, Console::Postgres(PgPool::connect(server.url()).await.unwrap())).await;
}

async fn has_diverged(store: &SqlStore, position: FeedPosition) -> bool {
    let changes =
        matches!(store.changes_after(position, position).await.unwrap(), FeedAnswer::Diverged);
    let page = matches!(store.keys_after(position, None).await.unwrap(), FeedAnswer::Diverged);
    assert!(changes || !page, "the changes are asked more strictly than the pages");
    changes
}

#[tokio::test]
async fn an_empty_store_has_a_position() {
    on_both(async |store, _| {
        assert_eq!(store.position().await.unwrap(), FeedPosition::START);
        let mut copy = StoreCopy::of(&store).await.unwrap();
        assert!(copy.follow(&store).await && copy.secrets.is_empty());
        store.add(key("key"), "test").await.unwrap();
        assert!(copy.follow(&store).await);
        assert_eq!(copy.secrets, all(&store).await);
        assert!(!has_diverged(&store, FeedPosition::START).await);
    })
    .await;
}

#[tokio::test]
async fn lines_that_are_taken_out_are_noticed() {
    on_both(async |store, hand| {
        for id in ["a", "b", "c", "d", "e"] {
            store.add(key(id), "test").await.unwrap();
        }
        let places: Vec<u64> =
            store.changes(0, 10).await.unwrap().iter().map(|change| change.sequence).collect();
        let copy = StoreCopy::of(&store).await.unwrap();
        store.add(key("f"), "test").await.unwrap();
        store.add(key("g"), "test").await.unwrap();
        assert!(!has_diverged(&store, copy.position).await);
        // A line that the reader has not read yet.
        hand.run(&format!("DELETE FROM {{changes}} WHERE sequence = {}", places[4] + 1)).await;
        assert!(has_diverged(&store, copy.position).await);
        let copy = StoreCopy::of(&store).await.unwrap();
        // Older lines are no longer of interest.
        hand.run(&format!("DELETE FROM {{changes}} WHERE sequence <= {}", places[2])).await;
        assert!(!has_diverged(&store, copy.position).await);
        hand.run("DELETE FROM {changes}").await;
        assert!(has_diverged(&store, copy.position).await);
        let mut copy = StoreCopy::of(&store).await.unwrap();
        assert_eq!(copy.position.sequence, 0);
        assert!(copy.follow(&store).await, "there is nothing to miss");
        store.revoke("a", "test").await.unwrap();
        assert!(copy.follow(&store).await, "it is the next number");
        assert_eq!(copy.secrets, all(&store).await);
        // The trail is used and emptied between two questions.
        let FeedAnswer::Same(_) = store.changes_after(copy.position, copy.position).await.unwrap()
        else {
            panic!()
        };
        hand.run("DELETE FROM {changes}").await;
        let copy = StoreCopy::of(&store).await.unwrap();
        store.revoke("b", "test").await.unwrap();
        hand.run("DELETE FROM {changes}").await;
        assert!(has_diverged(&store, copy.position).await);
        store.revoke("c", "test").await.unwrap();
        assert!(has_diverged(&store, copy.position).await);
        assert!(has_diverged(&store, FeedPosition::START).await);
    })
    .await;
}

#[tokio::test]
async fn a_trail_is_pruned_and_keeps_the_newest_line() {
    on_both(async |store, _| {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
        let store = store.with_clock(clock.clone());
        let at = Timestamp::from_unix_seconds;
        assert_eq!(store.prune_trail(at(5_000)).await.unwrap(), 0, "an empty trail");
        let mut positions = Vec::new();
        for (id, seconds) in [("a", 1_000), ("b", 2_000), ("c", 1_500), ("d", 3_000)] {
            clock.set(at(seconds));
            store.add(key(id), "test").await.unwrap();
            positions.push(store.position().await.unwrap());
        }
        assert_eq!(store.prune_trail(at(1_800)).await.unwrap(), 1, "the clock was set back");
        assert!(has_diverged(&store, positions[0]).await);
        assert!(!has_diverged(&store, positions[1]).await);
        assert_eq!(store.prune_trail(at(9_000)).await.unwrap(), 2);
        let mut copy = StoreCopy::of(&store).await.unwrap();
        assert_eq!(copy.position, positions[3]);
        assert_eq!(store.prune_trail(at(9_000)).await.unwrap(), 0, "the newest line stays");
        store.revoke("a", "test").await.unwrap();
        assert!(copy.follow(&store).await);
        assert_eq!(copy.secrets, all(&store).await);
    })
    .await;
}

/// A line of a policy has no key, and may have no account.
#[tokio::test]
async fn lines_of_policies_change_no_key() {
    on_both(async |store, _| {
        store.add(key("key"), "test").await.unwrap();
        let mut copy = StoreCopy::of(&store).await.unwrap();
        for subject in ["all", "kind:personal", "account:acme", "account:unknown"] {
            let subject: PolicySubject = subject.parse().unwrap();
            let policy = KeyPolicy::builder(subject.clone()).most_keys(7).build().unwrap();
            for command in [Command::SavePolicy(policy), Command::DeletePolicy(subject)] {
                store.apply(command, CommandOptions::by("test")).await.unwrap();
            }
        }
        let answer = store.changes_after(copy.position, copy.position).await.unwrap();
        let FeedAnswer::Same(changes) = answer else { panic!("{answer:?}") };
        assert!(changes.changes.is_empty(), "{changes:?}");
        assert_eq!(changes.position, store.position().await.unwrap());
        // A key is not lost among the lines.
        store.revoke("key", "test").await.unwrap();
        assert!(copy.follow(&store).await);
        assert_eq!(copy.secrets, all(&store).await);
    })
    .await;
}

/// A program of the first step writes neither mark.
#[tokio::test]
async fn lines_of_an_older_program_are_followed() {
    on_both(async |store, hand| {
        store.add(key("key"), "test").await.unwrap();
        let mut copy = StoreCopy::of(&store).await.unwrap();
        let old = |at: u32, action: &str| {
            format!(
                "INSERT INTO {{changes}} (at, author, action, key_id, account) \
                 VALUES ({at}, 'old', '{action}', 'key', 'acme')"
            )
        };
        hand.run("UPDATE {keys} SET revoked = 1").await;
        hand.run(&old(77, "key_revoked")).await;
        assert!(copy.follow(&store).await);
        assert_eq!(copy.position.mark, 77);
        assert_eq!(copy.secrets, all(&store).await);
        store.add(key("another"), "test").await.unwrap();
        hand.run("UPDATE {keys} SET name = 'old' WHERE id = 'key'").await;
        hand.run(&old(78, "key_updated")).await;
        assert!(copy.follow(&store).await);
        assert_eq!(copy.secrets, all(&store).await);
        hand.run("UPDATE {changes} SET at = 79 WHERE at = 78").await;
        assert!(has_diverged(&store, copy.position).await, "another change has this number");
    })
    .await;
}

#[tokio::test]
async fn a_broken_row_breaks_its_secret_alone() {
    on_both(async |store, hand| {
        store.add(key("good"), "test").await.unwrap();
        store.add(key("bad"), "test").await.unwrap();
        let mut copy = StoreCopy::of(&store).await.unwrap();
        store.update("bad", Box::new(|key| key.name("renamed")), "test").await.unwrap();
        hand.run("UPDATE {keys} SET scopes = 'junk' WHERE id = 'bad'").await;
        assert!(copy.follow(&store).await);
        let again = StoreCopy::of(&store).await.unwrap();
        for secrets in [&copy.secrets, &again.secrets] {
            let broken = secrets[digest("bad").as_bytes()].as_ref().unwrap_err();
            assert!(broken.id == "bad" && broken.problem.contains("broken"), "{broken:?}");
            assert!(secrets[digest("good").as_bytes()].is_ok());
        }
        store.revoke("bad", "test").await.unwrap();
        store.delete("bad", "test").await.unwrap();
        assert!(copy.follow(&store).await);
        assert!(!copy.secrets.contains_key(digest("bad").as_bytes()));
        assert!(store.find(&digest("bad")).await.unwrap().is_none());
    })
    .await;
}

/// A broken account breaks all its keys, so the reader begins anew.
#[tokio::test]
async fn a_broken_account_breaks_its_keys_alone() {
    on_both(async |store, hand| {
        store.add(key("one"), "test").await.unwrap();
        store.add(key("two"), "test").await.unwrap();
        let mut copy = StoreCopy::of(&store).await.unwrap();
        store.save_account(Account::builder("acme").build().unwrap(), "test").await.unwrap();
        hand.run("UPDATE {accounts} SET quotas = '{}'").await;
        assert!(!copy.follow(&store).await);
        let mut copy = StoreCopy::of(&store).await.unwrap();
        assert!(copy.secrets.len() == 2 && copy.secrets.values().all(Result::is_err));
        store.save_account(Account::builder("acme").build().unwrap(), "test").await.unwrap();
        store.add(key("three"), "test").await.unwrap();
        assert!(copy.follow(&store).await);
        assert!(copy.secrets[digest("three").as_bytes()].is_ok());
        assert_eq!(StoreCopy::of(&store).await.unwrap().secrets, all(&store).await);
    })
    .await;
}

/// An account was deleted with its keys, and one of its name was made before the reader asked.
#[tokio::test]
async fn an_account_that_was_made_anew_has_its_new_keys_alone() {
    on_both(async |store, _| {
        for id in ["a", "b", "c"] {
            store.add(key(id), "test").await.unwrap();
        }
        let mut copy = StoreCopy::of(&store).await.unwrap();
        store.delete_account("acme", "test").await.unwrap();
        store.add(key("b"), "test").await.unwrap();
        let account = Account::builder("acme").plan("gold").build().unwrap();
        store.save_account(account, "test").await.unwrap();
        assert!(copy.follow(&store).await);
        assert_eq!(copy.secrets.len(), 1);
        assert_eq!(copy.secrets, all(&store).await);
    })
    .await;
}
