//! The writers' index of accounts: the state of each account, and the locations of its keys.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::table::Location;
use crate::key::{Account, AccountId, ScopeSet};

/// Maps accounts to their state and their keys. Only writers use it.
#[derive(Default)]
pub(super) struct AccountIndex {
    accounts: HashMap<AccountId, Members>,
    /// Equal sets of scopes share one allocation, so that the set stays in the processor's cache even with
    /// many accounts.
    scopes: HashSet<ScopeSet>,
}

impl AccountIndex {
    /// Lists the ids of accounts.
    pub(super) fn ids(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Members> {
        self.accounts.get(id)
    }

    /// Returns the locations of an account's keys.
    pub(super) fn keys_of(&self, account: &str) -> &[Location] {
        self.accounts.get(account).map_or(&[], |members| &members.keys)
    }

    /// Takes all keys from an account. The caller adds them again one by one. Replacing keys one by one
    /// instead would take time quadratic in the number of keys.
    pub(super) fn take_keys(&mut self, account: &str) -> Vec<Location> {
        let members = self.accounts.get_mut(account);
        members.map_or_else(Vec::new, |members| std::mem::take(&mut members.keys))
    }

    /// Adds a key to its account, or replaces its earlier location.
    pub(super) fn join(&mut self, account: &Arc<Account>, at: Location, before: Option<Location>) {
        let members = self.accounts.entry(account.id().clone()).or_insert_with(|| Members {
            account: Arc::clone(account),
            keys: Vec::new(),
            kept: false,
        });
        match before.and_then(|before| members.keys.iter_mut().find(|key| **key == before)) {
            Some(key) => *key = at,
            None => members.add(at),
        }
    }

    /// Removes a key from its account. Removes the account, too, if it was never saved and this was its last
    /// key.
    pub(super) fn forget_key(&mut self, account: &AccountId, at: Location) {
        if let Some(members) = self.accounts.get_mut(account) {
            if let Some(position) = members.keys.iter().position(|key| *key == at) {
                members.keys.swap_remove(position);
            }
            if members.keys.is_empty() && !members.kept {
                self.accounts.remove(account);
            }
        }
    }

    /// Returns the locations of the keys of all accounts, to be changed.
    pub(super) fn all_keys(&mut self) -> impl Iterator<Item = &mut Location> {
        self.accounts.values_mut().flat_map(|members| &mut members.keys)
    }

    /// Adds or replaces the state of an account. The account stays when its last key is deleted.
    pub(super) fn save(&mut self, account: Account) -> Arc<Account> {
        let account = self.pooled(account);
        let members = self.accounts.entry(account.id().clone()).or_insert_with(|| Members {
            account: Arc::clone(&account),
            keys: Vec::new(),
            kept: true,
        });
        members.account = Arc::clone(&account);
        members.kept = true;
        account
    }

    /// Replaces the state of an account. Returns `None` if the account is unknown.
    #[cfg(feature = "replica")]
    pub(super) fn set_state(&mut self, account: Account) -> Option<Arc<Account>> {
        let account = self.pooled(account);
        let members = self.accounts.get_mut(account.id())?;
        members.account = Arc::clone(&account);
        Some(account)
    }

    /// Keeps an account when its last key is deleted.
    pub(super) fn keep(&mut self, id: &str) {
        if let Some(members) = self.accounts.get_mut(id) {
            members.kept = true;
        }
    }

    /// Removes an account that has no keys. Returns false if the account is unknown.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.accounts.remove(id).is_some()
    }

    /// Returns the stored state of an account. If the store does not have the account, returns the passed
    /// state.
    pub(super) fn canonical(&mut self, account: &Arc<Account>) -> Arc<Account> {
        match self.accounts.get(account.id()) {
            Some(members) => Arc::clone(&members.account),
            None => self.pooled(Account::clone(account)),
        }
    }

    fn pooled(&mut self, mut account: Account) -> Arc<Account> {
        if let Some(shared) = self.scopes.get(account.scopes()) {
            account.share_scopes(shared.clone());
        } else {
            if self.scopes.len() == self.scopes.capacity() {
                self.scopes.retain(ScopeSet::is_shared);
                // Doubles the capacity if all are in use, so that the next scan comes after as many
                // new sets.
                self.scopes.reserve(self.scopes.len() + 1);
            }
            self.scopes.insert(account.scopes().clone());
        }
        Arc::new(account)
    }
}

/// An account and the locations of its keys.
pub(super) struct Members {
    pub(super) account: Arc<Account>,
    keys: Vec<Location>,
    /// Whether the account stays when its last key is deleted.
    kept: bool,
}

impl Members {
    fn add(&mut self, key: Location) {
        // Most accounts have a few keys. Doubling the capacity would waste memory.
        if self.keys.len() == self.keys.capacity() {
            self.keys.reserve_exact(self.keys.len() / 4 + 1);
        }
        self.keys.push(key);
    }
}
