//! What a program's document must not say of an operation behind a gate.

use http::Method;
use serde_json::{Value, json};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::openapi::OpenApiError;
use tower_api_key::profile::{CredentialSource, Expected, RequiredHeader};
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile};

use super::merging::document;

#[test]
fn contradictions_name_method_and_path() {
    let demanding = Profile {
        credentials: &[CredentialSource::bearer()],
        required_headers: &[
            RequiredHeader { name: "x-version", expected: Expected::Date },
            RequiredHeader {
                name: "content-type",
                expected: Expected::MediaType("application/json"),
            },
        ],
        ..Profile::STANDARD
    };
    let routes = Routes::new().get("/v1/users", Route::new()).post("/v1/users", Route::new());
    let layer = ApiKeyLayer::builder(demanding, MemoryStore::new()).routes(routes);
    let layer = layer.build().unwrap();
    let post = |operation: Value| {
        let mut program = document(&json!({}));
        program["paths"]["/v1/users"]["post"] = operation;
        program
    };
    let with = |name: &str, value: Value| {
        let mut program = document(&json!({}));
        program[name] = value;
        program
    };
    let path = |path: &str, item: Value| {
        let mut program = document(&json!({}));
        program["paths"] = json!({ path: item });
        program
    };
    let parameter = json!({ "name": "X-Version", "in": "header" });
    let mut shared = document(&json!({ "responses": { "400": { "$ref": "other.json#/No" } } }));
    shared["components"] = json!({});
    for (program, expected) in [
        (document(&json!({ "security": [{ "basic": [] }] })), "GET /v1/users: its `security`"),
        (document(&json!({ "security": [] })), "GET /v1/users: its `security`"),
        (document(&json!({ "x-cost": 7, "x-key-kinds": ["a"] })), ""),
        (
            document(&json!({ "parameters": [parameter] })),
            "GET /v1/users: the gate requires the header `x-version`",
        ),
        (document(&json!({ "parameters": {} })), "GET /v1/users: its `parameters`"),
        (document(&json!({ "responses": [] })), "GET /v1/users: its `responses`"),
        (document(&json!({ "responses": { "200": 1 } })), "GET /v1/users: its response 200"),
        (document(&json!(1)), "GET /v1/users: it is no object"),
        (shared, "GET /v1/users: its response 400"),
        (
            post(json!({ "requestBody": { "content": { "text/plain": {} } } })),
            "POST /v1/users: the gate accepts",
        ),
        (path("/user", json!({ "put": {} })), "PUT /user: no route"),
        (path("/v1/{users", json!({ "get": {} })), "GET /v1/{users: it is no path template"),
        (path("/v1/users", json!({ "$ref": "#/x" })), "GET /v1/users: its path item"),
        (with("openapi", json!("3.0.3")), "the document has version `3.0.3`"),
        (with("paths", json!([])), "this is no OpenAPI document"),
        (json!([]), "this is no OpenAPI document"),
        (
            with("components", json!({ "securitySchemes": { "bearer": { "type": "oauth2" } } })),
            "the security scheme `bearer`",
        ),
    ] {
        let merged = layer.openapi().merged(&program);
        let said = merged.map_or_else(|error| error.to_string(), |_| String::new());
        assert!(said.starts_with(expected) && said.is_empty() == expected.is_empty(), "{said}");
    }
    let unknown = layer.openapi().handler_refusal(Method::PUT, "/v1/users", Denial::InternalError);
    for made in [unknown.merged(&document(&json!({}))), unknown.document("Users", "1")] {
        assert!(matches!(made, Err(OpenApiError::UnknownOperation { .. })));
    }
    let limited = Profile { quotas: &[], ..demanding };
    let limited = ApiKeyLayer::builder(limited, MemoryStore::new())
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .build()
        .unwrap();
    let error = limited.openapi().merged(&document(&json!({ "x-cost": 7 }))).unwrap_err();
    assert!(error.to_string().starts_with("GET /v1/users: its `x-cost`"), "{error}");
    // What the gate requires is added where nothing is written.
    let merged = layer.openapi().merged(&post(json!({}))).unwrap();
    let added = &merged["paths"]["/v1/users"]["post"];
    assert_eq!(added["requestBody"]["content"], json!({ "application/json": {} }));
    assert_eq!(added["parameters"][0]["name"], "x-version");
}
