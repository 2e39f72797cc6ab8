//! What the program `tower-api-key` prints: a key once, on standard output, when it is issued.

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
        }
    }
    assert!(out.contains("digest_begins") && out.contains("key_rotated"), "{out}");
    for canary in &canaries {
        canary.is_not_in(&out, "a command");
    }
}
