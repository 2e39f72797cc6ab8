//! Policies: list, show, save, delete, and what they refuse.

use std::sync::Arc;

use serde_json::{Value, json};
use tower_api_key::clock::ManualClock;
use tower_api_key_sqlx::{PolicySweep, SqlStore};

use crate::world::{Answer, NOW, World};

const DAY: u64 = 86_400;

const ABSENT: [(&str, &str); 1] = [("if-none-match", "*")];
const ANY: [(&str, &str); 1] = [("if-match", "*")];

#[tokio::test]
async fn a_policy_is_saved_shown_listed_edited_by_one_at_a_time_and_deleted() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    let body =
        json!({ "longest_life_seconds": 90 * DAY, "most_keys": 20, "scopes": ["users.read"] });
    for (path, subject) in
        [("all", "all"), ("accounts/acme", "account:acme"), ("kinds/personal", "kind:personal")]
    {
        let (path, line) =
            (format!("/manage/policies/{path}"), format!("PUT /manage/policies/{path}"));
        assert_eq!(world.get(&operator, &path).await.status, 404);
        let refused = world.ask(&operator, &line, &[], Some(body.clone())).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (428, "version-missing"));
        let saved = world.ask(&operator, &line, &ABSENT, Some(body.clone())).await;
        assert_eq!(saved.status, 201, "{saved:?}");
        let expected = json!({
            "subject": subject, "require_expiry": true, "longest_life_seconds": 90 * DAY,
            "switch_off_unused_seconds": null, "most_keys": 20, "scopes": ["users.read"],
            "remind_of_rotation_seconds": null, "version": saved.json()["version"],
        });
        let shown = world.get(&operator, &path).await;
        assert_eq!((shown.json(), shown.header("etag")), (expected, saved.header("etag")));
        let taken = world.ask(&operator, &line, &ABSENT, Some(body.clone())).await;
        assert_eq!((taken.status.as_u16(), taken.code().as_str()), (412, "version-differs"));
        let seen = [("if-match", saved.header("etag"))];
        let edit = || Some(json!({ "switch_off_unused_seconds": 30 * DAY }));
        let edited = world.ask(&operator, &line, &seen, edit()).await;
        assert_eq!(
            (edited.status.as_u16(), &edited.json()["longest_life_seconds"]),
            (200, &Value::Null)
        );
        assert_eq!(world.ask(&operator, &line, &seen, edit()).await.status, 412);
        let delete = format!("DELETE {path}?reason=no+longer+needed");
        assert_eq!(world.ask(&operator, &delete, &seen, None).await.status, 412);
        let seen = [("if-match", edited.header("etag"))];
        assert_eq!(world.ask(&operator, &delete, &seen, None).await.status, 204);
        assert_eq!(world.ask(&operator, &delete, &seen, None).await.status, 404);
        assert_eq!(world.ask(&operator, &delete, &[], None).await.status, 404);
    }
    let trail = world.get(&operator, "/manage/trail?action=policy_deleted").await.json();
    let line = &trail["data"][0];
    assert_eq!((&line["by"], &line["reason"]), (&json!("any"), &json!("no longer needed")));
    let subject = json!({ "field": "policy", "before": "kind:personal", "after": null });
    assert_eq!((&line["account"], &line["differences"][0]), (&json!(""), &subject));
    let of_acme = world.get(&operator, "/manage/trail?account=acme&action=policy_saved").await;
    assert_eq!(of_acme.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn policies_are_listed_in_pages() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    for account in ["b", "a"] {
        world.key(account, account, |key| key).await;
    }
    for path in ["kinds/x", "accounts/b", "all", "accounts/a"] {
        let line = format!("PUT /manage/policies/{path}");
        world.ask(&operator, &line, &ABSENT, Some(json!({ "most_keys": 5 }))).await;
    }
    let page = async |query: &str| {
        let page = world.get(&operator, &format!("/manage/policies?{query}")).await.json();
        let policies = page["data"].as_array().unwrap().iter();
        let subjects: Vec<_> =
            policies.map(|one| one["subject"].as_str().unwrap().to_owned()).collect();
        (subjects.join(" "), page["next"].clone())
    };
    assert_eq!(page("").await, ("all account:a account:b kind:x".into(), Value::Null));
    assert_eq!(page("limit=2").await, ("all account:a".into(), json!("account:a")));
    assert_eq!(page("limit=2&after=account:a").await, ("account:b kind:x".into(), Value::Null));
    for query in ["after=nothing", "limit=0", "limit=201"] {
        assert_eq!(world.get(&operator, &format!("/manage/policies?{query}")).await.status, 422);
    }
}

#[tokio::test]
async fn a_key_that_breaks_a_policy_is_refused_with_its_field_and_the_remedy() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key.scopes(["users.write"])).await;
    let body = json!({
        "longest_life_seconds": 60, "scopes": ["users.read"], "most_keys": 2,
    });
    world.ask(&operator, "PUT /manage/policies/accounts/acme", &ABSENT, Some(body)).await;
    let before = world.get(&operator, "/manage/trail").await.text;
    let draft = json!({ "account": "acme", "environment": "live", "scopes": ["users.read"], "expires": world.at(60) });
    let with = |field: &str, value: Value| {
        let mut draft = draft.clone();
        draft[field] = value;
        draft
    };
    let refused = |answer: &Answer, field: &str, remedy: &str| {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "policy-violated"));
        let problem = answer.json();
        assert_eq!(problem["field"], field, "{answer:?}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("account:acme") && detail.contains(remedy), "{answer:?}");
    };
    for (field, value, remedy) in [
        ("expires", Value::Null, "set one"),
        ("expires", json!(world.at(61)), &*world.at(60)),
        ("scopes", Value::Null, "list the scopes"),
        ("scopes", json!(["a", "users.read"]), "scope 1 of the sorted scopes: leave it out"),
        // A scope that the deployment knows is named: one of management, the catalogue or a role.
        ("scopes", json!(["keys.read", "users.read"]), "the scope `keys.read`: leave it out"),
    ] {
        let answer = world.post(&operator, "/manage/keys", with(field, value)).await;
        refused(&answer, field, remedy);
    }
    for (field, value, remedy) in [
        // A key from before the policy has two weeks.
        ("expires", json!(world.at(15 * DAY)), &*world.at(14 * DAY)),
        ("scopes", json!(["users.read", "users.write"]), "scope 2 of the sorted scopes"),
        ("scopes", Value::Null, "list the scopes"),
    ] {
        let edit = json!({ field: value });
        refused(&world.patch(&operator, "/manage/keys/key_1", edit).await, field, remedy);
    }
    assert_eq!(world.get(&operator, "/manage/trail").await.text, before, "nothing has changed");
    // What the edit does not change is not looked at.
    let answer = world.patch(&operator, "/manage/keys/key_1", json!({ "name": "renamed" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.post(&operator, "/manage/keys", draft.clone()).await.status, 201);
    let answer = world.post(&operator, "/manage/keys", draft).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "policy-violated"));
    assert!(answer.text.contains("allows an account 2 keys: revoke one first"), "{answer:?}");
    assert_eq!(answer.json().get("field"), None);
}

#[tokio::test]
async fn a_creation_that_is_sent_again_is_a_replay_under_a_policy_that_came_later() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    let draft = || Some(json!({ "account": "acme", "environment": "live", "scopes": [] }));
    let once = [("idempotency-key", "9f2c")];
    assert_eq!(world.ask(&operator, "POST /manage/keys", &once, draft()).await.status, 201);
    let body = Some(json!({ "require_expiry": true }));
    world.ask(&operator, "PUT /manage/policies/all", &ABSENT, body).await;
    let again = world.ask(&operator, "POST /manage/keys", &once, draft()).await;
    assert_eq!((again.status.as_u16(), &again.json()["secret"]), (200, &Value::Null));
    assert_eq!(world.ask(&operator, "POST /manage/keys", &[], draft()).await.status, 422);
}

#[tokio::test]
async fn a_policy_that_cannot_be_meant_so_is_refused_and_changes_nothing() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    let longest = 36_525 * DAY;
    let many: Vec<String> = (0..201).map(|number| format!("s{number}")).collect();
    for (path, body, field) in [
        ("all", json!({}), "request"),
        ("all", json!({ "require_expiry": false, "most_keys": null }), "request"),
        ("all", json!({ "longest_life_seconds": 0 }), "longest_life_seconds"),
        ("all", json!({ "longest_life_seconds": longest + 1 }), "longest_life_seconds"),
        ("all", json!({ "switch_off_unused_seconds": DAY - 1 }), "switch_off_unused_seconds"),
        ("all", json!({ "remind_of_rotation_seconds": DAY - 1 }), "remind_of_rotation_seconds"),
        ("all", json!({ "scopes": ["a b"] }), "scopes"),
        ("all", json!({ "scopes": many }), "scopes"),
        ("accounts/acne", json!({ "most_keys": 1 }), "account"),
        ("accounts/a%20b", json!({ "most_keys": 1 }), "id"),
        ("kinds/a%20b", json!({ "most_keys": 1 }), "kind"),
    ] {
        let line = format!("PUT /manage/policies/{path}");
        let answer = world.ask(&operator, &line, &ANY, Some(body.clone())).await;
        assert_eq!(answer.status, 422, "{path} {body}: {answer:?}");
        assert_eq!((answer.code().as_str(), &answer.json()["field"]), ("invalid", &json!(field)));
    }
    for (line, body, status) in [
        ("PUT /manage/policies/all", Some(json!({ "longest_life_seconds": 1.5 })), 422),
        ("PUT /manage/policies/all", Some(json!({ "longest_life_seconds": -1 })), 422),
        ("PUT /manage/policies/all", Some(json!({ "longest_life": 90 })), 422),
        ("PUT /manage/policies/all", None, 415),
        ("GET /manage/policies/accounts/a%20b", None, 404),
        ("DELETE /manage/policies/kinds/a%20b", None, 404),
        ("GET /manage/policies/kinds/%FF", None, 400),
        ("DELETE /manage/policies/all", Some(json!({})), 400),
        ("GET /manage/policies/accounts", None, 404),
        ("PATCH /manage/policies/all", Some(json!({})), 405),
        ("GET /manage/policies?subject=all", None, 400),
    ] {
        let answer = world.ask(&operator, line, &ANY, body).await;
        assert_eq!(answer.status, status, "{line}: {answer:?}");
        answer.code();
    }
    assert!(world.store.policies().await.unwrap().is_empty());
    let most = json!({ "longest_life_seconds": longest, "scopes": [], "most_keys": 0 });
    let answer = world.ask(&operator, "PUT /manage/policies/all", &ANY, Some(most)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_review_shows_what_breaks_a_rule_and_what_a_sweep_would_do() {
    let world = World::new();
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key.scopes(["users.write"])).await;
    world.key("key_2", "other", |key| key.scopes(["users.read"])).await;
    world.key("key_3", "acme", |key| key.scopes(["users.read"]).revoked(true)).await;
    let none = world.get(&operator, "/manage/policies/review").await.json();
    assert_eq!(none["data"], json!([]));
    let body = json!({ "scopes": ["users.read"], "switch_off_unused_seconds": 2 * DAY });
    world.ask(&operator, "PUT /manage/policies/accounts/acme", &ABSENT, Some(body)).await;
    let review = async |path: &str| world.get(&operator, &format!("/manage/{path}")).await.json();
    let one = review("keys/key_1/policies").await;
    assert_eq!(one["policies"][0]["subject"], "account:acme");
    assert_eq!((&one["violations"][0]["field"], &one["due"]), (&json!("scopes"), &json!([])));
    assert_eq!(review("keys/key_2/policies").await["policies"], json!([]));
    assert_eq!(review("keys/key_3/policies").await["violations"], json!([]));
    assert_eq!(review("policies/review").await["data"], json!([one]));

    world.clock.advance(std::time::Duration::from_secs(DAY));
    let renamed = world.patch(&operator, "/manage/keys/key_1", json!({ "name": "renamed" })).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let changed = world.at(0);
    world.clock.advance(std::time::Duration::from_secs(DAY));
    assert_eq!(review("keys/key_1/policies").await["due"], json!([]), "somebody changed it since");
    world.clock.advance(std::time::Duration::from_secs(DAY));
    let due = json!([{
        "action": "switch_off", "unused_since": changed, "expires": null, "secret_made": null,
    }]);
    assert_eq!(review("policies/review").await["data"][0]["due"], due);

    let all = json!({ "longest_life_seconds": DAY, "remind_of_rotation_seconds": DAY });
    world.ask(&operator, "PUT /manage/policies/all", &ABSENT, Some(all)).await;
    let two = review("keys/key_2/policies").await;
    assert_eq!(two["violations"][0]["field"], "expires");
    assert_eq!(
        (&two["due"][0]["action"], &two["due"][0]["expires"]),
        (&json!("expire"), &json!(world.at(14 * DAY)))
    );
    assert_eq!(two["due"][1]["action"], "remind_of_rotation");
    let page = review("policies/review?limit=1").await;
    let next = page["next"].as_str().unwrap().to_owned();
    let rest = review(&format!("policies/review?after={next}")).await;
    let ids: Vec<_> = rest["data"].as_array().unwrap().iter().map(|row| &row["key"]).collect();
    assert_eq!(
        (&page["data"][0]["key"], ids),
        (&json!("any"), vec![&json!("key_1"), &json!("key_2")])
    );
}

#[tokio::test]
async fn a_review_counts_what_a_sweep_counts_as_a_change() {
    let clock = ManualClock::starting_at(NOW);
    let store = SqlStore::builder("sqlite::memory:").clock(clock.clone()).connect().await.unwrap();
    let swept = store.clone();
    let store = Arc::new(store);
    let world = World::over(store.clone(), store, clock);
    let operator = world.mighty_operator().await;
    world.key("key_1", "acme", |key| key).await;
    let body = json!({ "switch_off_unused_seconds": 2 * DAY, "require_expiry": true });
    world.ask(&operator, "PUT /manage/policies/accounts/acme", &ABSENT, Some(body)).await;
    let pass = |days: u64| world.clock.advance(std::time::Duration::from_secs(days * DAY));
    let due = async || {
        let review = world.get(&operator, "/manage/keys/key_1/policies").await.json();
        review["due"].as_array().unwrap().len()
    };
    pass(2);
    assert_eq!(due().await, 1);
    // Neither quota that is given back nor a line of the sweep is a use.
    let reset = json!({ "quota": "minute" });
    let answer = world.post(&operator, "/manage/counters/key_1/reset", reset).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let outcome = PolicySweep::new(swept).unwrap().sweep().await.unwrap();
    assert_eq!((outcome.expiries_set, outcome.uses_unknown), (1, true), "{outcome:?}");
    let line = world.store.changes(0, 100).await.unwrap().pop().unwrap();
    assert_eq!(line.by, "policy");
    assert_eq!(due().await, 1);
    // The keys of a disabled account stay as they are, and get their time when it is enabled again.
    for (disabled, expected) in [(true, 0), (false, 0)] {
        let edit = json!({ "disabled": disabled });
        let answer = world.patch(&operator, "/manage/accounts/acme", edit).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(due().await, expected, "{disabled}");
    }
    pass(2);
    assert_eq!(due().await, 1);
}
