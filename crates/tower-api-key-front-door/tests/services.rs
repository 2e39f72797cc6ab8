//! What runs beside the gate of a file: management over HTTP, the console, events and webhooks.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::events::{EventKind, EventLog};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_front_door::LiveFrontDoor;
use tower_api_key_sqlx::SqlStore;

const MANAGEMENT: &str = "[management]
path = \"/manage\"
operators = [\"staff\"]
keep_tails = true

[management.owners]
path = \"/own\"
most_keys = 2
longest_life = \"90d\"
";

/// A file, its database, and a key for each of two accounts.
struct Place {
    folder: TempDir,
    store: SqlStore,
    operator: String,
    customer: String,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keys.db").display());
        let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
        let operator = issue(&store, "staff").await;
        let customer = issue(&store, "acme").await;
        Self { folder, store, operator, customer }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gate.toml")
    }

    /// Writes a file with these lines before its first table, and these tables.
    fn write(&self, lines: &str, tables: &str) {
        let database = self.folder.path().join("keys.db");
        let file = format!(
            "{lines}\nprofile.base = \"standard\"\n[store]\nurl = \"sqlite:{}\"\nusage = {{}}\n{tables}",
            database.display()
        );
        fs::write(self.path(), file).unwrap();
    }

    async fn open(&self, lines: &str, tables: &str) -> LiveFrontDoor {
        self.write(lines, tables);
        LiveFrontDoor::open(self.path()).await.unwrap()
    }
}

async fn issue(store: &SqlStore, account: &str) -> String {
    let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
    let scopes = ["keys.read", "keys.write", "accounts.read", "usage.read"];
    let record = KeyRecord::builder(
        format!("key_of_{account}"),
        Account::builder(account).scopes(scopes).build().unwrap(),
    );
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    issued.expose().to_owned()
}

/// Returns a request over TLS.
fn request(method: Method, path: &str, key: &str, body: &Value) -> Request<Body> {
    let content = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let mut request = Request::builder().method(method).uri(path).body(content).unwrap();
    request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
    if !key.is_empty() {
        let value = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    request
}

/// Sends a request to management, and returns the status and the JSON of the answer.
async fn ask(door: &LiveFrontDoor, request: Request<Body>) -> (StatusCode, Value) {
    let answer = door.management().unwrap().router().oneshot(request).await.unwrap();
    let status = answer.status();
    let content = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&content).unwrap_or_default())
}

/// Sends a request through the gate of the file, and returns the status.
async fn pass(door: &LiveFrontDoor, key: &str) -> StatusCode {
    let inner =
        service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let request = request(Method::GET, "/users", key, &Value::Null);
    door.layer().layer(inner).oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn management_does_what_the_file_says() {
    let place = Place::new().await;
    let lines = "limiter.url = \"memory:\"\nplans.free = [{ name = \"minute\", limit = 60, window = \"60s\" }]\n\
        roles.support = [\"users.read\"]";
    let catalogue = "[management.catalogue]\n\"users.read\" = \"Read users\"\n";
    let door = place.open(lines, &format!("{MANAGEMENT}{catalogue}")).await;
    let get = async |path: &str| {
        ask(&door, request(Method::GET, path, &place.operator, &Value::Null)).await
    };
    assert_eq!(get("/manage/plans").await.1["data"][0]["name"], "free");
    let (_, roles) = get("/manage/roles").await;
    assert_eq!(roles["data"][0]["name"], "support", "{roles}");
    let (_, scopes) = get("/manage/scopes").await;
    assert!(scopes.to_string().contains("Read users"), "{scopes}");
    for path in ["/manage/keys/key_of_acme/usage", "/manage/counters/key_of_acme"] {
        assert_eq!(get(path).await.0, StatusCode::OK, "{path}");
    }

    let create = async |body: Value| {
        ask(&door, request(Method::POST, "/own/keys", &place.customer, &body)).await
    };
    let (status, problem) = create(json!({"environment": "live"})).await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::FORBIDDEN, &json!("expires")),
        "{problem}"
    );
    let soon = tower_api_key::clock::Timestamp::from(std::time::SystemTime::now())
        .plus(std::time::Duration::from_secs(86_400));
    let draft = json!({"environment": "live", "expires": soon.to_string()});
    let (status, created) = create(draft.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let secret = created["secret"].as_str().unwrap();
    assert!(secret.starts_with("key_live_"));
    assert_eq!(created["key"]["secrets"][0]["tail"], secret[secret.len() - 4..]);
    assert_eq!(create(draft).await.0, StatusCode::CONFLICT, "the customer has two keys");
}

#[tokio::test]
async fn management_needs_a_key_whatever_the_routes_of_the_file_allow() {
    let place = Place::new().await;
    let lines = "optional = true\nwithout_grant = true\notherwise = { need = {} }";
    let door = place.open(lines, MANAGEMENT).await;
    assert_eq!(pass(&door, "").await, StatusCode::OK);
    for (path, key, expected) in [
        ("/manage/keys", "", StatusCode::UNAUTHORIZED),
        ("/own/keys", "", StatusCode::UNAUTHORIZED),
        ("/manage/keys", &*place.customer, StatusCode::FORBIDDEN),
        ("/manage/keys", &*place.operator, StatusCode::OK),
    ] {
        let (status, _) = ask(&door, request(Method::GET, path, key, &Value::Null)).await;
        assert_eq!(status, expected, "{path}");
    }
    let mut clear = request(Method::GET, "/manage/keys", &place.operator, &Value::Null);
    clear.extensions_mut().insert(Connection::plain("192.0.2.1:4711".parse().unwrap()));
    assert_eq!(ask(&door, clear).await.0, StatusCode::BAD_REQUEST);
    // A file whose routes forbid the path lets an operator in, too.
    place.write("routes = []", MANAGEMENT);
    assert!(door.reload().await.unwrap());
    let keys = request(Method::GET, "/manage/keys", &place.operator, &Value::Null);
    assert_eq!(ask(&door, keys).await.0, StatusCode::OK);
}

#[tokio::test]
async fn failed_attempts_count_together_with_those_of_the_gate() {
    let place = Place::new().await;
    let lines = "failed_attempts = { limit = 2, window = \"60s\" }";
    let door = place.open(lines, MANAGEMENT).await;
    let wrong = "key_live_0000000000000000000000000000";
    for _ in 0..2 {
        assert_eq!(pass(&door, wrong).await, StatusCode::UNAUTHORIZED);
    }
    let keys = || request(Method::GET, "/manage/keys", wrong, &Value::Null);
    assert_eq!(ask(&door, keys()).await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn events_of_requests_are_written_and_flushed() {
    let place = Place::new().await;
    let door = place.open("", "[events]\n").await;
    assert!(door.management().is_none());
    assert_eq!(pass(&door, &place.customer).await, StatusCode::OK);
    door.flush_events().await.unwrap();
    let events = place.store.events(0, 100).await.unwrap();
    let first_uses = events.iter().filter(|event| event.kind == EventKind::FirstUse).count();
    assert_eq!(first_uses, 1, "{events:?}");

    // A file without the table records nothing more, and one with it does again.
    place.write("", "");
    assert!(door.reload().await.unwrap());
    assert_eq!(pass(&door, &place.operator).await, StatusCode::OK);
    door.flush_events().await.unwrap();
    assert_eq!(place.store.events(0, 100).await.unwrap().len(), events.len());
    place.write("", "[events]\nalarms_only = true\n");
    assert!(door.reload().await.unwrap());
    assert_eq!(pass(&door, &place.operator).await, StatusCode::OK);
    door.flush_events().await.unwrap();
    assert_eq!(place.store.events(0, 100).await.unwrap().len(), events.len());
}

#[tokio::test]
async fn a_webhook_that_is_not_valid_keeps_the_front_door_that_serves() {
    let place = Place::new().await;
    let door = place.open("", MANAGEMENT).await;
    let webhook = "[events]\n[[webhooks]]\nname = \"a\"\nurl = \"http://hooks.example.com/t0ken\"\n\
        secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";
    place.write("", &format!("{MANAGEMENT}{webhook}"));
    let error = door.reload().await.unwrap_err().to_string();
    assert!(error.contains("`webhooks[0].url`: `url` begins with http"), "{error}");
    assert!(!error.contains("t0ken") && !error.contains("MfKQ"), "{error}");
    let keys = request(Method::GET, "/manage/keys", &place.operator, &Value::Null);
    assert_eq!(ask(&door, keys).await.0, StatusCode::OK);
}

/// Sends a key to the console's sign-in, and returns the status and the cookie.
async fn sign_in(door: &LiveFrontDoor, key: &str) -> (StatusCode, Option<String>) {
    let mut form = request(Method::POST, "/console/sign-in", "", &Value::Null);
    *form.body_mut() = Body::from(format!("key={key}"));
    let headers = form.headers_mut();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
    let answer = door.management().unwrap().router().oneshot(form).await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
    (answer.status(), cookie)
}

const CONSOLE: &str = "[management.console]\n";

#[tokio::test]
async fn failed_sign_ins_count_together_with_the_attempts_of_the_gate() {
    let place = Place::new().await;
    let lines = "failed_attempts = { limit = 3, window = \"60s\" }";
    let door = place.open(lines, &format!("{MANAGEMENT}{CONSOLE}")).await;
    let wrong = "key_live_0000000000000000000000000000";
    assert_eq!(pass(&door, wrong).await, StatusCode::UNAUTHORIZED);
    let keys = request(Method::GET, "/manage/keys", wrong, &Value::Null);
    assert_eq!(ask(&door, keys).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&door, wrong).await.0, StatusCode::UNAUTHORIZED);
    // The limit is used up at each of the three doors, by one attempt at each.
    assert_eq!(sign_in(&door, wrong).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(pass(&door, wrong).await, StatusCode::TOO_MANY_REQUESTS);
    // So it is after a reload that builds the console anew.
    place.write(lines, &format!("{MANAGEMENT}{CONSOLE}[events]\n"));
    assert!(door.reload().await.unwrap());
    assert_eq!(sign_in(&door, wrong).await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn sessions_of_the_console_outlive_what_is_no_change_of_management() {
    let place = Place::new().await;
    let tables = format!("{MANAGEMENT}{CONSOLE}");
    let door = place.open("", &tables).await;
    let (status, cookie) = sign_in(&door, &place.operator).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let cookie = cookie.unwrap();
    let page = async || {
        let mut page = request(Method::GET, "/console/keys", "", &Value::Null);
        page.headers_mut().insert("cookie", cookie.parse().unwrap());
        door.management().unwrap().router().oneshot(page).await.unwrap().status()
    };
    assert_eq!(page().await, StatusCode::OK);
    for (lines, changed) in [
        ("", format!("{tables}[events]\n")),
        ("", format!("{tables}[events]\nalarms_only = true\n")),
        ("roles.support = [\"users.read\"]", format!("{tables}[events]\n")),
        ("failed_attempts = { limit = 3, window = \"60s\" }", tables.clone()),
    ] {
        place.write(lines, &changed);
        assert!(door.reload().await.unwrap(), "{changed}");
        assert_eq!(page().await, StatusCode::OK, "{lines} {changed}");
    }
    // A key that is revoked ends its session, whichever gate has opened it.
    place.store.revoke("key_of_staff", "test").await.unwrap();
    assert_eq!(page().await, StatusCode::SEE_OTHER);
    // Another table of management ends all sessions.
    let (_, cookie) = sign_in(&door, &place.customer).await;
    assert_eq!(cookie, None, "a customer may not sign in");
    place.write("", &tables.replace("most_keys = 2", "most_keys = 3"));
    assert!(door.reload().await.unwrap());
    assert_eq!(page().await, StatusCode::SEE_OTHER);
}
