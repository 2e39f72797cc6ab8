//! Google Maps: the key in the query, status 200 for refusals, and a container that depends on the path.

use super::door::{Known, open, refuses, request, without_store};
use crate::support::send;

const KEY: &str = "AIza0123456789abcdefghijklmnopqrstuvwxy";
const JSON: &str = "content-type: application/json";
const XML: &str = "content-type: application/xml; charset=UTF-8";

const fn known(scopes: &'static [&'static str]) -> Known<'static> {
    Known { scopes, ..Known::new(KEY) }
}

fn get(service: &str, key: &str) -> http::Request<()> {
    request(&format!("GET /maps/api/{service}?address=Oslo{key}"), &[])
}

fn with_key() -> String {
    format!("&key={KEY}")
}

#[tokio::test]
async fn the_path_chooses_the_container() {
    let door = open("google_maps", &[known(&["geocoding"])]);
    let unlisted = "&key=AIza1123456789abcdefghijklmnopqrstuvwxy";
    for (service, key, kind, body) in [
        (
            "geocode/json",
            unlisted,
            JSON,
            r#"{"error_message":"The provided API key is invalid.","results":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            "geocode/json",
            "&key=short",
            JSON,
            r#"{"error_message":"The provided API key is invalid.","results":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            "geocode/json",
            "",
            JSON,
            r#"{"error_message":"You must use an API key to authenticate each request.","results":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            "directions/json",
            unlisted,
            JSON,
            r#"{"error_message":"The provided API key is invalid.","routes":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            "timezone/json",
            unlisted,
            JSON,
            r#"{"errorMessage":"The provided API key is invalid.","status":"REQUEST_DENIED"}"#,
        ),
        (
            "geocode/xml",
            unlisted,
            XML,
            r#"<?xml version="1.0" encoding="UTF-8"?><GeocodeResponse><status>REQUEST_DENIED</status><error_message>The provided API key is invalid.</error_message></GeocodeResponse>"#,
        ),
    ] {
        refuses(&door, get(service, key), 200, &[kind], body).await;
    }
}

#[tokio::test]
async fn every_code_has_status_200() {
    let key = with_key();
    let door =
        open("google_maps", &[Known { quota: Some(("requests", 1)), ..known(&["geocoding"]) }]);
    let service = r#"{"error_message":"This API key is not authorized to use this service or API.","routes":[],"status":"REQUEST_DENIED"}"#;
    refuses(&door, get("directions/json", &key), 200, &[JSON], service).await;
    assert_eq!(send(&door, get("geocode/json", &key)).await.status(), 200);
    let limited = r#"{"error_message":"You have exceeded your rate limit for this API.","results":[],"status":"OVER_QUERY_LIMIT"}"#;
    refuses(&door, get("geocode/json", &key), 200, &[JSON], limited).await;
    let down = r#"{"error_message":"Try again later.","results":[],"status":"UNKNOWN_ERROR"}"#;
    refuses(&without_store("google_maps"), get("geocode/json", &key), 200, &[JSON], down).await;
    refuses(&door, get("nothing/json", &key), 404, &[], "").await;
    let two = format!("{key}&key=another");
    let one = r#"{"error_message":"Send one key.","results":[],"status":"INVALID_REQUEST"}"#;
    refuses(&door, get("geocode/json", &two), 400, &[JSON], one).await;
}
