//! Tests what a process that is killed loses: what it counted since its last batch, and no more.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use http::Request;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;
use tower_api_key::usage::{UsageQuery, UsageRecorder};
use tower_api_key::{ApiKeyLayer, Profile};
use tower_api_key_sqlx::SqlStore;

use super::support::{at, lines};
use crate::folder::Folder;
use crate::sqlite;

/// Where the process writes.
const URL: &str = "TOWER_API_KEY_TEST_USAGE";

/// The time between two batches.
const EVERY: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test below, in a process of its own"]
async fn serves_requests_until_it_is_killed() {
    let Ok(url) = env::var(URL) else { return };
    let store = SqlStore::connect(&url).await.unwrap();
    let usage = UsageRecorder::builder().write_every(EVERY).build();
    tokio::spawn(usage.write_to(std::sync::Arc::new(store)));
    let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).observer(usage);
    let layer = layer.build().unwrap();
    let gate = layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    }));
    for number in 1_u64.. {
        let mut request = Request::new(());
        request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
        gate.clone().oneshot(request).await.unwrap();
        println!("served {number}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A process that is killed with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_loses_only_its_last_requests() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let store = SqlStore::connect(&url).await.unwrap();
    let name = "usage::crash::serves_requests_until_it_is_killed";
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads", "1"])
        .env(URL, &url)
        .stdout(Stdio::piped())
        .spawn();
    let mut process = Process(child.unwrap());
    let served = BufReader::new(process.0.stdout.take().unwrap()).lines();
    // The requests that the process has served, each with the time at which it said so.
    let reading = thread::spawn(move || {
        let number = |line: &str| line.rsplit_once("served ")?.1.parse::<u64>().ok();
        let lines = served.map_while(Result::ok);
        lines.filter_map(|line| Some((Instant::now(), number(&line)?))).collect::<Vec<_>>()
    });
    let ever = || UsageQuery::between(at(0), Timestamp::MAX);
    let counted = async || lines(&store, ever()).await[0].parse::<u64>().unwrap();
    // At least three batches.
    let (mut last, mut batches) = (0, 0);
    while batches < 3 {
        let now = counted().await;
        batches += u32::from(now > last);
        last = now;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    process.0.kill().unwrap();
    process.0.wait().unwrap();
    let served = reading.join().unwrap();
    let counted = counted().await;
    let all = served.last().unwrap().1;
    // It may have died before it said that it served one more.
    assert!(counted >= last && counted <= all + 1, "{counted} of {all}, {last} were read");
    let ended = served.last().unwrap().0;
    let lost = served.iter().find(|(_, number)| *number > counted);
    let lost_for = lost.map_or(Duration::ZERO, |(since, _)| ended.duration_since(*since));
    // A batch takes its time on a busy machine. In a process with 5 seconds between batches it may take 5.
    assert!(lost_for < EVERY + Duration::from_secs(5), "lost what came in {lost_for:?}");
}
