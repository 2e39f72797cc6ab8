//! The description of a gate, from which documents are made.

use std::fmt;

use http::Method;
use serde::Serialize;
use serde_json::Value;

use super::error::OpenApiError;
use super::gate::DescribedGate;
use super::merge::DocumentMerge;
use super::own_document;
use super::program::ProgramDocument;
use super::sample::Sample;
use super::template::PathTemplate;
use crate::error::Denial;

/// Describes a gate in OpenAPI 3.1, as a document of its own or in the document of a program.
/// [`ApiKeyLayer::openapi`](crate::ApiKeyLayer::openapi) returns it.
///
/// The facts come from what the gate enforces: its routes, its checks, and the renderer of its answers. So document
/// and gate cannot differ. [The module's page](super) says what becomes what.
///
/// ```
/// use tower_api_key::rules::{Route, Routes};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let routes = Routes::new().get("/v1/users", Route::new().all_of(&["users.read"]));
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes).build()?;
///
/// let document = layer.openapi().document("Users", "1.4.0")?;
/// let list = &document["paths"]["/v1/users"]["get"];
/// assert_eq!(list["security"][0]["bearer"][0], "users.read");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "it makes a document with `document` or `merged`"]
pub struct OpenApi<'a> {
    pub(super) gate: DescribedGate<'a>,
    pub(super) sample: Sample,
    pub(super) prefix: String,
    pub(super) adds_missing: bool,
    below: Option<String>,
    outside: Vec<String>,
    of_handlers: Vec<(Method, String, Denial)>,
}

impl<'a> OpenApi<'a> {
    pub(crate) fn new(gate: DescribedGate<'a>) -> Self {
        let sample = Sample::new(&gate);
        Self {
            gate,
            sample,
            prefix: String::new(),
            adds_missing: false,
            below: None,
            outside: Vec::new(),
            of_handlers: Vec::new(),
        }
    }

    /// Begins the names of security schemes and responses with this text, such as `partner-`. Use it if a document
    /// describes several gates. A name may have letters, digits and `._-`.
    ///
    /// ```
    /// use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    ///
    /// let layer = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).build()?;
    /// let document = layer.openapi().name_prefix("polyteia-").document("Datasets", "1")?;
    /// assert!(document["components"]["securitySchemes"]["polyteia-bearer"].is_object());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Adds a refusal that the handler of an operation returns itself, as with
    /// [`Grant::require`](crate::Grant::require) or [`refusal`](crate::refusal()). The path is the template of the
    /// operation.
    ///
    /// ```
    /// use http::Method;
    /// use tower_api_key::{ApiKeyLayer, Denial, rules::Routes, store::MemoryStore, vendors};
    ///
    /// let routes = Routes::new().rows(vendors::polyteia::ROUTES);
    /// let layer = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).routes(routes).build()?;
    /// let lacks = Denial::ScopeMissing { needed: "dataset.write".into() };
    /// let openapi = layer.openapi().handler_refusal(Method::POST, "/api", lacks);
    /// let document = openapi.document("Datasets", "1")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handler_refusal(
        mut self,
        method: Method,
        path: impl Into<String>,
        denial: Denial,
    ) -> Self {
        self.of_handlers.push((method, path.into(), denial));
        self
    }

    /// Describes only operations at this path and below it. Use it if another gate guards the other operations of a
    /// program's document.
    pub fn below(mut self, path: impl Into<String>) -> Self {
        self.below = Some(path.into());
        self
    }

    /// Leaves out operations at this path and below it, because requests reach them without the gate, as a health
    /// check beside it. [`merged`](Self::merged) refuses other operations that no route of the gate covers.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_api_key::rules::{Route, Routes};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let routes = Routes::new().get("/users", Route::new());
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes).build()?;
    /// let program = json!({
    ///     "openapi": "3.1.0",
    ///     "info": { "title": "Users", "version": "1" },
    ///     "paths": { "/users": { "get": {} }, "/healthz": { "get": {} } },
    /// });
    /// let merged = layer.openapi().outside("/healthz").merged(&program)?;
    /// assert!(merged["paths"]["/users"]["get"]["security"].is_array());
    /// assert_eq!(merged["paths"]["/healthz"], program["paths"]["/healthz"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn outside(mut self, path: impl Into<String>) -> Self {
        self.outside.push(path.into());
        self
    }

    /// Adds the operations of routes that a program's document does not have. Without a call,
    /// [`merged`](Self::merged) adds none.
    pub fn add_missing(mut self) -> Self {
        self.adds_missing = true;
        self
    }

    /// Returns a document of the gate alone. Its operations are those of the route table.
    ///
    /// # Errors
    ///
    /// [`OpenApiError::UnknownOperation`].
    pub fn document(&self, title: &str, version: &str) -> Result<Value, OpenApiError> {
        own_document::make(self, title, version)
    }

    /// Adds the gate to the operations of a program's document: a document of `utoipa` or `aide`, or any other value that
    /// serializes to OpenAPI 3.1. Keeps all that the program wrote.
    ///
    /// Where the program has documented a response with the status of a refusal, the response gets the refusal's
    /// headers, examples and schema besides its own.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_api_key::rules::{Route, Routes};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let routes = Routes::new().get("/users", Route::new().all_of(&["users.read"]));
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes).build()?;
    ///
    /// let list = json!({ "summary": "Lists users", "responses": { "200": { "description": "The users" } } });
    /// let info = json!({ "title": "Users", "version": "1" });
    /// let program = json!({ "openapi": "3.1.0", "info": info, "paths": { "/users": { "get": list } } });
    /// let merged = layer.openapi().merged(&program)?;
    /// let list = &merged["paths"]["/users"]["get"];
    /// assert_eq!((&list["summary"], &list["x-cost"]), (&json!("Lists users"), &json!(null)));
    /// assert!(list["responses"]["403"].is_object());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenApiError`] for an operation that no route covers, for one that contradicts the gate, and for a security
    /// scheme of the program's that has the name of another.
    pub fn merged(&self, document: &impl Serialize) -> Result<Value, OpenApiError> {
        DocumentMerge::new(self, ProgramDocument::new(document)?)?.run()
    }

    /// Returns true if requests of this path reach the gate.
    pub(super) fn is_behind(&self, path: &str) -> bool {
        let Some(template) = PathTemplate::new(path) else { return true };
        let is_below = self.below.as_ref().is_none_or(|below| template.is_below(below));
        is_below && !self.outside.iter().any(|outside| template.is_below(outside))
    }

    /// Returns the refusals that the handler of an operation returns itself.
    pub(super) fn refusals_of_handler(
        &self,
        method: &Method,
        template: &PathTemplate,
    ) -> Vec<&Denial> {
        let is_of = |(of, path, _): &&(Method, String, Denial)| {
            of == method && PathTemplate::new(path).is_some_and(|path| path.key == template.key)
        };
        self.of_handlers.iter().filter(is_of).map(|(_, _, denial)| denial).collect()
    }

    /// Refuses a handler's refusal of an operation that a document does not have.
    pub(super) fn check_handlers(
        &self,
        paths: &serde_json::Map<String, Value>,
    ) -> Result<(), OpenApiError> {
        let is_known = |method: &Method, path: &str| {
            let key = PathTemplate::new(path).map(|template| template.key);
            let mut items = paths.iter();
            items.any(|(path, item)| {
                PathTemplate::new(path).map(|template| template.key) == key
                    && item.get(&*method.as_str().to_ascii_lowercase()).is_some()
            })
        };
        match self.of_handlers.iter().find(|(method, path, _)| !is_known(method, path)) {
            Some((method, path, _)) => {
                Err(OpenApiError::UnknownOperation { method: method.clone(), path: path.clone() })
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for OpenApi<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpenApi").field("profile", &self.gate.name).finish_non_exhaustive()
    }
}
