//! What a document says of quotas, and of a header that names the account.

use std::time::Duration;

use serde_json::{Value, json};
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::profile::{Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Profile};

const MINUTE: Duration = Duration::from_secs(60);

/// Describes a gate that counts. Plans are the program's.
fn described(profile: Profile, routes: Routes, plans: Plans) -> Value {
    ApiKeyLayer::builder(profile, MemoryStore::new())
        .routes(routes)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .plans(plans)
        .build()
        .unwrap()
        .openapi()
        .document("Users", "1")
        .unwrap()
}

/// What one customer may do is no one else's business, and a document is the same each time.
#[test]
fn a_document_shows_no_plan() {
    let routes = || Routes::new().get("/a", Route::new());
    let mut documents = Vec::new();
    for names in [&["secretplan"][..], &["a", "b", "c", "d", "e", "f"]] {
        let plans = Plans::new();
        for (number, name) in (0..).zip(names) {
            let quota = Quota::new("negotiated", 987_000 + number, MINUTE * 7);
            plans.set(*name, [quota]).unwrap();
        }
        documents.push(described(Profile::STANDARD, routes(), plans).to_string());
    }
    assert_eq!(documents[0], documents[1]);
    for text in ["negotiated", "9870", "secretplan"] {
        assert!(!documents[0].contains(text), "{text}");
    }
}

#[test]
fn a_route_with_only_its_own_quotas_shows_no_others() {
    let profile = Profile { quotas: &[Quota::new("general", 321, MINUTE)], ..Profile::STANDARD };
    let search = [Quota::new("search", 45, MINUTE)];
    let routes = Routes::new()
        .get("/only", Route::new().quotas(&search).only_own_quotas())
        .get("/both", Route::new().quotas(&search))
        .get("/general", Route::new());
    let document = described(profile, routes, Plans::new());
    for (path, expected) in
        [("/only", &["search"][..]), ("/both", &["general", "search"]), ("/general", &["general"])]
    {
        let operation = &document["paths"][path]["get"];
        let quotas = operation["x-quotas"].as_array().unwrap();
        let names: Vec<&str> = quotas.iter().map(|quota| quota["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{path}");
        let refused = super::response::resolved(&document, &operation["responses"]["429"]);
        let text = refused.to_string();
        for name in ["general", "search"] {
            assert_eq!(text.contains(name), expected.contains(&name), "{path} {name}: {text}");
        }
    }
}

/// The layer's tests show what the gate refuses: a header without a value that must name the account.
#[test]
fn a_header_that_must_name_the_account_is_required() {
    for (expected, is_required) in [
        (Expected::OwnAccount, true),
        (Expected::Present, true),
        (Expected::AbsentOr(&Expected::OwnAccount), false),
    ] {
        let headers = [RequiredHeader { name: "x-organization", expected }];
        let profile = Profile { required_headers: &headers, ..Profile::STANDARD };
        let routes = Routes::new().get("/a", Route::new());
        let document = described(profile, routes, Plans::new());
        let parameter = &document["paths"]["/a"]["get"]["parameters"][0];
        assert_eq!(parameter["name"], "x-organization");
        assert_eq!(parameter["required"], json!(is_required), "{expected:?}");
    }
}
