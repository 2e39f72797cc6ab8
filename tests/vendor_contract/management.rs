//! Changes at run time: they hold for the very next request.

use tower_api_key::key::{Account, KeyRecordBuilder};
use tower_api_key::vendors::persona::{DEFAULT_PERMISSIONS, KEY_PERMISSIONS};

use super::case::{Case, World};
use super::gate::Gate;
use super::{persona, polyteia, polytomic};

const SECOND_KEY: &str = "pak_second_second_second";
const AS_SECOND: &[&str] = &["Bearer pak_second_second_second"];

fn account(gate: &Gate, scopes: &[&str], disabled: bool) {
    let account = Account::builder("acme").scopes(scopes.iter().copied());
    gate.store.save_account_now(account.disabled(disabled).build().unwrap());
}

async fn denial(gate: &Gate, case: Case) -> Option<&'static str> {
    gate.send(case.to_request()).await.denial()
}

#[tokio::test]
async fn every_key_follows_its_account_at_once() {
    const WRITE: Case = polyteia::GOOD.world(World::ServiceAsks("dataset.write"));
    let second = WRITE.authorization(AS_SECOND);
    let gate = Gate::of(&WRITE);
    gate.insert(SECOND_KEY, "key_2", "acme", |record| record);
    for (scopes, expected) in [
        (&[][..], Some("scope_missing")),
        (&["dataset.read"], Some("scope_missing")),
        (&["dataset.read", "dataset.write"], None),
        (&["dataset.read"], Some("scope_missing")),
        (&["dataset.write"], None),
    ] {
        account(&gate, scopes, false);
        assert_eq!(denial(&gate, WRITE).await, expected, "{scopes:?}");
        assert_eq!(denial(&gate, second).await, expected, "{scopes:?}");
    }
    account(&gate, &["dataset.write"], true);
    assert_eq!(denial(&gate, WRITE).await, Some("key_disabled"));
    assert_eq!(denial(&gate, second).await, Some("key_disabled"));
    account(&gate, &["dataset.write"], false);
    assert_eq!(denial(&gate, WRITE).await, None);
}

#[tokio::test]
async fn a_deleted_key_is_invalid_at_once_and_the_others_serve_on() {
    let gate = Gate::of(&polyteia::GOOD);
    gate.insert(SECOND_KEY, "key_2", "acme", |record| record);
    let second = polyteia::GOOD.authorization(AS_SECOND);
    assert_eq!(denial(&gate, polyteia::GOOD).await, None);
    assert_eq!(denial(&gate, second).await, None);
    assert!(gate.store.delete_now("key_1"));
    let answered = gate.send(polyteia::GOOD.to_request()).await;
    assert_eq!(answered.status, 401);
    assert_eq!(answered.denial(), Some("key_unknown"));
    assert_eq!(denial(&gate, second).await, None);
}

#[tokio::test]
async fn a_new_key_has_all_permissions_but_three() {
    let mut all: Vec<&str> = [DEFAULT_PERMISSIONS, KEY_PERMISSIONS].concat();
    all.sort_unstable();
    assert_eq!(
        all,
        [
            "account.read",
            "account.write",
            "api_key.read",
            "api_key.scim",
            "api_key.write",
            "api_log.read",
            "case.read",
            "case.write",
            "document.read",
            "document.write",
            "event.read",
            "importer.read",
            "importer.write",
            "inquiry.read",
            "inquiry.write",
            "list.read",
            "list.write",
            "report.read",
            "report.write",
            "txn.read",
            "txn.write",
            "user_audit_log.read",
            "verification.read",
            "verification.write",
            "webhook.read",
            "webhook.write",
            "workflow.trigger",
        ]
    );
    for permission in all {
        let case = persona::GOOD.world(World::ServiceAsks(permission));
        let disabled = permission.starts_with("api_key.");
        let expected = disabled.then_some("scope_missing");
        assert_eq!(denial(&Gate::of(&case), case).await, expected, "{permission}");
    }
}

#[tokio::test]
async fn permissions_and_networks_of_a_key_change_at_once() {
    const KEYS: Case = persona::GOOD.request("GET", "/api/v1/api-keys");
    let gate = Gate::of(&KEYS);
    gate.insert("persona_sandbox_0123456789abcdef", "key_2", "acme", |record| {
        record.scopes(["api_key.read"]).environment("sandbox")
    });
    let edit = |change: fn(KeyRecordBuilder) -> KeyRecordBuilder| {
        assert!(gate.store.update_now("key_1", change).unwrap());
    };
    let second = KEYS.authorization(&["Bearer persona_sandbox_0123456789abcdef"]);
    assert_eq!(denial(&gate, KEYS).await, Some("scope_missing"));
    assert_eq!(denial(&gate, second).await, None, "permissions are the key's own");
    edit(|record| record.scopes(["api_key.read"]));
    assert_eq!(denial(&gate, KEYS).await, None);
    edit(|record| record.networks(["198.51.100.7"]));
    assert_eq!(denial(&gate, KEYS).await, Some("network_not_allowed"));
    assert_eq!(denial(&gate, second).await, None, "and so are networks");
    edit(|record| record.networks(["198.51.100.7", "192.0.2.0/28"]));
    assert_eq!(denial(&gate, KEYS).await, None);
    edit(|record| record.networks::<&str>([]));
    assert_eq!(denial(&gate, KEYS).await, None, "an empty list allows every address");
    edit(|record| record.revoked(true));
    assert_eq!(denial(&gate, KEYS).await, Some("key_revoked"));
}

#[tokio::test]
async fn several_keys_of_a_user_serve_until_each_is_revoked() {
    let gate = Gate::of(&polytomic::GOOD);
    let uuid = "0ecd09c1-b901-4d27-9053-f0367c427254";
    gate.insert(uuid, "key_2", "acme", |record| record.kind("organization"));
    let second = polytomic::GOOD.authorization(&["Bearer 0ecd09c1-b901-4d27-9053-f0367c427254"]);
    assert_eq!(denial(&gate, polytomic::GOOD).await, None);
    assert_eq!(denial(&gate, second).await, None);
    assert!(gate.store.update_now("key_1", |record| record.revoked(true)).unwrap());
    assert_eq!(denial(&gate, polytomic::GOOD).await, Some("key_revoked"));
    assert_eq!(denial(&gate, second).await, None);
}
