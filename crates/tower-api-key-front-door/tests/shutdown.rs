//! A program that ends by SIGTERM gives the tokens back that it has taken in advance, to a real Redis.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_front_door::LiveFrontDoor;
use tower_api_key_sqlx::SqlStore;

const LIMIT: u32 = 1_000;
/// The requests after which the program holds tokens for sure.
const MANY: u32 = 200;

/// A process, which is killed at the end.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts Redis on a free port. Returns `None` if it is not installed.
async fn redis(folder: &Path) -> Option<(Process, u16)> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let started = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn();
    let Ok(started) = started else {
        assert!(std::env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "Redis is missing");
        println!("SKIPPED: Redis is not installed");
        return None;
    };
    let server = Process(started);
    let give_up = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < give_up, "Redis does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Some((server, port))
}

/// Writes a file with a lease, and returns its path and the key of the store.
async fn front_door(folder: &TempDir, port: u16) -> (PathBuf, String) {
    let url = format!("sqlite:{}", folder.path().join("keys.db").display());
    let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
    let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
    let record = KeyRecord::builder("key_1", Account::builder("acme").build().unwrap());
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    let path = folder.path().join("gate.toml");
    let file = format!(
        "[profile]\nbase = \"standard\"\nquotas = [{{ name = \"hour\", limit = {LIMIT}, window = \"1h\" }}]\n\
         [store]\nurl = \"{url}\"\ncache = {{}}\n\
         [limiter]\nurl = \"redis://127.0.0.1:{port}\"\nlease = {{}}\ntimeout = \"5s\"\n"
    );
    std::fs::write(&path, file).unwrap();
    (path, issued.expose().to_owned())
}

async fn status(door: &LiveFrontDoor, key: &str) -> StatusCode {
    let service = door.layer().layer(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let mut request = Request::get("/users").body(Full::default()).unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
    service.oneshot(request).await.unwrap().status()
}

/// Serves one request after another until SIGTERM comes. It runs in a process of its own, which the test starts.
#[tokio::test]
#[ignore = "the program that the test starts"]
async fn program() {
    let Ok(path) = std::env::var("FRONT_DOOR_FILE") else { return };
    let key = std::env::var("FRONT_DOOR_KEY").unwrap();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let door = LiveFrontDoor::open(path).await.unwrap();
    let mut passed = 0;
    loop {
        // The program is to end while it has most of the limit before it.
        let pause = if passed < MANY { 0 } else { 20 };
        tokio::select! {
            biased;
            _ = terminate.recv() => break,
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
        }
        assert_eq!(status(&door, &key).await, 200);
        passed += 1;
        if passed == MANY {
            println!("\nready");
        }
    }
    door.give_back_all().await.unwrap();
    println!("\npassed {passed}");
}

#[tokio::test]
async fn a_program_that_is_terminated_leaves_no_tokens_behind() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_server, port)) = redis(folder.path()).await else { return };
    let (path, key) = front_door(&folder, port).await;
    let started = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "program", "--ignored", "--nocapture"])
        .env("FRONT_DOOR_FILE", &path)
        .env("FRONT_DOOR_KEY", &key)
        .stdout(Stdio::piped())
        .spawn();
    let mut program = Process(started.unwrap());
    let lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| line == "ready"), "the program does not serve");
    let ended = Command::new("kill").args(["-TERM", &program.0.id().to_string()]).status();
    assert!(ended.unwrap().success());
    let passed = lines.find_map(|line| line.strip_prefix("passed ")?.parse::<u32>().ok());
    let passed = passed.expect("the program ends in order");
    assert!(program.0.wait().unwrap().success());

    let door = LiveFrontDoor::open(&path).await.unwrap();
    for number in passed..LIMIT {
        assert_eq!(status(&door, &key).await, 200, "{number} of {LIMIT}, {passed} by the program");
    }
    assert_eq!(status(&door, &key).await, 429);
}
