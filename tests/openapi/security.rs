//! A client that knows nothing but the document gets in: with each scheme and each alternative of scopes, and with
//! nothing less.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request};
use serde_json::{Map, Value};
use tower_api_key::key::KeyRecord;
use tower_api_key::profile::{BasicKey, CredentialSource};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{KEY, PROFILE, account, digest, greeting, reason, send, tls};

const SOURCES: &[CredentialSource] = &[
    CredentialSource::bearer(),
    CredentialSource::basic(BasicKey::PasswordOf("api")),
    CredentialSource::scheme("Token"),
    CredentialSource::header("x-key"),
    CredentialSource::id_and_secret("x-id", "x-secret"),
    CredentialSource::insecure_query("key"),
    CredentialSource::websocket_protocol("api-key."),
];

fn routes() -> Routes {
    Routes::new()
        .get("/none", Route::new())
        .post("/none", Route::new())
        .get("/all", Route::new().all_of(&["a", "b"]))
        .get("/any", Route::new().any_of(&["a", "b"]))
        .get("/sets", Route::new().all_of(&["x"]).any_of_sets(&[&["a", "b"], &["c"]]))
}

/// Writes the credential as the schemes of one alternative say, which are all required.
fn request(
    method: &Method,
    path: &str,
    alternative: &Map<String, Value>,
    schemes: &Value,
) -> Request<()> {
    let mut query = String::new();
    let mut headers: Vec<(String, String)> = Vec::new();
    for name in alternative.keys() {
        let scheme = &schemes[name];
        let text = |member: &str| scheme[member].as_str().unwrap_or_default().to_owned();
        let mut header = |name: String, value: String| headers.push((name, value));
        match (&*text("type"), &*text("in"), &*text("scheme")) {
            ("http", _, "basic") => {
                let pair = STANDARD.encode(format!("api:{KEY}"));
                header("authorization".into(), format!("Basic {pair}"));
            }
            ("http", _, scheme) => header("authorization".into(), format!("{scheme} {KEY}")),
            ("apiKey", "query", _) => query = format!("?{}={KEY}", text("name")),
            ("apiKey", "header", _) if text("name") == "Sec-WebSocket-Protocol" => {
                header("connection".into(), "upgrade".into());
                header("upgrade".into(), "websocket".into());
                header(text("name"), format!("chat, api-key.{KEY}"));
            }
            ("apiKey", "header", _) if text("description").contains("id of the key") => {
                header(text("name"), "key_1".into());
            }
            ("apiKey", "header", _) => header(text("name"), KEY.into()),
            other => panic!("{other:?}"),
        }
    }
    let mut request = Request::builder().method(method.clone()).uri(format!("{path}{query}"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut request = request.body(()).unwrap();
    request.extensions_mut().insert(tls());
    request
}

#[tokio::test]
async fn each_alternative_of_the_document_gets_in_and_nothing_less_does() {
    let profile = Profile { credentials: SOURCES, ..PROFILE };
    let document = {
        let gate = ApiKeyLayer::builder(profile, MemoryStore::new()).routes(routes());
        gate.build().unwrap().openapi().document("Test", "1").unwrap()
    };
    let schemes = &document["components"]["securitySchemes"];
    let mut sent = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let alternatives = operation["security"].as_array().unwrap();
            let scopes = |alternative: &Value| -> Vec<String> {
                let listed = alternative.as_object().unwrap().values().next().unwrap();
                serde_json::from_value(listed.clone()).unwrap()
            };
            for alternative in alternatives {
                let whole = scopes(alternative);
                let lacking = (0..whole.len()).map(|index| {
                    let mut less = whole.clone();
                    less.remove(index);
                    less
                });
                for held in std::iter::once(whole.clone()).chain(lacking) {
                    let enough = alternatives
                        .iter()
                        .any(|it| scopes(it).iter().all(|scope| held.contains(scope)));
                    let store = MemoryStore::new();
                    let record = KeyRecord::builder("key_1", account("acme")).scopes(&held);
                    store.add_now(digest(KEY), record.build().unwrap());
                    let gate = ApiKeyLayer::builder(profile, store).routes(routes());
                    let service = greeting(&gate.build().unwrap());
                    let alternative = alternative.as_object().unwrap();
                    let request = request(&method, path, alternative, schemes);
                    let answer = send(&service, request).await;
                    let expected = if enough { "admitted" } else { "scope_missing" };
                    assert_eq!(
                        reason(&answer),
                        expected,
                        "{method} {path} {alternative:?} {held:?}"
                    );
                    sent += 1;
                }
            }
        }
    }
    assert!(sent > 60, "{sent}");
}
