//! Front doors that hold every key in memory, from real files over real databases.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_front_door::LiveFrontDoor;
use tower_api_key_sqlx::SqlStore;

#[cfg(feature = "postgres")]
#[path = "../../tower-api-key-sqlx/tests/databases/folder.rs"]
#[allow(unreachable_pub)]
mod folder;
#[cfg(feature = "postgres")]
#[path = "../../tower-api-key-sqlx/tests/databases/postgres.rs"]
#[allow(unreachable_pub, dead_code)]
mod postgres;

/// A database with a key, and a folder for a front door's file.
struct World {
    folder: TempDir,
    store: SqlStore,
    url: String,
    key: String,
}

impl World {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keys.db").display());
        Self::of(folder, url).await
    }

    async fn of(folder: TempDir, url: String) -> Self {
        let sqlite = url.starts_with("sqlite:");
        let store = SqlStore::builder(&url).create_if_missing(sqlite).connect().await.unwrap();
        let issued =
            Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
        let record = KeyRecord::builder("key_1", Account::builder("acme").build().unwrap());
        store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
        Self { folder, store, url, key: issued.expose().to_owned() }
    }

    /// Writes a file with a replica.
    fn write(&self, replica: &str) -> PathBuf {
        self.write_store(&format!("replica = {{ {replica} }}"))
    }

    fn write_store(&self, table: &str) -> PathBuf {
        let path = self.folder.path().join("gate.toml");
        let url = &self.url;
        let file = format!(
            "without_limits = true\nprofile.base = \"standard\"\n[store]\nurl = \"{url}\"\n{table}\n"
        );
        std::fs::write(&path, file).unwrap();
        path
    }

    async fn status(&self, door: &LiveFrontDoor) -> StatusCode {
        let service = door.layer().layer(service_fn(|_: Request<Full<Bytes>>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let mut request = Request::get("/users").body(Full::default()).unwrap();
        let value = format!("Bearer {}", self.key).parse().unwrap();
        request.headers_mut().insert("authorization", value);
        request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
        service.oneshot(request).await.unwrap().status()
    }

    async fn wait_for(&self, door: &LiveFrontDoor, expected: u16) {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let status = self.status(door).await;
            if status == expected {
                return;
            }
            assert!(Instant::now() < give_up, "{status}, not {expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_replica_follows_the_database_and_outlives_a_reload() {
    let world = World::sqlite().await;
    let path = world.write("poll_interval = \"50ms\", staleness = \"20s\"");
    let door = LiveFrontDoor::open(&path).await.unwrap();
    assert_eq!(world.status(&door).await, 200, "the first copy is complete");
    let store = door.store().await;
    assert!(!door.reload().await.unwrap(), "nothing changed");

    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, file.replace("\n[store]", "\nprofile.realm = \"acme\"\n[store]"))
        .unwrap();
    assert!(door.reload().await.unwrap());
    assert!(Arc::ptr_eq(&store, &door.store().await), "the replica is the same");

    world.store.revoke("key_1", "test").await.unwrap();
    world.wait_for(&door, 401).await;

    world.write("poll_interval = \"50ms\", staleness = \"10s\"");
    assert!(door.reload().await.unwrap());
    assert!(!Arc::ptr_eq(&store, &door.store().await), "another replica");
    assert_eq!(world.status(&door).await, 401);
}

#[tokio::test]
async fn a_replica_records_when_a_key_was_used() {
    let world = World::sqlite().await;
    let path = world.write("poll_interval = \"50ms\", staleness = \"20s\"");
    let door = LiveFrontDoor::open(&path).await.unwrap();
    assert_eq!(world.status(&door).await, 200);
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let entry = world.store.get("key_1").await.unwrap().unwrap();
        if entry.secrets.iter().any(|secret| secret.last_used.is_some()) {
            return;
        }
        assert!(Instant::now() < give_up, "no use is written");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn no_request_asks_a_database_that_is_down_and_an_open_says_what_it_lacks() {
    use std::process::Command;

    use postgres::Postgres;
    use tower_api_key_front_door::OpenError;

    let Some(mut server) = Postgres::start() else { return };
    let world = World::of(tempfile::tempdir().unwrap(), server.url().to_owned()).await;
    // Longer than the test, so that only a notice makes the replica look.
    let path = world.write("poll_interval = \"1h\", staleness = \"2h\"");
    let door = LiveFrontDoor::open(&path).await.unwrap();
    assert_eq!(world.status(&door).await, 200);
    server.kill();
    assert_eq!(world.status(&door).await, 200, "the key is in memory");
    server.start_again();

    world.store.revoke("key_1", "test").await.unwrap();
    world.wait_for(&door, 401).await;

    let renamed = Command::new(server.program("psql"))
        .args([server.url(), "-q", "-c", "ALTER TABLE tower_api_key_changes RENAME TO elsewhere"])
        .status();
    assert!(renamed.unwrap().success());
    let path = world.write("ready_within = \"1s\"");
    let error = LiveFrontDoor::open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::NotCopied { .. }), "{error}");
    let error = error.to_string();
    for word in ["gate.toml", "`store.replica.ready_within`", "1s", "the last question failed"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(!error.contains("postgres://"), "{error}");
}

/// A change by hand, without a line in the trail, is found when the record is read again.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_cache_proves_its_records_as_often_as_the_file_says() {
    let Some(server) = postgres::Postgres::start() else { return };
    let world = World::of(tempfile::tempdir().unwrap(), server.url().to_owned()).await;
    // With proofs each 500 ms, the record would be kept for an hour.
    let path = world.write_store("cache = { staleness = \"1s\", prove_every = \"1h\" }");
    let door = LiveFrontDoor::open(&path).await.unwrap();
    // The notices begin meanwhile.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1500) {
        assert_eq!(world.status(&door).await, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let changed = std::process::Command::new(server.program("psql"))
        .args([server.url(), "-q", "-c", "UPDATE tower_api_key_keys SET revoked = 1"])
        .status();
    assert!(changed.unwrap().success());
    world.wait_for(&door, 401).await;
}
