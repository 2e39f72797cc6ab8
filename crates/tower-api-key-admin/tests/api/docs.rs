//! The commands of `docs/management-api.md`, run with curl against a server.

use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tower_api_key::clock::{Clock, ManualClock, SystemClock};
use tower_api_key::store::MemoryStore;

use crate::world::World;

const PAGE: &str = include_str!("../../../../docs/management-api.md");

/// Fails where a command gets no answer of 200 to 299.
const STRICT: &str = "set -euo pipefail; curl() { command curl --fail-with-body \"$@\"; echo; }\n";

fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("```sh\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn examples_of_the_docs() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("REQUIRE_INTERPRETERS").is_none(), "curl is not there");
        println!("SKIPPED: curl is not there");
        return;
    }
    let store = Arc::new(MemoryStore::new());
    let clock = ManualClock::starting_at(SystemClock.now());
    let world = World::over(store.clone(), store, clock);
    let operator = world.operator().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(listener, world.app.clone()).into_future());
    let mut variables = vec![("URL", url), ("OPERATOR", operator)];
    let blocks = blocks(PAGE);
    assert_eq!(blocks.len(), 11);
    for block in blocks {
        let command = format!("{STRICT}{block}");
        let given = variables.clone();
        let output = tokio::task::spawn_blocking(move || {
            Command::new("bash").args(["-c", &command]).envs(given).output().unwrap()
        });
        let output = output.await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{block}\n{said}{errors}");
        let answers = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
        for answer in answers.map(Result::unwrap) {
            for (name, value) in [
                ("KEY", &answer["key"]["id"]),
                ("VERSION", &answer["key"]["version"]),
                ("SECRET", &answer["secret"]),
            ] {
                if let Some(value) = value.as_str() {
                    variables.retain(|(known, _)| *known != name);
                    variables.push((name, value.to_owned()));
                }
            }
            if let Some(first) = answer["data"].as_array().and_then(|data| data.first()) {
                assert_ne!(first, &json!({}), "{block}");
            }
        }
    }
    serving.abort();
    let key = &variables.iter().find(|(name, _)| *name == "KEY").unwrap().1;
    let trail = world.get(&variables[1].1, &format!("/manage/trail?key={key}")).await.json();
    assert_eq!(trail["data"].as_array().unwrap().len(), 6, "{trail}");
}
