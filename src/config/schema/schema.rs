//! The JSON Schema of a front door's file.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::elsewhere::allow_elsewhere;
use crate::config::tables::FrontDoorTable;

/// Identifies the schema. It is no address: the schema ships with the crate.
const ID: &str = "urn:tower-api-key:front-door";

/// A small file, as an example.
const EXAMPLE: &str = r#"{
    "profile": { "base": "standard", "realm": "acme" },
    "store": { "url": { "env": "DATABASE_URL" } },
    "limiter": { "url": "memory:" }
}"#;

/// Returns the JSON Schema (draft 7) of files that describe front doors.
///
/// Editors of TOML and JSON complete and check files with it. It finds what a file says by its shape: unknown fields,
/// missing fields, and values of the wrong type. Only [`FrontDoor`](super::super::FrontDoor) finds contradictions.
///
/// ```
/// let schema = tower_api_key::config::json_schema();
/// assert!(schema.contains("http://json-schema.org/draft-07/schema#"));
/// ```
pub fn json_schema() -> String {
    let mut generator = generator();
    let schema = generator.root_schema_for::<FrontDoorTable>();
    written(schema)
}

/// Returns the schema of files with one table more, as [`FrontDoor::read_with`](super::super::FrontDoor::read_with)
/// reads them.
///
/// ```
/// #[derive(schemars::JsonSchema)]
/// #[schemars(deny_unknown_fields)]
/// struct Server {
///     /// The port that clients connect to.
///     port: u16,
/// }
///
/// let schema = tower_api_key::config::json_schema_with::<Server>("server");
/// assert!(schema.contains("The port that clients connect to."));
/// ```
pub fn json_schema_with<T: JsonSchema>(table: &str) -> String {
    let mut generator = generator();
    let section = generator.subschema_for::<T>();
    let mut schema = generator.root_schema_for::<FrontDoorTable>();
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        fields.insert(table.to_owned(), section.to_value());
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.push(table.into());
    }
    written(schema)
}

fn generator() -> SchemaGenerator {
    // The draft that the language servers of TOML and of JSON understand best.
    SchemaSettings::draft07().into_generator()
}

/// Writes a schema, with all that a file may also say.
fn written(mut schema: Schema) -> String {
    schema.insert("$id".to_owned(), ID.into());
    schema.insert("title".to_owned(), "Front door".into());
    if let Ok(example) = serde_json::from_str(EXAMPLE) {
        schema.insert("examples".to_owned(), Value::Array(vec![example]));
    }
    let mut schema = schema.to_value();
    allow_elsewhere(&mut schema);
    format!("{schema:#}\n")
}
