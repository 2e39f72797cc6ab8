//! Tests that run on both databases, and statements that they run by hand.

use super::SqlStore;

/// Runs a test on both databases.
macro_rules! on_both {
    ($name:ident, $postgres:ident, $sqlite:ident) => {
        #[tokio::test]
        async fn $sqlite() {
            let folder = $crate::plan::folder::Folder::new();
            $name(&format!("sqlite:{}?mode=rwc", folder.path().join("keys.db").display())).await;
        }

        #[tokio::test]
        async fn $postgres() {
            let Some(server) = $crate::plan::postgres::Postgres::start() else { return };
            $name(server.url()).await;
        }
    };
}

pub(crate) use on_both;

/// Runs statements in one transaction. Names of tables stand in braces.
pub(crate) async fn run(store: &SqlStore, sql: &str) {
    let mut session = store.transaction().await.unwrap();
    session.script(store.tables.fill(sql)).await.unwrap();
    session.commit().await.unwrap();
}
