//! A key behind each option of the program `tower-api-key`: a complaint ends up in a log, so it does
//! not repeat what it complains of.

use std::collections::BTreeSet;

use crate::canary::Canary;
use crate::program::Program;

/// Each command, what it is called with, and an option that it cannot do without.
const COMMANDS: [(&[&str], &[&str]); 14] = [
    (&["keys", "create"], &["--account", "acme"]),
    (&["keys", "list"], &[]),
    (&["keys", "show", "one"], &[]),
    (&["keys", "edit", "one"], &[]),
    (&["keys", "rotate", "one"], &[]),
    (&["keys", "revoke", "two"], &[]),
    (&["keys", "delete", "two"], &[]),
    (&["keys", "import", "-"], &[]),
    (&["accounts", "list"], &[]),
    (&["accounts", "show", "acme"], &[]),
    (&["accounts", "save", "acme"], &[]),
    (&["accounts", "delete", "beta"], &[]),
    (&["trail"], &[]),
    (&["check"], &["--vendor", "polyteia"]),
];

/// What all commands have, which is tried with the first.
const GLOBAL: [&str; 8] =
    ["store", "table-prefix", "table-schema", "by", "reason", "json", "quiet", "help"];

/// The options behind which not just any word stands.
const PARTICULAR: [&str; 14] = [
    "after",
    "at",
    "expires",
    "from",
    "header",
    "limit",
    "metadata",
    "network",
    "not-before",
    "overlap",
    "pepper-file",
    "quota",
    "state",
    "vendor",
];

/// Lists the options that a command's help lists, and whether they take a value.
pub(crate) fn options(help: &str) -> Vec<(&str, bool)> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let named = lines.filter_map(|line| line.split_once("--"));
    let length = |rest: &str| rest.find(' ').unwrap_or(rest.len());
    named.map(|(_, rest)| (&rest[..length(rest)], rest[length(rest)..].starts_with(" <"))).collect()
}

#[test]
fn no_option_repeats_a_key_that_it_refuses() {
    let program = Program::new();
    let canary = Canary::new("key_", 40);
    let key = canary.key.as_str();
    program.run(&["keys", "create", "--account", "acme", "--id", "one"]).succeeded();
    let mut refused = BTreeSet::new();
    for (number, (command, needed)) in COMMANDS.into_iter().enumerate() {
        let help = program.run(&[command, &["-h"]].concat()).succeeded();
        let found = options(&help);
        assert!(GLOBAL.iter().all(|name| found.iter().any(|(option, _)| option == name)), "{help}");
        for (option, takes_value) in found {
            if number > 0 && GLOBAL.contains(&option) {
                continue;
            }
            let long = format!("--{option}");
            let needed = if needed.first() == Some(&long.as_str()) { &[][..] } else { needed };
            let assigned = format!("{long}={key}");
            let apart = [long.as_str(), key];
            let ways = [Some(&[assigned.as_str()][..]), takes_value.then_some(&apart)];
            for way in ways.into_iter().flatten() {
                let run = program.ask(&[command, needed, way].concat(), key);
                let what = format!("{command:?} with {way:?}");
                match run.code() {
                    // Another word might be the name of something, and is shown as such.
                    0 | 5 => assert!(takes_value, "{what}"),
                    code => {
                        canary.is_not_in(&run.everything(), &what);
                        // What is wrong is said all the same.
                        let named = run.everything().contains(&long);
                        assert!(named || code != 2, "{what}: {}", run.everything());
                        refused.insert(option.to_owned());
                    }
                }
            }
        }
    }
    let missing: Vec<_> = PARTICULAR.iter().filter(|name| !refused.contains(**name)).collect();
    assert!(missing.is_empty(), "nothing was refused behind {missing:?}");
}

/// What is expected is said, and of what was typed what cannot be a key.
#[test]
fn a_complaint_says_what_is_expected() {
    let program = Program::new();
    let create = ["keys", "create", "--account", "acme"];
    let check = ["check", "--vendor", "polyteia"];
    for (command, wrong, expected) in [
        (&create[..], &["--expires", "soon"][..], "2027-01-31T12:00:00Z"),
        (&create, &["--expires", "in a while"], "\"in 90 days\""),
        (&create, &["--not-before", "soon"], "2027-01-31T12:00:00Z"),
        (&create, &["--quota", "minute"], "NAME=LIMIT/WINDOW"),
        (&create, &["--quota", "a=1/soon"], "\"2 days\""),
        (&create, &["--metadata", "team"], "NAME=VALUE"),
        (&create, &["--vendor", "nobody"], "rest-integrations"),
        (&create, &["--network", "10.0.0.0/33"], "`10.0.0.0/33`"),
        (&create, &["--network", "somewhere"], "CIDR"),
        (&create, &["--pepper-file", "nowhere"], "pepper"),
        (&create, &["--acount", "acme"], "'--account'"),
        (&create, &["--acount", "acme"], "'--acount'"),
        (&create, &["-x"], "'-x'"),
        (&["keys", "rotate", "one"], &["--overlap=-1 day"], "must not be negative"),
        (&["keys", "rotate", "one"], &["--overlap", "soon"], "\"2 days\""),
        (&["keys", "list"], &["--state", "dead"], "active|disabled|revoked|expired"),
        (&["keys", "import"], &["nowhere"], "No such file"),
        (&["trail"], &["--limit", "many"], "a whole number, 1 or more"),
        (&["trail"], &["--limit", ""], "''"),
        (&create, &["--vendor", ""], "a value is required"),
        (&check, &["--from", "here"], "IP address"),
        (&check, &["--at", "noon"], "2027-01-31T12:00:00Z"),
        (&check, &["--plain-http=yes"], "'--plain-http'"),
        (&check, &["--header", "accept"], "colon"),
    ] {
        let run = program.ask(&[command, wrong].concat(), "key");
        assert!(run.everything().contains(expected), "{wrong:?}: {}", run.everything());
        assert!([1, 2, 4].contains(&run.code()), "{wrong:?}: {}", run.code());
    }
}

/// A key that begins like an option, or where no option is.
#[test]
fn what_is_no_option_of_ours_is_not_repeated() {
    let program = Program::new();
    let canary = Canary::new("", 40);
    let key = canary.key.as_str();
    let as_option = format!("--{key}");
    let assigned = format!("--token={key}");
    let twice = format!("--{key}={key}");
    let (short, bracketed) = (format!("-{key}"), format!("<{key}>"));
    let spaced = format!("-- {key}");
    for word in [&as_option, &assigned, &twice, &short, &bracketed, &spaced] {
        for command in [&[][..], &["keys"], &["keys", "list"], &["keys", "show", "one"]] {
            for before in [&[][..], &["--"]] {
                let arguments = [command, before, &[word.as_str()]].concat();
                let run = program.run(&arguments);
                assert_eq!(run.code(), 2, "{arguments:?}: {}", run.everything());
                canary.is_not_in(&run.everything(), &format!("{arguments:?}"));
            }
        }
    }
}
