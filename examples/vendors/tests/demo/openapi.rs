//! The documents that the demo serves, as two programs of Python read them: a validator, and schemathesis, which
//! sends requests made from a document, good and bad, and compares the answers with it. `tests/run` installs both
//! and names their folder in `OPENAPI_TOOLS`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::curl::curl;
use crate::folder::Folder;
use crate::server::Demo;

/// The vendors, each with the name of a security scheme, and the label of a key with the largest permissions.
const VENDORS: [(&str, &str, &str); 6] = [
    ("personyze", "basic", "active"),
    ("rest_integrations", "bearer", "active"),
    ("polyteia", "bearer", "editor"),
    ("persona", "bearer", "production"),
    ("polytomic", "basic", "deployment"),
    ("workshop", "bearer", "joiner"),
];

/// The checks that are off for operations of a vendor, because their findings are not the gate's. All others are on.
const EXCEPTIONS: [(&str, &str, &str); 5] = [
    // serde reads 1.0 and numbers of over 64 bits as no whole numbers, and JSON Schema does.
    ("personyze", "/rest/users", "positive_data_acceptance"),
    // schemathesis makes no WebSocket handshakes.
    ("rest_integrations", "/v1/users/live", "positive_data_acceptance"),
    // axum advertises a POST to which the gate's table has no row.
    ("persona", "/api/v1/accounts", "allow_header_conformance"),
    // The vendor answers 404, not 405, to a method that its routes do not have.
    ("polytomic", "", "unsupported_method"),
    // It fails on purpose.
    ("workshop", "/workshop/broken", "not_a_server_error"),
];

/// Returns a program of the folder with the tools. Without the folder it says so, or fails under `tests/run`.
fn tool(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("OPENAPI_TOOLS").map(PathBuf::from);
    if folder.is_none() {
        assert!(env::var_os("REQUIRE_OPENAPI").is_none(), "OPENAPI_TOOLS is not set");
        println!("SKIPPED: {name} is not there: set OPENAPI_TOOLS to the folder that has it");
    }
    folder.map(|folder| folder.join(name))
}

fn url(demo: &Demo, vendor: &str) -> String {
    format!("{}/openapi/{vendor}.json", demo.https())
}

#[test]
fn each_document_is_open_and_valid() {
    let demo = Demo::start(&[]);
    let folder = Folder::new();
    let validator = tool("openapi-spec-validator");
    for (vendor, ..) in VENDORS {
        let answer = curl(&demo, &[&url(&demo, vendor)]);
        assert_eq!(answer.status, 200, "{vendor}: {answer:?}");
        let Some(validator) = &validator else { continue };
        let file = folder.path().join(format!("{vendor}.json"));
        std::fs::write(&file, &answer.body).unwrap();
        let checked = Command::new(validator).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success() && said.contains("OK"), "{vendor}: {said}");
    }
}

/// Returns the settings of schemathesis for a vendor.
fn settings(demo: &Demo, (vendor, scheme, label): (&str, &str, &str)) -> String {
    let mut settings = "seed = 1\n".to_owned();
    let exceptions = || EXCEPTIONS.iter().filter(|(of, ..)| *of == vendor);
    for (.., check) in exceptions().filter(|(_, path, _)| path.is_empty()) {
        settings += &format!("checks.{check}.enabled = false\n");
    }
    if vendor == "polytomic" {
        let organization = &demo.manifest["organizations"][0];
        let (organization, user) = (&organization["id"], &organization["users"][0]["id"]);
        settings +=
            &format!("[parameters]\n\"path.org_id\" = {organization}\n\"path.id\" = {user}\n");
    }
    let key = demo.key(vendor, label);
    settings += &format!("[auth.openapi.{scheme}]\n");
    settings += &match scheme {
        "basic" => format!("username = \"api\"\npassword = \"{key}\"\n"),
        _ => format!("bearer = \"{key}\"\n"),
    };
    for (_, path, check) in exceptions().filter(|(_, path, _)| !path.is_empty()) {
        settings +=
            &format!("[[operations]]\ninclude-path = \"{path}\"\nchecks.{check}.enabled = false\n");
    }
    settings
}

/// Drives a vendor's service by a document. Returns whether schemathesis found nothing, and what it said.
fn drive(
    schemathesis: &Path,
    demo: &Demo,
    vendor: (&str, &str, &str),
    document: &str,
) -> (bool, String) {
    let folder = Folder::new();
    let file = folder.path().join("schemathesis.toml");
    std::fs::write(&file, settings(demo, vendor)).unwrap();
    let output = Command::new(schemathesis)
        .arg("--config-file")
        .arg(&file)
        .args(["run", document, "--url", demo.https(), "--tls-verify", demo.certificate()])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "10"])
        .args(["--continue-on-failure", "--no-color"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.success() && said.contains(" generated, "), format!("{said}{errors}"))
}

#[test]
fn schemathesis_finds_nothing_in_any_vendor() {
    let Some(schemathesis) = tool("st") else { return };
    let demo = Demo::start(&["--on-premises"]);
    let mut found = Vec::new();
    for vendor in VENDORS {
        let (is_fine, said) = drive(&schemathesis, &demo, vendor, &url(&demo, vendor.0));
        if !is_fine {
            found.push(said);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn schemathesis_finds_what_is_wrong_in_a_document() {
    let Some(schemathesis) = tool("st") else { return };
    let demo = Demo::start(&[]);
    let mut document = curl(&demo, &[&url(&demo, "polyteia")]).json();
    let responses = document["components"]["responses"].as_object_mut().unwrap();
    assert!(responses.contains_key("refused-401"));
    for response in responses.values_mut() {
        response["headers"]["x-promised"] = json!({ "required": true, "schema": {} });
        response["content"]["application/json"]["schema"] = json!({ "type": "array" });
    }
    let folder = Folder::new();
    let file = folder.path().join("wrong.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let vendor = ("polyteia", "bearer", "viewer");
    let (is_fine, said) = drive(&schemathesis, &demo, vendor, file.to_str().unwrap());
    assert!(!is_fine, "{said}");
    for finding in ["Missing required response headers", "Response violates schema"] {
        assert!(said.contains(finding), "{said}");
    }
}
