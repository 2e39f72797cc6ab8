//! What a program's document says of security, compared with what the gate demands.

use serde_json::{Map, Value};

use super::error::OpenApiError;
use super::security::SourceSchemes;

/// Takes the document's names for schemes that it has already.
///
/// # Errors
///
/// [`OpenApiError::SecurityScheme`] if the document has another scheme under a name of the gate's.
pub(super) fn adopt_names(
    sources: &mut [SourceSchemes<'_>],
    known: &Map<String, Value>,
) -> Result<(), OpenApiError> {
    for (name, scheme) in sources.iter_mut().flat_map(|source| &mut source.schemes) {
        // The document's own name first, if it has two equal schemes.
        let own = known.get_key_value(&**name).filter(|(_, other)| are_equal(scheme, other));
        let equal = own.or_else(|| known.iter().find(|(_, other)| are_equal(scheme, other)));
        match equal {
            Some((other, _)) => other.clone_into(name),
            None if known.contains_key(&**name) => {
                return Err(OpenApiError::SecurityScheme { name: name.clone() });
            }
            None => {}
        }
    }
    Ok(())
}

/// Returns true for two descriptions of one scheme. Names of headers and of HTTP's schemes have no case.
fn are_equal(one: &Value, other: &Value) -> bool {
    let same = |member: &str, has_case: bool| {
        let text = |value: &Value| {
            let text = value.get(member).and_then(Value::as_str).map(str::to_owned);
            if has_case { text } else { text.map(|text| text.to_ascii_lowercase()) }
        };
        text(one) == text(other)
    };
    let in_query = one.get("in").and_then(Value::as_str) == Some("query");
    same("type", true) && same("scheme", false) && same("in", true) && same("name", in_query)
}

/// Returns true if the `security` that a program wrote is that of the gate, or the same with fewer scopes.
pub(super) fn agree(written: &Value, demanded: &[Value]) -> bool {
    let Some(written) = written.as_array() else { return false };
    // An empty list removes the security of the document's root.
    if written.is_empty() {
        return demanded.iter().all(is_empty);
    }
    let covers = |one: &Value, other: &Value| -> bool {
        let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return false };
        one.len() == other.len()
            && one.iter().all(|(name, scopes)| {
                let (Some(scopes), Some(all)) =
                    (scopes.as_array(), other.get(name).and_then(Value::as_array))
                else {
                    return false;
                };
                scopes.iter().all(|scope| all.contains(scope))
            })
    };
    written.iter().all(|own| demanded.iter().any(|it| covers(own, it)))
        && demanded.iter().all(|it| written.iter().any(|own| covers(own, it)))
}

fn is_empty(requirement: &Value) -> bool {
    requirement.as_object().is_some_and(Map::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn security_agrees_if_it_names_the_same_schemes_and_no_other_scope() {
        let demanded = [json!({ "bearer": ["a", "b"] }), json!({ "basic": ["a", "b"] })];
        for (written, expected) in [
            (json!([{ "bearer": ["a", "b"] }, { "basic": ["a", "b"] }]), true),
            (json!([{ "bearer": [] }, { "basic": ["b"] }]), true),
            (json!([{ "bearer": [] }]), false),
            (json!([{ "bearer": ["c"] }, { "basic": [] }]), false),
            (json!([{ "bearer": [], "basic": [] }]), false),
            (json!([{ "bearer": [] }, { "basic": [] }, {}]), false),
            (json!([]), false),
            (json!({}), false),
        ] {
            assert_eq!(agree(&written, &demanded), expected, "{written}");
        }
        assert!(
            agree(&json!([]), &[json!({})]) && !agree(&json!([]), &[json!({}), json!({ "a": [] })])
        );
        assert!(agree(&json!([{}]), &[json!({})]));
    }

    #[test]
    fn schemes_are_equal_whatever_they_are_called_and_described_as() {
        let bearer = json!({ "type": "http", "scheme": "bearer", "description": "a" });
        let header = json!({ "type": "apiKey", "in": "header", "name": "x-api-key" });
        let query = json!({ "type": "apiKey", "in": "query", "name": "key" });
        for (one, other, expected) in [
            (&bearer, json!({ "type": "http", "scheme": "Bearer", "bearerFormat": "JWT" }), true),
            (&bearer, json!({ "type": "http", "scheme": "basic" }), false),
            (&header, json!({ "type": "apiKey", "in": "header", "name": "X-Api-Key" }), true),
            (&header, json!({ "type": "apiKey", "in": "cookie", "name": "x-api-key" }), false),
            (&query, json!({ "type": "apiKey", "in": "query", "name": "Key" }), false),
        ] {
            assert_eq!(are_equal(one, &other), expected, "{other}");
        }
    }
}
