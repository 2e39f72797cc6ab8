//! Promises on accounts.

use std::time::Duration;

use super::support::{
    BY, FUTURE, add, add_with, digest, done, entry, find, found, is_not_found, save,
};
use crate::key::Account;
use crate::quota::Quota;
use crate::store::KeyManager;

pub(super) async fn keys_inherit_from_their_account(store: &dyn KeyManager) {
    let quota = || Quota::named("minute", 7, Duration::from_secs(60));
    save(store, "heirs", |account| account.scopes(["read"]).quotas([quota()])).await;
    // The account's state in the store counts, not the one that a new key brings along.
    add(store, "heir", "heirs").await;
    add_with(store, "own", "heirs", |key| key.scopes(["write"])).await;
    assert!(found(store, "heir").await.scopes().contains("read"));
    assert!(!found(store, "own").await.scopes().contains("read"));
    let quotas = found(store, "heir").await.quotas().map(|quotas| quotas.as_slice().to_vec());
    assert_eq!(quotas, Some(vec![quota()]));

    save(store, "heirs", |account| account.scopes(["read", "more"])).await;
    assert!(found(store, "heir").await.scopes().contains("more"), "at once");
    assert!(found(store, "heir").await.quotas().is_none());
    save(store, "heirs", |account| account.disabled(true)).await;
    assert!(found(store, "own").await.is_disabled());
    assert!(!entry(store, "own").await.record.is_disabled_itself());
    let account = done(store.find_account("heirs").await, "find an account");
    assert!(account.is_some_and(|account| account.is_disabled() && account.scopes().is_empty()));
    assert!(done(store.find_account("nobody").await, "find an account").is_none());
}

pub(super) async fn accounts_are_on_plans(store: &dyn KeyManager) {
    let plan = |account: &Account| account.plan().map(ToString::to_string);
    save(store, "planned", |account| account.plan("gold")).await;
    add(store, "planned-1", "planned").await;
    for expected in [Some("gold"), Some("platinum"), None] {
        save(store, "planned", |account| match expected {
            Some(name) => account.plan(name),
            None => account,
        })
        .await;
        let told = done(store.find_account("planned").await, "find an account");
        assert_eq!(told.and_then(|account| plan(&account)).as_deref(), expected);
        let listed = done(store.list_accounts(None, 1_000).await, "list accounts");
        let listed = listed.iter().find(|account| *account.id() == "planned");
        assert_eq!(listed.and_then(|account| plan(account)).as_deref(), expected);
        assert_eq!(plan(found(store, "planned-1").await.account()).as_deref(), expected, "at once");
        assert_eq!(plan(entry(store, "planned-1").await.record.account()).as_deref(), expected);
    }
}

pub(super) async fn a_deleted_account_takes_its_keys(store: &dyn KeyManager) {
    save(store, "gone", |account| account).await;
    add(store, "gone-1", "gone").await;
    done(store.rotate("gone-1", digest("gone-1 2"), FUTURE, BY).await, "rotate");
    save(store, "gone", |account| account.scopes(["read"])).await;
    done(store.delete_account("gone", BY).await, "delete an account");
    is_not_found(store.delete_account("gone", BY).await, "delete it again");
    for secret in ["gone-1", "gone-1 2"] {
        assert!(find(store, secret).await.is_none(), "{secret}");
    }
    assert!(done(store.get("gone-1").await, "get").is_none());
    assert!(done(store.find_account("gone").await, "find an account").is_none());
    // The id and the secret are free again, and nothing of the old account comes back.
    add(store, "gone-1", "gone").await;
    assert!(found(store, "gone-1").await.scopes().is_empty(), "another account of that name");
}

pub(super) async fn accounts_are_paged(store: &dyn KeyManager) {
    for id in ["zz-b", "zz-A", "zz-a"] {
        save(store, id, |account| account).await;
    }
    let mut ids = Vec::new();
    let mut after = Some("zz-".to_owned());
    while let Some(last) = after {
        let page = done(store.list_accounts(Some(&last), 2).await, "list accounts");
        assert!(page.len() <= 2 && ids.len() < 4, "a page begins where the last one ended");
        after = page.last().map(|account| account.id().to_string());
        ids.extend(page.iter().map(|account| account.id().to_string()));
    }
    assert_eq!(ids, ["zz-A", "zz-a", "zz-b"]);
}
