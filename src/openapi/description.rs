//! The description of a gate, from which documents are made.

use std::fmt;

use http::Method;
use serde::Serialize;
use serde_json::Value;

use super::error::OpenApiError;
use super::gate::DescribedGate;
use super::merge::DocumentMerge;
use super::options::DocumentOptions;
use super::own_document;
use super::program::ProgramDocument;
use super::security::component_name;
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
pub struct OpenApi<'a>(DocumentOptions<'a>);

impl<'a> OpenApi<'a> {
    pub(crate) fn new(gate: DescribedGate<'a>) -> Self {
        Self(DocumentOptions::new(gate))
    }

    /// Sets the path of the server, which the paths of a document do not repeat: `/api` for a router that is nested
    /// there, in a document with `"servers": [{ "url": "/api" }]`. All paths of the document are below it, also those
    /// of other methods of this type.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_api_key::rules::{Route, Routes};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let routes = Routes::new().get("/api/users", Route::new());
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes).build()?;
    /// let document = layer.openapi().base_path("/api").document("Users", "1")?;
    /// assert_eq!(document["servers"], json!([{ "url": "/api" }]));
    /// assert!(document["paths"]["/users"]["get"].is_object());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        let path: String = path.into();
        path.trim_end_matches('/').clone_into(&mut self.0.base);
        self
    }

    /// Begins the names of security schemes and responses with this text, such as `partner-`. Use it if a document
    /// describes several gates. A name has letters, digits and `._-`; other characters become `-`.
    ///
    /// ```
    /// use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    ///
    /// let layer = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).build()?;
    /// let document = layer.openapi().name_prefix("polyteia-").document("Datasets", "1")?;
    /// assert!(document["components"]["securitySchemes"]["polyteia-bearer"].is_object());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name_prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.0.prefix = component_name(prefix.as_ref());
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
        self.0.of_handlers.push((method, path.into(), denial));
        self
    }

    /// Describes only operations at this path and below it. Use it if another gate guards the other operations of a
    /// program's document.
    pub fn below(mut self, path: impl Into<String>) -> Self {
        self.0.below = Some(path.into());
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
        self.0.outside.push(path.into());
        self
    }

    /// Adds the operations of routes that a program's document does not have. Without a call,
    /// [`merged`](Self::merged) adds none.
    pub fn add_missing(mut self) -> Self {
        self.0.adds_missing = true;
        self
    }

    /// Returns a document of the gate alone. Its operations are those of the route table.
    ///
    /// # Errors
    ///
    /// [`OpenApiError::UnknownOperation`].
    pub fn document(&self, title: &str, version: &str) -> Result<Value, OpenApiError> {
        own_document::make(&self.0, title, version)
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
        DocumentMerge::new(&self.0, ProgramDocument::new(document)?)?.run()
    }
}

impl fmt::Debug for OpenApi<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OpenApi")
            .field("profile", &self.0.gate.name)
            .finish_non_exhaustive()
    }
}
