//! What is logged of failures that no gate sees: those of management, and of the tasks beside the requests.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::Request;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_front_door::LiveFrontDoor;
use tower_api_key_sqlx::SqlStore;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs into memory, as long as the guard lives.
fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    (log, tracing::subscriber::set_default(subscriber.finish()))
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Waits for a line with a text, and returns it.
    async fn wait_for(&self, part: &str) -> String {
        for _ in 0..1_000 {
            let text = self.text();
            if let Some(line) = text.lines().find(|line| line.contains(part)) {
                return line.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no {part:?} in {}", self.text());
    }
}

/// Returns a folder, and a database in it: its URL, and its store.
async fn place() -> (TempDir, String, SqlStore) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("keys.db").display());
    let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
    (folder, url, store)
}

/// Without `telemetry.log`, too. The gate finds the key, so the failure is none of the gate's own.
#[tokio::test]
async fn a_503_of_management_is_logged_with_its_cause() {
    let (log, _guard) = listen();
    let (folder, url, store) = place().await;
    let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
    let staff = Account::builder("staff").scopes(["trail.read"]).build().unwrap();
    let record = KeyRecord::builder("operator", staff);
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    let path = folder.path().join("gate.toml");
    let file = format!(
        "profile.base = \"standard\"\n[store]\nurl = \"{url}\"\n\
         [management]\npath = \"/manage\"\noperators = [\"staff\"]\n"
    );
    std::fs::write(&path, file).unwrap();
    let door = LiveFrontDoor::open(&path).await.unwrap();
    let router = door.management().unwrap().router();
    let status = async || {
        let request = Request::get("/manage/trail")
            .header("authorization", format!("Bearer {}", issued.expose()));
        let mut request = request.body(Body::empty()).unwrap();
        let connection = Connection::tls("192.0.2.1:4711".parse().unwrap());
        request.extensions_mut().insert(connection);
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(status().await, 200);
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("ALTER TABLE tower_api_key_changes RENAME TO away").execute(&pool).await.unwrap();
    assert_eq!(status().await, 503);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("the store could not answer"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains(" WARN tower_api_key::trouble: "), "{line}");
    assert!(line.contains("no such table"), "{line}");
    assert!(!text.contains(issued.expose()), "{text}");
}

/// Sends a request with a key through the door, and returns the status of the answer.
async fn ask(door: &LiveFrontDoor, key: &str) -> u16 {
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
    let inner = service_fn(|_: Request<Body>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::empty()))
    });
    door.layer().layer(inner).oneshot(request).await.unwrap().status().as_u16()
}

/// Answers each connection with 410, and returns its URL.
async fn gone() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    url
}

/// No client gets an answer that shows it.
#[tokio::test]
async fn a_task_beside_the_requests_that_fails_is_logged_with_its_cause() {
    let (log, _guard) = listen();
    let (folder, url, store) = place().await;
    let path = folder.path().join("gate.toml");
    let file = format!(
        "profile.base = \"standard\"\n[store]\nurl = \"{url}\"\nusage.write_every = \"100ms\"\n\
         [management]\npath = \"/manage\"\noperators = [\"staff\"]\n[events]\ninterval = \"1s\"\n\
         [[webhooks]]\nname = \"billing\"\nurl = \"{}\"\ninsecure_allow_http = true\n\
         insecure_allow_private_addresses = true\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n",
        gone().await,
    );
    std::fs::write(&path, file).unwrap();
    let door = LiveFrontDoor::open(&path).await.unwrap();
    door.start().await;
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    // The webhook is there before the event.
    let sinks = "SELECT COUNT(*) FROM tower_api_key_event_sinks";
    while sqlx::query_scalar::<_, i64>(sinks).fetch_one(&pool).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
    let record = KeyRecord::builder("key_1", Account::builder("acme").build().unwrap());
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    let line = log.wait_for("it is a dead letter").await;
    for part in [" WARN ", "sink=\"billing\"", "type=\"key.created\"", "key_id=\"key_1\"", "410"] {
        assert!(line.contains(part), "{part}: {line}");
    }

    for (table, part) in [
        ("tower_api_key_event_occasions", "events of requests cannot be written"),
        ("tower_api_key_usage_accounts", "usage cannot be written"),
        ("tower_api_key_event_sinks", "events cannot be delivered"),
        ("tower_api_key_event_leases", "events of time cannot be written"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(format!("ALTER TABLE {table} RENAME TO {table}_away")))
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(ask(&door, issued.expose()).await, 200, "{table}");
        let line = log.wait_for(part).await;
        assert!(line.contains(" WARN ") && line.contains("no such table"), "{line}");
    }
    assert!(!log.text().contains(issued.expose()));
    door.stop().await;
}

/// A database on a full disk, say: it finds keys, and writes nothing about them.
#[tokio::test]
async fn what_a_gate_cannot_write_about_its_keys_is_logged_once() {
    let (log, _guard) = listen();
    let (folder, url, store) = place().await;
    let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
    let record = KeyRecord::builder("key_1", Account::builder("acme").build().unwrap());
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    for change in ["INSERT", "UPDATE"] {
        let trigger = format!(
            "CREATE TRIGGER full_{change} BEFORE {change} ON tower_api_key_secrets \
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        );
        sqlx::query(sqlx::AssertSqlSafe(trigger)).execute(&pool).await.unwrap();
    }
    let (path, pepper) = (folder.path().join("gate.toml"), folder.path().join("pepper"));
    std::fs::write(&pepper, [7; 32]).unwrap();
    let file = format!(
        "profile.base = \"standard\"\n[store]\nurl = \"{url}\"\n[store.cache]\n[peppers]\n\
         current = {{ name = \"new\", secret = {{ file = \"{}\" }} }}\n\
         former = [{{ name = \"none\", without_pepper = true }}]\n",
        pepper.display()
    );
    std::fs::write(&path, file).unwrap();
    let door = LiveFrontDoor::open(&path).await.unwrap();
    door.start().await;
    assert_eq!(ask(&door, issued.expose()).await, 200);
    for part in [
        "the last uses of keys cannot be written",
        "digests by the current pepper cannot be written",
    ] {
        let line = log.wait_for(part).await;
        assert!(line.contains(" WARN ") && line.contains("the disk is full"), "{line}");
        assert_eq!(log.text().matches(part).count(), 1, "{}", log.text());
    }
    assert!(!log.text().contains(issued.expose()));
    door.stop().await;
}
