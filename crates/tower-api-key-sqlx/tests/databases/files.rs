//! SQLite files: which one is opened, when one is made, and for whom; and databases in memory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tower_api_key::store::{KeyManager, KeyStore};
use tower_api_key::testing::store_suite;
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::{digest, key, sqlite};

#[tokio::test]
async fn a_path_is_taken_to_the_letter() {
    let folder = Folder::new();
    for name in ["a%41b", "aAb", "a b", "a#b", "a%zz", "a%3fb", "file:x%41", "é", "a&b=c"] {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        let file = path.join("keys%20.db");
        let url = format!("sqlite:{}?mode=rwc", file.display());
        let store = SqlStore::connect(&url).await.unwrap();
        store.add(key("key"), "test").await.unwrap();
        store.close().await;
        assert!(file.exists(), "{name}");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "{name}: and no other");
        let again = SqlStore::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        assert!(again.find(&digest("key")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_file_is_made_on_demand_alone_and_for_its_owner() {
    let folder = Folder::new();
    let file = folder.path().join("keys.db");
    let url = format!("sqlite:{}", file.display());
    for url in [url.clone(), format!("{url}?mode=rw"), format!("{url}?mode=ro")] {
        let told = SqlStore::connect(&url).await.unwrap_err().to_string();
        assert!(told.contains("does not exist") && told.contains("mode=rwc"), "{told}");
        assert!(!file.exists(), "{url}");
    }
    let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    let mut files = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        files += 1;
    }
    assert_eq!(files, 3, "the database, what is to be written to it, and who reads where");
    let told = SqlStore::connect(&sqlite(&folder).replace("keys.db", "no/keys.db")).await;
    assert!(told.unwrap_err().to_string().contains("cannot be created"));
    // Whose file is there keeps its mode.
    let other = folder.path().join("other.db");
    fs::write(&other, "").unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o640)).unwrap();
    let url = format!("sqlite:{}?mode=rwc", other.display());
    SqlStore::connect(&url).await.unwrap();
    assert_eq!(fs::metadata(&other).unwrap().permissions().mode() & 0o777, 0o640);
}

/// The journal of an application's own file is the application's choice, which reading does not change.
#[tokio::test]
async fn a_file_that_is_only_read_is_left_as_it_is() {
    let folder = Folder::new();
    let file = folder.path().join("application.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options.journal_mode(SqliteJournalMode::Delete));
    let pool = pool.await.unwrap();
    let store = SqlStore::from_sqlite(pool.clone()).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    pool.close().await;
    let before = fs::read(&file).unwrap();
    for parameters in ["mode=ro", "immutable=true", "mode=ro&immutable=true"] {
        let url = format!("sqlite:{}?{parameters}", file.display());
        let store = SqlStore::connect(&url).await.unwrap();
        assert!(store.find(&digest("key")).await.unwrap().is_some(), "{parameters}");
        assert!(store.add(key("other"), "test").await.is_err(), "{parameters}");
        store.close().await;
        assert!(fs::read(&file).unwrap() == before, "{parameters}");
    }
}

#[tokio::test]
async fn a_database_in_memory_is_one() {
    for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite::memory:?cache=private"] {
        let store = SqlStore::connect(url).await.unwrap();
        store_suite(&store).await;
        let store = Arc::new(store);
        store.add(key("key"), "test").await.unwrap();
        let asking: Vec<_> = (0..50)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.find(&digest("key")).await })
            })
            .collect();
        for found in asking {
            assert!(found.await.unwrap().unwrap().is_some(), "{url}");
        }
        // A lookup that is given up takes nothing along.
        for _ in 0..20 {
            let given_up = store.find(&digest("key"));
            let _ = tokio::time::timeout(Duration::from_micros(50), given_up).await;
        }
        assert!(store.find(&digest("key")).await.unwrap().is_some(), "{url}");
        let other = SqlStore::connect(url).await.unwrap();
        assert!(other.find(&digest("key")).await.unwrap().is_none(), "each has its own");
    }
}

#[tokio::test]
async fn a_link_to_where_no_file_is_yet_is_followed() {
    let folder = Folder::new();
    let (link, file) = (folder.path().join("link.db"), folder.path().join("keys.db"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let told = SqlStore::connect(&format!("sqlite:{}", link.display())).await.unwrap_err();
    assert!(told.to_string().contains("does not exist") && !file.exists(), "{told}");
    let store = SqlStore::connect(&format!("sqlite:{}?mode=rwc", link.display())).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
