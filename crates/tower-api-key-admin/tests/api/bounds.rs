//! What is bounded: secrets of a key, metadata, what the trail shows, and what counters take.

use std::sync::Arc;

use serde_json::{Value, json};
use tower_api_key::store::Command;

use crate::world::World;

#[tokio::test]
async fn a_key_has_eight_valid_secrets_at_most() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    let line = "POST /manage/keys/key_1/rotate";
    let rotate = |seconds: u64| Some(json!({ "overlap_seconds": seconds }));
    for number in 2..=8 {
        let name = number.to_string();
        let once = [("idempotency-key", name.as_str())];
        let answer = world.ask(&operator, line, &once, rotate(60)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let answer = world.ask(&operator, line, &[], rotate(60)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "too-many-secrets"));
    // A replay makes no secret, and a rotation without overlap ends the others.
    let replay = world.ask(&operator, line, &[("idempotency-key", "8")], rotate(60)).await;
    assert_eq!((replay.status.as_u16(), &replay.json()["secret"]), (200, &Value::Null));
    assert_eq!(world.ask(&operator, line, &[], rotate(0)).await.status, 200);
    assert_eq!(world.ask(&operator, line, &[], rotate(60)).await.status, 200);
}

#[tokio::test]
async fn metadata_of_a_key_has_16_kib_at_most() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    let value = "x".repeat(255);
    let metadata = |from: u32, until: u32| -> Value {
        let values = (from..until).map(|number| (number.to_string(), json!(value)));
        Value::Object(values.collect())
    };
    let draft = json!({ "account": "acme", "environment": "live", "metadata": metadata(0, 70) });
    let answer = world.post(&operator, "/manage/keys", draft).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &json!("metadata")));
    for (from, status) in [(0, 200), (20, 200), (40, 422)] {
        let edit = json!({ "metadata": metadata(from, from + 40) });
        let answer = world.patch(&operator, "/manage/keys/key_1", edit).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

/// A store finds keys by these texts, and cannot index longer ones.
#[tokio::test]
async fn a_text_that_no_store_can_index_is_refused() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    let [fits, long] = [255, 256].map(|count| "\u{1f511}".repeat(count));
    for (field, value) in [
        ("name", json!(long)),
        ("metadata", json!({ long.as_str(): "x" })),
        ("metadata", json!({ "x": long })),
        ("owner", json!("x".repeat(256))),
        ("kind", json!("x".repeat(256))),
    ] {
        let mut draft = json!({ "account": "acme", "environment": "live" });
        draft[field] = value.clone();
        let created = world.post(&operator, "/manage/keys", draft).await;
        let edited = world.patch(&operator, "/manage/keys/key_1", json!({ field: value })).await;
        for answer in [created, edited] {
            let told = (answer.status.as_u16(), answer.json()["field"].clone());
            assert_eq!(told, (422, json!(field)), "{answer:?}");
        }
    }
    let edit = json!({ "name": fits, "metadata": { fits.as_str(): fits } });
    assert_eq!(world.patch(&operator, "/manage/keys/key_1", edit).await.status, 200);
}

#[tokio::test]
async fn an_owner_finds_no_line_by_an_author_that_it_does_not_see() {
    let world = World::new();
    let (operator, owner) = (world.operator().await, world.owner("owner", "acme").await);
    world.key("key_1", "acme", |key| key.scopes(["users.read"])).await;
    for secret in [&operator, &owner] {
        let edit = json!({ "name": format!("name {}", secret.len()) });
        let prefix = if secret == &operator { "/manage" } else { "/own" };
        world.patch(secret, &format!("{prefix}/keys/key_1"), edit).await;
    }
    let count = async |secret: &str, by: &str| {
        let trail = world.get(secret, &format!("/manage/trail?key=key_1&by={by}")).await.json();
        trail["data"].as_array().unwrap().len()
    };
    assert_eq!((count(&owner, "operator").await, count(&owner, "owner").await), (0, 1));
    assert_eq!(count(&operator, "operator").await, 1);
}

#[tokio::test]
async fn counters_take_no_condition() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    for (path, body) in
        [("reset", json!({ "quota": "minute" })), ("raise", json!({ "quota": "minute", "by": 1 }))]
    {
        let line = format!("POST /manage/counters/key_1/{path}");
        for header in ["if-match", "if-none-match"] {
            let answer = world.ask(&operator, &line, &[(header, "*")], Some(body.clone())).await;
            assert_eq!(answer.status, 400, "{header}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn keys_and_accounts_of_operators_are_shrunk_with_grant_any_only() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("mighty", "staff", |key| key.scopes(["billing.write"])).await;
    let put = [("if-match", "*")];
    for (line, body) in [
        ("POST /manage/keys/mighty/revoke", Some(json!({ "reason": "x" }))),
        ("DELETE /manage/keys/mighty", None),
        ("PATCH /manage/keys/mighty", Some(json!({ "disabled": true }))),
        ("PATCH /manage/keys/mighty", Some(json!({ "scopes": [] }))),
        ("PATCH /manage/accounts/staff", Some(json!({ "scopes": ["users.read"] }))),
        ("PATCH /manage/accounts/staff", Some(json!({ "plan": "free" }))),
        ("PATCH /manage/accounts/staff", Some(json!({ "quotas": [] }))),
        ("PUT /manage/accounts/staff", Some(json!({ "plan": "free" }))),
        // Where customers come in, too.
        ("POST /own/keys/mighty/revoke", Some(json!({ "reason": "x" }))),
    ] {
        let answer = world.ask(&operator, line, &put, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "missing-scope"),
            "{line}"
        );
        assert!(answer.text.contains("`keys.grant-any`"), "{answer:?}");
    }
    world.key("like", "staff", |key| key.scopes(["users.read"])).await;
    let revoke = json!({ "reason": "x" });
    assert_eq!(world.post(&operator, "/manage/keys/like/revoke", revoke).await.status, 200);
}

#[tokio::test]
async fn no_error_repeats_an_unknown_scope_or_the_name_of_a_quota() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    let secret = "sk_live_in_the_wrong_place";
    let quota = |name: &str| json!({ "name": name, "limit": 1, "window_seconds": 60 });
    for (body, status, named) in [
        (json!({ "scopes": ["users.read", secret] }), 403, "scope 1 of the sorted"),
        (json!({ "scopes": ["keys.grant-any"] }), 403, "your key lacks the scope `keys.grant-any`"),
        (json!({ "quotas": [quota("minute"), quota("SK live!")] }), 422, "quota 2"),
        (json!({ "quotas": [quota(secret), quota(secret)] }), 422, "quota 2"),
    ] {
        for path in ["keys/key_1", "accounts/acme"] {
            let answer = world.patch(&operator, &format!("/manage/{path}"), body.clone()).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert!(answer.text.contains(named), "{answer:?}");
            assert!(!answer.text.contains(secret) && !answer.text.contains("SK"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_creation_brings_no_account_back_that_is_deleted_meanwhile() {
    // The store refuses what the look-up before could not know; its promise is tested with the stores.
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key).await;
    let delete = Command::DeleteAccount { id: "acme" };
    let by = tower_api_key::store::CommandOptions::by("test");
    Arc::clone(&world.store).apply(delete, by).await.unwrap();
    let draft = json!({ "account": "acme", "environment": "live", "scopes": [] });
    let answer = world.post(&operator, "/manage/keys", draft).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &json!("account")));
    assert!(world.store.find_account("acme").await.unwrap().is_none());
}

#[tokio::test]
async fn an_instant_in_an_error_has_whole_seconds() {
    let world = World::new();
    let ends = world.clock_plus(600).plus(std::time::Duration::from_nanos(872_786_652));
    let scopes = ["keys.read", "keys.write"];
    let owner = world.key("owner", "acme", |key| key.scopes(scopes).expires(ends)).await;
    let answer = world.post(&owner, "/own/keys", json!({ "scopes": [] })).await;
    let expected = format!("expires: your key expires at {}, so", world.at(600));
    assert!(answer.json()["detail"].as_str().unwrap().starts_with(&expected), "{answer:?}");
    // The instant that the error names is allowed.
    let draft = json!({ "scopes": [], "expires": world.at(600) });
    assert_eq!(world.post(&owner, "/own/keys", draft).await.status, 201);
}
