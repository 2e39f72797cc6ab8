//! The documents that the demo serves, as two programs of Python read them: a validator, and schemathesis, which
//! sends requests made from a document, good and bad, and compares the answers with it. `tests/run` installs both
//! and names their folder in `OPENAPI_TOOLS`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

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

#[test]
fn schemathesis_finds_nothing_in_any_vendor() {
    let Some(schemathesis) = tool("st") else { return };
    let demo = Demo::start(&["--on-premises"]);
    let organization = &demo.manifest["organizations"][0];
    let (organization, user) = (&organization["id"], &organization["users"][0]["id"]);
    let mut found = Vec::new();
    for (vendor, scheme, label) in VENDORS {
        let key = demo.key(vendor, label);
        let folder = Folder::new();
        let file = folder.path().join("schemathesis.toml");
        let ids = [(
            "polytomic",
            format!("[parameters]\n\"path.org_id\" = {organization}\n\"path.id\" = {user}\n"),
        )];
        let ids = ids.iter().filter(|(of, _)| *of == vendor).map(|(_, ids)| &**ids);
        let credential = match scheme {
            "basic" => format!("username = \"api\"\npassword = \"{key}\"\n"),
            _ => format!("bearer = \"{key}\"\n"),
        };
        let credential = format!("[auth.openapi.{scheme}]\n{credential}");
        let exceptions = EXCEPTIONS.iter().filter(|(of, ..)| *of == vendor);
        let exceptions = exceptions.map(|(_, path, check)| {
            let off = format!("checks.{check}.enabled = false\n");
            let place = format!("[[operations]]\ninclude-path = \"{path}\"\n");
            if path.is_empty() { off } else { place + &off }
        });
        let (all, some): (Vec<_>, Vec<_>) = exceptions.partition(|it| it.starts_with("checks"));
        let settings =
            ["seed = 1\n".to_owned()].into_iter().chain(all).chain(ids.map(str::to_owned));
        let settings: String = settings.chain([credential]).chain(some).collect();
        std::fs::write(&file, settings).unwrap();
        let output = Command::new(&schemathesis)
            .arg("--config-file")
            .arg(&file)
            .args(["run", &url(&demo, vendor), "--url", demo.https()])
            .args(["--tls-verify", demo.certificate()])
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "15"])
            .args(["--continue-on-failure", "--no-color"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !said.contains(" generated, ") {
            found.push(format!("{vendor}:\n{said}{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
