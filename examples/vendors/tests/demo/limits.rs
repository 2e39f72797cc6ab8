//! Two demos that count in one Redis.

use std::process::Command;

use crate::curl::{NOWHERE, bearer};
use crate::redis_server::Redis;
use crate::server::Demo;

/// Sends so many requests over one connection; how each was answered.
fn statuses(demo: &Demo, requests: usize) -> Vec<u16> {
    let sent = Command::new("curl")
        .args(["-q", "--silent", "--noproxy", "*", "--cacert", demo.certificate()])
        .args(["-H", &bearer(demo, "rest_integrations", "active")])
        .args(["--output", NOWHERE, "--write-out", "%{http_code}\n"])
        .arg(format!("{}/v1/users?n=[1-{requests}]", demo.https()))
        .output()
        .unwrap();
    let text = String::from_utf8(sent.stdout).unwrap();
    text.lines().map(|status| status.parse().unwrap()).collect()
}

fn passed(statuses: &[u16]) -> usize {
    statuses.iter().filter(|status| **status == 200).count()
}

/// The same keys at every start.
fn demo(limits: &str, others: &[&str]) -> Demo {
    Demo::start(&[&["--seed", "7", "--limits", limits], others].concat())
}

#[test]
fn two_demos_on_one_redis_share_a_limit() {
    let Some(server) = Redis::start() else { return };
    for lease in ["", "?lease=20"] {
        server.ask::<()>(&["FLUSHALL"]);
        let limits = server.url() + lease;
        let (one, other) = (demo(&limits, &[]), demo(&limits, &[]));
        let (first, second) = (statuses(&one, 60), statuses(&other, 80));
        let (first, second) = (passed(&first), passed(&second));
        assert_eq!(first, 60, "{lease}");
        // Of a hundred a minute; what the first one still holds of a lease nobody else has.
        let most = if lease.is_empty() { 40..=40 } else { 20..=40 };
        assert!(most.contains(&second), "{lease}: {second}");
        let rest = passed(&statuses(&one, 40));
        assert!(first + second + rest <= 100, "{first} + {second} + {rest}");
        assert!(first + second + rest >= 90, "{first} + {second} + {rest}");
    }
}

#[test]
fn a_demo_does_what_was_chosen_when_redis_is_gone() {
    for (choice, expected) in [
        (&["--on-limiter-failure", "deny"][..], (0, 503)),
        (&["--on-limiter-failure", "allow"], (110, 200)),
        (&["--on-limiter-failure", "local", "--nodes", "2"], (50, 429)),
    ] {
        let Some(mut server) = Redis::start() else { return };
        let demo = demo(&server.url(), choice);
        assert_eq!(passed(&statuses(&demo, 5)), 5);
        server.kill();
        let answers = statuses(&demo, 110);
        assert_eq!((passed(&answers), *answers.last().unwrap()), expected, "{choice:?}");
    }
}

#[test]
fn limits_that_are_nowhere_are_refused_at_the_start() {
    for limits in ["redis", "postgres://localhost", "redis://localhost?lease=0", "redis://h?x=1"] {
        let started = Command::new(crate::server::binary()).args(["--limits", limits]).output();
        let started = started.unwrap();
        assert!(!started.status.success(), "{limits}");
        assert!(String::from_utf8_lossy(&started.stderr).contains("--limits"), "{limits}");
    }
}
