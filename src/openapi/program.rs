//! The document of a program, as JSON that is checked where it is read.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::OpenApiError;

/// A document that a program wrote, to which the facts of a gate are added.
#[derive(Debug)]
pub(super) struct ProgramDocument(Map<String, Value>);

impl ProgramDocument {
    /// Takes a document.
    ///
    /// # Errors
    ///
    /// [`OpenApiError::Document`] or [`OpenApiError::Version`].
    pub(super) fn new(document: &impl Serialize) -> Result<Self, OpenApiError> {
        let refused = |problem: &str| OpenApiError::Document { problem: problem.to_owned() };
        let value = serde_json::to_value(document)
            .map_err(|_| refused("it does not serialize: pass what serializes to JSON"))?;
        let Value::Object(object) = value else {
            return Err(refused("it is no object: pass the root of the document"));
        };
        let version = object.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.1.") {
            return Err(OpenApiError::Version { found: version.to_owned() });
        }
        for (name, is_object) in ["paths", "components"]
            .map(|name| (name, object.get(name).is_none_or(Value::is_object)))
        {
            if !is_object {
                return Err(refused(&format!("its member `{name}` is no object")));
            }
        }
        Ok(Self(object))
    }

    /// Takes the path items out of the document.
    pub(super) fn take_paths(&mut self) -> Map<String, Value> {
        match self.0.remove("paths") {
            Some(Value::Object(paths)) => paths,
            _ => Map::new(),
        }
    }

    /// Returns the components of one type.
    pub(super) fn components(&self, kind: &str) -> Option<&Map<String, Value>> {
        self.0.get("components")?.get(kind)?.as_object()
    }

    /// Follows references to components. Returns `None` for one that leads elsewhere.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> Option<&'a Value> {
        let mut value = value;
        // A circle of references has no end.
        for _ in 0..8 {
            let Some(reference) = value.get("$ref") else { return Some(value) };
            let place = reference.as_str()?.strip_prefix("#/components/")?;
            let (kind, name) = place.split_once('/')?;
            value = self.components(kind)?.get(name)?;
        }
        None
    }

    /// Adds components of one type. Does not replace any.
    pub(super) fn add_components(&mut self, kind: &str, added: Map<String, Value>) {
        if added.is_empty() {
            return;
        }
        let components = self.0.entry("components").or_insert_with(|| json!({}));
        let Some(components) = components.as_object_mut() else { return };
        let listed = components.entry(kind).or_insert_with(|| json!({}));
        let Some(listed) = listed.as_object_mut() else { return };
        for (name, component) in added {
            listed.entry(name).or_insert(component);
        }
    }

    /// Returns the whole document.
    pub(super) fn finish(mut self, paths: Map<String, Value>) -> Value {
        self.0.insert("paths".to_owned(), paths.into());
        self.0.into()
    }
}
