//! Files of front doors: `config`, and `check --config`.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::program::Program;

/// A gate with a pepper, whose keys come in a header, and which names the database.
fn gate(store: &str) -> String {
    format!(
        r#"
routes = [{{ path = "/users", all_of = ["users.read"] }}]
pepper = {{ file = "pepper" }}

[store]
url = "{store}"

[profile]
base = "standard"
formats = [{{ segments = [{{ characters = {{ alphabet = "token", at_least = 16, at_most = 99 }} }}] }}]
credentials = [{{ scheme = {{ header = "x-api-key" }} }}]
"#
    )
}

#[test]
fn a_printed_file_describes_a_front_door() {
    let program = Program::new();
    for vendor in [
        "persona",
        "personyze",
        "polyteia",
        "polytomic",
        "polytomic-on-premises",
        "rest-integrations",
        "standard",
    ] {
        let printed = program.run(&["config", "print", "--vendor", vendor]).succeeded();
        let file = program.file("gate.toml", &printed);
        let checked = program.run(&["config", "check", &file]);
        assert_eq!((checked.code(), checked.stdout()), (0, String::new()), "{vendor}");
        assert!(checked.everything().contains("gate.toml describes a front door"), "{vendor}");
    }
    assert!(!program.path("keys.db").exists(), "no database was opened");
}

#[test]
fn an_address_that_no_front_door_opens_is_a_mistake_with_its_line() {
    let program = Program::new();
    let (sqlite, memory) = ("[store]\nurl = 'sqlite:keys.db'", "[limiter]\nurl = 'memory:'");
    for (store, limiter, field) in [
        (sqlite, memory, None),
        ("[store]\nurl = 'memory:'", memory, None),
        ("[store]\nurl = 'postgres://ada:hunter2@10.0.0.5/app'", memory, None),
        (sqlite, "[limiter]\nurl = 'redis://:hunter2@10.0.0.5'", None),
        (sqlite, "[limiter]\nurl = 'memory'", Some("limiter.url")),
        (sqlite, "[limiter]\nurl = 'hunter2'", Some("limiter.url")),
        (sqlite, "[limiter]\nurl = 'http://hunter2@10.0.0.5'", Some("limiter.url")),
        (sqlite, "[limiter]\nurl = 'redis://:hunter2@10.0.0.5:port'", Some("limiter")),
        (sqlite, "[limiter]\nurl = 'redis://a'\nprefix = '{a'", Some("limiter")),
        (sqlite, "[limiter]\nurl = 'redis://a'\nmore_urls = ['redis://b']", Some("limiter")),
        ("[store]\nurl = 'keys.db'", memory, Some("store.url")),
        ("[store]\nurl = 'memory'", memory, Some("store.url")),
        ("[store]\nurl = 'mysql://hunter2@10.0.0.5/app'", memory, Some("store.url")),
        ("[store]\nurl = 'sqlite:'", memory, Some("store")),
        ("[store]\nurl = 'postgres://ada:hunter2@10.0.0.5/app?sslmod=x'", memory, Some("store")),
        ("[store]\nurl = 'sqlite:keys.db'\nschema = 'a'", memory, Some("store")),
    ] {
        let text = format!("[profile]\nbase = \"standard\"\n{store}\n{limiter}\n");
        let file = program.file("gate.toml", &text);
        let checked = program.run(&["--json", "config", "check", &file]);
        let mistakes = checked.json();
        let found = mistakes[0]["field"].as_str();
        assert_eq!(found, field, "{text}: {}", checked.everything());
        assert_eq!(checked.code(), if field.is_some() { 4 } else { 0 }, "{text}");
        assert!(field.is_none() || mistakes[0]["line"].is_u64(), "{mistakes}");
        assert!(!checked.everything().contains("hunter2"), "{}", checked.everything());
    }
    assert!(!program.path("keys.db").exists(), "no database was opened");
}

#[test]
fn the_printed_schema_is_the_one_that_ships() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/front-door.schema.json");
    let printed = Program::new().run(&["config", "schema"]).succeeded();
    assert_eq!(printed, fs::read_to_string(shipped).unwrap());
    let other = Program::new().run(&["config", "schema", "--table", "server"]).json();
    assert_eq!(other["properties"]["server"], json!(true));
    assert_eq!(other["required"], json!(["profile", "server"]));
}

#[test]
fn all_mistakes_of_a_file_are_printed() {
    let program = Program::new();
    let file =
        program.file("gate.toml", "[profile]\nbase = \"polyteia\"\nrelam = \"x\"\nformats = 7\n");
    let refused = program.run(&["config", "check", &file]);
    assert_eq!(refused.code(), 4);
    for words in ["gate.toml:3:1", "gate.toml:4:11", "did you mean `realm`?"] {
        assert!(refused.everything().contains(words), "{words}: {}", refused.everything());
    }
    let refused = program.run(&["--json", "config", "check", &file]);
    assert_eq!(refused.code(), 4);
    let mistakes = refused.json();
    assert_eq!((&mistakes[0]["line"], &mistakes[0]["field"]), (&json!(3), &json!("profile.relam")));
    assert_eq!(
        (&mistakes[1]["line"], &mistakes[1]["field"]),
        (&json!(4), &json!("profile.formats"))
    );
    let right = program.file("gate.json", r#"{"profile":{"base":"polyteia"}}"#);
    assert_eq!(program.run(&["--json", "config", "check", &right]).json(), json!([]));
    assert_eq!(program.run(&["config", "check", "nothing.toml"]).code(), 1);
}

#[test]
fn a_table_of_a_program_is_left_to_the_program() {
    let program = Program::new();
    let file = program.file("gate.toml", "profile.base = \"polyteia\"\n[server]\nport = 80\n");
    assert_eq!(program.run(&["config", "check", &file]).code(), 4);
    program.run(&["config", "check", &file, "--table", "server"]).succeeded();
    program.run(&["accounts", "save", "acme"]).succeeded();
    let check = ["check", "--config", &file];
    assert_eq!(program.ask(&check, "key").code(), 4);
    let asked = program.ask(&[&check[..], &["--table", "server"]].concat(), "key");
    assert_eq!(asked.code(), 5, "refused by the gate: {}", asked.everything());
}

#[test]
fn a_lone_unknown_table_gets_a_hint() {
    let program = Program::new();
    for (file, hint) in [
        ("[profile]\nbase = \"polyteia\"\n[gateway]\nport = 80\n", true),
        ("[profile]\nbase = \"polyteia\"\n[[gateway.routes]]\npath = \"/\"\n", true),
        // Mistakes elsewhere, also in the table of the program, take no hint away.
        ("[profile]\nrelam = \"x\"\n[gateway]\nport = { env = \"NO_SUCH_VARIABLE_7\" }\n", true),
        ("[profile]\nbase = \"polyteia\"\n[gateway]\n[server]\n", false),
        ("gateway = 7\n[profile]\nbase = \"polyteia\"\n", false),
        ("gateway = \"x\"\n[profile]\nbase = \"polyteia\"\n", false),
        ("[[gateway]]\n[profile]\nbase = \"polyteia\"\n", false),
        ("[profile]\nbase = \"polyteia\"\n[profile.gateway]\n", false),
        ("[profile]\nbase = \"polyteia\"\n[storr]\nurl = \"sqlite:x.db\"\n", false),
    ] {
        let name = program.file("gate.toml", file);
        let refused = program.run(&["config", "check", &name]);
        assert_eq!(refused.code(), 4, "{file}");
        let printed = refused.everything();
        assert_eq!(printed.contains("add `--table"), hint, "{file}: {printed}");
        assert_eq!(printed.contains("add `--table gateway`"), hint, "{file}: {printed}");
    }
}

#[test]
fn a_request_is_explained_as_the_gate_of_a_file_decides() {
    let program = Program::new();
    let pepper = program.file("pepper", "0123456789abcdef0123456789abcdef\n");
    let file = program.file("gate.toml", &gate(program.store()));
    program.run(&["accounts", "save", "acme", "--scope", "users.read"]).succeeded();
    let create = ["--quiet", "keys", "create", "--account", "acme", "--pepper-file", &pepper];
    let key = program
        .run(&[&create[..], &["--prefix", "key_{environment}_", "--environment", "live"]].concat())
        .succeeded();
    let check = ["--json", "check", "--config", &file, "--path", "/users"];
    let passes = program.ask(&[&check[..], &["--key-header", "x-api-key"]].concat(), &key);
    assert_eq!(
        (passes.code(), &passes.json()["passes"]),
        (0, &json!(true)),
        "{}",
        passes.everything()
    );
    let bearer = program.ask(&check, &key);
    assert_eq!((bearer.code(), &bearer.json()["denial"]), (5, &json!("credentials_missing")));
}

#[test]
fn the_formats_of_the_page_are_those_of_created_keys() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        line.strip_prefix("| `keys create")?.strip_suffix("` |")?.split_once("` | `")
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), 4);
    let program = Program::new();
    for (number, (options, format)) in rows.iter().enumerate() {
        let create = ["--quiet", "keys", "create", "--account", "acme"];
        let create: Vec<&str> = create.into_iter().chain(options.split_whitespace()).collect();
        let key = program.run(&create).succeeded();
        for (other, (_, format)) in rows.iter().enumerate() {
            let file = format!("[profile]\nbase = \"standard\"\nformats = [{format}]\n");
            let file = program.file("gate.toml", &file);
            let code = program.ask(&["check", "--config", &file], &key).code();
            assert_eq!(code, if other == number { 0 } else { 5 }, "{options}: {format}");
        }
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/keys.md");
        let is_shown = fs::read_to_string(keys).unwrap().contains(format);
        assert!(is_shown || !options.contains("{environment}"), "{format}");
    }
}

#[test]
fn the_store_of_the_file_is_used_unless_another_is_named() {
    let program = Program::new();
    program.file("pepper", "0123456789abcdef0123456789abcdef");
    let file = program.file("gate.toml", &gate("sqlite:elsewhere.db"));
    let check = ["check", "--config", &file, "--key-header", "x-api-key"];
    program.run(&["accounts", "save", "acme"]).succeeded();
    // `Program` names the database in the environment.
    assert_eq!(program.ask(&check, "key_live_0").code(), 5, "refused: the database was found");
    assert_eq!(program.ask_without_store(&check, "key_live_0").code(), 1, "no such database");
    let save = ["--store", "sqlite:elsewhere.db", "accounts", "save", "acme"];
    program.ask_without_store(&save, "").succeeded();
    assert_eq!(program.ask_without_store(&check, "key_live_0").code(), 5, "that of the file");
}

#[test]
fn options_that_have_no_effect_are_refused() {
    let program = Program::new();
    let file = program.file("gate.toml", "profile.base = \"polyteia\"");
    for arguments in [
        &["check", "--config", &file, "--vendor", "persona"][..],
        &["check"],
        &["check", "--vendor", "persona", "--table", "gateway"],
        &["check", "--config", &file, "--audience", "x"],
        &["check", "--config", &file, "--pepper-file", "x"],
        &["check", "--vendor", "persona", "--basic", "api", "--key-header", "x-api-key"],
        &["config", "check", &file, "--store", "sqlite:x.db"],
        &["config", "schema", "--json"],
        &["config", "schema", "--quiet"],
        &["config", "print"],
    ] {
        assert_eq!(program.ask(arguments, "key").code(), 2, "{arguments:?}");
    }
}

#[test]
fn wrong_webhooks_are_mistakes_that_show_no_secret() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let program = Program::new();
    let url = "https://hooks.example.com/keys";
    for (url, secret, line, field) in [
        (url, SECRET, 0, ""),
        ("https://10.0.0.1/keys", SECRET, 5, "webhooks[0].url"),
        ("http://hooks.example.com/t0ken", SECRET, 5, "webhooks[0].url"),
        (url, "hunter2", 6, "webhooks[0].secret"),
    ] {
        let file = format!(
            "events = {{}}\nprofile.base = \"standard\"\n[[webhooks]]\nname = \"a\"\nurl = \"{url}\"\nsecret = \"{secret}\"\n"
        );
        for (table, more) in [(&[][..], ""), (&["--table", "server"], "[server]\nport = 1\n")] {
            let file = program.file("gate.toml", &format!("{file}{more}"));
            let check = [&["config", "check", &*file], table].concat();
            let as_json = [&check[..], &["--json"]].concat();
            let (checked, json) = (program.run(&check), program.run(&as_json));
            let text = format!("{}{}", checked.everything(), json.everything());
            assert!(!["hunter2", "MfKQ", "t0ken"].iter().any(|word| text.contains(word)), "{text}");
            assert_eq!((checked.code(), json.code()), if line == 0 { (0, 0) } else { (4, 4) });
            let found: serde_json::Value = serde_json::from_str(&json.stdout()).unwrap();
            if line == 0 {
                assert_eq!(found, serde_json::json!([]));
                continue;
            }
            assert_eq!((&found[0]["line"], &found[0]["field"]), (&line.into(), &field.into()));
            assert!(text.contains(&format!("gate.toml:{line}:")), "{text}");
        }
    }
}
