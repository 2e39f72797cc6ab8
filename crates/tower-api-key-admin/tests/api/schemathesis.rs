//! The document of the API, as two programs of Python read it: a validator, and schemathesis, which sends requests made
//! from the document, good and bad, to a server over SQLite. `tests/run` installs both.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use tower_api_key::clock::{Clock, ManualClock, SystemClock};
use tower_api_key::store::MemoryStore;
use tower_api_key_admin::management::scopes;
use tower_api_key_sqlx::SqlStore;

use crate::world::{World, add};

/// Returns a program of the folder with the tools. Without the folder it says so, or fails under `tests/run`.
fn tool(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("OPENAPI_TOOLS").map(PathBuf::from);
    if folder.is_none() {
        assert!(env::var_os("REQUIRE_OPENAPI").is_none(), "OPENAPI_TOOLS is not set");
        println!("SKIPPED: {name} is not there: set OPENAPI_TOOLS to the folder that has it");
    }
    folder.map(|folder| folder.join(name))
}

/// The settings of schemathesis. A request may be right by the document, and wrong by what is stored: an account that
/// does not exist, or a version that has changed.
const SETTINGS: &str = r#"
seed = 1
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 403, 404, 409, 412, 422, 428, 501]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428]
[auth.openapi.bearer]
bearer = "KEY"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing() {
    let (Some(validator), Some(schemathesis)) = (tool("openapi-spec-validator"), tool("st")) else {
        return;
    };
    let store = SqlStore::connect("sqlite::memory:").await.unwrap();
    let usage = store.clone();
    // Requests that delete any key must not delete the one that they are sent with.
    let operators = MemoryStore::new();
    let scopes = scopes::ALL.into_iter().chain(["users.read", "users.write"]);
    let operator = add(&operators, "operator", "staff", |key| key.scopes(scopes)).await;
    let clock = ManualClock::starting_at(SystemClock.now());
    let (store, operators) = (Arc::new(store), Arc::new(operators));
    let world = World::with(store, operators, clock, |all| all.usage(usage));
    let absent = [("if-none-match", "*")];
    world.ask(&operator, "PUT /manage/accounts/acme", &absent, Some(json!({}))).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(listener, world.app.clone()).into_future());

    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("management-api");
    std::fs::create_dir_all(&folder).unwrap();
    let document = world.get(&operator, "/manage/openapi.json").await.text;
    std::fs::write(folder.join("openapi.json"), document).unwrap();
    std::fs::write(folder.join("schemathesis.toml"), SETTINGS.replace("KEY", &operator)).unwrap();
    let said = tokio::task::spawn_blocking(move || {
        let checked = Command::new(validator).arg(folder.join("openapi.json")).output().unwrap();
        let valid = String::from_utf8_lossy(&checked.stdout).contains("OK");
        assert!(valid, "{}", String::from_utf8_lossy(&checked.stdout));
        let output = Command::new(schemathesis)
            .args(["--config-file", "schemathesis.toml", "run", "openapi.json", "--url", &url])
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "5"])
            .args(["--continue-on-failure", "--no-color"])
            .current_dir(&folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let fine = output.status.success() && said.contains(" generated, ");
        (fine, format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
    });
    let (fine, said) = said.await.unwrap();
    serving.abort();
    assert!(fine, "{said}");
}
