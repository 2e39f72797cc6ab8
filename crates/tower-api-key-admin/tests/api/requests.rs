//! Requests that are wrong, sent twice, or filtered.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower_api_key::clock::ManualClock;
use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
use tower_api_key::store::MemoryStore;

use crate::world::{Answer, NOW, World};

#[tokio::test]
async fn a_creation_that_is_sent_again_makes_one_key() {
    let world = World::new();
    let (operator, owner) = (world.operator().await, world.owner("owner", "acme").await);
    let draft =
        || Some(json!({ "account": "acme", "environment": "live", "name": "once", "scopes": [] }));
    let once = [("idempotency-key", "9f2c")];
    let first = world.ask(&operator, "POST /manage/keys", &once, draft()).await;
    assert_eq!((first.status.as_u16(), first.json()["secret"].is_string()), (201, true));
    let again = world.ask(&operator, "POST /manage/keys", &once, draft()).await;
    assert_eq!((again.status.as_u16(), &again.json()["secret"]), (200, &Value::Null));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["key"], first.json()["key"]);
    let other =
        Some(json!({ "account": "acme", "environment": "live", "name": "other", "scopes": [] }));
    let reused = world.ask(&operator, "POST /manage/keys", &once, other).await;
    assert_eq!((reused.status.as_u16(), reused.code().as_str()), (422, "idempotency-key-reused"));
    // Another author may choose the same name.
    let draft = Some(json!({ "scopes": ["users.read"], "expires": world.at(60) }));
    let own = world.ask(&owner, "POST /own/keys", &once, draft).await;
    assert_eq!(own.status, 201, "{own:?}");

    let id = first.json()["key"]["id"].as_str().unwrap().to_owned();
    let path = format!("/manage/keys/{id}");
    let rotate = || Some(json!({ "overlap_seconds": 9 }));
    let once = [("idempotency-key", "rotate")];
    let line = format!("POST {path}/rotate");
    let first = world.ask(&operator, &line, &once, rotate()).await;
    let again = world.ask(&operator, &line, &once, rotate()).await;
    assert_eq!((first.json()["secret"].is_string(), &again.json()["secret"]), (true, &Value::Null));
    assert_eq!(again.json()["key"]["secrets"].as_array().unwrap().len(), 2);

    // The retry of an edit names the version before the edit.
    let tag = world.get(&operator, &path).await.header("etag").to_owned();
    let headers = [("idempotency-key", "edit"), ("if-match", &*tag)];
    let line = format!("PATCH {path}");
    for _ in 0..2 {
        let edited = world.ask(&operator, &line, &headers, Some(json!({ "name": "new" }))).await;
        assert_eq!((edited.status.as_u16(), &edited.json()["name"]), (200, &json!("new")));
    }
    let once = [("idempotency-key", "delete")];
    let line = format!("DELETE {path}");
    for _ in 0..2 {
        assert_eq!(world.ask(&operator, &line, &once, None).await.status, 204);
    }
    assert_eq!(world.ask(&operator, &line, &[], None).await.status, 404);
    // The first request's key is gone, and its secret with it.
    let draft =
        || Some(json!({ "account": "acme", "environment": "live", "name": "once", "scopes": [] }));
    let once = [("idempotency-key", "9f2c")];
    let again = world.ask(&operator, "POST /manage/keys", &once, draft()).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (409, "created-key-deleted"));
}

#[tokio::test]
async fn a_list_is_filtered_ordered_and_paged() {
    let world = World::new();
    let operator = world.operator().await;
    for (id, name, team) in [("a", "zebra", "red"), ("b", "yak", "blue"), ("c", "zebu", "red")] {
        world.key(id, "acme", |key| key.name(name).metadata("team", team)).await;
    }
    world.key("d", "acme", |key| key.expires(world.clock_plus(60)).owner("ada")).await;
    let ids = async |query: &str| {
        let answer = world.get(&operator, &format!("/manage/keys?account=acme&{query}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.json();
        let keys = page["data"].as_array().unwrap().iter();
        let ids: Vec<_> = keys.map(|key| key["id"].as_str().unwrap().to_owned()).collect();
        (ids.join(" "), page["next"].clone())
    };
    for (query, expected) in [
        ("", "a b c d"),
        ("tag=team%3Dred", "a c"),
        ("name_prefix=zeb", "a c"),
        ("owner=ada", "d"),
        ("state=active&tag=team%3Dblue", "b"),
        ("expires_before=2100-01-01T00:00:00Z", "d"),
        ("order=name", "d b a c"),
        ("order=expiry", "d"),
    ] {
        assert_eq!(ids(query).await, (expected.to_owned(), Value::Null), "{query}");
    }
    let (page, next) = ids("order=name&limit=2").await;
    assert_eq!(page, "d b");
    let next = next.as_str().unwrap().replace('\n', "%0A");
    assert_eq!(ids(&format!("order=name&limit=2&after={next}")).await.0, "a c");
}

#[tokio::test]
async fn keys_are_found_by_the_last_characters_of_their_secrets_if_the_issuer_keeps_them() {
    for keeps in [false, true] {
        let clock = ManualClock::starting_at(NOW);
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        let issuer = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256());
        let issuer = if keeps { issuer.keep_tails() } else { issuer };
        let world = World::issuing(issuer, store.clone(), store, clock, |management| management);
        let operator = world.operator().await;
        world.key("key_old", "acme", |key| key).await;
        let body = json!({ "account": "acme", "environment": "live", "scopes": [] });
        let made = world.ask(&operator, "POST /manage/keys", &[], Some(body)).await.json();
        let id = made["key"]["id"].as_str().unwrap();
        let rotate = format!("POST /manage/keys/{id}/rotate");
        let rotated =
            world.ask(&operator, &rotate, &[], Some(json!({ "overlap_seconds": 60 }))).await.json();
        let tail = |answer: &Value| {
            let secret = answer["secret"].as_str().unwrap();
            secret[secret.len() - 4..].to_owned()
        };
        let (old, new) = (tail(&made), tail(&rotated));
        let shown = |keeps: bool| if keeps { json!([new, old]) } else { json!([null, null]) };
        let secrets = rotated["key"]["secrets"].as_array().unwrap().iter();
        let tails: Vec<_> = secrets.map(|secret| secret["tail"].clone()).collect();
        assert_eq!(json!(tails), shown(keeps), "{rotated}");
        for tail in [&old, &new] {
            let found = world.get(&operator, &format!("/manage/keys?tail={tail}")).await.json();
            let found = found["data"].as_array().unwrap().iter();
            let found: Vec<_> = found.map(|key| key["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found, if keeps { vec![id.to_owned()] } else { vec![] }, "{tail}");
        }
    }
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // A table.
async fn bad_requests_are_problems_and_change_nothing() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key.name("before")).await;
    let before = world.get(&operator, "/manage/trail").await.text;
    let secret = "sk_live_in_the_wrong_place";
    let deep = "[".repeat(5_000);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    let many: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
    let many = json!({ "scopes": many }).to_string();
    let cases: &[(&str, &str, u16)] = &[
        ("GET /manage/unknown", "", 404),
        ("GET /manage/keys/a/b/c", "", 404),
        ("DELETE /manage/keys", "", 405),
        ("PUT /manage/keys/key_1", "{}", 405),
        ("GET /manage/keys?colour=red", "", 400),
        ("GET /manage/keys?limit=0", "", 422),
        ("GET /manage/keys?limit=-1", "", 400),
        ("GET /manage/keys?limit=5&limit=6", "", 400),
        ("GET /manage/keys?state=sk_live_in_the_wrong_place", "", 400),
        ("GET /manage/keys?tag=red", "", 400),
        ("GET /manage/keys?tail=sk_live_in_the_wrong_place", "", 400),
        ("GET /manage/keys?tail=", "", 400),
        ("GET /manage/keys?order=name&after=x", "", 422),
        ("GET /manage/keys?expires_before=tomorrow", "", 400),
        ("GET /manage/trail?action=unknown", "", 400),
        ("GET /manage/trail?before=x", "", 400),
        ("POST /manage/keys", "", 400),
        ("POST /manage/keys", "{", 400),
        ("POST /manage/keys", "[]", 422),
        ("POST /manage/keys", "{}", 422),
        ("POST /manage/keys", &deep, 422),
        ("POST /manage/keys", &large, 413),
        ("POST /manage/keys", r#"{"account":"unknown"}"#, 422),
        ("POST /manage/keys", r#"{"account":"acme","environment":"mars"}"#, 422),
        ("POST /manage/keys", r#"{"account":"acme","owner":"a b"}"#, 422),
        ("POST /manage/keys", r#"{"account":"acme","expires":"2001-01-01T00:00:00Z"}"#, 422),
        ("POST /manage/keys", r#"{"account":"acme","expires":"2600-01-01T00:00:00Z"}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"colour":1}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"name":1}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"name":"a","name":"b"}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"name":"a\nb"}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"owner":null}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"scopes":["a b"]}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"scopes":"sk_live_in_the_wrong_place"}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"networks":["sk_live_in_the_wrong_place"]}"#, 422),
        (
            "PATCH /manage/keys/key_1",
            r#"{"quotas":[{"name":"m","limit":0,"window_seconds":1}]}"#,
            422,
        ),
        (
            "PATCH /manage/keys/key_1",
            r#"{"quotas":[{"name":"m","limit":1,"window_seconds":1e300}]}"#,
            422,
        ),
        ("PATCH /manage/keys/key_1", r#"{"expires":"sk_live_in_the_wrong_place"}"#, 422),
        ("PATCH /manage/keys/key_1", r#"{"disabled":"sk_live_in_the_wrong_place"}"#, 422),
        ("PATCH /manage/keys/key_1", &many, 422),
        ("PATCH /manage/keys/key_1", r#"{"name":"a"} b"#, 400),
        ("POST /manage/keys/key_1/rotate", r#"{"overlap_seconds":-1}"#, 422),
        ("POST /manage/keys/key_1/rotate", r#"{"overlap_seconds":99999999}"#, 422),
        ("POST /manage/keys/key_1/rotate", "{}", 422),
        ("POST /manage/keys/key_1/revoke", "{}", 422),
        ("DELETE /manage/keys/key_1", "{}", 400),
        ("DELETE /manage/keys/key_1?reason=a%0Ab", "", 422),
        ("DELETE /manage/keys/key_1?why=a", "", 400),
        ("PUT /manage/accounts/a%20b", "{}", 422),
        ("POST /manage/who-is", r#"{"secret":"unknown"}"#, 404),
    ];
    for (line, body, status) in cases {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {operator}"))
            .header("content-type", "application/json");
        if !["POST /manage/keys", "POST /manage/who-is"].contains(line) {
            request = request.header("if-match", "*");
        }
        let answer = world.send(request.body(Body::from((*body).to_owned())).unwrap()).await;
        let shown = &body[..body.len().min(80)];
        assert_eq!(answer.status.as_u16(), *status, "{line} {shown}: {answer:?}");
        answer.code();
        assert!(!answer.text.contains(secret), "{line} {shown}: {answer:?}");
    }
    let headers: &[(&str, &str, u16)] = &[
        ("if-match", "key_1", 400),
        ("if-match", "", 412),
        ("if-match", "\"a\", \"b\"", 400),
        ("if-match", "\"another\"", 412),
        ("if-match", "W/\"00000000000000000000000000000000\"", 412),
        ("if-match", "\"00000000000000000000000000000000\"", 412),
        ("idempotency-key", "", 400),
        ("if-none-match", "\"x\"", 400),
    ];
    for (name, value, status) in headers {
        let body = Some(json!({ "name": "after" }));
        let answer = world.ask(&operator, "PATCH /manage/keys/key_1", &[(name, value)], body).await;
        assert_eq!(answer.status.as_u16(), *status, "{name}: {value}: {answer:?}");
        answer.code();
    }
    let text = [("content-type", "text/plain"), ("if-match", "*")];
    let answer = world.ask(&operator, "PATCH /manage/keys/key_1", &text, None).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (415, "not-json"));
    assert_eq!(world.get(&operator, "/manage/trail").await.text, before);
}

#[tokio::test]
async fn every_answer_has_what_the_document_says() {
    let world = World::new();
    let operator = world.operator().await;
    let document = world.get(&operator, "/manage/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let schema = |name: &str| {
        let properties = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        let mut names: Vec<_> = properties.keys().cloned().collect();
        names.sort_unstable();
        names
    };
    let fields = |value: &Value| {
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        names
    };
    let data = |answer: Answer| answer.json()["data"][0].clone();
    let key = data(world.get(&operator, "/manage/keys").await);
    assert_eq!(fields(&key), schema("Key"));
    assert_eq!(fields(&data(world.get(&operator, "/manage/accounts").await)), schema("Account"));
    assert_eq!(fields(&data(world.get(&operator, "/manage/trail").await)), schema("Change"));
    assert_eq!(fields(&data(world.get(&operator, "/manage/plans").await)), schema("Plan"));
    assert_eq!(fields(&data(world.get(&operator, "/manage/roles").await)), schema("Role"));
    let line = "PUT /manage/policies/accounts/staff";
    let mighty = world.mighty_operator().await;
    let body = Some(json!({ "require_expiry": true }));
    assert_eq!(world.ask(&mighty, line, &[("if-match", "*")], body).await.status, 200);
    assert_eq!(fields(&data(world.get(&operator, "/manage/policies").await)), schema("Policy"));
    let review = data(world.get(&operator, "/manage/policies/review").await);
    assert_eq!(fields(&review), schema("KeyReview"));
    let counter = data(world.get(&operator, "/manage/counters/operator").await);
    assert_eq!(fields(&counter), schema("Counter"));
    assert_eq!(fields(&counter["quota"]), schema("QuotaView"));
    let own = world.get(&operator, "/own/openapi.json").await.json();
    assert!(own["paths"]["/own/keys/{id}"]["patch"].is_object(), "{}", own["paths"]);
}
