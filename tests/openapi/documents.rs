//! What becomes what: tables of gates and of what their documents say.

use std::time::Duration;

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::limits::{AnonymousQuotas, MemoryLimiter};
use tower_api_key::profile::{
    Answer, Answers, BasicKey, CredentialSource, CustomBody, ErrorBody, Refusal,
};
use tower_api_key::quota::{OnLimiterFailure, Per, Quota};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Profile, vendors};

const MINUTE: Duration = Duration::from_secs(60);

fn builder(credentials: &[CredentialSource], routes: Routes) -> ApiKeyLayerBuilder {
    let profile = Profile { credentials, ..Profile::STANDARD };
    ApiKeyLayer::builder(profile, MemoryStore::new()).routes(routes)
}

fn described(builder: ApiKeyLayerBuilder) -> Value {
    builder.build().unwrap().openapi().document("Users", "1").unwrap()
}

#[test]
fn each_credential_source_is_a_security_scheme() {
    let key = |place: &str, name: &str| json!({ "type": "apiKey", "in": place, "name": name });
    let http = |scheme: &str| json!({ "type": "http", "scheme": scheme });
    for (source, expected) in [
        (CredentialSource::bearer(), vec![("bearer", http("bearer"))]),
        (CredentialSource::wide_bearer(), vec![("bearer", http("bearer"))]),
        (CredentialSource::basic(BasicKey::UserName), vec![("basic", http("basic"))]),
        (
            CredentialSource::scheme("DeepL-Auth-Key"),
            vec![("deepl-auth-key", http("DeepL-Auth-Key"))],
        ),
        (CredentialSource::pair("ApiKey", BasicKey::SecretOfId), vec![("apikey", http("ApiKey"))]),
        (CredentialSource::header("X-Api-Key"), vec![("x-api-key", key("header", "x-api-key"))]),
        (CredentialSource::insecure_query("Key~1"), vec![("key-1", key("query", "Key~1"))]),
        (
            CredentialSource::websocket_protocol("api-key."),
            vec![("websocket", key("header", "Sec-WebSocket-Protocol"))],
        ),
        (
            CredentialSource::id_and_secret("x-id", "x-secret"),
            vec![("x-id", key("header", "x-id")), ("x-secret", key("header", "x-secret"))],
        ),
    ] {
        let routes = Routes::new().get("/a", Route::new().all_of(&["a"])).post("/a", Route::new());
        let document = described(builder(&[source], routes));
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        assert_eq!(schemes.len(), expected.len());
        let mut required = serde_json::Map::new();
        for (name, scheme) in expected {
            for (member, value) in scheme.as_object().unwrap() {
                assert_eq!(schemes[name][member], *value, "{name}");
            }
            required.insert(name.to_owned(), json!(["a"]));
        }
        let item = &document["paths"]["/a"];
        assert_eq!(item["get"]["security"], json!([required]));
        // Only a GET opens a WebSocket.
        let others = usize::from(!matches!(
            source.scheme,
            tower_api_key::profile::Scheme::WebSocketProtocol(_)
        ));
        assert_eq!(item["post"]["security"].as_array().unwrap().len(), others);
    }
}

#[test]
fn scopes_are_alternatives() {
    let bearer = [CredentialSource::bearer()];
    for (route, expected) in [
        (Route::new(), vec![vec![]]),
        (Route::new().all_of(&["a", "b"]), vec![vec!["a", "b"]]),
        (Route::new().any_of(&["a", "b"]), vec![vec!["a"], vec!["b"]]),
        (Route::new().any_of_sets(&[&["a", "b"], &["c"]]), vec![vec!["a", "b"], vec!["c"]]),
        (
            Route::new().all_of(&["x"]).any_of(&["a", "x"]).any_of_sets(&[&["b", "c"], &["d"]]),
            vec![
                vec!["x", "a", "b", "c"],
                vec!["x", "a", "d"],
                vec!["x", "b", "c"],
                vec!["x", "d"],
            ],
        ),
    ] {
        let document = described(builder(&bearer, Routes::new().get("/a", route)));
        let listed = &document["paths"]["/a"]["get"]["security"];
        let expected: Vec<Value> =
            expected.iter().map(|scopes| json!({ "bearer": scopes })).collect();
        assert_eq!(*listed, json!(expected), "{route:?}");
    }
    let names: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let route = Route::new().all_of(&["x"]).any_of(&names);
    let many = &described(builder(&bearer, Routes::new().get("/a", route)))["paths"]["/a"]["get"];
    assert_eq!(many["security"], json!([{ "bearer": ["x"] }]));
    assert_eq!(many["x-scopes"]["any-of"].as_array().unwrap().len(), 300);
}

#[test]
fn a_source_of_other_kinds_is_not_listed() {
    let sources = [
        CredentialSource::basic(BasicKey::UserName).only(&["robot"]),
        CredentialSource::bearer().only(&["person", "robot"]),
        CredentialSource::header("x-any"),
    ];
    let routes = Routes::new()
        .get("/people", Route::new().kinds(&["person"]))
        .get("/robots", Route::new().kinds(&["robot"]))
        .get("/all", Route::new());
    let document = described(builder(&sources, routes));
    for (path, expected) in [
        ("/people", json!([{ "bearer": [] }, { "x-any": [] }])),
        ("/robots", json!([{ "basic": [] }, { "bearer": [] }, { "x-any": [] }])),
        ("/all", json!([{ "basic": [] }, { "bearer": [] }, { "x-any": [] }])),
    ] {
        assert_eq!(document["paths"][path]["get"]["security"], expected, "{path}");
    }
    assert_eq!(document["paths"]["/robots"]["get"]["x-key-kinds"], json!(["robot"]));
}

#[test]
fn open_operations_need_nothing_as_an_alternative() {
    let routes = Routes::new()
        .get("/open", Route::new())
        .get("/open/{id}", Route::new())
        .get("/closed", Route::new().all_of(&["a"]));
    let gate = builder(&[CredentialSource::bearer()], routes).optional().without_limits();
    let document = described(gate);
    for (path, open, refuses_missing) in
        [("/open", true, false), ("/open/{id}", true, true), ("/closed", false, true)]
    {
        let operation = &document["paths"][path]["get"];
        let security = operation["security"].as_array().unwrap();
        assert_eq!(security.contains(&json!({})), open, "{path}");
        let refused = super::response::resolved(&document, &operation["responses"]["401"]);
        let missing = refused.to_string().contains("credentials_missing");
        assert_eq!(missing, refuses_missing, "{path}: an ambiguous path is not open");
    }
    let root = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build().unwrap();
    let root = root.openapi().document("Users", "1").unwrap();
    assert_eq!(root["security"], json!([{ "bearer": [] }, { "x-api-key": [] }]));
}

#[test]
fn facts_that_openapi_has_no_words_for_are_extensions() {
    const GENERAL: &[Quota] =
        &[Quota::new("all", 100, MINUTE), Quota::by_day("dark", 9).in_shadow()];
    const OWN: &[Quota] = &[Quota::by_day("exports", 5).with_per(Per::Key)];
    let rule = Concurrency::new(2).with_longest_wait(Duration::from_millis(1_500));
    let exporting = Route::new().quotas(OWN).cost(3).metered().refund_on(&[500..=599]);
    let exporting = exporting.concurrency(rule).budget(Duration::from_secs(10));
    let routes = Routes::new()
        .get("/exports/{account}", exporting.account_parameter("account"))
        .get("/open", Route::new());
    let profile = Profile { quotas: GENERAL, ..Profile::STANDARD };
    let gate = ApiKeyLayer::builder(profile, MemoryStore::new())
        .routes(routes)
        .optional()
        .anonymous_quotas(AnonymousQuotas::new([Quota::new("network", 5, MINUTE)]))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let document = described(gate);
    let quota = |name, limit, seconds, algorithm, per| json!({ "name": name, "limit": limit, "window-seconds": seconds, "algorithm": algorithm, "per": per });
    let all = quota("all", 100, 60, "fixed_window", "account");
    let exports = &document["paths"]["/exports/{account}"]["get"];
    for (name, expected) in [
        ("x-quotas", json!([all, quota("exports", 5, 86_400, "calendar_day", "key")])),
        ("x-cost", json!(3)),
        ("x-metered", json!(true)),
        ("x-refunded-statuses", json!(["500-599"])),
        ("x-account-parameter", json!("account")),
        ("x-concurrency", json!({ "limit": 2, "longest-wait-seconds": 1.5 })),
        ("x-time-budget-seconds", json!(10)),
        ("x-anonymous-quotas", Value::Null),
    ] {
        assert_eq!(exports[name], expected, "{name}");
    }
    let open = &document["paths"]["/open"]["get"];
    assert_eq!(open["x-quotas"], json!([all]));
    assert_eq!(
        open["x-anonymous-quotas"],
        json!([quota("network", 5, 60, "fixed_window", "network")])
    );
}

#[test]
fn patterns_and_methods_become_operations_where_openapi_has_them() {
    let purge = Method::from_bytes(b"PURGE").unwrap();
    let routes = Routes::new()
        .any("/any", Route::new())
        .get("/any", Route::new().all_of(&["a"]))
        .on(&[Method::GET, Method::CONNECT, purge], "/live", Route::new())
        .on(&[Method::HEAD, Method::OPTIONS, Method::TRACE], "/probe", Route::new())
        .get("/files/{*rest}", Route::new())
        .get("/docs/{id}", Route::new())
        .get("/odd{{x}}", Route::new())
        .post("/vendors.v1.Users/ListUsers", Route::new())
        .otherwise(Otherwise::Need(Route::new()));
    let gate = builder(&[CredentialSource::bearer()], routes).grpc_services(["vendors.v1.Users"]);
    let document = described(gate);
    let found: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| {
            let mut methods: Vec<&str> = item.as_object().unwrap().keys().map(|it| &**it).collect();
            methods.sort_unstable();
            format!("{path} {}", methods.join(","))
        })
        .collect();
    let mut found: Vec<&str> = found.iter().map(|it| &**it).collect();
    found.sort_unstable();
    let expected = [
        "/any delete,get,patch,post,put",
        "/docs/{id} get",
        "/files/{rest} get",
        "/live get",
        "/probe head,options,trace",
    ];
    assert_eq!(found, expected);
    let any = &document["paths"]["/any"];
    assert_eq!(any["get"]["security"], json!([{ "bearer": ["a"] }]));
    assert_eq!(any["put"]["security"], json!([{ "bearer": [] }]));
    let left_out: Vec<String> = document["x-left-out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {}", it["methods"], it["path"].as_str().unwrap()))
        .collect();
    let expected = [
        r#"["CONNECT","PURGE"] /live"#,
        r#"["GET"] /odd{{x}}"#,
        r#"["POST"] /vendors.v1.Users/ListUsers"#,
        "[] *",
    ];
    assert_eq!(left_out, expected);
    let probe = super::response::resolved(
        &document,
        &document["paths"]["/probe"]["head"]["responses"]["401"],
    );
    assert!(probe["content"].is_null() && probe["headers"]["www-authenticate"].is_object());
}

#[test]
fn a_refusal_with_status_200_is_a_response_of_that_status() {
    const DENIED: Answer = Answer::insecure_success(ErrorBody::Error("REQUEST_DENIED"));
    let profile = Profile { answers: Answers::all(DENIED), ..Profile::STANDARD };
    let routes = Routes::new().get("/maps", Route::new());
    let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).routes(routes).build().unwrap();
    let program = json!({ "openapi": "3.1.0", "paths": { "/maps": { "get": { "responses": { "200": {
        "description": "A map", "content": { "application/json": { "schema": { "type": "array" } } },
    }}}}}});
    let merged = layer.openapi().merged(&program).unwrap();
    let responses = &merged["paths"]["/maps"]["get"]["responses"];
    assert_eq!(responses.as_object().unwrap().len(), 1);
    let media = &responses["200"]["content"]["application/json"];
    assert_eq!(media["schema"]["anyOf"][0], json!({ "type": "array" }));
    assert_eq!(
        media["examples"]["insecure_transport"]["value"],
        json!({ "error": "REQUEST_DENIED" })
    );
}

#[test]
fn a_body_that_a_function_makes_has_no_schema() {
    let empty = Answers::all(Answer::new(StatusCode::FORBIDDEN, ErrorBody::Empty));
    let profile = Profile { answers: empty, ..Profile::STANDARD };
    let routes = Routes::new().get("/a", Route::new());
    let gate = ApiKeyLayer::builder(profile, MemoryStore::new()).routes(routes);
    let made = |refusal: &Refusal<'_>| {
        let is_unknown = *refusal.denial() == Denial::KeyUnknown;
        let content_type = HeaderValue::from_static("text/html");
        is_unknown.then(|| CustomBody { content_type, content: "<p>No</p>".into() })
    };
    let document = described(gate.body_from(made));
    let responses = &document["paths"]["/a"]["get"]["responses"];
    let refused = super::response::resolved(&document, &responses["403"]);
    let example = json!({ "summary": "the key is unknown", "value": "<p>No</p>" });
    let html = json!({ "examples": { "key_unknown": example } });
    assert_eq!(refused["content"], json!({ "text/html": html, "*/*": {} }));
}

#[test]
fn a_document_is_the_same_each_time() {
    let routes = Routes::new().rows(vendors::persona::ROUTES);
    let gate = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new()).routes(routes);
    let layer = gate.without_limits().build().unwrap();
    let made = || layer.openapi().document("Persona", "1").unwrap();
    assert_eq!(made(), made());
}
