//! Operators: what their scopes allow, and what they cannot give themselves.

use serde_json::{Value, json};
use tower_api_key_admin::management::scopes;

use crate::world::World;

/// The trail keeps these names for tasks of the store. A sweep takes no change by `policy` for one by somebody.
#[tokio::test]
async fn a_key_with_the_name_of_a_task_of_the_store_manages_nothing() {
    let world = World::new();
    world.key("key_1", "acme", |key| key).await;
    for id in tower_api_key::store::RESERVED_AUTHORS {
        let operator = world.key(id, "staff", |key| key.scopes(["keys.read", "keys.write"])).await;
        for line in ["GET /manage/keys", "POST /manage/keys/key_1/revoke"] {
            let body = line.starts_with("POST").then(|| serde_json::json!({ "reason": "x" }));
            let answer = world.ask(&operator, line, &[], body).await;
            let told = (answer.status.as_u16(), answer.code());
            assert_eq!(told, (403, "reserved-author".to_owned()), "{answer:?}");
        }
    }
    let lines = world.store.changes(0, 100).await.unwrap();
    assert!(lines.iter().all(|line| line.by == "test"), "{lines:?}");
}

#[tokio::test]
async fn each_operation_needs_its_scope() {
    let world = World::new();
    world.key("key_1", "acme", |key| key.scopes(["users.read"])).await;
    let nobody = world.key("nobody", "staff", |key| key.scopes(["users.read"])).await;
    let empty = || Some(json!({}));
    for (line, scope, body) in [
        ("GET /manage/keys", "keys.read", None),
        ("GET /manage/keys/key_1", "keys.read", None),
        ("POST /manage/keys", "keys.write", empty()),
        ("PATCH /manage/keys/key_1", "keys.write", empty()),
        ("DELETE /manage/keys/key_1", "keys.write", None),
        ("POST /manage/keys/key_1/rotate", "keys.write", Some(json!({ "overlap_seconds": 0 }))),
        ("POST /manage/keys/key_1/revoke", "keys.write", Some(json!({ "reason": "x" }))),
        ("POST /manage/who-is", "keys.read", Some(json!({ "secret": "x" }))),
        ("GET /manage/accounts", "accounts.read", None),
        ("GET /manage/accounts/acme", "accounts.read", None),
        ("PUT /manage/accounts/acme", "accounts.write", empty()),
        ("PATCH /manage/accounts/acme", "accounts.write", empty()),
        ("DELETE /manage/accounts/acme", "accounts.write", None),
        ("GET /manage/policies", "policies.read", None),
        ("GET /manage/policies/all", "policies.read", None),
        ("GET /manage/policies/review", "policies.read", None),
        ("PUT /manage/policies/all", "policies.write", Some(json!({ "most_keys": 1 }))),
        ("PUT /manage/policies/accounts/acme", "policies.write", Some(json!({ "most_keys": 1 }))),
        ("DELETE /manage/policies/kinds/personal", "policies.write", None),
        ("GET /manage/keys/key_1/policies", "keys.read", None),
        ("GET /manage/plans", "accounts.read", None),
        ("GET /manage/roles", "keys.read", None),
        ("GET /manage/scopes", "keys.read", None),
        ("GET /manage/trail", "trail.read", None),
        ("GET /manage/counters/key_1", "usage.read", None),
        ("POST /manage/counters/key_1/reset", "usage.write", Some(json!({ "quota": "minute" }))),
        (
            "POST /manage/counters/key_1/raise",
            "usage.write",
            Some(json!({ "quota": "minute", "by": 1 })),
        ),
    ] {
        let has_version = !line.contains("counters") && !line.ends_with("/keys");
        let has_version = has_version && !line.ends_with("who-is");
        let any: &[_] = if has_version { &[("if-match", "*")] } else { &[] };
        let answer = world.ask(&nobody, line, any, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "missing-scope"),
            "{line}"
        );
        assert!(answer.text.contains(&format!("`{scope}`")), "{line}: {answer:?}");
    }
}

#[tokio::test]
async fn an_operator_grants_no_scope_that_it_lacks_unless_a_scope_says_so() {
    let world = World::new();
    let operator = world.operator().await;
    let scopes = scopes::ALL.into_iter().chain(["users.read"]);
    let any = world.key("any", "staff", |key| key.scopes(scopes)).await;
    world.key("key_1", "acme", |key| key.scopes(["users.read"])).await;
    world.key("mighty", "acme", |key| key.scopes(["billing.write"])).await;
    let put = [("if-match", "*")];
    for scopes in [json!(["billing.write"]), json!(["keys.grant-any"])] {
        let draft = json!({ "account": "staff", "environment": "live", "scopes": scopes });
        let answer = world.post(&operator, "/manage/keys", draft.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not-grantable"));
        let edit = json!({ "scopes": scopes });
        let answer = world.patch(&operator, "/manage/keys/key_1", edit.clone()).await;
        assert_eq!(answer.code(), "not-grantable");
        for line in ["PUT /manage/accounts/acme", "PATCH /manage/accounts/acme"] {
            let answer = world.ask(&operator, line, &put, Some(edit.clone())).await;
            assert_eq!(answer.code(), "not-grantable", "{line}");
        }
        assert_eq!(world.post(&any, "/manage/keys", draft).await.status, 201);
    }
    let rotate = json!({ "overlap_seconds": 0 });
    let answer = world.post(&operator, "/manage/keys/mighty/rotate", rotate.clone()).await;
    assert_eq!(answer.code(), "not-grantable");
    assert_eq!(world.post(&any, "/manage/keys/mighty/rotate", rotate).await.status, 200);
    // A role counts as its scopes, whatever wildcards say.
    let role = json!({ "scopes": ["role:support"] });
    let answer = world.patch(&operator, "/manage/keys/key_1", role.clone()).await;
    assert_eq!(answer.code(), "not-grantable", "the operator's key does not list the role");
    // What a key has already is no gift.
    let answer = world.patch(&operator, "/manage/keys/mighty", json!({ "name": "renamed" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn an_operators_key_does_not_outgrow_itself() {
    let world = World::new();
    let scopes = ["keys.read", "keys.write"];
    let operator = world
        .key("operator", "staff", |key| {
            key.scopes(scopes).networks(["0.0.0.0/0"]).expires(world.clock_plus(600))
        })
        .await;
    let draft = json!({ "account": "staff", "environment": "live", "scopes": scopes });
    let mut bounded = draft.clone();
    bounded["networks"] = json!(["10.0.0.0/8"]);
    for (draft, field) in [(&draft, "networks"), (&bounded, "expires")] {
        let answer = world.post(&operator, "/manage/keys", draft.clone()).await;
        assert_eq!(
            (answer.code().as_str(), &answer.json()["field"]),
            ("not-grantable", &json!(field))
        );
    }
    for edit in [json!({ "networks": null }), json!({ "expires": null })] {
        let answer = world.patch(&operator, "/manage/keys/operator", edit).await;
        assert_eq!(answer.code(), "not-grantable");
    }
    bounded["expires"] = json!(world.at(600));
    assert_eq!(world.post(&operator, "/manage/keys", bounded).await.status, 201);
}

#[tokio::test]
async fn accounts_are_saved_edited_listed_and_deleted() {
    let world = World::new();
    let operator = world.operator().await;
    let line = "PUT /manage/accounts/acme";
    let body = || Some(json!({ "scopes": ["users.read"], "plan": "free" }));
    let refused = world.ask(&operator, line, &[], body()).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (428, "version-missing"));
    let absent = [("if-none-match", "*")];
    let saved = world.ask(&operator, line, &absent, body()).await;
    assert_eq!(saved.status, 201, "{saved:?}");
    let taken = world.ask(&operator, line, &absent, body()).await;
    assert_eq!(taken.status, 412, "{taken:?}");
    let match_seen = [("if-match", saved.header("etag"))];
    let unknown = Some(json!({ "plan": "unknown" }));
    let refused = world.ask(&operator, "PATCH /manage/accounts/acme", &match_seen, unknown).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["field"]), (422, &json!("plan")));
    let edit = Some(
        json!({ "plan": null, "quotas": [{ "name": "day", "limit": 7, "algorithm": "calendar_day" }] }),
    );
    let edited = world.ask(&operator, "PATCH /manage/accounts/acme", &match_seen, edit).await;
    assert_eq!((edited.status.as_u16(), &edited.json()["plan"]), (200, &Value::Null));
    assert_eq!(edited.json()["quotas"][0]["limit"], 7);
    assert_eq!(edited.json()["scopes"], json!(["users.read"]));
    let old = world.ask(&operator, line, &match_seen, body()).await;
    assert_eq!(old.status, 412, "{old:?}");
    let listed = world.get(&operator, "/manage/accounts?limit=1").await.json();
    assert_eq!((&listed["data"][0]["id"], &listed["next"]), (&json!("acme"), &json!("acme")));
    let listed = world.get(&operator, "/manage/accounts?after=acme").await.json();
    assert_eq!((&listed["data"][0]["id"], &listed["next"]), (&json!("staff"), &Value::Null));
    for line in ["PUT /manage/accounts/staff", "PATCH /manage/accounts/staff"] {
        let lockout = Some(json!({ "disabled": true }));
        let answer = world.ask(&operator, line, &[("if-match", "*")], lockout).await;
        assert_eq!(answer.code(), "operator-account");
    }
    let answer = world.ask(&operator, "DELETE /manage/accounts/staff", &[], None).await;
    assert_eq!(answer.code(), "operator-account");
    let answer = world.ask(&operator, "DELETE /manage/accounts/acme", &[], None).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let answer = world.ask(&operator, "DELETE /manage/accounts/acme", &[], None).await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

#[tokio::test]
async fn counters_are_read_reset_and_raised() {
    let world = World::new();
    let operator = world.operator().await;
    let body = Some(json!({ "plan": "free" }));
    world.ask(&operator, "PUT /manage/accounts/acme", &[("if-none-match", "*")], body).await;
    let key = world.key("key_1", "acme", |key| key.scopes(["keys.read"])).await;
    for _ in 0..6 {
        world.get(&key, "/own/keys").await;
    }
    let used = async |answer: crate::world::Answer| {
        assert_eq!(answer.status, 200, "{answer:?}");
        let counter = answer.json()["data"][0].clone();
        assert_eq!((&counter["quota"]["name"], &counter["limit"]), (&json!("minute"), &json!(10)));
        counter["used"].as_u64().unwrap()
    };
    assert_eq!(used(world.get(&operator, "/manage/counters/key_1").await).await, 6);
    let raise = json!({ "quota": "minute", "by": 2 });
    assert_eq!(used(world.post(&operator, "/manage/counters/key_1/raise", raise).await).await, 4);
    let reset = json!({ "quota": "minute" });
    assert_eq!(used(world.post(&operator, "/manage/counters/key_1/reset", reset).await).await, 0);
    let unknown = json!({ "quota": "hour" });
    let answer = world.post(&operator, "/manage/counters/key_1/reset", unknown).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not-found"));
    let plans = world.get(&operator, "/manage/plans").await.json();
    assert_eq!(
        (&plans["data"][0]["name"], &plans["data"][0]["quotas"][0]["limit"]),
        (&json!("free"), &json!(10))
    );
    let roles = world.get(&operator, "/manage/roles").await.json();
    assert_eq!(
        roles["data"],
        json!([{ "name": "role:support", "scopes": ["users.read", "users.write"] }])
    );
}
