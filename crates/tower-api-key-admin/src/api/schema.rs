//! Parts of schemas (JSON Schema 2020-12).

use serde_json::{Map, Value, json};
use tower_api_key::quota::MAX_QUOTAS;

/// Names in visible ASCII.
const NAME: &str = "^[!-~]{1,255}$";

/// Scopes: visible ASCII without quote and backslash.
const SCOPE: &str = "^[!#-\\[\\]-~]{1,255}$";

/// Texts without control characters and marks of writing direction.
const TEXT: &str =
    "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$";

const INSTANT: &str = "^(19[7-9][0-9]|2[01][0-9]{2}|22[0-5][0-9]|226[01])-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z$";

const NETWORK_V4: &str = "^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(/(3[0-2]|[12]?[0-9]))?$";

const NETWORK_V6: &str = "^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$";

/// Returns the schema of a request's body: it has no other fields.
pub(super) fn body(required: &[&str], properties: Value) -> Value {
    let mut schema = object(properties);
    schema.insert("additionalProperties".to_owned(), false.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.into()
}

/// Returns the schema of an answer.
pub(super) fn view(properties: Value) -> Value {
    object(properties).into()
}

/// Returns the schema of an answer whose fields are all there.
pub(super) fn whole_view(properties: Value) -> Value {
    let names = properties.as_object().map(|all| all.keys().cloned().collect());
    let names: Vec<String> = names.unwrap_or_default();
    let mut schema = object(properties);
    schema.insert("required".to_owned(), names.into());
    schema.into()
}

fn object(properties: Value) -> Map<String, Value> {
    let kind = ("type".to_owned(), "object".into());
    Map::from_iter([kind, ("properties".to_owned(), properties)])
}

pub(super) fn name(example: &str) -> Value {
    json!({ "type": "string", "pattern": NAME, "example": example })
}

pub(super) fn text(most: usize) -> Value {
    json!({ "type": "string", "pattern": TEXT, "maxLength": most })
}

pub(super) fn instant() -> Value {
    json!({ "type": "string", "pattern": INSTANT, "example": "2030-01-31T12:00:00Z" })
}

pub(super) fn scopes() -> Value {
    json!({ "type": "array", "maxItems": 200, "items": { "type": "string", "pattern": SCOPE } })
}

pub(super) fn networks() -> Value {
    let network = json!({ "type": "string", "anyOf": [{ "pattern": NETWORK_V4 }, { "pattern": NETWORK_V6 }] });
    json!({ "type": "array", "maxItems": 200, "items": network })
}

pub(super) fn quotas() -> Value {
    json!({ "type": "array", "maxItems": MAX_QUOTAS, "items": reference("Quota") })
}

pub(super) fn metadata(values: &Value) -> Value {
    json!({
        "type": "object",
        "maxProperties": 200,
        "propertyNames": { "pattern": TEXT, "minLength": 1, "maxLength": 255 },
        "additionalProperties": values,
    })
}

/// Returns a schema that also allows `null`.
pub(super) fn or_null(schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        Some(kind) => {
            let mut schema = schema;
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("type".to_owned(), json!([kind, "null"]));
            }
            schema
        }
        None => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

pub(super) fn list(of: &str) -> Value {
    json!({ "type": "array", "items": reference(of) })
}

/// Returns the schema of a page.
pub(super) fn page(of: &str) -> Value {
    whole_view(json!({
        "data": list(of),
        "broken": {
            "type": "array",
            "description": "Rows that cannot be read. Such keys can be revoked and deleted, and such policies deleted.",
            "items": whole_view(json!({ "id": { "type": "string" }, "problem": { "type": "string" } })),
        },
        "next": {
            "type": ["string", "null"],
            "description": "What to send as `after` for the next page; null at the end.",
        },
    }))
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
