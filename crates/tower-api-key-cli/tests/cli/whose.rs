//! Tests that `whose` finds the key of a leaked secret, in whatever state the key is.

use serde_json::json;

use crate::program::Program;

fn issued(program: &Program, id: &str, more: &[&str]) -> String {
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", id];
    program.run(&[&create[..], more].concat()).succeeded().trim_end().to_owned()
}

#[test]
fn a_leaked_secret_is_found_whatever_became_of_its_key() {
    let program = Program::new();
    let states = ["active", "revoked", "disabled", "expired"];
    let secrets = states.map(|state| {
        let past = ["--expires", "2020-01-01T00:00:00Z"];
        issued(&program, state, if state == "expired" { &past } else { &[] })
    });
    program.run(&["keys", "revoke", "revoked"]).succeeded();
    program.run(&["keys", "edit", "disabled", "--disable"]).succeeded();
    for (state, secret) in states.into_iter().zip(&secrets) {
        let found = program.ask(&["--json", "whose"], secret);
        assert_eq!(found.code(), 0, "{}", found.everything());
        for (field, value) in [("id", state), ("account", "acme"), ("state", state)] {
            assert_eq!(found.json()[field], json!(value));
        }
        let shown = program.ask(&["whose"], &format!("Authorization: Bearer {secret}\n"));
        let text = shown.succeeded();
        assert!(text.contains(state) && text.contains("acme"), "{text}");
        assert_eq!(program.ask(&["--quiet", "whose"], secret).succeeded(), format!("{state}\n"));
        for run in [found, shown] {
            assert!(!run.everything().contains(secret), "the secret is printed");
        }
    }
}

#[test]
fn a_secret_that_was_rotated_away_is_found() {
    let program = Program::new();
    let old = issued(&program, "key_1", &[]);
    let rotate = ["--quiet", "keys", "rotate", "key_1", "--overlap", "0 seconds"];
    let new = program.run(&rotate).succeeded();
    let found = program.ask(&["--json", "whose"], new.trim_end()).json();
    assert_eq!((&found["id"], &found["state"]), (&json!("key_1"), &json!("active")));
    let found = program.ask(&["--json", "whose"], &old).json();
    assert_eq!((&found["id"], &found["state"]), (&json!("key_1"), &json!("expired")));
}

#[test]
fn a_key_is_listed_by_the_last_characters_of_a_secret_that_was_issued_with_them() {
    let program = Program::new();
    let without = issued(&program, "without", &[]);
    let first = issued(&program, "with", &["--keep-tail"]);
    let rotate = ["--quiet", "keys", "rotate", "with", "--keep-tail"];
    let second = program.run(&rotate).succeeded().trim_end().to_owned();
    for (secret, expected) in
        [(&without, json!([])), (&first, json!(["with"])), (&second, json!(["with"]))]
    {
        let tail = &secret[secret.len() - 4..];
        let listed = program.run(&["--json", "keys", "list", "--tail", tail]).json();
        let ids: Vec<_> = listed.as_array().unwrap().iter().map(|key| key["id"].clone()).collect();
        assert_eq!(json!(ids), expected, "{tail}");
    }
    let shown = program.run(&["--json", "keys", "show", "with"]).json();
    assert_eq!(shown["secrets"][0]["tail"], json!(second[second.len() - 4..]));
    let wrong = program.run(&["keys", "list", "--tail", &first]);
    assert_eq!(wrong.code(), 2, "{}", wrong.everything());
}

#[test]
fn a_pepper_is_tried_besides_none() {
    let program = Program::new();
    let pepper = program.file("pepper", "32 bytes of the random generator\n");
    let other = program.file("other", "another 32 bytes of the generator\n");
    let plain = issued(&program, "plain", &[]);
    let peppered = issued(&program, "peppered", &["--pepper-file", &pepper]);
    let both = ["--json", "whose", "--pepper-file", &other, "--pepper-file", &pepper];
    for (secret, id) in [(&plain, "plain"), (&peppered, "peppered")] {
        assert_eq!(program.ask(&both, secret).json()["id"], id);
    }
    let unknown = program.ask(&["--json", "whose"], &peppered);
    assert_eq!((unknown.code(), &unknown.json()["state"]), (3, &json!("unknown")));
    assert!(unknown.everything().contains("--pepper-file"), "{}", unknown.everything());
    assert!(!unknown.everything().contains(&peppered));
}

#[test]
fn a_secret_has_to_be_there_and_is_not_cut_off() {
    let program = Program::new();
    program.run(&["migrate"]).succeeded();
    for secret in ["", "\n", &"x".repeat(4_097)] {
        for command in [&["whose"][..], &["check", "--vendor", "persona"]] {
            let refused = program.ask(command, secret);
            assert_eq!(refused.code(), 4, "{}", refused.everything());
        }
    }
}
