//! Databases that were restored, or lost their latest changes.

use tower_api_key::store::{FeedAnswer, KeyFeed, KeyManager};
use tower_api_key_sqlx::SqlStore;

use super::copy::{StoreCopy, all};
use crate::folder::Folder;
use crate::{key, sqlite};

/// A file is copied, changed, and replaced by its copy.
#[tokio::test]
async fn a_restored_sqlite_file_is_noticed() {
    for same_number in [false, true] {
        let folder = Folder::new();
        let url = sqlite(&folder);
        let path = folder.path().join("keys.db");
        let store = SqlStore::connect(&url).await.unwrap();
        store.add(key("first"), "test").await.unwrap();
        let backup = folder.path().join("backup.db");
        let sql = format!("VACUUM INTO '{}'", backup.display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        pool.close().await;
        let before = store.position().await.unwrap();
        store.add(key("second"), "test").await.unwrap();
        let copy = StoreCopy::of(&store).await.unwrap();
        store.close().await;
        for file in ["keys.db-wal", "keys.db-shm"] {
            let _ = std::fs::remove_file(folder.path().join(file));
        }
        std::fs::rename(&backup, &path).unwrap();
        let store = SqlStore::connect(&url).await.unwrap();
        if same_number {
            store.add(key("third"), "test").await.unwrap();
            assert_eq!(store.position().await.unwrap().sequence, copy.position.sequence);
        }
        let answer = store.changes_after(copy.position, copy.position).await.unwrap();
        assert!(matches!(answer, FeedAnswer::Diverged), "{answer:?}");
        let answer = store.keys_after(copy.position, None).await.unwrap();
        assert!(matches!(answer, FeedAnswer::Diverged), "{answer:?}");
        let answer = store.changes_after(before, before).await.unwrap();
        assert!(matches!(answer, FeedAnswer::Same(_)), "what the backup holds is the same");
        assert_eq!(StoreCopy::of(&store).await.unwrap().secrets, all(&store).await);
    }
}
