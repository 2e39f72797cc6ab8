//! What becomes of a key that is managed: the trail, the lists, the errors and the file.

use std::fs;

use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::store::{
    Cached, KeyFilter, KeyManager, KeyState, KeyStore, MemoryStore, NewKey,
};
use tower_api_key_sqlx::SqlStore;

use crate::canary::{Canary, printed, told};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::support::account;
use crate::traced;

/// Does to a key all that can be done, and prints all that is to be seen of it.
async fn manage(store: &dyn KeyManager, first: &Canary, second: &Canary) -> String {
    let record = |id: &str| KeyRecord::builder(id, account("acme")).name("ours").build().unwrap();
    let new = || NewKey::new(first.digest(), record("key_1"));
    let mut out = printed(&new());
    store.add(new(), "ada").await.unwrap();
    for again in [new(), NewKey::new(first.digest(), record("key_2"))] {
        out += &told(&store.add(again, "ada").await.unwrap_err());
    }
    let imported = vec![new(), NewKey::new(first.digest(), record("key_3"))];
    out += &printed(&store.import(imported, "ada").await.map_err(|error| told(&error)));
    out += &printed(&store.find(&first.digest()).await.unwrap());
    let used = vec![(first.digest(), Timestamp::from_unix_seconds(1_800_000_000))];
    store.note_uses(used).await.unwrap();
    let until = Timestamp::from_unix_seconds(9_000_000_000);
    out += &printed(&store.rotate("key_1", second.digest(), until, "ada").await.unwrap());
    let taken = store.rotate("key_1", first.digest(), until, "ada").await;
    out += &taken.map_or_else(|error| told(&error), |entry| printed(&entry));
    let edit = |key: tower_api_key::key::KeyRecordBuilder| key.description("more of it");
    out += &printed(&store.update("key_1", Box::new(edit), "ada").await.unwrap());
    let wrong = |key: tower_api_key::key::KeyRecordBuilder| key.kind("two words");
    out += &told(&store.update("key_1", Box::new(wrong), "ada").await.unwrap_err());
    out += &printed(&store.get("key_1").await.unwrap());
    let filter = KeyFilter { state: Some(KeyState::Active), ..KeyFilter::account("acme") };
    out += &printed(&store.list(&filter, None, 10).await.unwrap());
    store.revoke("key_1", "ada").await.unwrap();
    store.delete("key_1", "ada").await.unwrap();
    out += &told(&store.revoke("key_1", "ada").await.unwrap_err());
    out += &printed(&store.changes(0, 100).await.unwrap());
    out
}

#[tokio::test]
async fn neither_trail_nor_lists_nor_errors_show_a_key() {
    traced::write_down();
    let folder = Folder::new();
    let file = folder.path().join("keys.db");
    let sql = SqlStore::connect(&format!("sqlite:{}?mode=rwc", file.display())).await.unwrap();
    let cached = Cached::new(sql.clone());
    let memory = MemoryStore::new();
    let stores: [(&str, &dyn KeyManager); 3] =
        [("memory", &memory), ("SQLite", &sql), ("a cache", &cached)];
    let mut canaries = Vec::new();
    for (name, store) in stores {
        let (first, second) = (Canary::new("canary_", 40), Canary::new("canary_", 40));
        let out = manage(store, &first, &second).await;
        assert!(out.contains("KeyRotated") && out.contains("digest"), "{name}: {out}");
        for canary in [&first, &second] {
            canary.is_not_in(&out, name);
        }
        canaries.extend([first, second]);
    }
    let debug = printed(&sql) + &printed(&cached) + &printed(&memory);
    // A database keeps digests, which are all that it is given, and never a key.
    let mut kept = String::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        kept += &bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    }
    assert!(kept.contains("key_rotated"), "the file was read");
    for canary in &canaries {
        assert!(!kept.contains(&canary.key[10..20]), "the file shows a key");
        canary.is_not_in(&debug, "a store");
        traced::shows_nothing_of(canary);
    }
    // What fails, fails without a word of what was asked.
    let canary = Canary::new("canary_", 40);
    sql.close().await;
    let mut out = told(&sql.find(&canary.digest()).await.unwrap_err());
    out += &told(&cached.find(&canary.digest()).await.unwrap_err());
    let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
    out += &told(&sql.add(NewKey::new(canary.digest(), record), "ada").await.unwrap_err());
    canary.is_not_in(&out, "a closed store's error");
    traced::shows_nothing_of(&canary);
    traced::is_heard("sqlx");
}

/// What the server writes to its own log is told, too, for that is where operators look first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_postgres_nor_what_it_is_told_shows_a_key() {
    traced::write_down();
    let Some(mut server) = Postgres::start() else { return };
    let store = SqlStore::connect(server.url()).await.unwrap();
    let listening = Cached::new(store.clone());
    let listener = tokio::spawn(listening.listen(store.invalidations().unwrap()));
    let cached = Cached::new(store.clone());
    let mut canaries = Vec::new();
    for (name, store) in [("PostgreSQL", &store as &dyn KeyManager), ("a cache", &cached)] {
        let (first, second) = (Canary::new("canary_", 40), Canary::new("canary_", 40));
        let out = manage(store, &first, &second).await;
        assert!(out.contains("KeyRotated") && out.contains("digest"), "{name}: {out}");
        for canary in [first, second] {
            canary.is_not_in(&out, name);
            canary.is_not_in(&server.log(), "the server's log");
            canaries.push(canary);
        }
    }
    // One that logs each statement with its values, which are what the store hands on.
    let verbose = format!("{}?options[log_statement]=all", server.url());
    let verbose = SqlStore::connect(&verbose).await.unwrap();
    let (first, second) = (Canary::new("canary_", 40), Canary::new("canary_", 40));
    manage(&verbose, &first, &second).await;
    for canary in [first, second] {
        let log = server.log();
        assert!(log.contains(&canary.digest().to_hex()), "digests are handed on: {log}");
        let shown = canary.key_shown_in(&log);
        assert!(shown.is_empty(), "the server was told {shown:?}");
        canaries.push(canary);
    }
    server.kill();
    let canary = Canary::new("canary_", 40);
    let mut out = told(&store.find(&canary.digest()).await.unwrap_err());
    let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
    out += &told(&store.add(NewKey::new(canary.digest(), record), "ada").await.unwrap_err());
    canary.is_not_in(&out, "the error of a server that is gone");
    listener.abort();
    canaries.push(canary);
    for canary in &canaries {
        traced::shows_nothing_of(canary);
    }
}
