//! Checks the keys of an import.

use std::collections::{HashMap, HashSet};

use super::number::{COUNTED, check_count, kind};
use super::rows::StoredPolicies;
use crate::dialect::Dialect;
use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{AccountId, KeyKind, KeyRecord};
use tower_api_key::store::{ManageError, NewKey};

/// The accounts of one statement. SQLite searches all numbered parameters for each one.
const COUNTED_AT_ONCE: usize = 250;

/// The keys that a bound counts: those of an account, or of one kind in it.
type Counted = (Option<KeyKind>, AccountId);

/// The policies of an import, and how many keys count so far.
pub(crate) struct ImportPolicies {
    stored: StoredPolicies,
    counts: HashMap<Counted, i64>,
}

impl Step<'_> {
    /// Reads all policies for an import. Returns `None` if there are none.
    pub(crate) async fn import_policies(&mut self) -> Result<Option<ImportPolicies>, ManageError> {
        if !self.has_policies() {
            return Ok(None);
        }
        let stored = self.policies_and_errors().await?;
        Ok(Some(ImportPolicies { stored, counts: HashMap::new() }))
    }

    /// Refuses an import if one of these keys breaks a rule. All are new, and none was added yet.
    pub(crate) async fn check_imported(
        &mut self,
        keys: &[&NewKey],
        policies: &mut ImportPolicies,
    ) -> Result<(), ManageError> {
        let now = self.now();
        let mut unknown: HashMap<Option<KeyKind>, HashSet<AccountId>> = HashMap::new();
        for key in keys {
            for counted in policies.counted(&key.record, now)? {
                if !policies.counts.contains_key(&counted) {
                    unknown.entry(counted.0).or_default().insert(counted.1);
                }
            }
        }
        for (kind, accounts) in unknown {
            self.count_accounts(kind, accounts, &mut policies.counts).await?;
        }
        keys.iter().try_for_each(|key| policies.check(&key.record, now))
    }

    /// Counts the keys of accounts that count for a bound.
    async fn count_accounts(
        &mut self,
        kind: Option<KeyKind>,
        accounts: HashSet<AccountId>,
        counts: &mut HashMap<Counted, i64>,
    ) -> Result<(), ManageError> {
        let of_kind = if kind.is_some() { " AND kind = $2" } else { "" };
        let accounts: Vec<_> = accounts.into_iter().collect();
        for part in accounts.chunks(COUNTED_AT_ONCE) {
            let placeholders = Dialect::numbered(2 + usize::from(kind.is_some()), part.len());
            let sql = format!(
                "SELECT account, COUNT(*) AS number FROM {{keys}} WHERE {COUNTED}{of_kind} \
                 AND account IN ({placeholders}) GROUP BY account"
            );
            let asked = Statement::made(self.store.tables.fill(&sql)).bind(self.at());
            let asked = kind.iter().fold(asked, |asked, kind| asked.bind(kind.as_str()));
            let asked = part.iter().fold(asked, |asked, account| asked.bind(account.as_str()));
            for found in self.fetch(asked).await? {
                // An account of the rows is one that was asked for, so its id is valid.
                let Ok(account) = AccountId::new(row::text(&*found, "account")?) else { continue };
                counts.insert((kind.clone(), account), row::number(&*found, "number")?);
            }
        }
        for account in accounts {
            counts.entry((kind.clone(), account)).or_insert(0);
        }
        Ok(())
    }
}

impl ImportPolicies {
    /// Returns what bounds count for a new key.
    fn counted(&self, record: &KeyRecord, now: Timestamp) -> Result<HashSet<Counted>, ManageError> {
        let bounds = self.stored.for_key(record)?.most_keys(None, record, now);
        let account = record.account().id();
        Ok(bounds.map(|(subject, _)| (kind(subject).cloned(), account.clone())).collect())
    }

    /// Refuses a key that breaks a rule, and counts it otherwise.
    fn check(&mut self, record: &KeyRecord, now: Timestamp) -> Result<(), ManageError> {
        let policies = self.stored.for_key(record)?;
        policies.check_new(record, now)?;
        let account = record.account().id();
        for bound in policies.most_keys(None, record, now) {
            let count = self.counts.get(&(kind(bound.0).cloned(), account.clone()));
            check_count(bound, count.copied().unwrap_or_default())?;
        }
        for counted in self.counted(record, now)? {
            *self.counts.entry(counted).or_default() += 1;
        }
        Ok(())
    }
}
