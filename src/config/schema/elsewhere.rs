//! What the reader takes everywhere, so that no table says it: a value from the environment or from another file in
//! the place of a scalar. And what it refuses: `null`.

use serde_json::{Map, Value, json};

/// The name of the schema of a value from elsewhere.
const ELSEWHERE: &str = "Elsewhere";

/// The field below which values stand as they are.
const AS_IT_IS: &str = "json";

/// Allows values from elsewhere in the place of every scalar.
pub(super) fn allow_elsewhere(schema: &mut Value) {
    let definitions = schema.get("definitions").cloned().unwrap_or_default();
    allow(schema, &definitions);
    if let Some(Value::Object(definitions)) = schema.get_mut("definitions") {
        definitions.insert(ELSEWHERE.to_owned(), elsewhere());
    }
}

fn elsewhere() -> Value {
    let named = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "description": "A value from elsewhere: `{ env = \"NAME\" }` or `{ file = \"PATH\" }`.",
        "type": "object",
        "properties": {
            "env": named("The environment variable that has the value."),
            "file": named("The file that has the value; a line's end at its end does not count."),
        },
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

/// Changes a schema and those in it.
fn allow(schema: &mut Value, definitions: &Value) {
    let Value::Object(fields) = schema else { return };
    let description = fields.remove("description");
    let is_root = fields.contains_key("$schema");
    bounded(fields);
    without_null(fields);
    // Of the names of a list of alternatives, each may be from elsewhere. So it is an alternative of its own.
    if let Some(Value::Array(mut alternatives)) =
        fields.remove("oneOf").or_else(|| fields.remove("anyOf"))
    {
        let is_choice = alternatives.iter().any(is_scalar);
        for alternative in alternatives.iter_mut().filter(|alternative| !is_scalar(alternative)) {
            allow(alternative, definitions);
        }
        alternatives.extend(is_choice.then(reference));
        // A validator says of all that what is wrong, and of any only that something is.
        let kind = if alternatives.len() == 1 { "allOf" } else { "anyOf" };
        fields.insert(kind.to_owned(), Value::Array(alternatives));
    } else {
        for (name, part) in fields.iter_mut() {
            match (name.as_str(), part) {
                ("properties", Value::Object(parts)) => {
                    for (name, part) in parts {
                        if name == AS_IT_IS {
                            inline(part, definitions);
                        } else {
                            allow(part, definitions);
                        }
                    }
                }
                ("definitions", Value::Object(parts)) => {
                    parts.iter_mut().for_each(|(_, part)| allow(part, definitions));
                }
                ("items" | "additionalProperties", part) => allow(part, definitions),
                ("allOf", Value::Array(parts)) => {
                    for part in parts {
                        allow(part, definitions);
                    }
                }
                _ => {}
            }
        }
    }
    if !is_root && is_scalar(schema) {
        let scalar = schema.take();
        *schema = json!({ "anyOf": [scalar, reference()] });
    }
    if let (Value::Object(fields), Some(description)) = (schema, description) {
        fields.insert("description".to_owned(), description);
    }
}

fn reference() -> Value {
    json!({ "$ref": format!("#/definitions/{ELSEWHERE}") })
}

fn is_scalar(schema: &Value) -> bool {
    let kind = schema.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| matches!(kind, "string" | "integer" | "number" | "boolean"))
}

/// Leaves `null` out: what is absent is left out, in TOML and in JSON.
fn without_null(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = fields.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            fields.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(alternatives)) = fields.get_mut("anyOf") {
        alternatives
            .retain(|alternative| alternative.get("type").is_none_or(|kind| kind != "null"));
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
}

/// Writes the bounds of a type of Rust's as numbers, which every validator knows.
fn bounded(fields: &mut Map<String, Value>) {
    let Some(format) = fields.get("format").and_then(Value::as_str) else { return };
    let most = match format {
        "uint32" => Some(u64::from(u32::MAX)),
        "uint8" | "uint16" | "uint" | "uint64" => None,
        _ => return,
    };
    fields.remove("format");
    if let Some(most) = most {
        fields.insert("maximum".to_owned(), most.into());
    }
}

/// Writes the schemas that this one refers to in their places, as they are.
fn inline(schema: &mut Value, definitions: &Value) {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    if let Some(definition) = name.and_then(|name| definitions.get(name)) {
        *schema = definition.clone();
    }
    match schema {
        Value::Object(fields) => fields.iter_mut().for_each(|(_, part)| inline(part, definitions)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| inline(part, definitions)),
        _ => {}
    }
}
