//! What the demo prints: its keys when it begins, which is how one gets to know them, and nothing of any
//! key from then on.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use crate::canary::{Canary, basic};
use crate::demo_server::{Demo, binary};
use crate::folder::Folder;
use crate::options::options;

/// Sends a request, and returns its body.
fn curl(demo: &Demo, base: &str, path: &str, lines: &[String]) -> String {
    let mut curl = Command::new("curl");
    curl.args([
        "-q",
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--noproxy",
        "*",
        "--include",
    ]);
    curl.args(["--cacert", demo.certificate(), "-X", "POST"]);
    for line in lines {
        curl.args(["-H", line]);
    }
    let answer = curl.arg(format!("{base}{path}")).output().expect("this test needs curl");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).unwrap()
}

#[test]
fn the_demo_prints_no_key_that_it_is_sent() {
    let folder = Folder::new();
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    let [to_out, to_err] = [&out, &err].map(|path| Stdio::from(File::create(path).unwrap()));
    let demo = Demo::start_printing(&[], to_out, to_err);
    let organization = &demo.manifest["organizations"][0];
    let id = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    let (organization, user) = (id(organization), id(&organization["users"][0]));
    let keys_of_a_user = format!("/api/organizations/{organization}/users/{user}/keys");
    let first = curl(&demo, demo.https(), "/", &[]);
    assert!(first.starts_with("HTTP/"), "it serves, so it has said where: {first}");
    let said = fs::read_to_string(&out).unwrap();
    let stranger = Canary::new("canary_", 40);
    let mut known = vec![stranger];
    let mut statuses = String::new();
    for key in demo.manifest["keys"].as_array().unwrap() {
        let key = key["key"].as_str().unwrap();
        let prefix = key.rfind('_').map_or(0, |at| at + 1);
        assert!(said.contains(key), "it is announced");
        known.push(Canary::of(key, prefix));
    }
    let mut issued = Vec::new();
    for canary in &known {
        let key = &canary.key;
        let bearer = format!("Authorization: Bearer {key}");
        let version = "X-Polytomic-Version: 2024-02-08".to_owned();
        for path in ["/rest/users", "/v1/users", "/api", "/api/v1/inquiries", &keys_of_a_user] {
            for base in [demo.https(), demo.http()] {
                let lines = [bearer.clone(), version.clone()];
                let answer = curl(&demo, base, path, &lines);
                statuses += &answer[..16];
                if let Some((_, rest)) = answer.split_once(r#"{"data":{"value":""#) {
                    issued.push(Canary::of(rest.split('"').next().unwrap(), 8));
                }
            }
        }
        let lines = [format!("Authorization: {}", basic("api", key)), version];
        curl(&demo, demo.https(), &format!("/rest/users/{key}?key={key}"), &lines);
        curl(&demo, demo.https(), "/v1/users", &[format!("{bearer}%")]);
        curl(&demo, demo.https(), "/v1/users", &[bearer.clone(), bearer]);
    }
    // One key has few requests.
    let tight = format!("Authorization: Bearer {}", demo.key("rest_integrations", "tight"));
    for _ in 0..5 {
        statuses += &curl(&demo, demo.https(), "/v1/users", std::slice::from_ref(&tight))[..16];
    }
    for status in [" 200", " 401", " 403", " 429"] {
        assert!(statuses.contains(status), "{status}: {statuses}");
    }
    assert!(!issued.is_empty(), "a partner's key issues keys");
    let later = fs::read_to_string(&out).unwrap();
    assert_eq!(later, said, "nothing is said but at the beginning");
    let errors = fs::read_to_string(&err).unwrap();
    for canary in known.iter().chain(&issued) {
        canary.is_not_in(&errors, "standard error");
    }
    for canary in issued.iter().chain(&known[..1]) {
        canary.is_not_in(&later, "standard output");
    }
}

#[test]
fn the_demo_repeats_no_key_that_is_a_bad_value() {
    let help = Command::new(binary()).arg("-h").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let canary = Canary::new("key_", 40);
    let key = canary.key.as_str();
    let mut refused = 0;
    for (option, takes_value) in options(&help) {
        // Any word names a file.
        if option == "manifest" {
            continue;
        }
        let value = format!("--{option}={key}");
        let https: &[&str] = if option == "https" { &[] } else { &["--https=127.0.0.1:0"] };
        let http: &[&str] = if option == "http" { &[] } else { &["--http=127.0.0.1:0"] };
        let store: &[&str] = if option == "store" { &[] } else { &["--store=memory"] };
        let apart = [format!("--{option}"), key.to_owned()];
        let ways: [Option<&[String]>; 2] =
            [Some(std::slice::from_ref(&value)), takes_value.then_some(&apart)];
        for way in ways.into_iter().flatten() {
            let ended =
                Command::new(binary()).args([https, http, store].concat()).args(way).output();
            let ended = ended.unwrap();
            assert!(!ended.status.success(), "{way:?}");
            let errors = String::from_utf8_lossy(&ended.stderr);
            assert!(!errors.is_empty() && ended.stdout.is_empty(), "{way:?}: {errors}");
            canary.is_not_in(&errors, &format!("{way:?}"));
            refused += 1;
        }
    }
    assert!(refused > 15, "{refused}");
    for word in [key.to_owned(), format!("--{key}"), format!("<{key}>")] {
        let ended = Command::new(binary()).args(["--store=memory", &word]).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{word}");
        canary.is_not_in(&String::from_utf8_lossy(&ended.stderr), &word);
    }
}
