//! What a key gives to another one through an edit or a rotation.

use serde_json::json;
use tower_api_key::quota::Quota;

use crate::world::{Answer, World};

#[track_caller]
fn assert_refused(answer: &Answer, field: &str) {
    let code = answer.code();
    assert_eq!((answer.status.as_u16(), code.as_str()), (403, "not-grantable"), "{answer:?}");
    assert_eq!(answer.json()["field"], field, "{answer:?}");
}

#[tokio::test]
async fn an_edit_revives_or_widens_no_key_whose_secret_the_caller_may_not_have() {
    let world = World::new();
    let owner = world.owner("owner", "acme").await;
    let mighty = ["billing.write"];
    world.key("over", "acme", |key| key.scopes(mighty).expires(world.clock_plus(1))).await;
    world.key("bound", "acme", |key| key.scopes(mighty).networks(["10.0.0.0/8"])).await;
    world.clock.advance(std::time::Duration::from_secs(2));
    for (id, edit) in [
        ("over", json!({ "expires": world.at(60) })),
        ("bound", json!({ "networks": null })),
        ("bound", json!({ "networks": ["0.0.0.0/0"] })),
        ("bound", json!({ "scopes": ["billing.write", "users.read"] })),
    ] {
        let answer = world.patch(&owner, &format!("/own/keys/{id}"), edit).await;
        assert_refused(&answer, "scopes");
    }
    // Less, and what gives nothing, is allowed.
    for edit in [json!({ "networks": ["10.1.0.0/16"] }), json!({ "name": "renamed" })] {
        let answer = world.patch(&owner, "/own/keys/bound", edit).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_key_gives_its_rights_to_none_that_outlives_it_or_comes_from_elsewhere() {
    let world = World::new();
    let scopes = ["keys.read", "keys.write", "users.read"];
    let short =
        world.key("short", "acme", |key| key.scopes(scopes).expires(world.clock_plus(600))).await;
    let near = world.key("near", "acme", |key| key.scopes(scopes).networks(["192.0.2.0/24"])).await;
    world.key("weak", "acme", |key| key.scopes(["keys.read"])).await;
    let edit = json!({ "scopes": ["keys.read", "users.read"] });
    assert_refused(&world.patch(&short, "/own/keys/weak", edit.clone()).await, "expires");
    assert_refused(&world.patch(&near, "/own/keys/weak", edit).await, "networks");
}

#[tokio::test]
async fn an_operators_key_revives_and_enables_no_mightier_key_of_operators() {
    let world = World::new();
    let operator = world.operator().await;
    let mighty = ["billing.write"];
    world.key("over", "staff", |key| key.scopes(mighty).expires(world.clock_plus(1))).await;
    world.key("off", "staff", |key| key.scopes(mighty).disabled(true)).await;
    world.key("later", "staff", |key| key.scopes(mighty).not_before(world.clock_plus(99))).await;
    world.clock.advance(std::time::Duration::from_secs(2));
    for (id, edit) in [
        ("over", json!({ "expires": null })),
        ("off", json!({ "disabled": false })),
        ("later", json!({ "not_before": world.at(0) })),
    ] {
        let answer = world.patch(&operator, &format!("/manage/keys/{id}"), edit).await;
        assert_eq!(answer.status, 403, "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn a_rotation_gives_no_secret_of_another_person() {
    let world = World::new();
    let scopes = ["keys.read", "keys.write"];
    let ada = world
        .key("ada", "acme", |key| {
            key.scopes(scopes)
                .owner("ada")
                .metadata("tier", "gold")
                .quotas([crate::world::minute()])
        })
        .await;
    let quota = Quota::new("minute", 9_000_000, std::time::Duration::from_secs(60));
    world.key("bob", "acme", |key| key.scopes(["keys.read"]).owner("bob")).await;
    world.key("fast", "acme", |key| key.scopes(["keys.read"]).owner("ada").quotas([quota])).await;
    world
        .key("gold", "acme", |key| {
            let key = key.scopes(["keys.read"]).owner("ada").metadata("tier", "gold");
            key.quotas([crate::world::minute()])
        })
        .await;
    let staff = world.key("staff", "staff", |key| key.scopes(scopes).owner("eve")).await;
    world.key("mallory", "staff", |key| key.scopes(["keys.read"]).owner("mallory")).await;
    let rotate = || json!({ "overlap_seconds": 0 });
    for (secret, id, field) in [
        (&ada, "own/keys/bob", "owner"),
        (&ada, "own/keys/fast", "quotas"),
        (&ada, "own/keys/gold", "metadata"),
        (&staff, "manage/keys/mallory", "owner"),
    ] {
        assert_refused(&world.post(secret, &format!("/{id}/rotate"), rotate()).await, field);
    }
    // Its own secret it may replace.
    assert_eq!(world.post(&ada, "/own/keys/ada/rotate", rotate()).await.status, 200);
    assert_eq!(world.post(&staff, "/manage/keys/bob/rotate", rotate()).await.status, 200);
}

#[tokio::test]
async fn an_operators_key_makes_and_changes_no_key_of_operators_unlike_itself() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("other", "staff", |key| key.scopes(["keys.read"])).await;
    let quotas = json!([{ "name": "minute", "limit": 5, "window_seconds": 60 }]);
    for (field, value) in [
        ("kind", json!("admin")),
        ("quotas", quotas.clone()),
        ("environment", json!("test")),
        ("audience", json!("billing")),
        ("scopes", json!(null)),
    ] {
        let mut draft =
            json!({ "account": "staff", "environment": "live", "scopes": ["keys.read"] });
        draft[field] = value;
        assert_refused(&world.post(&operator, "/manage/keys", draft).await, field);
    }
    for (field, value) in [("kind", json!("admin")), ("quotas", quotas), ("scopes", json!(null))] {
        for id in ["other", "operator"] {
            let edit = json!({ field: value.clone() });
            let answer = world.patch(&operator, &format!("/manage/keys/{id}"), edit).await;
            assert_refused(&answer, field);
        }
    }
}
