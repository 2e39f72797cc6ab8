//! What only writers need of accounts: their state, and where their keys lie.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::table::Location;
use crate::key::{Account, AccountId, ScopeSet};

/// Leads writers from accounts to their keys.
#[derive(Default)]
pub(super) struct AccountIndex {
    accounts: HashMap<AccountId, Members>,
    /// Equal sets of scopes share one allocation, which stays in the cache however many accounts
    /// there are.
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

    /// Lists where the keys of an account lie.
    pub(super) fn keys_of(&self, account: &str) -> &[Location] {
        self.accounts.get(account).map_or(&[], |members| &members.keys)
    }

    /// Takes the keys of an account away, to be given back one by one. To look each up among all of
    /// them would take a large account a time in proportion to their square.
    pub(super) fn take_keys(&mut self, account: &str) -> Vec<Location> {
        let members = self.accounts.get_mut(account);
        members.map_or_else(Vec::new, |members| std::mem::take(&mut members.keys))
    }

    /// Adds a key to its account, in place of where it lay before.
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

    /// Takes a key from its account, and forgets the account if that was known by it alone.
    pub(super) fn forget_key(&mut self, account: &AccountId, at: Location) {
        if let Some(members) = self.accounts.get_mut(account) {
            if let Some(place) = members.keys.iter().position(|key| *key == at) {
                members.keys.swap_remove(place);
            }
            if members.keys.is_empty() && !members.kept {
                self.accounts.remove(account);
            }
        }
    }

    /// Lists where the keys of all accounts lie, to be moved.
    pub(super) fn all_keys(&mut self) -> impl Iterator<Item = &mut Location> {
        self.accounts.values_mut().flat_map(|members| &mut members.keys)
    }

    /// Adds or replaces the state of an account, which stays from now on.
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

    /// Lets an account stay when its last key goes.
    pub(super) fn keep(&mut self, id: &str) {
        if let Some(members) = self.accounts.get_mut(id) {
            members.kept = true;
        }
    }

    /// Removes an account, which has no keys any more.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.accounts.remove(id).is_some()
    }

    /// Returns the state of an account that counts: the store's if it knows the account.
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
                // Where nearly all are in use, the next look is as many sets away.
                self.scopes.reserve(self.scopes.len() + 1);
            }
            self.scopes.insert(account.scopes().clone());
        }
        Arc::new(account)
    }
}

/// An account and where its keys lie.
pub(super) struct Members {
    pub(super) account: Arc<Account>,
    keys: Vec<Location>,
    /// Whether the account stays when its last key goes.
    kept: bool,
}

impl Members {
    fn add(&mut self, key: Location) {
        // Most accounts have a few keys; doubling would leave room for as many more that never come.
        if self.keys.len() == self.keys.capacity() {
            self.keys.reserve_exact(self.keys.len() / 4 + 1);
        }
        self.keys.push(key);
    }
}
