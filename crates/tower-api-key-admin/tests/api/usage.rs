//! How many requests a key made, over SQLite.

use std::sync::Arc;

use serde_json::json;
use tower_api_key::clock::ManualClock;
use tower_api_key::decision::RequestDecision::{self, Admitted, Refused};
use tower_api_key::key::{AccountId, KeyId};
use tower_api_key::usage::{UsageBatch, UsageCell, UsageHour, UsageSink};
use tower_api_key_sqlx::SqlStore;

use crate::world::{NOW, World};

/// Describes requests of the key `owner`, some hours ago.
fn cell(ago: u64, account: &str, route: &str, decision: RequestDecision, number: u64) -> UsageCell {
    let key = (KeyId::new("owner").unwrap(), AccountId::new(account).unwrap());
    let hour = UsageHour::from_number(UsageHour::of(NOW).number() - ago);
    UsageCell::new(hour, Some(key), route, decision, number)
}

#[tokio::test]
async fn usage_is_read_by_those_who_see_the_key() {
    let store = Arc::new(SqlStore::connect("sqlite::memory:").await.unwrap());
    let (clock, usage) = (ManualClock::starting_at(NOW), store.clone());
    let world = World::with(store.clone(), store.clone(), clock, |all| all.usage(usage));
    let operator = world.operator().await;
    let owner = world.key("owner", "acme", |key| key.scopes(["usage.read"])).await;
    let foreign = world.key("foreign", "other", |key| key.scopes(["usage.read"])).await;
    let unread = world.key("unread", "acme", |key| key.scopes(["keys.read"])).await;
    let cells = [
        cell(0, "acme", "/users", Admitted, 3),
        cell(1, "acme", "/users/{id}", Refused, 2),
        cell(24 * 31, "acme", "/users", Admitted, 40),
        // An operator has moved the key since.
        cell(2, "earlier", "/users", Admitted, 500),
    ];
    store.write(&UsageBatch::new([1; 16], 1, cells, [])).await.unwrap();

    let of = |query: &str| format!("/manage/keys/owner/usage{query}");
    let total = |requests: u64| json!({ "data": [{ "start": null, "route": null, "decision": null, "requests": requests }] });
    assert_eq!(world.get(&operator, &of("")).await.json(), total(505));
    assert_eq!(world.get(&owner, &of("")).await.json(), total(5));
    assert_eq!(world.get(&owner, &of("?since=2029-01-01T00:00:00Z")).await.json(), total(45));
    let by = world.get(&owner, &of("?group_by=decision,route")).await;
    assert_eq!(by.header("cache-control"), "no-store");
    assert_eq!(
        by.json()["data"],
        json!([
            { "start": null, "route": "/users", "decision": "admitted", "requests": 3 },
            { "start": null, "route": "/users/{id}", "decision": "refused", "requests": 2 },
        ])
    );
    let hours = world.get(&owner, &of("?group_by=hour&since=2030-03-17T17:00:00Z")).await.json();
    assert_eq!(hours["data"][0]["start"], "2030-03-17T17:00:00Z", "{hours}");

    // An account counts what its keys made for it.
    let account = async |key: &str, account: &str| {
        world.get(key, &format!("/manage/accounts/{account}/usage")).await
    };
    assert_eq!(account(&operator, "acme").await.json(), total(5));
    let rights = ["usage.read", "accounts.read"];
    let accountant = world.key("accountant", "acme", |key| key.scopes(rights)).await;
    assert_eq!(account(&accountant, "acme").await.json(), total(5));
    assert_eq!(account(&accountant, "other").await.code(), "not-found");
    assert_eq!(account(&owner, "acme").await.code(), "missing-scope");
    assert_eq!(account(&operator, "unknown").await.code(), "not-found");

    for (key, query, status, code) in [
        (&unread, "", 403, "missing-scope"),
        (&foreign, "", 404, "not-found"),
        (&owner, "?group_by=week", 400, "bad-request"),
        (&owner, "?group_by=day,", 400, "bad-request"),
        (&owner, "?from=2030-01-01T00:00:00Z", 400, "bad-request"),
        (&owner, "?until=yesterday", 400, "bad-request"),
        (&owner, "?since=2031-01-01T00:00:00Z", 422, "invalid"),
    ] {
        let answer = world.get(key, &of(query)).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code), "{query} {answer:?}");
    }
    let without = World::new();
    let operator = without.operator().await;
    assert_eq!(without.get(&operator, "/manage/keys/operator/usage").await.status, 501);
}
