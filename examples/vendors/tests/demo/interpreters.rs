//! The clients that the vendors' documentation shows besides curl: Python's requests and
//! JavaScript's fetch. Where one is not installed, its test says so, or fails if the environment has
//! `REQUIRE_INTERPRETERS`, as under `tests/run`, which installs them.

use std::env;
use std::process::Command;

use serde_json::{Value, json};

use crate::server::Demo;

/// The one of the path may lack what the system's own has from its packages; `tests/run` looks at
/// the same two.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

const PYTHON: &str = r#"
import json, sys, requests
demo = json.load(sys.stdin)
https, ca, keys = demo["https"], demo["ca"], demo["named"]
session = requests.Session()
session.trust_env = False
session.verify = ca
bearer = lambda name: {"Authorization": "Bearer " + keys[name]}
version = {"X-Polytomic-Version": "2024-02-08"}
calls = {
    "personyze": lambda: session.get(https + "/rest/users/where/internal_id=1",
                                     auth=("api", keys["personyze active"])),
    "personyze refused": lambda: session.get(https + "/rest/users/where/internal_id=1",
                                             auth=("api", keys["personyze unlisted"])),
    "rest": lambda: session.post(https + "/v1/users", json={"name": "ada"},
                                 headers=bearer("rest_integrations active")),
    "rest refused": lambda: session.get(https + "/v1/users",
                                        headers=bearer("rest_integrations expired")),
    "polyteia": lambda: session.post(https + "/api", headers=bearer("polyteia viewer"),
                                     json={"command": "list_datasets", "params": {}}),
    "polyteia refused": lambda: session.post(https + "/api", headers=bearer("polyteia viewer"),
                                             json={"command": "create_dataset", "params": {}}),
    "persona": lambda: session.get(https + "/api/v1/inquiries",
                                   headers=bearer("persona sandbox")),
    "persona refused": lambda: session.get(https + "/api/v1/inquiries",
                                           headers=bearer("persona office")),
    "polytomic": lambda: session.get(https + "/api/me",
                                     headers={**bearer("polytomic organization"), **version}),
    "polytomic refused": lambda: session.get(https + "/api/organizations",
                                             headers={**bearer("polytomic organization"), **version}),
}
answers = {}
for name, call in calls.items():
    answer = call()
    answers[name] = {"status": answer.status_code, "body": answer.text,
                     "headers": {key.lower(): value for key, value in answer.headers.items()}}
print(json.dumps(answers))
"#;

const JAVASCRIPT: &str = r#"
const demo = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { https, named: keys } = demo;
const basic = name => ({ Authorization: "Basic " + btoa("api:" + keys[name]) });
const bearer = name => ({ Authorization: "Bearer " + keys[name] });
const version = { "X-Polytomic-Version": "2024-02-08" };
const post = (headers, content) => ({
  method: "POST", body: JSON.stringify(content),
  headers: { ...headers, "Content-Type": "application/json" },
});
const calls = {
  "personyze": ["/rest/users/where/internal_id=1", { headers: basic("personyze active") }],
  "personyze refused": ["/rest/users/where/internal_id=1", { headers: basic("personyze unlisted") }],
  "rest": ["/v1/users", post(bearer("rest_integrations active"), { name: "ada" })],
  "rest refused": ["/v1/users", { headers: bearer("rest_integrations expired") }],
  "polyteia": ["/api", post(bearer("polyteia viewer"), { command: "list_datasets", params: {} })],
  "polyteia refused": ["/api", post(bearer("polyteia viewer"), { command: "create_dataset", params: {} })],
  "persona": ["/api/v1/inquiries", { headers: bearer("persona sandbox") }],
  "persona refused": ["/api/v1/inquiries", { headers: bearer("persona office") }],
  "polytomic": ["/api/me", { headers: { ...bearer("polytomic organization"), ...version } }],
  "polytomic refused": ["/api/organizations", { headers: { ...bearer("polytomic organization"), ...version } }],
};
(async () => {
  const answers = {};
  for (const [name, [path, options]] of Object.entries(calls)) {
    const answer = await fetch(https + path, options);
    answers[name] = {
      status: answer.status, body: await answer.text(), headers: Object.fromEntries(answer.headers),
    };
  }
  console.log(JSON.stringify(answers));
})().catch(error => { console.error(error); process.exit(1); });
"#;

/// What each call must get: status, a part of the body, and a header.
const EXPECTED: [(&str, u16, &str, (&str, &str)); 10] = [
    ("personyze", 200, "ada@personyze-acme", ("content-type", "application/json")),
    ("personyze refused", 400, "Invalid API key", ("content-type", "text/plain; charset=utf-8")),
    ("rest", 201, r#""name":"ada""#, ("ratelimit-remaining", "99")),
    (
        "rest refused",
        401,
        r#"{"error":"Invalid API key provided."}"#,
        ("www-authenticate", r#"Bearer realm="REST API Integrations", error="invalid_token""#),
    ),
    ("polyteia", 200, "Population", ("content-type", "application/json")),
    ("polyteia refused", 403, r#""code":"forbidden""#, ("cache-control", "no-store")),
    ("persona", 200, "inquiry", ("persona-environment-id", "sandbox")),
    ("persona refused", 403, "IP address", ("persona-environment-id", "production")),
    ("polytomic", 200, "organization_id", ("content-type", "application/json")),
    ("polytomic refused", 403, r#""key":"forbidden""#, ("content-type", "application/json")),
];

fn check(answers: &Value) {
    for (name, status, part, (header, value)) in EXPECTED {
        let answer = &answers[name];
        assert_eq!(answer["status"], status, "{name}: {answer}");
        assert!(answer["body"].as_str().unwrap().contains(part), "{name}: {answer}");
        assert_eq!(answer["headers"][header], value, "{name}: {answer}");
    }
}

/// Returns the demo's addresses and keys, for the standard input of a script.
fn facts(demo: &Demo) -> std::fs::File {
    let keys = demo.manifest["keys"].as_array().unwrap().iter().map(|key| {
        let text = |name: &str| key[name].as_str().unwrap();
        (format!("{} {}", text("vendor"), text("label")), key["key"].clone())
    });
    let facts = json!({
        "https": demo.https(),
        "http": demo.http(),
        "ca": demo.certificate(),
        "named": keys.collect::<Value>(),
    });
    let path = std::path::Path::new(demo.certificate()).with_file_name("facts.json");
    std::fs::write(&path, facts.to_string()).unwrap();
    std::fs::File::open(&path).unwrap()
}

/// Runs a script that gets the facts of the demo, and returns the JSON that it writes.
pub(crate) fn run(command: &mut Command, demo: &Demo) -> Value {
    let output = command.stdin(facts(demo)).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the first Python that has a module. Without one it says so, or fails under `tests/run`.
pub(crate) fn python_with(module: &str) -> Option<&'static str> {
    let has_module =
        |python: &&str| succeeds(Command::new(python).args(["-c", &format!("import {module}")]));
    let found = PYTHONS.into_iter().find(has_module);
    if found.is_none() {
        skip(&format!("there is no python3 with the {module} module"));
    }
    found
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn skip(lack: &str) {
    assert!(env::var_os("REQUIRE_INTERPRETERS").is_none(), "{lack}");
    println!("SKIPPED: {lack}");
}

#[test]
fn python_requests() {
    let Some(python) = python_with("requests") else { return };
    check(&run(Command::new(python).args(["-c", PYTHON]), &Demo::start(&[])));
}

#[test]
fn javascript_fetch() {
    if !succeeds(
        Command::new("node").args(["-e", "process.exit(typeof fetch == 'function' ? 0 : 1)"]),
    ) {
        return skip("there is no node with fetch");
    }
    let demo = Demo::start(&[]);
    let mut node = Command::new("node");
    node.args(["-e", JAVASCRIPT]).env("NODE_EXTRA_CA_CERTS", demo.certificate());
    check(&run(&mut node, &demo));
}
