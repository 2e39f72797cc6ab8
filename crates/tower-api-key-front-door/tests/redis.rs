//! Front doors whose file names the wrong Redis, or one that is down.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../../tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tower_api_key_front_door::{LiveFrontDoor, OpenError};

use folder::free_port;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn open(folder: &std::path::Path, port: u16) -> Result<LiveFrontDoor, OpenError> {
    let file = format!(
        "profile.base = \"persona\"\nstore.url = \"memory:\"\n[limiter]\nurl = \"redis://127.0.0.1:{port}\"\n\
        timeout = \"5s\"\n"
    );
    let path = folder.join("gate.toml");
    std::fs::write(&path, file).unwrap();
    LiveFrontDoor::open(path).await
}

#[tokio::test]
async fn a_server_that_is_down_or_hangs_keeps_no_front_door_closed() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), free_port()).await.unwrap();
    // It accepts connections, and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    open(folder.path(), hanging.local_addr().unwrap().port()).await.unwrap();
}

#[tokio::test]
async fn one_node_of_a_cluster_is_an_error_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let started = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--cluster-enabled", "yes", "--cluster-port", &free_port().to_string()])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn();
    let Ok(started) = started else {
        assert!(std::env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "Redis is missing");
        println!("SKIPPED: Redis is not installed");
        return;
    };
    let _server = Server(started);
    let give_up = std::time::Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < give_up, "Redis does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let error = loop {
        match open(folder.path(), port).await {
            Err(error) => break error.to_string(),
            // A busy machine may answer too late.
            Ok(_) => assert!(std::time::Instant::now() < give_up, "it opens"),
        }
    };
    for words in ["gate.toml", "one node of a Redis Cluster", "`cluster = true`"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(!error.contains("redis://"), "{error}");
}
