//! The gallery: each vendor's own client meets a gate that is a file. `tests/run` installs the clients; without them the
//! test says so. The drivers in `tests/gallery_clients` have the table of what each client must raise.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::curl::curl;
use crate::server::Demo;

const VENDORS: [&str; 12] = [
    "anthropic",
    "datadog",
    "deepl",
    "elasticsearch",
    "freshdesk",
    "github",
    "google_maps",
    "mailgun",
    "openai",
    "sendgrid",
    "stripe",
    "twilio",
];

#[test]
fn the_gallery_lists_its_vendors_and_their_keys() {
    let demo = Demo::start(&["--gallery"]);
    for vendor in VENDORS {
        for label in ["active", "revoked", "unlisted", "scoped", "tight"] {
            assert!(!demo.key(vendor, label).is_empty(), "{vendor} {label}");
        }
    }
    for key in demo.manifest["keys"].as_array().unwrap() {
        let (vendor, base) = (key["vendor"].as_str().unwrap(), key["base"].as_str().unwrap());
        assert_eq!(base, format!("{}/{vendor}", demo.https()));
    }
    let page = curl(&demo, &[&format!("{}/", demo.https())]);
    assert_eq!(page.status, 200);
    for vendor in VENDORS {
        assert!(page.body.contains(&format!("/{vendor}</code>")), "{vendor}");
    }
    let nowhere = curl(&demo, &[&format!("{}/nowhere/v1", demo.https())]);
    assert_eq!(nowhere.status, 404);
}

#[test]
fn every_client_of_the_gallery_meets_what_its_vendor_documents() {
    let Some(clients) = std::env::var_os("GALLERY_CLIENTS").map(PathBuf::from) else {
        eprintln!("skipped: the environment has no GALLERY_CLIENTS; tests/run installs them");
        return;
    };
    let drivers = clients.join(format!("drivers-{}", std::process::id()));
    copy(&drivers);
    let failed: Vec<String> = thread::scope(|scope| {
        let runs = VENDORS.map(|vendor| {
            let (clients, drivers) = (&clients, &drivers);
            scope.spawn(move || drive(clients, drivers, vendor))
        });
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    let _ = fs::remove_dir_all(&drivers);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Copies the drivers beside the clients, so that nothing is written into the sources.
fn copy(drivers: &Path) {
    fs::create_dir_all(drivers).unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gallery_clients");
    for entry in fs::read_dir(sources).unwrap() {
        let source = entry.unwrap().path();
        if source.extension().is_some_and(|ending| ending == "py" || ending == "mjs") {
            fs::copy(&source, drivers.join(source.file_name().unwrap())).unwrap();
        }
    }
}

/// Runs the drivers of a vendor, each with a demo of its own, because it uses the quotas up. Returns what went wrong.
fn drive(clients: &Path, drivers: &Path, vendor: &str) -> Vec<String> {
    let python = clients.join("venv/bin/python");
    let script = |ending: &str| drivers.join(format!("drive_{vendor}.{ending}"));
    let mut runs = Vec::new();
    if script("mjs").exists() {
        let mut node = Command::new("node");
        node.arg(script("mjs"));
        runs.push(node);
    }
    if script("py").exists() {
        let mut run = Command::new(&python);
        run.arg(script("py"));
        runs.push(run);
    }
    let older = clients.join(format!("{vendor}_0"));
    if older.exists() {
        let mut run = Command::new(&python);
        run.arg(script("py")).env("PYTHONPATH", older);
        runs.push(run);
    }
    assert!(!runs.is_empty(), "no driver of {vendor}");
    let ended = runs.into_iter().filter_map(|mut run| {
        let demo = Demo::start(&["--gallery"]);
        for name in ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"] {
            run.env(name, demo.certificate());
        }
        run.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("HTTPS_PROXY").env_remove("https_proxy");
        let ended = run.arg(entry(&demo, vendor).to_string()).output().unwrap();
        let lines = String::from_utf8_lossy(&ended.stdout);
        let wrong = lines.lines().filter(|line| line.contains("\"wrong\":")).collect::<Vec<_>>();
        let errors = String::from_utf8_lossy(&ended.stderr);
        (!ended.status.success()).then(|| format!("{vendor}:\n{}\n{errors}", wrong.join("\n")))
    });
    ended.collect()
}

/// Returns what a driver gets to know.
fn entry(demo: &Demo, vendor: &str) -> Value {
    let keys = demo.manifest["keys"].as_array().unwrap();
    let of_vendor = || keys.iter().filter(|key| key["vendor"] == vendor);
    let by_label = |field: &str| -> BTreeMap<String, Value> {
        let pair = |key: &Value| (key["label"].as_str().unwrap().to_owned(), key[field].clone());
        of_vendor().map(pair).collect()
    };
    json!({
        "vendor": vendor,
        "base": of_vendor().next().unwrap()["base"],
        "ca": demo.certificate(),
        "keys": by_label("key"),
        "accounts": by_label("account"),
    })
}
