//! Quotas: a key gives no looser ones than it has, and what is given back has its line.

use std::time::Duration;

use serde_json::{Value, json};
use tower_api_key::quota::Quota;
use tower_api_key::store::{Action, TrailFilter};

use crate::world::{Answer, World, operator_scopes};

#[track_caller]
fn assert_refused(answer: &Answer) {
    let code = answer.code();
    assert_eq!((answer.status.as_u16(), code.as_str()), (403, "not-grantable"), "{answer:?}");
    assert_eq!(answer.json()["field"], "quotas", "{answer:?}");
}

fn tight() -> [Quota; 1] {
    [Quota::new("tight", 1_000, Duration::from_secs(60))]
}

fn body(limit: u32) -> Value {
    json!([{ "name": "tight", "limit": limit, "window_seconds": 60 }])
}

const SCOPES: [&str; 3] = ["keys.read", "keys.write", "users.read"];

#[tokio::test]
async fn an_owner_whose_key_has_quotas_makes_and_takes_no_key_without_them() {
    let world = World::new();
    let owner = world.key("owner", "acme", |key| key.scopes(SCOPES).quotas(tight())).await;
    let draft = |quotas: Option<Value>| {
        let mut draft = json!({ "scopes": ["users.read"], "expires": world.at(60) });
        if let Some(quotas) = quotas {
            draft["quotas"] = quotas;
        }
        draft
    };
    for looser in [json!([]), body(1_001), body(999)] {
        assert_refused(&world.post(&owner, "/own/keys", draft(Some(looser))).await);
    }
    for same in [None, Some(Value::Null), Some(body(1_000))] {
        let created = world.post(&owner, "/own/keys", draft(same)).await;
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!(created.json()["key"]["quotas"][0]["limit"], 1_000, "{created:?}");
        let id = created.json()["key"]["id"].as_str().unwrap().to_owned();
        let rotate = json!({ "overlap_seconds": 0 });
        let rotated = world.post(&owner, &format!("/own/keys/{id}/rotate"), rotate).await;
        assert_eq!(rotated.status, 200, "{rotated:?}");
        let revoke = json!({ "reason": "done" });
        world.post(&owner, &format!("/own/keys/{id}/revoke"), revoke).await;
    }
    // Neither the secret nor a wider reach of a key that has none.
    world.key("free", "acme", |key| key.scopes(["users.read"]).networks(["10.0.0.0/8"])).await;
    let rotate = json!({ "overlap_seconds": 0 });
    assert_refused(&world.post(&owner, "/own/keys/free/rotate", rotate.clone()).await);
    let edit = json!({ "networks": null });
    assert_refused(&world.patch(&owner, "/own/keys/free", edit).await);
    assert_refused(&world.patch(&owner, "/own/keys/owner", json!({ "quotas": null })).await);
    // A key without quotas of its own takes none with them, which may be looser than those of its account.
    let other = world.key("other", "acme", |key| key.scopes(SCOPES)).await;
    assert_refused(&world.post(&other, "/own/keys/owner/rotate", rotate).await);
}

#[tokio::test]
async fn an_operator_whose_key_has_quotas_gives_no_looser_ones() {
    let world = World::new();
    let operator =
        world.key("operator", "staff", |key| key.scopes(operator_scopes()).quotas(tight())).await;
    let any = world
        .key("any", "staff", |key| {
            key.scopes(operator_scopes().chain(["keys.grant-any"])).quotas(tight())
        })
        .await;
    world.key("key_1", "acme", |key| key.scopes(["users.read"])).await;
    let key = |quotas: Value| {
        let scopes = json!(["users.read"]);
        json!({ "account": "acme", "environment": "live", "scopes": scopes, "quotas": quotas })
    };
    for (quotas, fits) in
        [(Value::Null, false), (json!([]), false), (body(1_001), false), (body(999), true)]
    {
        let mut answers = vec![world.post(&operator, "/manage/keys", key(quotas.clone())).await];
        let account = || Some(json!({ "quotas": quotas }));
        let new = [("if-none-match", "*")];
        answers.push(world.ask(&operator, "PUT /manage/accounts/new", &new, account()).await);
        if quotas.is_null() {
            let rotate = json!({ "overlap_seconds": 0 });
            answers.push(world.post(&operator, "/manage/keys/key_1/rotate", rotate).await);
            // What stays is not given.
            let answer = world.patch(&operator, "/manage/accounts/acme", account().unwrap()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        } else {
            for path in ["accounts/acme", "keys/key_1"] {
                let edit = json!({ "quotas": quotas });
                answers.push(world.patch(&operator, &format!("/manage/{path}"), edit).await);
            }
        }
        for answer in answers {
            if fits {
                assert!(answer.status.is_success(), "{answer:?}");
            } else {
                assert_refused(&answer);
            }
        }
    }
    // A plan with looser quotas, or none, is more, too.
    let plan = json!({ "quotas": null, "plan": "free" });
    assert_refused(&world.patch(&operator, "/manage/accounts/acme", plan.clone()).await);
    // The right to grant any lifts it.
    assert_eq!(world.patch(&any, "/manage/accounts/acme", plan).await.status, 200);
    let created = world.post(&any, "/manage/keys", key(Value::Null)).await;
    assert_eq!(created.status, 201, "{created:?}");
}

#[tokio::test]
async fn quota_that_is_given_back_has_a_line_and_a_retry_gives_nothing() {
    let world = World::new();
    let operator = world.operator().await;
    let body = Some(json!({ "plan": "free" }));
    world.ask(&operator, "PUT /manage/accounts/acme", &[("if-none-match", "*")], body).await;
    let key = world.key("key_1", "acme", |key| key.scopes(["keys.read"])).await;
    for _ in 0..6 {
        world.get(&key, "/own/keys").await;
    }
    let raise = "POST /manage/counters/key_1/raise?reason=ticket+4711";
    let by = |by: u32| Some(json!({ "quota": "minute", "by": by }));
    let once = [("idempotency-key", "raise-1")];
    for replay in [false, true] {
        let answer = world.ask(&operator, raise, &once, by(2)).await;
        assert_eq!(answer.json()["data"][0]["used"], 4, "{replay}: {answer:?}");
    }
    let other = world.ask(&operator, raise, &once, by(3)).await;
    assert_eq!(other.code(), "idempotency-key-reused");
    let reset = json!({ "quota": "minute" });
    let answer = world.post(&operator, "/manage/counters/key_1/reset", reset).await;
    assert_eq!(answer.json()["data"][0]["used"], 0);
    let lines = world.store.trail(&TrailFilter::key("key_1"), None, 2).await.unwrap();
    let told = |line: &tower_api_key::store::Change| {
        let [quota] = &line.differences[..] else { panic!("{line:?}") };
        let values = (quota.before.clone().unwrap(), quota.after.clone().unwrap());
        assert_eq!((line.action, line.by.as_str()), (Action::QuotaRefunded, "operator"));
        (line.reason.clone(), quota.field.clone(), values.0, values.1)
    };
    let line = |reason: Option<&str>, before: &str, after: &str| {
        (reason.map(str::to_owned), "quota minute".to_owned(), before.to_owned(), after.to_owned())
    };
    let lines: Vec<_> = lines.iter().map(told).collect();
    let expected = [
        line(None, "4 of 10 used", "0 of 10 used"),
        line(Some("ticket 4711"), "6 of 10 used", "4 of 10 used"),
    ];
    assert_eq!(lines, expected);
    let trail = world.get(&operator, "/manage/trail?key=key_1&limit=1").await.json();
    assert_eq!(trail["data"][0]["action"], "quota_refunded", "{trail}");
    // A request that is refused has no line.
    let unknown = json!({ "quota": "hour" });
    world.post(&operator, "/manage/counters/key_1/reset", unknown).await;
    let newest = world.get(&operator, "/manage/trail?key=key_1&limit=1").await.json();
    assert_eq!(newest["data"], trail["data"]);
}

#[tokio::test]
async fn a_key_that_quotas_hold_back_lifts_none_of_operators() {
    let world = World::new();
    let all = || operator_scopes().chain(["keys.grant-any"]);
    let own = world.key("own", "staff", |key| key.scopes(operator_scopes()).quotas(tight())).await;
    let inherits = world.key("inherits", "staff", |key| key.scopes(operator_scopes())).await;
    let free = world.key("free", "staff", |key| key.scopes(operator_scopes()).quotas([])).await;
    let any = world.key("any", "staff", |key| key.scopes(all()).quotas(tight())).await;
    world.key("customer", "acme", |key| key.quotas(tight())).await;
    for (by, name, allowed) in [
        (&own, "own", false),
        (&own, "any", false),
        (&inherits, "own", false),
        (&free, "own", true),
        (&any, "any", true),
        (&own, "customer", true),
    ] {
        for (end, more) in [("reset", json!({})), ("raise", json!({ "by": 1 }))] {
            let mut body = json!({ "quota": "tight" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let path = format!("/manage/counters/{name}/{end}");
            let answer = world.post(by, &path, body).await;
            if allowed {
                assert_eq!(answer.status, 200, "{name} {end}: {answer:?}");
            } else {
                assert_refused(&answer);
            }
        }
    }
    let profile = json!({ "quota": "minute" });
    assert_refused(&world.post(&inherits, "/manage/counters/inherits/reset", profile).await);
}
