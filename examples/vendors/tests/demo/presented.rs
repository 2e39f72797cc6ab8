//! The pure functions of Persona's presentation.

use serde_json::{Value, json};

use crate::presentation::{Blocklist, Inflection, present};

fn keys_of(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn keys_are_written_in_every_case() {
    for key in ["name-first", "name_first", "nameFirst", "NameFirst", "Name First"] {
        for (name, written) in
            [("camel", "nameFirst"), ("kebab", "name-first"), ("snake", "name_first")]
        {
            let inflection = Inflection::named(name);
            let presented = present(json!({ key: 1 }), inflection, &Blocklist::default());
            assert_eq!(presented, json!({ written: 1 }), "{key} {name}");
        }
    }
    for (key, written) in [
        ("HTTPStatus", "http-status"),
        ("ipv6Address", "ipv6-address"),
        ("id", "id"),
        ("_", "_"),
        ("", ""),
    ] {
        let presented = present(json!({ key: 1 }), Some(Inflection::Kebab), &Blocklist::default());
        assert_eq!(keys_of(&presented), [written], "{key}");
    }
    assert_eq!(Inflection::named("Camel"), None);
}

#[test]
fn nothing_is_rewritten_unasked() {
    let value = json!({ "nameFirst": [{ "last-name": { "x_y": "keep-me" } }, 1, null] });
    let same = present(value.clone(), None, &Blocklist::default());
    assert_eq!(same, value);
    let snake = present(value, Some(Inflection::Snake), &Blocklist::default());
    let expected = json!({ "name_first": [{ "last_name": { "x_y": "keep-me" } }, 1, null] });
    assert_eq!(snake, expected, "keys change, values do not");
}

#[test]
fn blocked_attributes_are_removed_at_any_depth() {
    let blocklist = Blocklist::parse("birthdate, social-security-number,,");
    let value = json!({
        "birthdate": 1,
        "list": [{ "socialSecurityNumber": 2, "kept": "birthdate" }],
        "deep": { "deeper": { "social_security_number": 3, "Birthdate": 4, "birthdates": 5 } },
    });
    let presented = present(value, Some(Inflection::Camel), &blocklist);
    let expected = json!({
        "list": [{ "kept": "birthdate" }],
        "deep": { "deeper": { "birthdates": 5 } },
    });
    assert_eq!(presented, expected);
}
