//! A front door whose file asks for usage writes it into the database of its keys.

#![allow(clippy::unwrap_used, missing_docs)]

use std::convert::Infallible;
use std::fs;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::request::Connection;
use tower_api_key::usage::{UsageQuery, UsageReader};
use tower_api_key_front_door::LiveFrontDoor;
use tower_api_key_sqlx::SqlStore;

const FILE: &str = "without_limits = true
profile.base = \"standard\"

[store]
create_if_missing = true
";

async fn ask(door: &LiveFrontDoor) {
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let mut request = Request::new(Full::new(Bytes::new()));
    request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
    door.layer().layer(inner).oneshot(request).await.unwrap();
}

#[tokio::test]
async fn a_file_asks_for_usage() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("keys.db").display());
    let path = folder.path().join("gate.toml");
    let write = |usage: &str| fs::write(&path, format!("{FILE}url = \"{url}\"\n{usage}")).unwrap();

    write("[store.usage]\nwrite_every = \"1h\"\n");
    let door = LiveFrontDoor::open(&path).await.unwrap();
    ask(&door).await;
    ask(&door).await;
    door.flush_usage().await.unwrap();
    let store = SqlStore::connect(&url).await.unwrap();
    let soon = Timestamp::from_unix_seconds(SystemClock.now().unix_seconds() + 7_200);
    let query = UsageQuery::between(Timestamp::default(), soon);
    let counted = async || store.usage(&query).await.unwrap().first().unwrap().requests;
    assert_eq!(counted().await, 2);

    // The next file's store has no usage. What the old one has counted is written.
    ask(&door).await;
    write("");
    assert!(door.reload().await.unwrap());
    ask(&door).await;
    door.flush_usage().await.unwrap();
    assert_eq!(counted().await, 2);

    fs::write(&path, "without_limits = true\nprofile.base = \"standard\"\n[store]\nurl = \"memory:\"\nusage = {}\n").unwrap();
    let error = LiveFrontDoor::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("a store in memory keeps no usage"), "{error}");
}
