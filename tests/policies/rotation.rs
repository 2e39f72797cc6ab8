//! Rotations are never refused, and prolong no secret.

use tower_api_key::clock::Timestamp;
use tower_api_key::policy::KeyPolicyBuilder;
use tower_api_key::store::{KeyManager, KeyStore};

use crate::manager::{Manager, day, days, key, named};

/// Rotates the key `k`, and returns when its earlier secrets end, the newest first.
async fn rotate(manager: &Manager, secret: &str, until: Timestamp) -> Vec<Option<Timestamp>> {
    let entry = manager.store.rotate("k", named(secret), until, "ada").await.unwrap();
    entry.secrets.iter().skip(1).map(|secret| secret.expires).collect()
}

#[tokio::test]
async fn no_secret_outlives_the_longest_life_by_rotations() {
    let manager = Manager::new();
    manager.set("all", |it| it.longest_life(days(90))).await;
    assert_eq!(manager.add(key("k").expires(day(90))).await, "");
    let mut former = "k".to_owned();
    for (number, today) in [80, 160, 240].into_iter().enumerate() {
        manager.clock.set(day(today));
        let secret = format!("secret {number}");
        let former = std::mem::replace(&mut former, secret.clone());
        // Whoever rotates would keep the old secret for ever, and gives the key a new expiry.
        let ends = rotate(&manager, &secret, Timestamp::MAX).await;
        assert_eq!(ends[0], Some(day(today + 10)), "day {today}");
        assert_eq!(manager.edit("k", move |it| it.expires(day(today + 91))).await, "expires");
        assert_eq!(manager.edit("k", move |it| it.expires(day(today + 90))).await, "");
        let former = manager.store.find(&named(&former)).await.unwrap().unwrap();
        assert_eq!(former.expires(), Some(day(today + 10)), "as before its rotation");
    }
}

#[tokio::test]
async fn an_overlap_within_the_longest_life_stays_as_it_is() {
    let manager = Manager::new();
    manager.set("all", |it| it.longest_life(days(90))).await;
    assert_eq!(manager.add(key("k").expires(day(90))).await, "");
    manager.clock.set(day(80));
    assert_eq!(rotate(&manager, "two", day(87)).await, [Some(day(87))]);
    assert_eq!(rotate(&manager, "three", day(80)).await, [Some(day(80)), Some(day(80))]);
}

#[tokio::test]
async fn a_key_from_before_the_policy_is_rotated_with_an_overlap_of_two_weeks() {
    let manager = Manager::new();
    assert_eq!(manager.add(key("k")).await, "");
    manager.clock.set(day(500));
    manager.set("all", |it| it.longest_life(days(90)).scopes(["read"]).most_keys(0)).await;
    assert_eq!(rotate(&manager, "two", day(9_999)).await, [Some(day(514))]);
    assert_eq!(manager.edit("k", |it| it.expires(day(590))).await, "", "the rotation renews it");
    // A later rotation does not give the first secret another two weeks.
    manager.clock.set(day(510));
    assert_eq!(rotate(&manager, "three", day(9_999)).await, [Some(day(590)), Some(day(514))]);
}

#[tokio::test]
async fn without_a_longest_life_an_overlap_is_as_long_as_its_caller_wishes() {
    let manager = Manager::new();
    manager.set("kind:other", |it| it.longest_life(days(90))).await;
    manager.set("all", KeyPolicyBuilder::require_expiry).await;
    assert_eq!(manager.add(key("k").expires(day(9_999))).await, "");
    assert_eq!(rotate(&manager, "two", day(5_000)).await, [Some(day(5_000))]);
}

#[tokio::test]
async fn a_renewal_needs_a_rotation() {
    let manager = Manager::new();
    manager.set("all", |it| it.longest_life(days(90))).await;
    assert_eq!(manager.add(key("k").expires(day(30))).await, "");
    manager.clock.set(day(20));
    assert_eq!(manager.edit("k", |it| it.expires(day(91))).await, "expires");
    assert_eq!(manager.edit("k", |it| it.expires(day(90))).await, "");
    rotate(&manager, "two", day(21)).await;
    assert_eq!(manager.edit("k", |it| it.expires(day(110))).await, "");
}
