//! Imports obey policies, all of their keys or none.

use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::policy::KeyPolicyBuilder;
use tower_api_key::store::{KeyManager, ManageError, NewKey};

use crate::manager::{Manager, day, days, key, named, new};

/// A key with the secret of this name.
fn with_secret(secret: &str, key: KeyRecordBuilder) -> NewKey {
    NewKey::new(named(secret), key.build().unwrap())
}

async fn import(manager: &Manager, keys: Vec<NewKey>) -> Result<u64, &'static str> {
    match manager.store.import(keys, "ada").await {
        Ok(added) => Ok(added),
        Err(ManageError::PolicyViolated(violation)) => Err(violation.field().unwrap_or("keys")),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_import_with_one_key_that_breaks_a_rule_adds_none() {
    let manager = Manager::new();
    manager.set("all", |it| it.longest_life(days(90)).most_keys(3)).await;
    let fine = |id: &str| new(key(id).expires(day(90)));
    let trail = manager.trail().await;
    assert_eq!(import(&manager, vec![fine("a"), new(key("b"))]).await, Err("expires"));
    let many = || ["a", "b", "c", "d"].map(fine).to_vec();
    assert_eq!(import(&manager, many()).await, Err("keys"));
    assert!(manager.store.is_empty());
    assert_eq!(manager.trail().await, trail);

    assert_eq!(import(&manager, vec![fine("a"), fine("b")]).await, Ok(2));
    assert_eq!(import(&manager, many()).await, Err("keys"));
    // Expired and revoked keys do not count.
    let archive = vec![new(key("e").expires(day(0))), new(key("f").revoked(true))];
    assert_eq!(import(&manager, archive).await, Ok(2));
    assert_eq!(import(&manager, vec![fine("a"), fine("b"), fine("c")]).await, Ok(1));
}

#[tokio::test]
async fn an_import_twice_adds_nothing_and_breaks_no_rule() {
    let manager = Manager::new();
    let old = || vec![new(key("a")), new(key("b"))];
    assert_eq!(import(&manager, old()).await, Ok(2));
    manager.set("all", |it| it.longest_life(days(90)).most_keys(1)).await;
    assert_eq!(import(&manager, old()).await, Ok(0));
    let known_secret = with_secret("a", key("other"));
    assert_eq!(import(&manager, vec![known_secret]).await, Ok(0));
}

/// A key is left out if the store or the import has its id or its secret. Then its own id is still free for a later key of
/// the import, which is added and must be checked.
#[tokio::test]
async fn a_key_behind_one_that_is_left_out_is_checked() {
    let manager = Manager::new();
    manager.set("all", KeyPolicyBuilder::require_expiry).await;
    let fine = |id: &str| key(id).expires(day(1));
    let hidden = || {
        vec![
            with_secret("1", fine("a")),
            with_secret("1", fine("b")), // left out: the secret is taken
            with_secret("2", key("b")),
        ]
    };
    assert_eq!(import(&manager, hidden()).await, Err("expires"));
    let left_out = |last| {
        vec![
            with_secret("1", fine("a")),
            with_secret("2", key("a")), // left out: the id is taken
            with_secret("2", last),
        ]
    };
    assert_eq!(import(&manager, left_out(key("b"))).await, Err("expires"));
    assert!(manager.store.is_empty());
    assert_eq!(
        import(&manager, left_out(fine("b"))).await,
        Ok(2),
        "who is left out breaks no rule"
    );
}

#[tokio::test]
async fn a_key_that_is_left_out_is_not_counted() {
    let manager = Manager::new();
    manager.set("all", |it| it.most_keys(2)).await;
    let keys = vec![
        with_secret("1", key("a")),
        with_secret("1", key("b")),
        with_secret("2", key("a")),
        with_secret("2", key("c")),
    ];
    assert_eq!(import(&manager, keys).await, Ok(2));
}

#[tokio::test]
async fn what_a_program_adds_past_the_manager_obeys_no_policy() {
    let manager = Manager::new();
    manager.set("all", |it| it.longest_life(days(90)).most_keys(0)).await;
    manager.store.add_now(named("k"), key("k").build().unwrap());
    assert_eq!(manager.store.update_now("k", |it| it.expires(day(9_999))), Ok(true));
    // By the manager, the life of such a key counts from 1970.
    manager.clock.set(day(1_000));
    assert_eq!(manager.edit("k", KeyRecordBuilder::never_expires).await, "expires");
    assert_eq!(manager.edit("k", |it| it.expires(day(1_015))).await, "expires");
    assert_eq!(manager.edit("k", |it| it.expires(day(1_014))).await, "");
}
