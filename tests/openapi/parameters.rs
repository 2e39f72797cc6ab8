//! What a document says of path parameters.

use http::Method;
use serde_json::json;
use tower_api_key::ApiKeyLayer;
use tower_api_key::rules::{Route, Routes};

use crate::support::{PROFILE, greeting, reason, request, send, store};

/// The pattern of a path parameter accepts exactly the values that the gate finds a route for.
#[tokio::test]
async fn the_pattern_of_a_parameter_is_that_of_the_gate() {
    let routes = Routes::new().get("/users/{id}", Route::new());
    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes);
    let layer = gate.build().unwrap();
    let document = layer.openapi().document("Users", "1").unwrap();
    let schema = &document["paths"]["/users/{id}"]["get"]["parameters"][0]["schema"];
    let validator = jsonschema::validator_for(schema).unwrap();
    let service = greeting(&layer);
    let mut values: Vec<String> = (0..=0x17f_u32)
        .filter_map(char::from_u32)
        .flat_map(|letter| [format!("{letter}"), format!("a{letter}b"), format!("{letter}a")])
        .collect();
    values
        .extend(["", ".", "..", "...", ".a", "a.", "a..b", "a b", "日本", "🦀"].map(str::to_owned));
    for value in values {
        // As encodeURIComponent of JavaScript has it.
        let encoded: String = value
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                _ if b"-_.!~*'()".contains(&byte) => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        let response = send(&service, request(Method::GET, &format!("/users/{encoded}"))).await;
        let is_admitted = reason(&response) == "admitted";
        assert_eq!(is_admitted, validator.is_valid(&json!(value)), "{value:?}");
    }
}
