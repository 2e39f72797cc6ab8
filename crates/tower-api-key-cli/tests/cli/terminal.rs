//! Tests that no name reaches the terminal as a control sequence, wherever it is printed.

use crate::program::{Program, Run};

/// Names that clear a screen, overwrite a line, forge a row, or reverse a line.
const HOSTILE: [&str; 5] = [
    "a\u{1b}]0;pwned\u{7}\u{1b}[2J",
    "eve\r\u{1b}[31m",
    "a\nkey_9  acme  forged",
    "a\u{202e}\u{2066}gpj.exe",
    "a\u{9b}31m\u{7f}\u{85}b",
];

/// Checks the bytes, as a terminal reads them.
fn is_harmless(bytes: &[u8]) -> bool {
    let control = bytes.iter().any(|byte| (*byte < b' ' && *byte != b'\n') || *byte == 0x7f);
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    let c1 = (0x80..=0x9f).any(|byte| has(&[0xc2, byte]));
    let bidi = (0xa8..=0xae).chain([0x8e, 0x8f]).any(|byte| has(&[0xe2, 0x80, byte]));
    !(control || c1 || bidi || (0xa6..=0xa9).any(|byte| has(&[0xe2, 0x81, byte])))
}

fn check(run: &Run, what: &str) {
    let everything = run.everything();
    assert!(is_harmless(everything.as_bytes()), "{what}: {everything:?}");
}

#[test]
fn nothing_that_is_printed_is_a_command() {
    let program = Program::new();
    for (number, name) in HOSTILE.into_iter().enumerate() {
        let id = format!("key_{number}");
        let metadata = format!("{name}={name}");
        // A store may refuse such a name; then its error is checked.
        for setting in ["--name", "--description", "--owner", "--metadata", "--kind", "--id"] {
            let value = if setting == "--metadata" { &metadata } else { name };
            let id = if setting == "--id" { vec![] } else { vec!["--id", id.as_str()] };
            let create = ["--by", name, "keys", "create", "--account", "acme", setting, value];
            check(&program.run(&[&create[..], &id].concat()), setting);
            program.run(&["keys", "delete", &format!("key_{number}")]);
        }
        for arguments in [
            &["keys", "create", "--account", name][..],
            &["keys", "show", name],
            &["keys", "revoke", name],
            &["accounts", "delete", name],
            &["accounts", "save", name],
            &["keys", "list", "--owner", name],
            &["keys", "import", name],
            &["keys", name],
            &["keys", "list", name],
            &["keys", "list", &format!("--{name}")],
            &["keys", "list", "-\u{1b}"],
            &["--store", name, "keys", "list"],
            &["keys", "create", "--account", "acme", "--prefix", name],
            &["keys", "create", "--account", "acme", "--pepper-file", name],
        ] {
            check(&program.run(arguments), &arguments.join(" "));
        }
        let create = ["--by", name, "keys", "create", "--account", "acme", "--name", name, "--id"];
        program.run(&[&create[..], &[&id]].concat());
    }
    for arguments in [
        &["keys", "list"][..],
        &["trail"],
        &["accounts", "list"],
        &["keys", "show", "key_0"],
        &["keys", "edit", "key_0", "--disable"],
    ] {
        check(&program.run(arguments), &arguments.join(" "));
        let json = program.run(&[&["--json"], arguments].concat());
        check(&json, &arguments.join(" "));
        if json.code() == 0 {
            json.json();
        }
    }
    let rows = program.run(&["keys", "list"]).succeeded();
    let keys = program.run(&["--json", "keys", "list"]).json().as_array().unwrap().len();
    assert_eq!(rows.trim_end().lines().count(), keys + 1, "a row is forged: {rows}");
}
