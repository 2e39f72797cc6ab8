//! One response of a program's operation, with what the gate answers under its status.

use serde_json::{Map, Value, json};

use super::schema;

/// Adds a refusal with the same status to a response of the program, and the headers that the gate adds to it. Keeps
/// all that the program wrote. Returns `None` if the program's response is no object.
pub(super) fn combine(
    own: &Value,
    refusal: Option<&Value>,
    added: &Map<String, Value>,
) -> Option<Value> {
    let mut combined = own.as_object()?.clone();
    let headers = headers(refusal, added);
    merge_absent(&mut combined, "headers", &headers)?;
    let content = refusal.and_then(|refusal| refusal.get("content")?.as_object());
    if let Some(content) = content {
        let listed = combined.entry("content").or_insert_with(|| json!({})).as_object_mut()?;
        for (media_type, refused) in content {
            add_media(listed, media_type, refused)?;
        }
    }
    Some(combined.into())
}

/// Returns the headers of a response that is either the service's or a refusal. What one of the two can lack is not
/// required.
fn headers(refusal: Option<&Value>, added: &Map<String, Value>) -> Map<String, Value> {
    let Some(refusal) = refusal else { return added.clone() };
    let empty = Map::new();
    let refused = refusal.get("headers").and_then(Value::as_object).unwrap_or(&empty);
    let mut all: Map<String, Value> = refused.clone();
    for (name, header) in added {
        all.entry(name.clone()).or_insert_with(|| header.clone());
    }
    for (name, header) in &mut all {
        if !(refused.contains_key(name) && added.contains_key(name))
            && let Some(header) = header.as_object_mut()
        {
            header.insert("required".to_owned(), false.into());
        }
    }
    all
}

/// Adds the headers that are absent. Names of headers have no case.
fn merge_absent(
    response: &mut Map<String, Value>,
    member: &str,
    added: &Map<String, Value>,
) -> Option<()> {
    if added.is_empty() {
        return Some(());
    }
    let listed = response.entry(member).or_insert_with(|| json!({})).as_object_mut()?;
    for (name, header) in added {
        if !listed.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            listed.insert(name.clone(), header.clone());
        }
    }
    Some(())
}

/// Adds the body of a refusal.
fn add_media(listed: &mut Map<String, Value>, media_type: &str, refused: &Value) -> Option<()> {
    let essence =
        |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = listed.iter_mut().find(|(name, _)| essence(name) == media_type);
    let Some((_, own)) = known else {
        listed.insert(media_type.to_owned(), refused.clone());
        return Some(());
    };
    let own = own.as_object_mut()?;
    if let (Some(of_program), Some(of_gate)) = (own.get("schema"), refused.get("schema"))
        && !allows(of_program, of_gate)
    {
        let both = schema::any_of(vec![of_program.clone(), of_gate.clone()]);
        own.insert("schema".to_owned(), both);
    }
    let examples = refused.get("examples").and_then(Value::as_object);
    // One example of the program's leaves no room for a list (OpenAPI 3.1.1, section "Media Type Object").
    if let Some(examples) = examples.filter(|_| !own.contains_key("example")) {
        let listed = own.entry("examples").or_insert_with(|| json!({})).as_object_mut()?;
        for (name, example) in examples {
            listed.entry(name.clone()).or_insert_with(|| example.clone());
        }
    }
    Some(())
}

/// Returns true if a schema lists another one already.
fn allows(schema: &Value, other: &Value) -> bool {
    let listed = schema.get("anyOf").and_then(Value::as_array);
    schema == other || listed.is_some_and(|listed| listed.contains(other))
}
