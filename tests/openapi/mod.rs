//! Documents of gates in OpenAPI.

mod facts;
mod merging;
mod provoked;
mod response;
mod world;

use tower_api_key::rules::Routes;
use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};

#[test]
fn a_document_has_the_security_and_the_refusals_of_the_gate() {
    let routes = Routes::new().rows(vendors::persona::ROUTES);
    let layer = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new());
    let layer = layer.routes(routes).without_limits().build().unwrap();
    let document = layer.openapi().document("Persona", "1").unwrap();
    let list = &document["paths"]["/api/v1/inquiries"]["get"];
    assert_eq!(list["security"], serde_json::json!([{ "bearer": ["inquiry.read"] }]));
    let refused = response::resolved(&document, &list["responses"]["401"]);
    let examples = &refused["content"]["application/json"]["examples"];
    assert!(examples["credentials_missing"]["value"]["errors"][0]["title"].is_string(), "{list}");
}
