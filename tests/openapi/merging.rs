//! Gates in the documents of programs: of utoipa, of aide, and by hand.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::Json;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tower_api_key::profile::{Answer, Answers, CredentialSource, ErrorBody};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile, vendors};

fn layer() -> ApiKeyLayer {
    let routes = Routes::new()
        .get("/v1/users", Route::new().all_of(&["users.read"]))
        .post("/v1/users", Route::new().all_of(&["users.write"]))
        .get("/v1/files/{*path}", Route::new());
    let builder = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, MemoryStore::new());
    builder.routes(routes).without_limits().build().unwrap()
}

/// Checks what a merge has to do in the documents of both crates, which describe the same program.
fn check(program: &Value, merged: &Value) {
    let list = &merged["paths"]["/v1/users"]["get"];
    assert_eq!(list["security"], json!([{ "bearer": ["users.read"] }]));
    assert_eq!(list["summary"], "Lists the users");
    let own = &program["paths"]["/v1/users"]["get"]["responses"];
    assert_eq!(list["responses"]["200"], own["200"]);
    assert_eq!(list["responses"]["401"]["description"], "No such key");
    assert_eq!(own["401"]["description"], "No such key");
    let refused = &list["responses"]["401"]["content"]["application/json"]["examples"];
    assert_eq!(refused["credentials_missing"]["value"], json!({ "error": "Missing API key." }));
    let refused = &list["responses"]["503"]["$ref"];
    let refused = merged.pointer(refused.as_str().unwrap().trim_start_matches('#')).unwrap();
    assert_eq!(refused["headers"]["retry-after"]["example"], 5);
    // Templates with another name of the parameter are the same, and operations of no route stay as they are.
    assert!(merged["paths"]["/v1/files/{file}"]["get"]["security"].is_array());
    assert_eq!(merged["paths"]["/healthz"], program["paths"]["/healthz"]);
    assert_eq!(merged["info"], program["info"]);
    let schemes = &merged["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    let paths = |document: &Value| -> Vec<String> {
        document["paths"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(paths(merged), paths(program));
}

#[allow(dead_code)] // Only its documentation is made.
mod program {
    //! The program that utoipa describes.

    #[derive(utoipa::ToSchema)]
    pub(super) struct User {
        name: String,
    }

    #[utoipa::path(
        get,
        path = "/v1/users",
        summary = "Lists the users",
        responses((status = 200, description = "The users", body = [User]), (status = 401, description = "No such key"))
    )]
    pub(super) fn list() {}

    #[utoipa::path(post, path = "/v1/users", request_body = User, responses((status = 201, description = "Added")))]
    pub(super) fn add() {}

    #[utoipa::path(get, path = "/v1/files/{file}", params(("file" = String, Path)), responses((status = 200, description = "A file")))]
    pub(super) fn file() {}

    #[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It runs")))]
    pub(super) fn health() {}

    #[derive(utoipa::OpenApi)]
    #[openapi(paths(list, add, file, health))]
    pub(super) struct Api;
}

#[test]
fn a_document_of_utoipa_gets_the_gate() {
    use utoipa::OpenApi;
    let program = program::Api::openapi();
    let merged = layer().openapi().outside("/healthz").merged(&program).unwrap();
    check(&serde_json::to_value(&program).unwrap(), &merged);
    // And is one of utoipa's again.
    let back: utoipa::openapi::OpenApi = serde_json::from_value(merged.clone()).unwrap();
    let again = serde_json::to_value(back).unwrap();
    let security = "/paths/~1v1~1users/post/security";
    assert_eq!(again.pointer(security), Some(&json!([{ "bearer": ["users.write"] }])));
}

#[test]
fn a_document_of_aide_gets_the_gate() {
    let mut program = aide::openapi::OpenApi::default();
    program.info.title = "Users".to_owned();
    let users = || async { Json(vec!["ada".to_owned()]) };
    let _: axum::Router = ApiRouter::new()
        .api_route(
            "/v1/users",
            get_with(users, |it| {
                it.summary("Lists the users")
                    .response_with::<401, (), _>(|it| it.description("No such key"))
            })
            .merge(post_with(users, |it| it.summary("Adds a user"))),
        )
        .api_route("/v1/files/{file}", get_with(users, |it| it))
        .api_route("/healthz", get_with(users, |it| it))
        .finish_api(&mut program);
    let merged = layer().openapi().outside("/healthz").merged(&program).unwrap();
    check(&serde_json::to_value(&program).unwrap(), &merged);
    let back: aide::openapi::OpenApi = serde_json::from_str(&merged.to_string()).unwrap();
    let again = serde_json::to_value(back).unwrap();
    let security = "/paths/~1v1~1users/post/security";
    assert_eq!(again.pointer(security), Some(&json!([{ "bearer": ["users.write"] }])));
}

pub(super) fn document(operation: &Value) -> Value {
    let info = json!({ "title": "Users", "version": "1" });
    json!({ "openapi": "3.1.0", "info": info, "paths": { "/v1/users": { "get": operation } } })
}

#[test]
fn what_a_program_wrote_stays() {
    let own = json!({
        "security": [{ "token": [] }],
        "responses": {
            "200": { "description": "Fine", "headers": { "Cache-Control": { "description": "Mine" } } },
            "401": { "$ref": "#/components/responses/No" },
            "403": {
                "description": "Forbidden",
                "content": { "application/json; charset=utf-8": {
                    "schema": { "type": "string" },
                    "example": "no",
                }},
            },
            "default": { "description": "Else" },
            "x-note": 1,
        },
        "x-note": 2,
    });
    let mut program = document(&own);
    program["components"] = json!({
        "securitySchemes": { "token": { "type": "http", "scheme": "Bearer" } },
        "responses": { "No": { "description": "No", "content": { "text/plain": {} } }, "refused-503": {} },
    });
    let merged = layer().openapi().merged(&program).unwrap();
    let list = &merged["paths"]["/v1/users"]["get"];
    // The program's name of the scheme, with the scopes that it did not write.
    assert_eq!(list["security"], json!([{ "token": ["users.read"] }]));
    assert_eq!(merged["components"]["securitySchemes"], program["components"]["securitySchemes"]);
    let responses = &list["responses"];
    assert_eq!(
        (&responses["default"], &responses["x-note"]),
        (&own["responses"]["default"], &json!(1))
    );
    assert_eq!(responses["200"], own["responses"]["200"]);
    let no = &responses["401"];
    assert_eq!(no["description"], "No");
    assert!(
        no["content"]["text/plain"].is_object() && no["content"]["application/json"].is_object()
    );
    assert_eq!(no["headers"]["www-authenticate"]["required"], false, "the service's has none");
    let media = &responses["403"]["content"]["application/json; charset=utf-8"];
    assert_eq!((&media["example"], &media["examples"]), (&json!("no"), &Value::Null));
    assert_eq!(media["schema"]["anyOf"][0], json!({ "type": "string" }));
    assert_eq!(media["schema"]["anyOf"][1]["required"], json!(["error"]));
    // A name that the program has is not taken.
    assert_eq!(responses["503"]["$ref"], "#/components/responses/refused-503-2");
    assert_eq!(merged["components"]["responses"]["No"], program["components"]["responses"]["No"]);
    // A second merge changes nothing.
    assert_eq!(layer().openapi().merged(&merged).unwrap(), merged);
}

#[test]
fn operations_are_added_only_if_asked() {
    let program = document(&json!({}));
    let merged = layer().openapi().merged(&program).unwrap();
    assert_eq!(merged["paths"].as_object().unwrap().len(), 1);
    assert_eq!(merged["paths"]["/v1/users"].as_object().unwrap().len(), 1);
    let merged = layer().openapi().add_missing().merged(&program).unwrap();
    let names: Vec<&String> = merged["paths"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["/v1/files/{path}", "/v1/users"]);
    assert!(merged["paths"]["/v1/users"]["post"]["responses"]["2XX"].is_object());
    // A template that the program has under another name is not added again.
    let mut program = document(&json!({}));
    program["paths"]["/v1/files/{file}"] = json!({});
    let merged = layer().openapi().add_missing().merged(&program).unwrap();
    let names: Vec<&String> = merged["paths"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["/v1/files/{file}", "/v1/users"]);
    assert_eq!(merged["paths"]["/v1/files/{file}"]["get"]["parameters"][0]["name"], "file");
}

#[test]
fn a_handler_adds_its_own_refusals() {
    const SAYS: Answer = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Error("Lacks {scopes}"));
    let answers = Answers { scope_missing: SAYS, ..Profile::STANDARD.answers };
    let routes = Routes::new()
        .get("/users", Route::new().all_of(&["users.read"]))
        .post("/users", Route::new());
    let profile = Profile { answers, ..Profile::STANDARD };
    let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).routes(routes).build().unwrap();
    let mut described = layer.openapi();
    for denial in [
        Denial::ScopeMissing { needed: "a".into() },
        Denial::ScopeMissing { needed: "b".into() },
        Denial::InternalError,
        Denial::StoreUnavailable,
    ] {
        described = described.handler_refusal(Method::GET, "/users", denial);
    }
    let document = described.document("Users", "1").unwrap();
    let list = &document["paths"]["/users"]["get"]["responses"];
    assert!(document["paths"]["/users"]["post"]["responses"]["500"].is_null());
    let examples = |status: &str| {
        let response = super::response::resolved(&document, &list[status]);
        let media = response["content"].as_object().unwrap().values();
        let examples = media.filter_map(|media| media["examples"].as_object()).flatten();
        examples.map(|(name, example)| (name.clone(), example["value"].clone())).collect::<Vec<_>>()
    };
    for (name, scope) in [
        ("scope_missing", "users.read"),
        ("scope_missing_of_handler", "a"),
        ("scope_missing_of_handler_2", "b"),
    ] {
        let value = json!({ "error": format!("Lacks {scope}") });
        assert!(examples("403").contains(&(name.to_owned(), value)), "{name}");
    }
    assert_eq!((examples("500").len(), examples("503").len()), (1, 1));
}

#[test]
fn two_gates_share_a_document() {
    let other = Profile { credentials: &[CredentialSource::header("x-key")], ..Profile::STANDARD };
    let routes = Routes::new().get("/partners", Route::new());
    let partners = ApiKeyLayer::builder(other, MemoryStore::new()).routes(routes).build().unwrap();
    let mut program = document(&json!({}));
    program["paths"]["/partners"] = json!({ "get": {} });
    let merged = layer().openapi().below("/v1").name_prefix("users-").merged(&program).unwrap();
    let merged =
        partners.openapi().outside("/v1/").name_prefix("partners-").merged(&merged).unwrap();
    let security = |path: &str| merged["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/v1/users"), json!([{ "users-bearer": ["users.read"] }]));
    assert_eq!(security("/partners"), json!([{ "partners-x-key": [] }]));
}

#[test]
fn a_base_path_is_no_part_of_the_documents_paths() {
    let routes = Routes::new()
        .get("/api/users/{id}", Route::new().all_of(&["users.read"]))
        .get("/api/users", Route::new())
        .get("/elsewhere", Route::new());
    let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes);
    let layer = layer.build().unwrap();
    let program = json!({
        "openapi": "3.1.0",
        "servers": [{ "url": "/api" }],
        "paths": { "/users/{user}": { "get": {} }, "/open": { "get": {} } },
    });
    let uncovered = layer.openapi().outside("/open").merged(&program).unwrap_err().to_string();
    assert!(uncovered.starts_with("GET /users/{user}: no route"), "{uncovered}");
    let described = || {
        let described = layer.openapi().base_path("/api/").outside("/open");
        described.handler_refusal(Method::GET, "/users/{id}", Denial::InternalError)
    };
    let merged = described().add_missing().merged(&program).unwrap();
    let paths: Vec<&String> = merged["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/open", "/users", "/users/{user}"]);
    let find = &merged["paths"]["/users/{user}"]["get"];
    assert_eq!(find["security"][0], json!({ "bearer": ["users.read"] }));
    assert!(find["responses"]["500"].is_object());
    let own = described().document("Users", "1").unwrap();
    let paths: Vec<&String> = own["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/users", "/users/{id}"]);
}
