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
    // The stored state of the account applies, not the one in the record of a new key.
    add(store, "heir", "heirs").await;
    add_with(store, "own", "heirs", |key| key.scopes(["write"])).await;
    let heir = found(store, "heir").await;
    assert!(
        heir.scopes().contains("read"),
        "a new key does not inherit the stored scopes of its account"
    );
    let own = found(store, "own").await;
    assert!(!own.scopes().contains("read"), "a key with own scopes inherits its account's");
    let quotas = found(store, "heir").await.quotas().map(|quotas| quotas.as_slice().to_vec());
    assert_eq!(quotas, Some(vec![quota()]), "the quotas that a key inherits");

    save(store, "heirs", |account| account.scopes(["read", "more"])).await;
    let heir = found(store, "heir").await;
    assert!(
        heir.scopes().contains("more"),
        "new scopes of an account do not apply to its keys at once"
    );
    assert!(heir.quotas().is_none(), "removed quotas of an account still apply to its keys");
    save(store, "heirs", |account| account.disabled(true)).await;
    assert!(
        found(store, "own").await.is_disabled(),
        "a disabled account does not disable its keys"
    );
    let itself = entry(store, "own").await.record.is_disabled_itself();
    assert!(!itself, "a disabled account changes the own state of its keys");
    let account = done(store.find_account("heirs").await, "finding an account");
    let replaced =
        account.is_some_and(|account| account.is_disabled() && account.scopes().is_empty());
    assert!(replaced, "saving an account does not replace its whole state");
    let unknown = done(store.find_account("unknown").await, "finding an unknown account");
    assert!(unknown.is_none(), "an unknown account is found");
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
        let stored = done(store.find_account("planned").await, "finding an account");
        let stored = stored.and_then(|account| plan(&account));
        assert_eq!(stored.as_deref(), expected, "the plan of a found account");
        let listed = done(store.list_accounts(None, 1_000).await, "listing accounts");
        let listed = listed.iter().find(|account| *account.id() == "planned");
        let listed = listed.and_then(|account| plan(account));
        assert_eq!(listed.as_deref(), expected, "the plan of a listed account");
        let looked_up = plan(found(store, "planned-1").await.account());
        assert_eq!(looked_up.as_deref(), expected, "the plan of a key's account, by its secret");
        let by_id = plan(entry(store, "planned-1").await.record.account());
        assert_eq!(by_id.as_deref(), expected, "the plan of a key's account, by its id");
    }
}

pub(super) async fn a_deleted_account_takes_its_keys(store: &dyn KeyManager) {
    save(store, "gone", |account| account).await;
    add(store, "gone-1", "gone").await;
    done(store.rotate("gone-1", digest("gone-1 2"), FUTURE, BY).await, "rotating a key");
    save(store, "gone", |account| account.scopes(["read"])).await;
    done(store.delete_account("gone", BY).await, "deleting an account");
    is_not_found(store.delete_account("gone", BY).await, "deleting a deleted account");
    for secret in ["gone-1", "gone-1 2"] {
        assert!(
            find(store, secret).await.is_none(),
            "a key of a deleted account is found: {secret}"
        );
    }
    let key = done(store.get("gone-1").await, "getting a key");
    assert!(key.is_none(), "a key of a deleted account is still there");
    let account = done(store.find_account("gone").await, "finding an account");
    assert!(account.is_none(), "a deleted account is still there");
    // The id and the secret are free again. Nothing of the old account is restored.
    add(store, "gone-1", "gone").await;
    let scopes_are_gone = found(store, "gone-1").await.scopes().is_empty();
    assert!(scopes_are_gone, "a new account has the scopes of a deleted one with its id");
}

pub(super) async fn accounts_are_paged(store: &dyn KeyManager) {
    for id in ["zz-b", "zz-A", "zz-a"] {
        save(store, id, |account| account).await;
    }
    let mut ids = Vec::new();
    let mut after = Some("zz-".to_owned());
    while let Some(last) = after {
        let page = done(store.list_accounts(Some(&last), 2).await, "listing accounts");
        assert!(
            page.len() <= 2 && ids.len() < 4,
            "a page has more accounts than its limit, or repeats some"
        );
        after = page.last().map(|account| account.id().to_string());
        ids.extend(page.iter().map(|account| account.id().to_string()));
    }
    assert_eq!(ids, ["zz-A", "zz-a", "zz-b"], "all pages of accounts, in the order of their bytes");
}
