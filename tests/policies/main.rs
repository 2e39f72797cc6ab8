//! Policies hold for every way to change a key in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod counting;
mod imports;
mod manager;
mod rotation;
mod saving;

use manager::{Manager, day, days, key, named};
use tower_api_key::key::{Account, KeyRecordBuilder};
use tower_api_key::policy::KeyPolicyBuilder;
use tower_api_key::store::{Command, CommandOptions, IdempotencyKey, KeyManager, NewKey};

#[tokio::test]
async fn a_refused_key_changes_nothing_and_leaves_no_line_in_the_trail() {
    let manager = Manager::new();
    manager.set("all", |it| it.longest_life(days(90)).scopes(["read"])).await;
    let before = manager.trail().await;
    for (refused, field) in [
        (key("k").scopes(["read"]), "expires"),
        (key("k").scopes(["read"]).expires(day(91)), "expires"),
        (key("k").expires(day(90)), "scopes"),
        (key("k").scopes(["read", "write"]).expires(day(90)), "scopes"),
    ] {
        assert_eq!(manager.add(refused).await, field);
        assert!(manager.store.get("k").await.unwrap().is_none());
        assert!(manager.store.find_account("acme").await.unwrap().is_none(), "no account either");
    }
    assert_eq!(manager.trail().await, before);
    assert_eq!(manager.add(key("k").scopes(["read"]).expires(day(90))).await, "");

    let before = manager.store.get("k").await.unwrap();
    assert_eq!(manager.edit("k", |key| key.name("mine").never_expires()).await, "expires");
    assert_eq!(manager.edit("k", |key| key.name("mine").inherit_scopes()).await, "scopes");
    assert_eq!(manager.store.get("k").await.unwrap(), before);
}

#[tokio::test]
async fn a_key_cannot_leave_its_rules_in_two_steps() {
    let manager = Manager::new();
    manager.set("kind:personal", |it| it.longest_life(days(90)).scopes(["read"])).await;
    let personal = || key("k").kind("personal").scopes(["read"]).expires(day(90));
    assert_eq!(manager.add(personal()).await, "");
    // No policy is for the kind `service`, so whoever may edit keys can make the key one. It cannot come back.
    let service = |it: KeyRecordBuilder| it.kind("service").expires(day(9_999));
    assert_eq!(manager.edit("k", service).await, "");
    assert_eq!(manager.edit("k", |it| it.kind("personal")).await, "expires");
    // An update that brings a record of its own can leave the kind out, too.
    let bare = key("k").expires(day(9_999));
    assert_eq!(manager.edit("k", |_| bare).await, "");
    assert_eq!(manager.edit("k", |it| it.kind("personal")).await, "expires");
    let back = personal();
    assert_eq!(manager.edit("k", |_| back).await, "");
    // A record of its own does not hide what it changes.
    let longer = personal().expires(day(91));
    assert_eq!(manager.edit("k", |_| longer).await, "expires");
}

#[tokio::test]
async fn a_later_first_instant_does_not_prolong_a_life() {
    let manager = Manager::new();
    manager.set("all", |it| it.longest_life(days(90))).await;
    assert_eq!(manager.add(key("k").not_before(day(80)).expires(day(170))).await, "expires");
    assert_eq!(manager.add(key("k").not_before(day(80)).expires(day(90))).await, "");
    assert_eq!(manager.edit("k", |it| it.not_before(day(5)).expires(day(95))).await, "expires");
}

#[tokio::test]
async fn a_clock_that_is_set_back_prolongs_no_life() {
    let manager = Manager::new();
    manager.clock.set(day(100));
    manager.set("all", |it| it.longest_life(days(90))).await;
    assert_eq!(manager.add(key("k").expires(day(190))).await, "");
    manager.clock.set(day(50));
    assert_eq!(manager.add(key("early").expires(day(141))).await, "expires");
    assert_eq!(manager.edit("k", |it| it.expires(day(191))).await, "expires");
    assert_eq!(manager.edit("k", |it| it.expires(day(60))).await, "");
}

#[tokio::test]
async fn a_key_from_before_the_policy_can_be_ended_and_narrowed_and_renamed() {
    let manager = Manager::new();
    assert_eq!(manager.add(key("old").scopes(["admin", "read", "write"])).await, "");
    manager.clock.set(day(100));
    manager.set("all", |it| it.longest_life(days(90)).scopes(["read"])).await;
    let changes: [fn(KeyRecordBuilder) -> KeyRecordBuilder; 4] = [
        |key| key.name("backup"),
        |key| key.disabled(true),
        |key| key.disabled(false),
        |key| key.scopes(["admin", "read"]),
    ];
    for change in changes {
        assert_eq!(manager.edit("old", change).await, "");
    }
    assert_eq!(manager.edit("old", |key| key.expires(day(115))).await, "expires");
    assert_eq!(manager.edit("old", |key| key.expires(day(114))).await, "");
    manager.clock.set(day(110));
    assert_eq!(manager.edit("old", |key| key.expires(day(115))).await, "expires", "once only");
    assert_eq!(manager.edit("old", |key| key.expires(day(111))).await, "");
    assert_eq!(manager.edit("old", |key| key.scopes(["write"])).await, "scopes");
}

#[tokio::test]
async fn a_revoked_key_stays_revoked_and_is_not_checked() {
    let manager = Manager::new();
    assert_eq!(manager.add(key("old")).await, "");
    manager.set("all", |it| it.longest_life(days(90)).scopes(["read"]).most_keys(0)).await;
    assert_eq!(manager.edit("old", |it| it.kind("other").revoked(true)).await, "");
    assert_eq!(manager.edit("old", |it| it.revoked(false).scopes(["admin"])).await, "");
    assert!(manager.store.get("old").await.unwrap().unwrap().record.is_revoked());
    // A key of another system's archive.
    assert_eq!(manager.add(key("archived").revoked(true)).await, "");
    assert_eq!(manager.edit("archived", |it| it.revoked(false)).await, "");
    assert!(manager.store.get("archived").await.unwrap().unwrap().record.is_revoked());
}

#[tokio::test]
async fn a_replayed_command_changes_nothing_and_a_new_one_is_checked() {
    let manager = Manager::new();
    let create = || {
        let record = key("k").build().unwrap();
        Command::Add(NewKey::new(named("k"), record))
    };
    let once = |name| CommandOptions::by("ada").once(IdempotencyKey::new(name, &[7; 32]));
    assert!(!manager.store.apply(create(), once("1")).await.unwrap().replayed);
    manager.set("all", KeyPolicyBuilder::require_expiry).await;
    let trail = manager.trail().await;
    assert!(manager.store.apply(create(), once("1")).await.unwrap().replayed);
    assert_eq!(manager.trail().await, trail, "nothing happened");
    // The name of a refused command is free again.
    manager.store.delete("k", "ada").await.unwrap();
    assert_eq!(manager.told(manager.store.apply(create(), once("2")).await), "expires");
    manager.delete("all").await;
    assert_eq!(manager.told(manager.store.apply(create(), once("2")).await), "");
    // A name is kept for a day. Afterwards the same command is a new one.
    manager.set("all", KeyPolicyBuilder::require_expiry).await;
    manager.store.delete("k", "ada").await.unwrap();
    manager.clock.advance(IdempotencyKey::KEPT);
    assert_eq!(manager.told(manager.store.apply(create(), once("2")).await), "expires");
}

#[tokio::test]
async fn what_an_account_may_does_not_widen_a_key_that_lists_its_scopes() {
    let manager = Manager::new();
    assert_eq!(manager.add(key("old")).await, "");
    manager.set("all", |it| it.scopes(["read"])).await;
    assert_eq!(manager.add(key("new").scopes(["read"])).await, "");
    let account = Account::builder("acme").scopes(["admin"]).build().unwrap();
    manager.store.save_account(account, "ada").await.unwrap();
    let scopes =
        async |id| manager.store.get(id).await.unwrap().unwrap().record.scopes().to_string();
    assert_eq!(scopes("new").await, "read");
    assert_eq!(scopes("old").await, "admin", "a policy takes nothing from keys that exist");
    assert_eq!(manager.edit("new", KeyRecordBuilder::inherit_scopes).await, "scopes");
}
