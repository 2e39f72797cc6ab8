//! Requests of a client that looks for what is accepted and should not be.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower_api_key::clock::{Clock, ManualClock, SystemClock};
use tower_api_key_sqlx::SqlStore;

use crate::world::{Answer, World};

/// A header of a request.
type Header = (&'static str, &'static str);

/// Sends a body as it is.
async fn send(
    world: &World,
    key: &str,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("authorization", format!("Bearer {key}"));
    let request = request.header("content-type", "application/json");
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// Serde reads an array as a struct, field by field, and the last of two equal names.
#[tokio::test]
async fn an_array_is_no_object_and_a_name_is_there_once() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key.name("before")).await;
    let before = world.get(&operator, "/manage/trail").await.text;
    let quota = r#"["minute",1,60]"#;
    for (line, body, detail) in [
        ("POST /manage/keys", r#"["acme",null,null,"live"]"#, "an object"),
        ("POST /manage/keys", r#"["acme"]"#, "an object"),
        ("PATCH /manage/keys/key_1", "[]", "an object"),
        ("PATCH /manage/keys/key_1", r#"[null,null,"after"]"#, "an object"),
        ("POST /manage/keys/key_1/rotate", "[0]", "an object"),
        ("POST /manage/keys/key_1/revoke", r#"["leaked"]"#, "an object"),
        ("POST /manage/who-is", r#"["secret"]"#, "an object"),
        ("PUT /manage/accounts/acme", r#"[["users.read"]]"#, "an object"),
        ("PATCH /manage/accounts/acme", r#"[["users.read"]]"#, "an object"),
        ("PUT /manage/policies/accounts/acme", "[true]", "an object"),
        ("POST /manage/counters/key_1/reset", r#"["minute"]"#, "an object"),
        ("POST /manage/counters/key_1/raise", r#"["minute",1]"#, "an object"),
        ("PATCH /manage/keys/key_1", &format!(r#"{{"quotas":[{quota}]}}"#), "an object"),
        ("PATCH /manage/accounts/acme", &format!(r#"{{"quotas":[{quota}]}}"#), "an object"),
        ("PUT /manage/accounts/acme", &format!(r#"{{"quotas":[{quota}]}}"#), "an object"),
        ("PATCH /manage/keys/key_1", r#"{"metadata":{"a":"1","a":"2"}}"#, "twice"),
        ("PATCH /manage/keys/key_1", r#"{"metadata":{"a":"1","\u0061":null}}"#, "twice"),
        (
            "POST /manage/keys",
            r#"{"account":"acme","environment":"live","metadata":{"a":"1","a":"1"}}"#,
            "twice",
        ),
    ] {
        let conditional = ["PATCH", "PUT"].iter().any(|method| line.starts_with(method));
        let headers: &[_] = if conditional { &[("if-match", "*")] } else { &[] };
        let answer = send(&world, &operator, line, headers, body).await;
        assert_eq!(answer.status, 422, "{line} {body}: {answer:?}");
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.contains(detail), "{line} {body}: {told}");
    }
    assert_eq!(world.get(&operator, "/manage/trail").await.text, before);
}

/// A condition that nobody looks at would be one that holds.
#[tokio::test]
async fn a_condition_that_an_operation_does_not_support_is_refused() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    let before = world.get(&operator, "/manage/trail").await.text;
    let create = json!({ "account": "acme", "environment": "live" });
    let (absent, tag) =
        (("if-none-match", "*"), ("if-match", "\"00000000000000000000000000000001\""));
    let any = ("if-match", "*");
    let cases: Vec<(&str, Vec<Header>, Option<Value>)> = vec![
        ("POST /manage/keys", vec![absent], Some(create.clone())),
        ("POST /manage/keys", vec![tag], Some(create)),
        ("PATCH /manage/keys/key_1", vec![absent], Some(json!({ "name": "a" }))),
        ("PATCH /manage/keys/key_1", vec![absent, any], Some(json!({ "name": "a" }))),
        ("DELETE /manage/keys/key_1", vec![absent], None),
        ("POST /manage/keys/key_1/rotate", vec![absent], Some(json!({ "overlap_seconds": 0 }))),
        ("POST /manage/keys/key_1/end-earlier-secrets", vec![absent], None),
        ("POST /manage/keys/key_1/revoke", vec![absent], Some(json!({ "reason": "x" }))),
        ("POST /manage/who-is", vec![any], Some(json!({ "secret": "x" }))),
        ("PATCH /manage/accounts/acme", vec![absent, any], Some(json!({ "disabled": true }))),
        ("DELETE /manage/accounts/acme", vec![absent], None),
        ("DELETE /manage/policies/accounts/acme", vec![absent], None),
    ];
    for (line, headers, body) in cases {
        let answer = world.ask(&operator, line, &headers, body).await;
        let told = (answer.status.as_u16(), answer.code());
        assert_eq!(told, (400, "bad-request".to_owned()), "{line} {headers:?}: {answer:?}");
        assert!(answer.text.contains("does not support it"), "{line} {headers:?}: {answer:?}");
    }
    assert_eq!(world.get(&operator, "/manage/trail").await.text, before);
}

#[tokio::test]
async fn an_unknown_method_is_answered_with_the_known_ones() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    for (line, allowed) in [
        ("DELETE /manage/keys", &["GET", "HEAD", "POST"][..]),
        ("PUT /manage/keys/key_1", &["DELETE", "GET", "HEAD", "PATCH"]),
        ("POST /manage/keys/key_1", &["DELETE", "GET", "HEAD", "PATCH"]),
        ("GET /manage/keys/key_1/rotate", &["POST"]),
        ("TRACE /manage/trail", &["GET", "HEAD"]),
        ("BREW /manage/policies/all", &["DELETE", "GET", "HEAD", "PUT"]),
        ("PUT /manage/openapi.json", &["GET", "HEAD"]),
    ] {
        let answer = world.ask(&operator, line, &[], None).await;
        assert_eq!(answer.status, 405, "{line}: {answer:?}");
        let mut told: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
        told.sort_unstable();
        assert_eq!(told, allowed, "{line}");
    }
    for path in ["/manage/keys", "/manage/keys/key_1", "/manage/openapi.json"] {
        let answer = world.ask(&operator, &format!("HEAD {path}"), &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

/// A database counts nanoseconds in 64 bits with a sign, so it would keep another instant.
#[tokio::test]
async fn an_instant_is_kept_as_it_was_sent_or_refused() {
    let store = Arc::new(SqlStore::connect("sqlite::memory:").await.unwrap());
    let clock = ManualClock::starting_at(SystemClock.now());
    let world = World::over(store.clone(), store, clock);
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    for field in ["expires", "not_before"] {
        let instant = "2261-12-31T23:59:59Z";
        let edit = json!({ field: instant });
        let kept = world.patch(&operator, "/manage/keys/key_1", edit).await;
        assert_eq!((kept.status.as_u16(), &kept.json()[field]), (200, &json!(instant)), "{kept:?}");
        let undo = json!({ "expires": null, "not_before": world.at(0) });
        assert_eq!(world.patch(&operator, "/manage/keys/key_1", undo).await.status, 200);
        for late in ["2262-12-31T00:00:00Z", "2300-01-01T00:00:00Z", "9999-12-31T00:00:00Z"] {
            let edited = world.patch(&operator, "/manage/keys/key_1", json!({ field: late })).await;
            let draft = json!({ "account": "acme", "environment": "live", field: late });
            let created = world.post(&operator, "/manage/keys", draft).await;
            for answer in [edited, created] {
                assert_eq!(answer.status, 422, "{field} {late}: {answer:?}");
                assert!(answer.text.contains("1970 to 2261"), "{answer:?}");
            }
        }
    }
}

/// No name is a pattern, and a name that no database can hold is the name of nothing.
#[tokio::test]
async fn filters_take_every_text_to_the_letter() {
    let store = Arc::new(SqlStore::connect("sqlite::memory:").await.unwrap());
    let clock = ManualClock::starting_at(SystemClock.now());
    for world in [World::new(), World::over(store.clone(), store, clock)] {
        let operator = world.operator().await;
        for (id, name) in [("a", "100%"), ("b", "100_"), ("c", "100"), ("d", "1000"), ("e", "")] {
            world.key(id, "acme", |key| key.name(name).owner("ada").metadata("t%", "_")).await;
        }
        for (query, expected) in [
            ("name_prefix=100%25", "a"),
            ("name_prefix=100_", "b"),
            ("name_prefix=%25", ""),
            ("name_prefix=_", ""),
            ("name_prefix=%00", ""),
            ("name_prefix=100%00", ""),
            ("name_prefix=", "a b c d e"),
            ("owner=ad_", ""),
            ("owner=a%25", ""),
            ("owner=%00", ""),
            ("owner=ada'--", ""),
            ("kind=%27%20OR%201=1", ""),
            ("environment=%00", ""),
            ("tag=t%25%3D_", "a b c d e"),
            ("tag=t%25%3D%25", ""),
            ("tag=%00%3D%00", ""),
            ("after=c", "d e"),
            ("after=c%00z", "d e"),
            ("after=%F4%8F%BF%BF", ""),
            ("limit=200&state=revoked", ""),
        ] {
            let path = format!("/manage/keys?account=acme&{query}");
            let answer = world.get(&operator, &path).await;
            assert_eq!(answer.status, 200, "{query}: {answer:?}");
            let page = answer.json();
            let found = page["data"].as_array().unwrap().iter();
            let found: Vec<_> = found.map(|key| key["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found.join(" "), expected, "{query}");
        }
        for path in [
            "/manage/keys/%00",
            "/manage/keys/a%00",
            "/manage/keys/a%2F..%2Fb",
            "/manage/keys/%25",
            "/manage/accounts/%00",
            "/manage/accounts/a%25",
            "/manage/keys/%00/policies",
            "/manage/counters/%00",
        ] {
            let answer = world.get(&operator, path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (404, "not-found"),
                "{path}"
            );
        }
        for query in ["key=%00", "account=%00", "by=%00", "account=%25", "before=0"] {
            let answer = world.get(&operator, &format!("/manage/trail?{query}")).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["data"]),
                (200, &json!([])),
                "{query}"
            );
        }
        for query in ["before=18446744073709551615", "before=-1", "before=1&before=2", "limit=1e2"]
        {
            let answer = world.get(&operator, &format!("/manage/trail?{query}")).await;
            assert_eq!(answer.status, 400, "{query}: {answer:?}");
        }
        let lines = world.store.changes(0, 100).await.unwrap();
        assert_eq!(lines.len(), 6, "nothing was changed");
    }
}

/// A key of one account learns nothing of another one by any field of any request.
#[tokio::test]
async fn an_owner_learns_nothing_of_another_account() {
    let world = World::new();
    let scopes = ["keys.read", "keys.write", "accounts.read", "trail.read", "usage.read"];
    let owner = world.key("owner", "acme", |key| key.scopes(scopes)).await;
    world.key("foreign", "other", |key| key.name("secret project").scopes(["users.read"])).await;
    let foreign = world.store.get("foreign").await.unwrap().unwrap();
    let tag = format!("\"{}\"", tower_api_key::store::Version::of_key(&foreign));
    let wrong = "\"00000000000000000000000000000001\"";
    // The answers for a key of another account, for one that does not exist, with a tag that fits and one that does not.
    for line in [
        "GET /own/keys/ID",
        "GET /own/keys/ID/policies",
        "GET /own/keys/ID/usage",
        "GET /own/counters/ID",
        "PATCH /own/keys/ID",
        "DELETE /own/keys/ID",
        "POST /own/keys/ID/rotate",
        "POST /own/keys/ID/revoke",
        "POST /own/keys/ID/end-earlier-secrets",
    ] {
        let body = match line.rsplit('/').next().unwrap() {
            "rotate" => Some(json!({ "overlap_seconds": 0 })),
            "revoke" => Some(json!({ "reason": "x" })),
            _ if line.starts_with("PATCH") => Some(json!({ "name": "x" })),
            _ => None,
        };
        let mut answers = Vec::new();
        for id in ["foreign", "none"] {
            for tag in [&tag, wrong, "*"] {
                for once in [None, Some(("idempotency-key", "1"))] {
                    let mut headers = vec![("if-match", tag as &str)];
                    headers.extend(once);
                    let line = line.replace("ID", id);
                    let answer = world.ask(&owner, &line, &headers, body.clone()).await;
                    answers.push((answer.status, answer.text));
                }
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{line}: {answers:?}");
        assert_eq!(answers[0].0, 404, "{line}: {answers:?}");
    }
    for path in [
        "/own/keys?account=other",
        "/own/keys?name_prefix=secret",
        "/own/keys?order=name&after=secret%20project%0Aa",
        "/own/keys?after=e",
        "/own/trail?account=other",
        "/own/trail?key=foreign",
        "/own/trail?by=test&account=other",
        "/own/accounts?after=acme",
        "/own/accounts",
        "/own/plans",
        "/own/roles",
    ] {
        let answer = world.get(&owner, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        for word in ["other", "foreign", "secret project"] {
            assert!(!answer.text.contains(word), "{path}: {answer:?}");
        }
    }
    for (path, status) in [
        ("/own/accounts/other", 404),
        ("/own/accounts/none", 404),
        ("/own/policies", 403),
        ("/own/policies/accounts/acme", 403),
        ("/own/policies/review", 403),
    ] {
        assert_eq!(world.get(&owner, path).await.status, status, "{path}");
    }
    let after = world.store.get("foreign").await.unwrap().unwrap();
    assert_eq!(after.record, foreign.record);
}

/// An operator can give the id of a deleted key to a key of another account.
#[tokio::test]
async fn a_replay_shows_no_key_of_another_account_that_has_got_the_id() {
    let world = World::new();
    let owner = world.owner("owner", "acme").await;
    let once = [("idempotency-key", "1")];
    let draft = || Some(json!({ "scopes": ["users.read"], "expires": world.at(60) }));
    let create = async || world.ask(&owner, "POST /own/keys", &once, draft()).await;
    let id = create().await.json()["key"]["id"].as_str().unwrap().to_owned();
    let revoke = format!("POST /own/keys/{id}/revoke");
    let once_more = [("idempotency-key", "2")];
    let revoked =
        async || world.ask(&owner, &revoke, &once_more, Some(json!({ "reason": "x" }))).await;
    assert_eq!(revoked().await.status, 200);
    world.store.delete(&id, "test").await.unwrap();
    world.key(&id, "other", |key| key.name("secret project")).await;
    let (again, anew) = (revoked().await, create().await);
    assert!(!format!("{again:?} {anew:?}").contains("secret project"), "{again:?} {anew:?}");
    assert_eq!((again.status.as_u16(), again.text.as_str()), (200, "null"));
    assert_eq!((anew.status.as_u16(), anew.code().as_str()), (409, "created-key-deleted"));
    let other = world.store.get(&id).await.unwrap().unwrap();
    assert!(!other.record.is_revoked());
}
