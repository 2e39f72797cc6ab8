//! Eleven mistakes in one file, of all kinds, are found at once.

use crate::mistakes;

const FILE: &str = r#"environment = "production"
strip_credentials = true
audience = "two words"

[profile]
name = "acme"
realm = "acme"
credentials = [{ scheme = "bearer" }]
formats = [{ hex = 40 }]

[profile.answers.otherwise]
status = 302
body = { error = "{reason}" }

[[routes]]
path = "/users/:id"

[[routes]]
path = "/users"
all_of = ["users read"]

[[routes]]
path = "/items"
cost = "ten"

[[routes]]
path = "/things/{id}"
account_parameter = "org"

[[plans.free]]
name = "minute"
limit = 0
window = "60s"

[scopes]
separator = "x"

[trusted_proxies]
headers = "x-forwarded"
networks = ["10.0.0.0/33"]

[limiter]
url = "memory:"
"#;

/// The line, the column and the field of each mistake, and a part of what it says.
const MISTAKES: [(usize, usize, &str, &str); 11] = [
    (2, 1, "strip_credentials", "did you mean `strip_credential`?"),
    (3, 12, "audience", "visible ASCII"),
    (12, 10, "profile.answers.otherwise.status", "no error status"),
    (16, 8, "routes[0].path", "write `{id}`"),
    (20, 11, "routes[1].all_of[0]", "scope must be"),
    (24, 8, "routes[2].cost", "expected a whole number"),
    (28, 21, "routes[3].account_parameter", "no parameter `org`"),
    (30, 1, "plans.free[0]", "at least 1"),
    (36, 13, "scopes.separator", "is no separator"),
    (39, 11, "trusted_proxies.headers", "did you mean `x_forwarded`?"),
    (40, 13, "trusted_proxies.networks[0]", "CIDR"),
];

#[test]
fn all_are_found() {
    let mistakes = mistakes(FILE);
    let places: Vec<_> =
        mistakes.iter().map(|it| (it.line(), it.column(), it.field().to_owned())).collect();
    let expected = MISTAKES.map(|(line, column, field, _)| (line, column, field.to_owned()));
    assert_eq!(places, expected);
    for (mistake, (.., part)) in mistakes.iter().zip(MISTAKES) {
        assert!(mistake.to_string().contains(part), "{mistake}");
    }
}

#[test]
fn an_address_where_none_belongs_is_not_shown() {
    for file in [
        "store = \"postgres://u:hunter2@h/x\"\nprofile.base = \"standard\"\n",
        "profile = \"redis://:hunter2@h\"\n",
        "profile.base = \"redis://:hunter2@h\"\n",
        "profile.base = \"standard\"\n[limiter]\nurl = [\"redis://:hunter2@h\"]\n",
        "profile.base = \"standard\"\nenvironment = [\"hunter2\"]\n",
        "profile.base = \"standard\"\nassume_https = \"hunter2\"\n",
    ] {
        let error = crate::read(file, tower_api_key::config::FileFormat::Toml).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(!error.mistakes().is_empty());
    }
}
