//! Tests the needs of an operator in an incident: several keys to revoke, a closed output, a secret in the middle
//! of a leaked text.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::program::Program;

fn issued(program: &Program, id: &str, more: &[&str]) -> String {
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", id];
    program.run(&[&create[..], more].concat()).succeeded().trim_end().to_owned()
}

#[test]
fn keys_behind_one_that_there_is_not_are_ended_too() {
    let program = Program::new();
    for (command, state, code) in [("revoke", "revoked", 3), ("delete", "deleted", 3)] {
        for id in ["key_1", "key_2"] {
            let create = ["keys", "create", "--account", "acme", "--id", id];
            program.run(&create);
        }
        let run = program.run(&["keys", command, "key_1", "mistyped", "key_2"]);
        assert_eq!(run.code(), code);
        let said = run.everything();
        for words in [
            format!("key_1 is {state}"),
            format!("key_2 is {state}"),
            "key 2 of 3: there is no such key, account or policy".to_owned(),
            format!("1 of 3 keys could not be {state}"),
        ] {
            assert!(said.contains(&words), "{said}");
        }
        assert!(!said.contains("mistyped"), "it may be a secret: {said}");
    }
    let alone = program.run(&["keys", "revoke", "mistyped"]);
    assert_eq!((alone.code(), alone.everything().lines().count()), (3, 1));
}

#[test]
fn a_new_secret_is_refused_where_no_gate_of_the_vendor_takes_it() {
    let program = Program::new();
    issued(&program, "key_1", &[]);
    let rotate = ["keys", "rotate", "key_1", "--vendor", "polytomic"];
    let refused = program.run(&rotate);
    assert_eq!(refused.code(), 4);
    assert!(refused.everything().contains("--kind partner"), "{}", refused.everything());
    program.run(&["--quiet", "keys", "edit", "key_1", "--kind", "partner"]).succeeded();
    assert!(program.run(&rotate).succeeded().starts_with("pk_live_"));
    let long = "a".repeat(500);
    let create = ["keys", "create", "--account", "acme", "--prefix", &long];
    let refused = program.run(&create);
    assert_eq!(refused.code(), 4);
    assert!(refused.everything().contains("shorten"), "{}", refused.everything());
}

#[test]
fn a_key_that_will_never_serve_is_issued_with_a_word() {
    let program = Program::new();
    for (times, says) in [
        (&["--expires", "2020-01-01T00:00:00Z"][..], true),
        (&["--expires", "in 1 day", "--not-before", "in 2 days"], true),
        (&["--expires", "in 2 days", "--not-before", "in 1 day"], false),
    ] {
        let run = program.run(&[&["keys", "create", "--account", "acme"], times].concat());
        assert_eq!(run.code(), 0);
        assert_eq!(run.everything().contains("never be accepted"), says, "{}", run.everything());
    }
}

#[test]
fn a_rotation_that_fails_changes_nothing() {
    let program = Program::new();
    issued(&program, "key_1", &[]);
    let form = || program.run(&["--json", "keys", "show", "key_1"]).json()["form"].clone();
    let before = form();
    program.run(&["keys", "revoke", "key_1"]).succeeded();
    assert_eq!(program.run(&["keys", "rotate", "key_1", "--prefix", "other_"]).code(), 4);
    assert_eq!(form(), before);
    let trail = program.run(&["--json", "trail"]).json();
    let actions: Vec<_> =
        trail.as_array().unwrap().iter().map(|change| change["action"].clone()).collect();
    assert!(!actions.contains(&json!("key_updated")), "{actions:?}");
}

#[test]
fn a_secret_is_found_in_the_middle_of_what_leaked() {
    let program = Program::new();
    let secret = issued(&program, "key_1", &["--vendor", "rest-integrations"]);
    for text in [
        format!("\"{secret}\""),
        format!("'{secret}',\n"),
        format!("export API_KEY=\"{secret}\""),
        format!("GET / HTTP/1.1\r\nAuthorization: Bearer {secret}\r\nAccept: */*\r\n"),
        format!("curl -u api:{secret} https://api.example"),
        format!("https://api.example/?a=b&key={secret}#top"),
        format!("{{\"key\": \"{secret}\"}}"),
        format!("it is {secret}."),
    ] {
        let found = program.ask(&["--quiet", "whose"], &text);
        assert_eq!(found.succeeded(), "key_1\n", "{text}");
        assert!(!found.everything().contains(&secret), "the secret is printed");
    }
    let spaced = format!("\n {secret} \n\n");
    program.run(&["accounts", "save", "acme", "--scope", "users.read"]).succeeded();
    let check = ["--quiet", "check", "--vendor", "rest-integrations", "--path", "/v1/users"];
    assert_eq!(program.ask(&check, &spaced).succeeded(), "admitted: key_1\n");
}

/// A full output does not change the exit code, and a lost secret is reported.
#[cfg(target_os = "linux")]
#[test]
fn full_and_closed_outputs_are_no_panic() {
    let program = Program::new();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = |arguments: &[&str], out: Stdio, err: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tower-api-key"));
        let command = command.args(arguments).env("TOWER_API_KEY_STORE", program.store());
        command.stdout(out).stderr(err).spawn().unwrap().wait_with_output().unwrap()
    };
    for (arguments, code) in [
        (&["accounts", "save", "acme"][..], 0),
        (&["keys", "revoke", "nobody"], 3),
        (&["keys", "frobnicate"], 2),
        (&["keys", "list"], 1),
    ] {
        let run = run(arguments, full().into(), full().into());
        assert_eq!(run.status.code(), Some(code), "{arguments:?}");
    }
    let create = ["keys", "create", "--account", "acme", "--id", "key_1"];
    let lost = run(&create, full().into(), Stdio::piped());
    let said = String::from_utf8(lost.stderr).unwrap();
    assert_eq!(lost.status.code(), Some(1));
    assert!(said.contains("lost") && said.contains("keys rotate"), "{said}");
}
