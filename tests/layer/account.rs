//! Accounts whose ids stand encoded in the path.

use http::Method;
use tower_api_key::ApiKeyLayer;
use tower_api_key::key::KeyRecord;
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;

use crate::support::{KEY, PROFILE, account, digest, greeting, reason, request, send};

#[tokio::test]
async fn the_account_of_the_path_is_decoded_once() {
    for (id, named, expected) in [
        ("acme", "acme", "admitted"),
        ("acme", "Acme", "account_mismatch"),
        ("ada@corp.example", "ada@corp.example", "admitted"),
        ("ada@corp.example", "ada%40corp.example", "admitted"),
        ("ada@corp.example", "ada%40corp.exampl", "account_mismatch"),
        ("ada@corp.example", "bob%40corp.example", "account_mismatch"),
        ("auth0|5f7c", "auth0%7C5f7c", "admitted"),
        ("auth0|5f7c", "auth0%7c5f7c", "admitted"),
        ("org:7", "org%3A7", "admitted"),
        ("a+b", "a%2Bb", "admitted"),
        ("a+b", "a+b", "admitted"),
        ("a+b", "a%20b", "account_mismatch"),
        ("a(b)!*'", "a(b)!*'", "admitted"),
        // Decoded twice, or not at all, it would be the account's.
        ("a@b", "a%2540b", "route_unknown"),
        ("a%40b", "a%40b", "account_mismatch"),
        ("a%40b", "a%2540b", "route_unknown"),
        // What could be read in two ways stays refused.
        ("a/b", "a%2Fb", "route_unknown"),
        ("acme", "acm%65", "route_unknown"),
        ("acme", "acme%00", "route_unknown"),
        ("acme", "acme%3F", "route_unknown"),
        ("acme", "acme%", "route_unknown"),
        ("acme", "acme%FF", "route_unknown"),
        ("acme", "acme%C3%A9", "account_mismatch"),
    ] {
        let keys = MemoryStore::new();
        keys.add_now(digest(KEY), KeyRecord::builder("key_1", account(id)).build().unwrap());
        let own = Route::new().account_parameter("org");
        let routes = Routes::new().on(&[], "/orgs/{org}/users", own);
        let routes = routes.on(&[], "/of/{*org}", own).otherwise(Otherwise::Deny);
        let layer = ApiKeyLayer::builder(PROFILE, keys).routes(routes).build().unwrap();
        for path in [format!("/orgs/{named}/users"), format!("/of/{named}")] {
            let answer = send(&greeting(&layer), request(Method::GET, &path)).await;
            assert_eq!(reason(&answer), expected, "{id} {path}");
        }
    }
}
