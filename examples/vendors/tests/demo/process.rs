//! The demo as a process: its options, its keys, its end.

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::curl::curl;
use crate::personyze::url;
use crate::server::{Demo, binary};

const LABELS: &[(&str, &[&str])] = &[
    ("personyze", &["active", "other_account", "revoked", "unlisted"]),
    ("rest_integrations", &["active", "read_only", "revoked", "expired", "tight", "unlisted"]),
    ("polyteia", &["editor", "viewer", "expired", "deleted", "unlisted"]),
    (
        "persona",
        &["production", "sandbox", "inquiry_reader", "key_admin", "office", "local", "unlisted"],
    ),
    ("polytomic", &["partner", "organization", "deployment", "unlisted"]),
    ("workshop", &["apprentice", "joiner", "carver"]),
    ("manage", &["admin"]),
];

fn keys(demo: &Demo) -> Vec<Value> {
    demo.manifest["keys"].as_array().unwrap().clone()
}

#[test]
fn the_manifest_lists_every_documented_key() {
    let demo = Demo::start(&[]);
    for (name, prefix) in [("https", "https://localhost:"), ("http", "http://localhost:")] {
        assert!(demo.manifest[name].as_str().unwrap().starts_with(prefix));
    }
    let certificate = std::fs::read_to_string(demo.certificate()).unwrap();
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    let listed: Vec<(String, String)> = keys(&demo)
        .iter()
        .map(|key| {
            assert!(key["account"].is_string(), "{key}");
            let text = |name: &str| key[name].as_str().unwrap().to_owned();
            (text("vendor"), text("label"))
        })
        .collect();
    let expected = LABELS.iter().flat_map(|(vendor, labels)| {
        labels.iter().map(|label| ((*vendor).to_owned(), (*label).to_owned()))
    });
    assert_eq!(listed, expected.collect::<Vec<_>>());
    let secrets: HashSet<String> = keys(&demo).iter().map(|key| key["key"].to_string()).collect();
    assert_eq!(secrets.len(), listed.len(), "no key is issued twice");
}

#[test]
fn a_seed_makes_the_same_keys_again() {
    let seeded = Demo::start(&["--seed", "7"]);
    assert_eq!(keys(&seeded), keys(&Demo::start(&["--seed", "7"])));
    for options in [&["--seed", "8"][..], &[]] {
        let other = Demo::start(options);
        let ours: HashSet<String> =
            keys(&seeded).iter().map(|key| key["key"].to_string()).collect();
        assert!(keys(&other).iter().all(|key| !ours.contains(&key["key"].to_string())));
    }
}

#[test]
fn wrong_options_are_explained() {
    let taken = Demo::start(&[]);
    let address = taken.http().replace("http://localhost", "127.0.0.1");
    for (options, complaint) in [
        (&["--trust", "10.0.0.0/33"][..], "10.0.0.0/33"),
        (&["--https", "nowhere"], "--https"),
        (&["--seed", "x"], "--seed"),
        (&["--http", &address], "cannot listen"),
        (&["--http", "127.0.0.1:0", "--manifest", "/no/such/folder/file"], "/no/such/folder/file"),
    ] {
        let https: &[&str] =
            if options[0] == "--https" { &[] } else { &["--https", "127.0.0.1:0"] };
        let ended = Command::new(binary())
            .args(["--store", "memory"])
            .args(https)
            .args(options)
            .output()
            .unwrap();
        assert!(!ended.status.success(), "{options:?}");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(errors.contains(complaint), "{options:?}: {errors}");
        assert!(!errors.contains("panicked"), "{options:?}: {errors}");
    }
}

#[cfg(unix)]
#[test]
fn a_running_request_is_finished_at_the_end() {
    for signal in ["INT", "TERM"] {
        let mut demo = Demo::start(&[]);
        let tracker = url(&demo, "active", "/rest/tracker");
        let slow = std::thread::scope(|scope| {
            let request = scope.spawn(|| curl(&demo, &["-H", "Demo-Delay: 2000", &tracker]));
            std::thread::sleep(Duration::from_millis(700));
            demo.signal(signal);
            request.join().unwrap()
        });
        assert_eq!(slow.status, 200, "{signal}: {slow:?}");
        let deadline = Instant::now() + Duration::from_secs(10);
        let ended = loop {
            if let Some(status) = demo.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "{signal} does not end it");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(ended.success(), "{signal}: {ended}");
        let certificate = demo.certificate();
        assert!(!std::path::Path::new(certificate).exists(), "it leaves nothing behind");
    }
}
