//! Who may read and change policies, thought of as an attacker would.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::SqlitePool;
use tower_api_key::clock::ManualClock;
use tower_api_key::store::KeyUpdate;
use tower_api_key_sqlx::SqlStore;

use crate::world::{NOW, World};

const ABSENT: [(&str, &str); 1] = [("if-none-match", "*")];
const ANY: [(&str, &str); 1] = [("if-match", "*")];

fn rule() -> Value {
    json!({ "most_keys": 5 })
}

#[tokio::test]
async fn only_operators_with_the_scopes_read_and_change_policies() {
    let world = World::new();
    world.key("key_1", "acme", |key| key).await;
    let keys = ["keys.read", "keys.write", "keys.grant-any", "accounts.write"];
    let writer = world.key("writer", "staff", |key| key.scopes(keys)).await;
    let all = ["policies.read", "policies.write", "keys.grant-any", "keys.read", "keys.write"];
    let owner = world.key("owner", "acme", |key| key.scopes(all)).await;
    let operator = world.mighty_operator().await;
    for path in ["/policies/all", "/policies/accounts/acme", "/policies/kinds/personal"] {
        for (method, scope, body) in [
            ("GET", "policies.read", None),
            ("PUT", "policies.write", Some(rule())),
            ("DELETE", "policies.write", None),
        ] {
            let line = format!("{method} /manage{path}");
            let answer = world.ask(&writer, &line, &ANY, body.clone()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (403, "missing-scope"),
                "{line}"
            );
            assert!(answer.text.contains(&format!("`{scope}`")), "{answer:?}");
            // A customer's key may have all scopes. An operator is a customer where customers come in.
            for (key, prefix) in [(&owner, "/manage"), (&owner, "/own"), (&operator, "/own")] {
                let line = format!("{method} {prefix}{path}");
                let answer = world.ask(key, &line, &ANY, body.clone()).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (403, "operators-only"),
                    "{line}"
                );
            }
        }
    }
    for path in ["/policies", "/policies/review"] {
        assert_eq!(world.get(&writer, &format!("/manage{path}")).await.code(), "missing-scope");
        assert_eq!(world.get(&owner, &format!("/own{path}")).await.code(), "operators-only");
    }
    assert!(world.store.policies().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_owner_reads_the_policies_of_its_own_keys_only() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    let owner = world.owner("owner", "acme").await;
    world.key("personal", "acme", |key| key.kind("personal")).await;
    world.key("foreign", "other", |key| key).await;
    for path in ["all", "accounts/acme", "accounts/other", "kinds/personal", "kinds/secret"] {
        let line = format!("PUT /manage/policies/{path}");
        assert_eq!(world.ask(&operator, &line, &ANY, Some(rule())).await.status, 200);
    }
    for (key, expected) in
        [("owner", "all account:acme"), ("personal", "all account:acme kind:personal")]
    {
        let answer = world.get(&owner, &format!("/own/keys/{key}/policies")).await.json();
        let policies = answer["policies"].as_array().unwrap().iter();
        let subjects: Vec<_> = policies.map(|one| one["subject"].as_str().unwrap()).collect();
        assert_eq!(subjects.join(" "), expected);
    }
    for key in ["foreign", "unknown"] {
        let answer = world.get(&owner, &format!("/own/keys/{key}/policies")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not-found"));
    }
    // The trail of its account has the changes of its policy, without their author.
    let trail = world.get(&owner, "/own/trail?action=policy_saved").await.json();
    let lines = trail["data"].as_array().unwrap();
    assert_eq!(
        (lines.len(), &lines[0]["account"], &lines[0]["by"]),
        (1, &json!("acme"), &Value::Null)
    );
}

#[tokio::test]
async fn a_policy_that_may_cover_keys_of_operators_needs_the_scope_that_ends_them() {
    let world = World::new();
    // A sweep would switch off or expire a mightier key of operators, which this key may not do itself.
    let operator = world.operator().await;
    let mighty = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    for path in ["all", "accounts/staff", "kinds/personal"] {
        let line = format!("/manage/policies/{path}");
        let end = Some(json!({ "longest_life_seconds": 1 }));
        for (by, status) in [(&operator, 403), (&mighty, 200)] {
            let answer = world.ask(by, &format!("PUT {line}"), &ANY, end.clone()).await;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
        }
        // Nor does it lift what binds its own key.
        let answer = world.ask(&operator, &format!("DELETE {line}"), &ANY, None).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "missing-scope"));
        assert!(answer.text.contains("`keys.grant-any`"), "{answer:?}");
    }
    let line = "PUT /manage/policies/accounts/acme";
    assert_eq!(world.ask(&operator, line, &ANY, Some(rule())).await.status, 200);
    assert_eq!(world.ask(&operator, &line.replace("PUT", "DELETE"), &ANY, None).await.status, 204);
}

#[tokio::test]
async fn a_policy_gives_no_key_a_scope() {
    let world = World::new();
    let operator = world.operator().await;
    world.key("key_1", "acme", |key| key.scopes(["users.read"])).await;
    let body = Some(json!({ "scopes": ["billing.write", "users.read"] }));
    let line = "PUT /manage/policies/accounts/acme";
    assert_eq!(world.ask(&operator, line, &ANY, body).await.status, 200);
    let edit = json!({ "scopes": ["billing.write"] });
    let answer = world.patch(&operator, "/manage/keys/key_1", edit).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not-grantable"));
}

#[tokio::test]
async fn a_replay_gives_nothing_to_another_author_or_to_a_key_that_has_lost_its_scope() {
    let world = World::new();
    let operator = world.operator().await;
    let scopes = ["policies.read", "policies.write"];
    let other = world.key("other", "staff", |key| key.scopes(scopes)).await;
    let reader = world.key("reader", "staff", |key| key.scopes(["policies.read"])).await;
    world.key("key_1", "acme", |key| key).await;
    let line = "PUT /manage/policies/accounts/acme";
    let once = [("idempotency-key", "9f2c"), ("if-none-match", "*")];
    let first = world.ask(&operator, line, &once, Some(rule())).await;
    let again = world.ask(&operator, line, &once, Some(rule())).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!(first.text, again.text);
    // The same name of another author is another request: it finds the policy that exists.
    assert_eq!(world.ask(&other, line, &once, Some(rule())).await.code(), "version-differs");
    assert_eq!(world.ask(&reader, line, &once, Some(rule())).await.code(), "missing-scope");
    let changed = world.ask(&operator, line, &once, Some(json!({ "most_keys": 6 }))).await;
    assert_eq!((changed.status.as_u16(), changed.code().as_str()), (422, "idempotency-key-reused"));
    // A replay of a save restores nothing that was deleted since.
    let delete = line.replace("PUT", "DELETE");
    assert_eq!(world.ask(&other, &delete, &[], None).await.status, 204);
    assert_eq!(world.ask(&operator, line, &once, Some(rule())).await.status, 404);
    assert!(world.store.policies().await.unwrap().is_empty());
    // What another author saved since is not shown to a key that may not read policies.
    let hidden = Some(json!({ "most_keys": 7 }));
    assert_eq!(world.ask(&other, line, &ABSENT, hidden).await.status, 201);
    for scope in ["policies.read", "policies.write"] {
        let less: KeyUpdate = Box::new(move |key| key.scopes([scope]));
        world.store.update("operator", less, "test").await.unwrap();
        let answer = world.ask(&operator, line, &once, Some(rule())).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "missing-scope"));
    }
    assert_eq!(world.ask(&operator, &delete, &[], None).await.status, 204, "it reads nothing");
}

#[tokio::test]
async fn a_policy_that_this_version_cannot_read_is_deleted_or_replaced_without_a_condition() {
    let file = std::env::temp_dir().join(format!("tower-api-key-newer-{}.db", std::process::id()));
    let url = format!("sqlite:{}", file.display());
    let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
    let store = Arc::new(store);
    let world = World::over(store.clone(), store, ManualClock::starting_at(NOW));
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    let pool = SqlitePool::connect(&url).await.unwrap();
    let path = "/manage/policies/accounts/acme";
    for (end, headers, body, status) in
        [("DELETE", &[][..], None, 204), ("PUT", &ANY[..], Some(rule()), 200)]
    {
        let put = format!("PUT {path}");
        assert!(world.ask(&operator, &put, &ANY, Some(rule())).await.status.is_success());
        let newer = r#"UPDATE tower_api_key_policies SET rules = '{"weekdays":["mon"]}'"#;
        sqlx::query(newer).execute(&pool).await.unwrap();
        let answer = world.get(&operator, path).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "policy-unreadable"));
        let listed = world.get(&operator, "/manage/policies").await;
        let broken = &listed.json()["broken"][0].clone();
        assert_eq!(broken["id"], "account:acme", "{listed:?}");
        assert!(broken["problem"].as_str().unwrap().contains("weekdays"));
        // What the policy covers is refused meanwhile, with the remedy.
        let new = serde_json::json!({ "account": "acme", "environment": "live" });
        let refused = world.ask(&operator, "POST /manage/keys", &[], Some(new)).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "policy-unreadable"));
        let told = refused.json()["detail"].to_string();
        assert!(told.contains("account:acme") && told.contains("delete the policy"), "{told}");
        let answer = world.ask(&operator, &format!("{end} {path}"), headers, body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        let listed = world.get(&operator, "/manage/policies").await;
        assert_eq!(listed.status, 200, "{listed:?}");
    }
    let weak = world.operator().await;
    let unknown = "INSERT INTO tower_api_key_policies VALUES ('plan:gold', '{\"most_keys\":1}')";
    sqlx::query(unknown).execute(&pool).await.unwrap();
    pool.close().await;
    let listed = world.get(&operator, "/manage/policies").await;
    assert_eq!(listed.json()["broken"][0]["id"], "plan:gold", "{listed:?}");
    assert_eq!(listed.json()["data"][0]["subject"], "account:acme", "{listed:?}");
    for (who, subject, status) in [
        (&weak, "plan:gold", 403),
        (&operator, "plan:silver", 404),
        (&operator, "account:acme", 404),
        (&operator, "plan:gold", 204),
        (&operator, "plan:gold", 404),
    ] {
        let delete = format!("DELETE /manage/policies/unknown/{subject}");
        assert_eq!(world.ask(who, &delete, &[], None).await.status, status, "{subject}");
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn the_document_lists_every_scope_that_a_policy_needs() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    let document = world.get(&operator, "/manage/openapi.json").await.json();
    let [all, both] = [
        vec!["policies.write", "keys.grant-any", "policies.read"],
        vec!["policies.write", "policies.read"],
    ];
    for (method, path, scopes, named) in [
        ("put", "all", &*all, "all"),
        ("put", "kinds/{kind}", &all, "kinds/web"),
        ("put", "accounts/{id}", &both, "accounts/acme"),
        ("delete", "all", &all[..2], "all"),
        ("delete", "kinds/{kind}", &all[..2], "kinds/web"),
        ("delete", "unknown/{subject}", &all[..2], "unknown/plan:gold"),
        ("delete", "accounts/{id}", &both[..1], "accounts/acme"),
        ("get", "review", &["policies.read", "keys.read"], "review"),
    ] {
        let described = &document["paths"][format!("/manage/policies/{path}")][method];
        assert_eq!(described["x-required-scopes"], serde_json::json!(scopes), "{method} {path}");
        assert_eq!(described["x-required-scope"], scopes[0], "{method} {path}");
        let told = described["description"].as_str().unwrap_or_default();
        assert!(method == "get" || told.contains("operators") || path.starts_with("unknown"));
        // Without any one of them, the request is refused, and with all of them it is not.
        let line = format!("{} /manage/policies/{named}", method.to_uppercase());
        let body = (method == "put").then(|| serde_json::json!({ "most_keys": 999 }));
        for without in scopes.iter().map(Some).chain([None]) {
            let held: Vec<_> = scopes.iter().filter(|scope| Some(*scope) != without).collect();
            let id = format!("{method}_{}_{}", path.len(), held.len()) + without.unwrap_or(&"");
            let key = world.key(&id, "staff", |key| key.scopes(held)).await;
            let answer = world
                .ask(&key, &line, if method == "put" { &ANY } else { &[] }, body.clone())
                .await;
            let refused = answer.status == 403 && answer.code() == "missing-scope";
            assert_eq!(refused, without.is_some(), "{line} without {without:?}: {answer:?}");
        }
    }
}
