//! Rows of answers that are other rows with changes.

use tower_api_key::Denial;
use tower_api_key::config::{Backends, FileFormat};
use tower_api_key::store::MemoryStore;

use crate::read;

/// A profile without quotas, with this table of answers.
fn file(answers: &str) -> String {
    format!(
        r#"
[profile]
name = "acme"
realm = "acme"
credentials = [{{ scheme = "bearer" }}]
formats = [{{ hex = 40 }}]
[profile.answers.otherwise]
status = 401
challenge = "bare"
headers = {{ x-kind = "key", x-vendor = "acme" }}
body.json.shape = '{{"type":"{{type}}","message":"{{message}}"}}'
body.json.values = {{ type = "key", message = "No." }}
[profile.answers.key_expired]
status = 401
challenge = "bare"
body = {{ error = "Expired." }}
[profile.answers]
{answers}
"#
    )
}

#[test]
fn a_changed_row_has_the_rest_of_the_other() {
    let text = file(
        r#"
route_unknown = { like = "otherwise", status = 404, values.message = "Not here.", headers = { X-Kind = "route", x-more = "1" } }
scope_missing = { like = "route_unknown", status = 403, values = { type = "scope", message = "{scopes}" } }
timed_out = { like = "key_expired", status = 504, challenge = "none", retry_after = 7, body = { text = "Late." } }
internal_error = "timed_out"
"#,
    );
    let door = read(&text, FileFormat::Toml).unwrap();
    let layer = door.builder(&Backends::new(MemoryStore::new())).build().unwrap();
    let scope = Denial::ScopeMissing { needed: "users.read".into() };
    for (denial, status, body, headers) in [
        (Denial::KeyUnknown, 401, r#"{"type":"key","message":"No."}"#, &[("x-kind", "key")][..]),
        (Denial::KeyExpired, 401, r#"{"error":"Expired."}"#, &[]),
        (
            Denial::RouteUnknown,
            404,
            r#"{"type":"key","message":"Not here."}"#,
            &[("x-kind", "route"), ("x-vendor", "acme"), ("x-more", "1")],
        ),
        (scope, 403, r#"{"type":"scope","message":"users.read"}"#, &[("x-kind", "route")]),
        (Denial::InternalError, 504, "Late.", &[("retry-after", "7")]),
    ] {
        let answer = layer.answer(&denial);
        assert_eq!((answer.status().as_u16(), answer.body()), (status, &body.into()), "{denial:?}");
        for (name, value) in headers {
            assert_eq!(answer.headers()[*name], value, "{denial:?}");
        }
    }
}

#[test]
fn a_changed_row_names_a_row_that_it_can_change() {
    for (answers, problem) in [
        (r#"timed_out = { like = "nothing" }"#, "no row can be named `nothing`"),
        (r#"timed_out = { like = "internal_error" }"#, ""),
        (
            "timed_out = { like = \"internal_error\" }\ninternal_error = { like = \"timed_out\" }",
            "circle",
        ),
        (r#"timed_out = { like = "key_expired", values.message = "Late." }"#, "JSON body"),
        (r#"timed_out = { status = 504, body = "empty", values.message = "Late." }"#, "`like`"),
        ("timed_out = { status = 504 }", "`body`"),
        (r#"timed_out = { body = "empty" }"#, "`status`"),
        (r#"timed_out = { like = "otherwise", stat = 504 }"#, "`stat`"),
    ] {
        let told = match read(&file(answers), FileFormat::Toml) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert!(told.contains(problem), "{answers}\n{told}");
        assert_eq!(told.is_empty(), problem.is_empty(), "{told}");
    }
}
