//! Personyze, through its demo routes.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::curl::{Answer, at_once, curl};
use crate::server::Demo;

const VENDOR: &str = "personyze";
const CHALLENGE: Option<&str> = Some(r#"Basic realm="Personyze", charset="UTF-8""#);

/// Writes a URL as the vendor's documentation does, the key in its userinfo.
pub(crate) fn url(demo: &Demo, label: &str, path: &str) -> String {
    let host = demo.https().trim_start_matches("https://");
    format!("https://api:{}@{host}{path}", demo.key(VENDOR, label))
}

#[track_caller]
fn is_text(answer: &Answer, status: u16, body: &str, challenge: Option<&str>) {
    answer.is_refusal(status, body, challenge);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("text/plain; charset=utf-8"));
}

#[test]
fn every_account_sees_its_own_users() {
    let demo = Demo::start(&[]);
    let path = "/rest/users/where/internal_id=1";
    let ours = curl(&demo, &[&url(&demo, "active", path)]);
    assert_eq!(ours.status, 200, "{ours:?}");
    assert_eq!(ours.json()[0]["internal_id"], 1);
    let theirs = curl(&demo, &[&url(&demo, "other_account", path)]);
    assert_ne!(ours.json(), theirs.json());

    let insert = r#"{"internal_id": 77, "email": "new@example.org"}"#;
    let users = url(&demo, "active", "/rest/users");
    let inserted = curl(&demo, &["-X", "POST", "-d", insert, &users]);
    assert_eq!(inserted.status, 200, "{inserted:?}");
    let path = "/rest/users/where/internal_id=77";
    let ours = curl(&demo, &[&url(&demo, "active", path)]);
    assert_eq!(ours.json(), json!([{ "internal_id": 77, "email": "new@example.org" }]));
    let theirs = curl(&demo, &[&url(&demo, "other_account", path)]);
    assert_eq!((theirs.status, theirs.json()), (200, json!([])));

    let head = curl(&demo, &["--head", &url(&demo, "active", path)]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for broken in ["{", "[1]", "\"text\"", r#"{"internal_id": -1}"#] {
        let answer = curl(&demo, &["-X", "POST", "-d", broken, &users]);
        assert_eq!(answer.status, 400, "{broken}: {answer:?}");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/plain; charset=utf-8"), "{broken}");
    }
}

#[test]
fn refusals_are_the_documented_ones() {
    let demo = Demo::start(&[]);
    let path = "/rest/users/where/internal_id=1";
    let plain = format!("{}{path}", demo.https());
    let key = demo.key(VENDOR, "active");
    let log_in: &[&[&str]] = &[
        &[],
        &["-H", "Authorization: Bearer FD09908F25BECB09D78EBEA1DADFB618651F612D"],
        &["-H", "Authorization: Basic !!!"],
        &["-H", "Authorization: Basic YXBp"],
        &["-u", &format!("admin:{key}")],
        &["-H", "Authorization: Basic YXBpOmtleQ==", "-H", "Authorization: Basic YXBpOmtleQ=="],
    ];
    for arguments in log_in {
        let answer = curl(&demo, &[*arguments, &[&plain]].concat());
        is_text(&answer, 401, "Please, log in", CHALLENGE);
    }
    let unknown = curl(&demo, &["-u", "api:not-a-key", &plain]);
    is_text(&unknown, 401, "Unknown API key", CHALLENGE);
    let revoked = curl(&demo, &[&url(&demo, "revoked", path)]);
    is_text(&revoked, 401, "Unknown API key", CHALLENGE);
    let unlisted = curl(&demo, &[&url(&demo, "unlisted", path)]);
    is_text(&unlisted, 400, "Invalid API key", None);
    for guarded in ["/rest", "/rest/", "/rest/anything/else"] {
        let answer = curl(&demo, &[&format!("{}{guarded}", demo.https())]);
        is_text(&answer, 401, "Please, log in", CHALLENGE);
    }
}

#[test]
fn one_insert_at_a_time_and_a_second_in_the_queue() {
    let demo = Demo::start(&[]);
    let users = url(&demo, "active", "/rest/users");
    let slow = ["-X", "POST", "-d", "{}", "-H", "Demo-Delay: 2500", &users];
    let start = Instant::now();
    let answers = at_once(&demo, 3, &slow);
    let (passed, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((passed.len(), refused.len()), (1, 2), "{passed:?} {refused:?}");
    for answer in &refused {
        is_text(answer, 400, "Too many simultaneous requests", None);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "the refused did not run");

    // Two that fit into the second of waiting both pass, one after the other.
    let quick = ["-X", "POST", "-d", "{}", "-H", "Demo-Delay: 300", &users];
    let start = Instant::now();
    let answers = at_once(&demo, 2, &quick);
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert!(start.elapsed() >= Duration::from_millis(600), "they ran at the same time");
}

#[test]
fn a_refused_insert_has_waited_a_second_and_other_accounts_none() {
    let demo = Demo::start(&[]);
    let ours = url(&demo, "active", "/rest/users");
    let theirs = url(&demo, "other_account", "/rest/users");
    let slow = ["-X", "POST", "-d", "{}", "-H", "Demo-Delay: 5000", &ours];
    std::thread::scope(|scope| {
        let first = scope.spawn(|| curl(&demo, &slow));
        std::thread::sleep(Duration::from_millis(500));
        let start = Instant::now();
        let second = curl(&demo, &["-X", "POST", "-d", "{}", &ours]);
        let waited = start.elapsed();
        is_text(&second, 400, "Too many simultaneous requests", None);
        assert!(waited >= Duration::from_secs(1), "{waited:?}");
        assert!(waited < Duration::from_secs(3), "{waited:?}");
        let other = curl(&demo, &["-X", "POST", "-d", "{}", &theirs]);
        assert_eq!(other.status, 200, "{other:?}");
        assert_eq!(first.join().unwrap().status, 200);
    });
}

#[test]
fn the_tracker_has_ten_seconds() {
    let demo = Demo::start(&[]);
    let tracker = url(&demo, "active", "/rest/tracker");
    assert_eq!(curl(&demo, &[&tracker]).status, 200);
    let start = Instant::now();
    let slow = curl(&demo, &["-H", "Demo-Delay: 14000", &tracker]);
    let waited = start.elapsed();
    is_text(&slow, 503, "Request took too long", None);
    assert!((10..13).contains(&waited.as_secs()), "{waited:?}");
}
