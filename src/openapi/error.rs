//! What keeps a gate from being described in a document.

use http::Method;

/// The reason why a gate cannot be described, or not in a program's document.
///
/// ```
/// use serde_json::json;
/// use tower_api_key::rules::{Route, Routes};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let routes = Routes::new().get("/users", Route::new());
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes).build()?;
/// let program = json!({ "openapi": "3.1.0", "paths": { "/user": { "get": {} } } });
/// let error = layer.openapi().merged(&program).unwrap_err();
/// assert!(error.to_string().starts_with("GET /user: no route of the gate covers it"));
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenApiError {
    /// The program's document is not one.
    #[error("this is no OpenAPI document: {problem}")]
    Document {
        /// What is wrong, with the remedy.
        problem: String,
    },
    /// The program's document has another version.
    #[error("the document has version `{found}`: write it in OpenAPI 3.1")]
    Version {
        /// The member `openapi` of the document.
        found: String,
    },
    /// The program's document has another security scheme of this name.
    #[error(
        "the security scheme `{name}` is another one in the document: rename one of the two, as with \
         `OpenApi::name_prefix`"
    )]
    SecurityScheme {
        /// The name of the scheme.
        name: String,
    },
    /// No route of the gate covers an operation of the program's document, so the gate refuses its requests.
    #[error(
        "{method} {path}: no route of the gate covers it: add a route, or name its path with `OpenApi::outside` if \
         requests reach it without the gate"
    )]
    Uncovered {
        /// The operation's method.
        method: Method,
        /// The operation's path template.
        path: String,
    },
    /// An operation of the program's document contradicts the gate.
    #[error("{method} {path}: {problem}")]
    Conflict {
        /// The operation's method.
        method: Method,
        /// The operation's path template.
        path: String,
        /// What contradicts the gate, with the remedy.
        problem: String,
    },
    /// The document has no operation to which a [handler's refusal](super::OpenApi::handler_refusal) belongs.
    #[error(
        "{method} {path}: the document has no such operation, for which a handler's refusal was stated"
    )]
    UnknownOperation {
        /// The method that was stated.
        method: Method,
        /// The path template that was stated.
        path: String,
    },
}
