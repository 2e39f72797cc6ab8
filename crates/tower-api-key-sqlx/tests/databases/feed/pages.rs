//! Pages of records, which SQLite packs into one text.

use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlitePool};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::quota::Quota;
use tower_api_key::store::{FeedAnswer, FeedPage, FeedPosition, KeyFeed, KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

use super::copy::{StoreCopy, all};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, key, sqlite};

async fn first_page(store: &SqlStore) -> FeedPage {
    let position: FeedPosition = store.position().await.unwrap();
    match store.keys_after(position, None).await.unwrap() {
        FeedAnswer::Same(page) => page,
        FeedAnswer::Diverged => panic!("nothing was exchanged"),
    }
}

async fn a_page_holds_every_column(url: &str, odd: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    let quota = || Quota::named("calls", 7, Duration::from_secs(60));
    let plain = Account::builder("plain").build().unwrap();
    let rich = Account::builder("rich").disabled(true).scopes(["a", "b"]).plan("gold");
    let rich = rich.quotas([quota()]).build().unwrap();
    let records = [
        KeyRecord::builder("plain", plain.clone()),
        KeyRecord::builder("odd", plain).as_stored().name(odd).description("\"[\\u0000]\", é"),
        KeyRecord::builder("rich", rich)
            .as_stored()
            .owner("ada")
            .kind("server")
            .environment("test")
            .audience("inner")
            .scopes(["a"])
            .networks(["10.0.0.0/8", "2001:db8::/32"])
            .quotas([quota()])
            .metadata("tier", odd)
            .not_before(Timestamp::from_unix_nanoseconds(9_007_199_254_740_993))
            .expires(Timestamp::from_unix_nanoseconds(9_223_372_036_854_775_807))
            .revoked(true)
            .disabled(true),
    ];
    for record in records {
        let record = record.build().unwrap();
        let digest = digest(record.id().as_str());
        store.add(NewKey::new(digest, record), "test").await.unwrap();
    }
    let copy = StoreCopy::of(&store).await.unwrap();
    assert_eq!(copy.secrets, all(&store).await);
    assert_eq!(copy.secrets.len(), 3);
    assert!(copy.secrets.values().all(Result::is_ok));
}

#[tokio::test]
async fn a_page_of_sqlite_holds_every_column() {
    let folder = Folder::new();
    a_page_holds_every_column(&sqlite(&folder), "\u{1}two\nlines\u{0}\u{7f}\u{2028}🦀").await;
}

#[tokio::test]
async fn a_page_of_postgres_holds_every_column() {
    let Some(server) = Postgres::start() else { return };
    a_page_holds_every_column(server.url(), "\u{1}two\nlines\u{7f}\u{2028}🦀").await;
}

#[tokio::test]
async fn a_broken_row_is_the_error_of_its_secret_alone() {
    for breaking in [
        "keys SET scopes = 'junk'",
        "keys SET metadata = X'00ff'",
        "keys SET metadata = CAST(X'ff' AS TEXT)",
        "keys SET kind = 'two words'",
        "keys SET disabled = 'x'",
        "keys SET expires = 1.5",
        "accounts SET scopes = X'00ff'",
    ] {
        let folder = Folder::new();
        let url = sqlite(&folder);
        let store = SqlStore::connect(&url).await.unwrap();
        for id in ["a", "b", "c"] {
            store.add(key(id), "test").await.unwrap();
        }
        let other = Account::builder("b").build().unwrap();
        let record = KeyRecord::builder("d", other).build().unwrap();
        store.add(NewKey::new(digest("d"), record), "test").await.unwrap();
        let pool = SqlitePool::connect(&url).await.unwrap();
        let sql = format!("UPDATE tower_api_key_{breaking} WHERE id = 'b'");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        let page = first_page(&store).await;
        assert!(page.is_last);
        assert_eq!(page.secrets.len(), 4, "{breaking}");
        let broken = page.secrets.iter().filter_map(|secret| secret.record.as_ref().err());
        let broken: Vec<_> = broken.map(|row| row.id.as_str()).collect();
        assert_eq!(broken, [if breaking.starts_with("keys") { "b" } else { "d" }], "{breaking}");
    }
}
