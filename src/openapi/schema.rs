//! JSON Schemas of bodies, from examples of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Returns a schema that each of the values fits: their types, the members of objects, and the members that all of
/// them have. Texts may differ in other answers.
pub(super) fn of(values: &[&Value]) -> Value {
    let mut types: Vec<&str> = Vec::new();
    let mut parts: Vec<Value> = Vec::new();
    let (mut objects, mut arrays) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Value::Object(object) => objects.push(object),
            Value::Array(array) => arrays.push(array),
            Value::Null => types.push("null"),
            Value::Bool(_) => types.push("boolean"),
            Value::String(_) => types.push("string"),
            Value::Number(number) => {
                let is_whole = number.is_u64() || number.is_i64();
                types.push(if is_whole { "integer" } else { "number" });
            }
        }
    }
    types.sort_unstable();
    types.dedup();
    match &*types {
        [] => {}
        [one] => parts.push(json!({ "type": one })),
        several => parts.push(json!({ "type": several })),
    }
    if !objects.is_empty() {
        parts.push(of_objects(&objects));
    }
    if !arrays.is_empty() {
        let items: Vec<&Value> = arrays.into_iter().flatten().collect();
        parts.push(json!({ "type": "array", "items": of(&items) }));
    }
    any_of(parts)
}

/// Returns a schema that allows what each of these allows.
pub(super) fn any_of(schemas: Vec<Value>) -> Value {
    let mut distinct: Vec<Value> = Vec::new();
    for schema in schemas {
        if !distinct.contains(&schema) {
            distinct.push(schema);
        }
    }
    match distinct.len() {
        0 | 1 => distinct.pop().unwrap_or_else(|| json!({})),
        _ => json!({ "anyOf": distinct }),
    }
}

fn of_objects(objects: &[&Map<String, Value>]) -> Value {
    let mut members: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (name, value) in objects.iter().copied().flatten() {
        members.entry(name).or_default().push(value);
    }
    let is_required = |(_, values): &(&&str, &Vec<&Value>)| values.len() == objects.len();
    let required: Vec<&str> = members.iter().filter(is_required).map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        members.iter().map(|(name, values)| ((*name).to_owned(), of(values))).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty()
        && let Some(object) = schema.as_object_mut()
    {
        object.insert("required".to_owned(), required.into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_allows_its_examples_and_says_what_all_have() {
        for (values, expected) in [
            (vec![json!("a"), json!("b")], json!({ "type": "string" })),
            (vec![json!(1), json!(null)], json!({ "type": ["integer", "null"] })),
            (vec![json!(1.5)], json!({ "type": "number" })),
            (vec![json!([])], json!({ "type": "array", "items": {} })),
            (
                vec![json!({ "a": 1, "b": ["x"] }), json!({ "a": 2 })],
                json!({ "type": "object", "required": ["a"], "properties": {
                    "a": { "type": "integer" },
                    "b": { "type": "array", "items": { "type": "string" } },
                }}),
            ),
            (
                vec![json!("a"), json!({})],
                json!({ "anyOf": [{ "type": "string" }, { "type": "object", "properties": {} }] }),
            ),
        ] {
            let values: Vec<&Value> = values.iter().collect();
            assert_eq!(of(&values), expected);
        }
    }
}
