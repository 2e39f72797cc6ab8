//! The fields of a file as tables of Markdown, from the schema.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use serde_json::Value;
use tower_api_key::config::json_schema;

struct Reference {
    schema: Value,
    /// The tables that are to be written: their fields' path, and what they are.
    tables: VecDeque<(String, Value)>,
    /// Where a table is written, by its name in the schema.
    places: BTreeMap<String, String>,
    /// The choices in which the current one stands.
    within: Vec<String>,
}

/// Writes a table for each table of a file. One that stands in several places is written once.
pub(super) fn reference() -> String {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    let tables = VecDeque::from([(String::new(), schema.clone())]);
    let mut reference = Reference { schema, tables, places: BTreeMap::new(), within: Vec::new() };
    let mut text = String::new();
    while let Some((path, table)) = reference.tables.pop_front() {
        let name = if path.is_empty() { "The file".to_owned() } else { format!("`{path}`") };
        write!(text, "\n### {name}\n\n").unwrap();
        if let Some(description) = table["description"].as_str().filter(|_| !path.is_empty()) {
            write!(text, "{description}\n\n").unwrap();
        }
        text.push_str("| field | value | meaning |\n|---|---|---|\n");
        for (field, schema) in table["properties"].as_object().into_iter().flatten() {
            let below = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
            let value = reference.value(schema, &below);
            let meaning = reference.meaning(schema);
            let required = table["required"]
                .as_array()
                .is_some_and(|names| names.contains(&field.as_str().into()));
            let field = if required { format!("**`{field}`**") } else { format!("`{field}`") };
            writeln!(text, "| {field} | {} | {} |", cell(&value), cell(&meaning)).unwrap();
        }
    }
    text + "\n"
}

fn cell(text: &str) -> String {
    text.replace("\n\n", " ").replace('\n', " ").replace('|', "\\|")
}

impl Reference {
    /// Returns the schema that another one refers to, and its name.
    fn named<'a>(&'a self, schema: &'a Value) -> Option<(&'a str, &'a Value)> {
        let direct = schema["$ref"].as_str();
        let path = direct.or_else(|| schema["allOf"][0]["$ref"].as_str())?;
        let name = path.rsplit('/').next()?;
        Some((name, &self.schema["definitions"][name]))
    }

    fn meaning(&self, schema: &Value) -> String {
        let own = schema["description"].as_str();
        let of_type = || self.named(schema)?.1["description"].as_str();
        own.or_else(of_type).unwrap_or_default().to_owned()
    }

    /// Says which values a field can have, and notes the tables among them.
    fn value(&mut self, schema: &Value, path: &str) -> String {
        if let Some((name, definition)) = self.named(schema) {
            let (name, definition) = (name.to_owned(), definition.clone());
            return self.named_value(&name, &definition, path);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let choices = choices.clone();
            let is_elsewhere = |choice: &&Value| choice["$ref"] == "#/definitions/Elsewhere";
            let values = choices.iter().filter(|choice| !is_elsewhere(choice));
            return values.map(|choice| self.value(choice, path)).collect::<Vec<_>>().join(", ");
        }
        if let Some(value) = schema.get("const") {
            return format!("`{value}`");
        }
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        }
        match schema["type"].as_str() {
            Some("string") => "text".to_owned(),
            Some("integer" | "number") => "number".to_owned(),
            Some("boolean") => "true or false".to_owned(),
            Some("array") => {
                format!("list of: {}", self.value(&schema["items"].clone(), &format!("{path}[]")))
            }
            Some("object") => self.table(schema, path),
            _ => "any".to_owned(),
        }
    }

    fn named_value(&mut self, name: &str, definition: &Value, path: &str) -> String {
        match name {
            "LengthOfTime" => "length of time, as `60s` or `1h 30m`".to_owned(),
            "FailureChoice" => "`\"deny\"`, `\"allow\"`, `\"local/NODES\"`".to_owned(),
            _ if definition["properties"].is_object() => {
                let place = self.places.entry(name.to_owned()).or_insert_with(|| {
                    self.tables.push_back((path.to_owned(), definition.clone()));
                    path.to_owned()
                });
                if place == path {
                    format!("[table](#{})", anchor(path))
                } else {
                    format!("as [`{place}`](#{})", anchor(place))
                }
            }
            // A choice that can hold itself.
            _ if self.within.iter().any(|within| within == name) => "the same again".to_owned(),
            _ => {
                self.within.push(name.to_owned());
                let value = self.value(definition, path);
                self.within.pop();
                value
            }
        }
    }

    /// Says what a table with one name, or with any names, holds.
    fn table(&mut self, schema: &Value, path: &str) -> String {
        let Some(fields) = schema["properties"].as_object().cloned() else {
            let values = schema["additionalProperties"].clone();
            return format!("table of: {}", self.value(&values, &format!("{path}.NAME")));
        };
        let field = |(name, value): (&String, &Value)| {
            format!("{name} = {}", self.value(value, &format!("{path}.{name}")))
        };
        let fields: Vec<_> = fields.iter().map(field).collect();
        format!("{{ {} }}", fields.join(", "))
    }
}

/// Returns the anchor of a heading, as GitHub makes it.
fn anchor(path: &str) -> String {
    path.chars()
        .filter(|character| character.is_alphanumeric() || *character == '_')
        .collect::<String>()
        .to_lowercase()
}
