//! What the program `tower-api-key` prints: a key once, on standard output, when it is issued.

use serde_json::json;

use crate::canary::Canary;
use crate::program::Program;

/// The characters before a key's secret part: `key_`.
const PREFIX: usize = 4;

/// Issues a key in a way of its own, and sees that it is said once and nowhere else.
fn issue(program: &Program, arguments: &[&str]) -> Canary {
    let run = program.run(arguments);
    let printed = run.succeeded();
    let at = printed.find("key_").filter(|_| !arguments.contains(&"--json"));
    let key = match at {
        Some(at) => printed[at..].split_whitespace().next().unwrap().to_owned(),
        None => run.json()["secret"].as_str().unwrap().to_owned(),
    };
    let canary = Canary::of(&key, PREFIX);
    let rest = run.everything().replacen(&key, "", 1);
    canary.is_not_in(&rest, &format!("{arguments:?}, but for the key itself"));
    canary
}

#[test]
fn a_key_is_printed_once() {
    let program = Program::new();
    let create = ["keys", "create", "--account", "acme", "--id"];
    let first = issue(&program, &[&create[..], &["one"]].concat());
    let second = issue(&program, &[&["--json"], &create[..], &["two"]].concat());
    let third = issue(&program, &[&["--quiet"], &create[..], &["three"]].concat());
    let fourth = issue(&program, &["keys", "rotate", "one", "--overlap", "2 hours"]);
    let canaries = [first, second, third, fourth];

    let mut out = String::new();
    for arguments in [
        &["keys", "list"][..],
        &["keys", "show", "one"],
        &["keys", "edit", "one", "--name", "ours"],
        &["keys", "create", "--account", "acme", "--id", "one"], // there is one
        &["trail"],
        &["accounts", "list"],
        &["keys", "revoke", "two"],
        &["keys", "delete", "two"],
        &["keys", "show", "two"],
        &["--help"],
    ] {
        out += &program.run(arguments).everything();
        out += &program.run(&[&["--json"], arguments].concat()).everything();
    }
    let check = ["check", "--vendor", "polyteia", "--path", "/api"];
    for canary in &canaries {
        for key in [canary.key.clone(), format!("{}x", canary.key), format!(" {}", canary.key)] {
            for more in [
                &[][..],
                &["--json"],
                &["--plain-http"],
                &["--basic", "api"],
                &["--header", "content-type: application/json"],
            ] {
                out += &program.ask(&[&check[..], more].concat(), &key).everything();
            }
            for more in [&[][..], &["--json"], &["--quiet"]] {
                out += &program.ask(&[&["whose"], more].concat(), &key).everything();
            }
        }
    }
    assert!(out.contains("digest_begins") && out.contains("key_rotated"), "{out}");
    for canary in &canaries {
        canary.is_not_in(&out, "a command");
    }
}

/// A key in the wrong place is a mistake that happens; it is not repeated into a log.
#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    let program = Program::new();
    let canary = Canary::new("key_", 40);
    let key = canary.key.as_str();
    let check = ["check", "--vendor", "polyteia"];
    let of = |field: &str| {
        let mut line = json!({ "digest": "0".repeat(64), "id": "one", "account": "acme" });
        line[field] = json!(key);
        line.to_string()
    };
    let list = |field: &str| {
        let mut line = json!({ "digest": "0".repeat(64), "id": "one", "account": "acme" });
        line[field] = json!([format!("{key} ")]);
        line.to_string()
    };
    let mut out = String::new();
    for arguments in [
        &[key][..],
        &["keys", key],
        &[&check[..], &[key]].concat(),
        &["keys", "show", key],
        &["keys", "revoke", key],
        &["keys", "rotate", key],
        &["keys", "list", key],
        &["keys", "create", key],
        &["trail", key],
        &["whose", key],
        &["whose", "--pepper-file", key],
    ] {
        let run = program.ask(arguments, key);
        assert_ne!(run.code(), 0, "{arguments:?}");
        canary.is_not_in(&run.everything(), &format!("{arguments:?}"));
        out += &run.everything();
    }
    for (number, content) in [
        key.to_owned(),
        json!(key).to_string(),
        json!([key]).to_string(),
        json!({ key: key }).to_string(),
        of("digest"),
        of("scopes"),
        list("networks"),
        list("scopes"),
        of("networks"),
        of(key),
        of("expires"),
        of("form"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = program.file(&format!("keys_{number}.jsonl"), &content);
        let run = program.run(&["keys", "import", &file]);
        assert_eq!(run.code(), 4, "{content}: {}", run.everything());
        canary.is_not_in(&run.everything(), &content);
        out += &run.everything();
    }
    assert!(out.contains("line 1") && out.contains("expected"), "what is wrong is said: {out}");
}
