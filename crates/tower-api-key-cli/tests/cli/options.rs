//! Options that have no effect on a command are refused with a reason; `--quiet` prints the result alone.

use crate::program::Program;

#[test]
fn options_without_effect_are_refused_with_a_reason() {
    let program = Program::new();
    program.run(&["keys", "create", "--account", "acme", "--id", "key_1"]).succeeded();
    let create = ["keys", "create", "--account", "acme"];
    for (arguments, word) in [
        (&["--by", "ada", "keys", "list"][..], "--by"),
        (&["keys", "show", "key_1", "--by", "ada"], "--by"),
        (&["accounts", "list", "--by", "ada"], "--by"),
        (&["trail", "--by", "ada"], "--by"),
        (&["check", "--vendor", "persona", "--by", "ada"], "--by"),
        (&["whose", "--by", "ada"], "--by"),
        (&["migrate", "--by", "ada"], "--by"),
        (&["keys", "list", "--reason", "x"], "--reason"),
        (&["keys", "import", "-", "--reason", "x"], "--reason"),
        (&["keys", "edit", "key_1", "--reason", "x"], "add at least one setting"),
        (&["--json", "keys", "revoke", "key_1"], "--json"),
        (&["--json", "keys", "delete", "key_1"], "--json"),
        (&["keys", "import", "--json", "-"], "--json"),
        (&["accounts", "save", "acme", "--json"], "--json"),
        (&["accounts", "delete", "acme", "--json"], "--json"),
        (&["migrate", "--json"], "--json"),
        (&["--quiet", "keys", "list"], "--quiet"),
        (&["keys", "show", "key_1", "-q"], "--quiet"),
        (&["accounts", "show", "acme", "--quiet"], "--quiet"),
        (&["trail", "--quiet"], "--quiet"),
        (&[&create[..], &["--inherit-scopes"]].concat(), "--inherit-scopes"),
        (&[&create[..], &["--any-network"]].concat(), "--any-network"),
        (&[&create[..], &["--inherit-quotas"]].concat(), "--inherit-quotas"),
        (&[&create[..], &["--never-expires"]].concat(), "--never-expires"),
        (&[&create[..], &["--enable"]].concat(), "--enable"),
        (&["keys", "edit", "key_1"], "add at least one setting"),
        (&["keys", "edit", "key_1", "--table-prefix", "own_"], "add at least one setting"),
        (&[&create[..], &["--no-audience"]].concat(), "--no-audience"),
        (&["keys", "list", "--limit", "0"], "--limit"),
        (&["trail", "--limit", "0"], "--limit"),
        (&["trail", "prune"], "--before"),
        (&["trail", "--after", "3", "prune", "--before", "1 day ago"], "--after"),
        (&["trail", "prune", "--before", "1 day ago", "--by", "ada"], "--by"),
        (&["keys", "edit", "key_1", "--no-scopes", "--scope", "read"], "--no-scopes"),
        (&["keys", "edit", "key_1", "--no-scopes", "--inherit-scopes"], "--inherit-scopes"),
    ] {
        let refused = program.run(arguments);
        assert_eq!(refused.code(), 2, "{arguments:?}: {}", refused.everything());
        assert!(refused.everything().contains(word), "{arguments:?}: {}", refused.everything());
    }
    let header = ["check", "--vendor", "persona", "--header", "Authorization: Bearer x"];
    let refused = program.ask(&header, "key");
    assert_eq!(refused.code(), 4);
    assert!(refused.everything().contains("--basic"), "{}", refused.everything());
    program.run(&["keys", "show", "key_1"]).succeeded();
    for meant in [
        &["--by", "ada", "keys", "edit", "key_1", "--any-network", "--json"][..],
        &["keys", "edit", "key_1", "--quiet", "--enable"],
        &["--quiet", "keys", "revoke", "key_1"],
        &["--quiet", "migrate"],
    ] {
        program.run(meant).succeeded();
    }
}

#[test]
fn a_quiet_check_says_one_line() {
    let program = Program::new();
    let key = program.run(&["--quiet", "keys", "create", "--account", "acme", "--id", "key_1"]);
    let key = key.succeeded();
    let check = ["check", "--vendor", "rest-integrations", "--path", "/v1/users"];
    program.run(&["keys", "edit", "key_1", "--scope", "users.read"]).succeeded();
    for (path, code, said) in
        [("/v1/users", 0, "admitted: key_1\n"), ("/elsewhere", 5, "refused: ")]
    {
        let check = ["--quiet", "check", "--vendor", "rest-integrations", "--path", path];
        let run = program.ask(&check, &key);
        let text = run.everything();
        assert_eq!((run.code(), text.lines().count()), (code, 1), "{text}");
        assert!(text.starts_with(said), "{text}");
    }
    assert!(program.ask(&check, &key).everything().lines().count() > 10);
}

#[test]
fn a_key_can_have_no_scopes_at_all() {
    let program = Program::new();
    program.run(&["accounts", "save", "acme", "--scope", "users.read"]).succeeded();
    let create = ["--quiet", "keys", "create", "--account", "acme", "--id", "key_1", "--no-scopes"];
    let key = program.run(&create).succeeded();
    let check = ["--quiet", "check", "--vendor", "rest-integrations", "--path", "/v1/users"];
    assert_eq!(
        program.run(&["--json", "keys", "show", "key_1"]).json()["scopes"],
        serde_json::json!([])
    );
    let shown = program.run(&["keys", "show", "key_1"]).succeeded();
    assert!(shown.lines().any(|line| line.contains("scopes") && line.contains("none")), "{shown}");
    assert_eq!(program.ask(&check, &key).code(), 5);
    program.run(&["keys", "edit", "key_1", "--inherit-scopes"]).succeeded();
    assert_eq!(program.ask(&check, &key).code(), 0);
    program.run(&["keys", "edit", "key_1", "--no-scopes"]).succeeded();
    assert_eq!(program.ask(&check, &key).code(), 5);
}
