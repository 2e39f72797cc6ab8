//! Documents of gates in OpenAPI 3.1: alone, or in the document of a program that uses `utoipa`, `aide` or neither.
//!
//! [`ApiKeyLayer::openapi`](crate::ApiKeyLayer::openapi) reads a document from what the gate enforces: the route of an
//! operation is found as the route of a request, and the examples of refusals come from the renderer of refusals. So
//! the document changes with the gate.
//!
//! ```
//! use serde_json::json;
//! use tower_api_key::rules::{Route, Routes};
//! use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
//!
//! let routes = Routes::new().get("/v1/users/{id}", Route::new().any_of(&["users.read", "admin"]));
//! let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes).build()?;
//!
//! // As the program documents itself: `utoipa::openapi::OpenApi`, `aide::openapi::OpenApi`, or JSON.
//! let find = json!({ "responses": { "200": { "description": "The user" } } });
//! let info = json!({ "title": "Users", "version": "1" });
//! let program = json!({ "openapi": "3.1.0", "info": info, "paths": { "/v1/users/{user}": { "get": find } } });
//!
//! let merged = layer.openapi().merged(&program)?;
//! let find = &merged["paths"]["/v1/users/{user}"]["get"];
//! assert_eq!(find["security"][0], json!({ "bearer": ["users.read"] }));
//! assert_eq!(find["security"][1], json!({ "bearer": ["admin"] }));
//! assert_eq!(find["responses"]["403"]["$ref"], "#/components/responses/refused-403");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What becomes what
//!
//! | of the gate | in the document |
//! |---|---|
//! | a credential source | a security scheme: `http` with `basic`, `bearer` or another scheme, or `apiKey` in a header or in the query |
//! | a pair of headers | two schemes of `apiKey`, required together |
//! | keys among the protocols of WebSockets | `apiKey` in `Sec-WebSocket-Protocol`, on operations of `GET` |
//! | scopes | those of each scheme in `security`; `any_of` and `any_of_sets` are alternatives |
//! | an operation that is open without a key | the alternative `{}` |
//! | a source or a route for some kinds of keys | an operation lists only the sources whose kinds it accepts |
//! | each denial that the operation can get | a response with its status: the body as an example, a schema of all bodies, and the headers |
//! | a response of the service | the headers that the gate adds to it |
//! | required headers | parameters of the header; the media type of `Content-Type` as that of the request's body |
//! | `/files/{*rest}` | `/files/{rest}`, for one segment |
//! | a route for every method | `get`, `put`, `post`, `delete` and `patch` |
//! | quotas, cost, kinds and so on | extensions, see below |
//!
//! A header of a response is required if each answer has it. Equal bodies of several denials are one example, because
//! clients must not tell the denials apart. A body that a function makes has an example and no schema, and its
//! response also allows `*/*`.
//!
//! The values of path parameters have a pattern, because the gate refuses [ambiguous paths](crate::rules). A request
//! with such a path gets the profile's general answers, which operations below a
//! [prefix](crate::profile::PathAnswers) list as well.
//!
//! | extension of an operation | says |
//! |---|---|
//! | `x-quotas` | the quotas of accounts without their own, and those of the route: `name`, `limit`, `window-seconds`, `algorithm`, `per` |
//! | `x-anonymous-quotas` | the quotas of a network's requests without a key |
//! | `x-cost` | what a request takes of each quota |
//! | `x-metered` | the handler can change the cost |
//! | `x-refunded-statuses` | ranges of statuses that cost nothing, such as `500-599` |
//! | `x-key-kinds` | the kinds of keys that the route accepts |
//! | `x-account-parameter` | the path parameter that has to be the key's own account |
//! | `x-concurrency` | `limit` and `longest-wait-seconds` of simultaneous requests |
//! | `x-time-budget-seconds` | how long the handler may take |
//! | `x-scopes` | all scopes, if `security` would have over 256 alternatives |
//!
//! # What a document does not say
//!
//! * Calls of gRPC services, methods that OpenAPI 3.1 does not have (`CONNECT`, `QUERY`), patterns with braces of their
//!   own, and requests that no row covers. A [document of the gate](OpenApi::document) lists them in `x-left-out`.
//! * `HEAD`, which has the route and the headers of `GET`, unless a route lists it.
//! * CORS preflights.
//! * A requirement on `Accept`, and one on `Content-Type` for methods without a body or without a media type: OpenAPI
//!   ignores parameters for these headers.
//! * Paths with a row of their own: beside `/users/{id}`, a row for `/users/me` can need something else.
//! * Quotas of plans, accounts and keys, and quotas in shadow. Limit headers with the name of such a quota are left
//!   out, too.
//! * What a function adds to headers, apart from an example.
//! * What a layer outside of the gate, or a handler, changes. State the refusals of a handler with
//!   [`handler_refusal`](OpenApi::handler_refusal).
//! * Whether a store, a limiter or a policy of networks is in use for some key. A document lists the answers to all of
//!   them.
//!
//! A document names scopes, kinds and quotas. Serve it only to those who may know them.

mod agreement;
mod combine;
mod description;
mod error;
mod facts;
mod gate;
mod gated_operation;
mod merge;
mod operation;
mod options;
mod own_document;
mod possible;
mod program;
mod rendered;
mod response_headers;
mod responses;
mod sample;
mod schema;
mod security;
mod shared_responses;
mod table_operations;
mod template;

pub use description::OpenApi;
pub use error::OpenApiError;
pub(crate) use gate::{DescribedGate, DescribedLimits};
