//! What is logged of a failure that a client of management gets as 503.

#![allow(clippy::unwrap_used, missing_docs)]

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Request;
use tower::ServiceExt;
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
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Without `telemetry.log`, too. The gate finds the key, so the failure is none of the gate's own.
#[tokio::test]
async fn a_503_of_management_is_logged_with_its_cause() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("keys.db").display());
    let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
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
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("the store could not answer"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains(" WARN tower_api_key::trouble: "), "{line}");
    assert!(line.contains("no such table"), "{line}");
    assert!(!text.contains(issued.expose()), "{text}");
}
