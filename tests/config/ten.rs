//! Ten mistakes in one file, of all kinds, are found at once.

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
"#;

#[test]
fn all_are_found() {
    for mistake in mistakes(FILE) {
        println!("{}:{} {mistake}", mistake.line(), mistake.column());
    }
    panic!();
}
