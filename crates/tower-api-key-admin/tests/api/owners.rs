//! Owners: customers who manage the keys of their own account, and get no more than they have.

use std::sync::Arc;

use serde_json::{Value, json};
use tower_api_key::clock::{Clock, ManualClock, SystemClock};
use tower_api_key_sqlx::SqlStore;

use crate::world::World;

/// A key that an owner may create.
fn draft(world: &World) -> Value {
    json!({ "scopes": ["users.read"], "expires": world.at(60) })
}

fn with(mut draft: Value, field: &str, value: Value) -> Value {
    draft[field] = value;
    draft
}

#[tokio::test]
async fn an_owner_sees_its_own_account_only() {
    let world = World::new();
    let owner = world.owner("owner", "acme").await;
    let foreign = world.owner("foreign", "other").await;
    for prefix in ["/manage", "/own"] {
        let listed = world.get(&owner, &format!("{prefix}/keys")).await.json();
        let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|key| &key["id"]).collect();
        assert_eq!(ids, ["owner"]);
        let none = world.get(&owner, &format!("{prefix}/keys?account=other")).await.json();
        assert_eq!(none["data"], json!([]));
        let unknown = world.get(&owner, &format!("{prefix}/keys/unknown")).await;
        for line in ["GET /keys/foreign", "DELETE /keys/foreign", "GET /accounts/other"] {
            let (method, path) = line.split_once(' ').unwrap();
            let answer = world.ask(&owner, &format!("{method} {prefix}{path}"), &[], None).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (404, "not-found"),
                "{line}"
            );
            if line == "GET /keys/foreign" {
                assert_eq!(answer.text, unknown.text, "a foreign key is as unknown as none");
            }
        }
        for (path, body) in
            [("rotate", json!({ "overlap_seconds": 0 })), ("revoke", json!({ "reason": "x" }))]
        {
            let answer = world.post(&owner, &format!("{prefix}/keys/foreign/{path}"), body).await;
            assert_eq!(answer.status, 404, "{answer:?}");
        }
        let answer = world.patch(&owner, &format!("{prefix}/keys/foreign"), json!({})).await;
        assert_eq!(answer.status, 404, "{answer:?}");
        let answer =
            world.post(&owner, &format!("{prefix}/who-is"), json!({ "secret": foreign })).await;
        assert_eq!((answer.status.as_u16(), answer.text.contains(&foreign)), (404, false));
        let accounts = world.get(&owner, &format!("{prefix}/accounts")).await.json();
        assert_eq!(accounts["data"].as_array().unwrap().len(), 1);
    }
    // Where customers come in, an operator is an owner, too.
    let operator = world.operator().await;
    assert_eq!(world.get(&operator, "/own/keys/foreign").await.status, 404);
    assert_eq!(world.get(&operator, "/manage/keys/foreign").await.status, 200);
}

#[tokio::test]
async fn an_owner_gives_no_more_than_its_key_has() {
    let world = World::new();
    let owner = world
        .key("owner", "acme", |key| {
            let key = key.scopes(["keys.read", "keys.write", "users.read"]).owner("ada");
            key.networks(["192.0.2.0/24", "10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1"])
        })
        .await;
    let acceptable = || with(draft(&world), "networks", json!(["10.1.0.0/16"]));
    for (field, value) in [
        ("account", json!("other")),
        ("owner", json!("bob")),
        ("kind", json!("admin")),
        ("audience", json!("billing")),
        ("environment", json!("test")),
        ("scopes", json!(["users.write"])),
        ("scopes", json!(["users.read", "keys.grant-any"])),
        ("scopes", json!(["role:support"])),
        ("scopes", Value::Null),
        ("networks", json!([])),
        ("networks", json!(["0.0.0.0/0"])),
        ("networks", json!(["10.1.0.0/16", "::/0"])),
        ("quotas", json!([{ "name": "minute", "limit": 5, "window_seconds": 60 }])),
        ("metadata", json!({ "tier": "gold" })),
        ("expires", Value::Null),
        ("expires", json!(world.at(86_401))),
    ] {
        let answer = world.post(&owner, "/own/keys", with(acceptable(), field, value)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not-grantable"));
        assert_eq!(answer.json()["field"], field, "{answer:?}");
    }
    let created = world.post(&owner, "/own/keys", acceptable()).await;
    assert_eq!(created.status, 201, "{created:?}");
    let key = &created.json()["key"];
    assert_eq!((&key["account"], &key["owner"]), (&json!("acme"), &json!("ada")));
}

#[tokio::test]
async fn a_key_of_an_owner_cannot_raise_itself() {
    let world = World::new();
    let owner = world
        .key("owner", "acme", |key| {
            let key = key.scopes(["keys.read", "keys.write", "users.read"]).networks(["0.0.0.0/0"]);
            key.expires(world.clock_plus(600)).metadata("tier", "one")
        })
        .await;
    for (field, value) in [
        ("scopes", json!(["keys.read", "keys.write", "users.read", "users.write"])),
        ("scopes", Value::Null),
        ("networks", Value::Null),
        ("networks", json!(["::/0"])),
        ("expires", Value::Null),
        ("expires", json!(world.at(601))),
        ("quotas", json!([{ "name": "minute", "limit": 5, "window_seconds": 60 }])),
        ("owner", json!("bob")),
        ("kind", json!("admin")),
        ("metadata", json!({ "tier": "two" })),
    ] {
        let answer = world.patch(&owner, "/own/keys/owner", json!({ field: value })).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "not-grantable"),
            "{field}"
        );
    }
    // A key that operators have disabled stays disabled.
    world.key("disabled", "acme", |key| key.scopes(["users.read"]).disabled(true)).await;
    let answer = world.patch(&owner, "/own/keys/disabled", json!({ "disabled": false })).await;
    assert_eq!(answer.json()["field"], "disabled");
    // The new secret of a key with more rights would give them.
    world.key("mighty", "acme", |key| key.scopes(["billing.write"])).await;
    let answer =
        world.post(&owner, "/own/keys/mighty/rotate", json!({ "overlap_seconds": 0 })).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not-grantable"));
    // Less is always allowed.
    let answer = world.patch(&owner, "/own/keys/owner", json!({ "scopes": ["keys.write"] })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let put = [("if-match", "*")];
    let scopes = Some(json!({ "scopes": ["users.write"] }));
    let answer = world.ask(&owner, "PUT /own/accounts/acme", &put, scopes).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_creations_at_once_do_not_exceed_the_bound() {
    at_once(World::new()).await;
    let store = Arc::new(SqlStore::connect("sqlite::memory:").await.unwrap());
    at_once(World::over(store.clone(), store, ManualClock::starting_at(SystemClock.now()))).await;
}

async fn at_once(world: World) {
    let world = Arc::new(world);
    let owner = world.owner("owner", "acme").await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (world, owner) = (world.clone(), owner.clone());
        let task = async move { world.post(&owner, "/own/keys", draft(&world)).await };
        tasks.push(tokio::spawn(task));
    }
    let mut statuses = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == 409 {
            assert_eq!(answer.code(), "too-many-keys");
        }
        statuses.push(answer.status.as_u16());
    }
    statuses.sort_unstable();
    // Three keys are allowed, and the owner's own is one of them.
    assert_eq!(statuses, [201, 201, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_key_that_has_expired_comes_back_only_within_the_bound() {
    let world = World::new();
    let owner = world.owner("owner", "acme").await;
    let id = world.post(&owner, "/own/keys", draft(&world)).await.json()["key"]["id"].clone();
    let path = format!("/own/keys/{}", id.as_str().unwrap());
    world.clock.advance(std::time::Duration::from_secs(60));
    for _ in 0..2 {
        assert_eq!(world.post(&owner, "/own/keys", draft(&world)).await.status, 201);
    }
    let answer = world.patch(&owner, &path, json!({ "expires": world.at(60) })).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "too-many-keys"));
}

#[tokio::test]
async fn an_owner_does_not_see_what_operators_note() {
    let world = World::new();
    let (operator, owner) = (world.operator().await, world.owner("owner", "acme").await);
    let id = world.post(&owner, "/own/keys", draft(&world)).await.json()["key"]["id"].clone();
    let revoke = format!("/manage/keys/{}/revoke", id.as_str().unwrap());
    let answer = world.post(&operator, &revoke, json!({ "reason": "fraud, ask Eve" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let trail = world.get(&owner, "/own/trail").await.json();
    let lines = trail["data"].as_array().unwrap();
    assert_eq!((&lines[0]["action"], &lines[0]["by"]), (&json!("key_revoked"), &Value::Null));
    assert_eq!((&lines[0]["reason"], &lines[1]["by"]), (&Value::Null, &json!("owner")));
    assert!(lines.iter().all(|line| line["account"] == "acme"));
}

#[tokio::test]
async fn a_wildcard_grants_no_role_whose_scopes_it_lacks() {
    let world = World::new();
    let wild = world.key("wild", "staff", |key| key.scopes(["keys.write", "role:*"])).await;
    world.key("key_1", "acme", |key| key.scopes(["a"])).await;
    let role = json!({ "scopes": ["role:support"] });
    let answer = world.patch(&wild, "/manage/keys/key_1", role).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not-grantable"));
}
