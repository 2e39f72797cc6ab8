//! Reads the rows of policies.

use super::rules_column::{UnreadablePolicy, read};
use crate::SqlStore;
use crate::driver::Row;
use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::key::KeyRecord;
use tower_api_key::policy::{KeyPolicy, Policies, PolicySubject};
use tower_api_key::store::{BrokenRow, ManageError, Page, StoreError};

const ALL: &str = "SELECT subject, rules FROM {policies} ORDER BY subject";

/// A key has at most three policies. Without a kind, one subject is there twice. A subject of a newer version may cover any
/// key: those are all subjects before, between and behind the ones that this version knows.
pub(super) const COVERING: &str = "SELECT subject, rules FROM {policies} WHERE subject IN ($1, $2, $3) \
     OR subject < 'account:' OR (subject >= 'account;' AND subject < 'all') \
     OR (subject > 'all' AND subject < 'kind:') OR subject >= 'kind;'";

const ONE: &str = "SELECT subject, rules FROM {policies} WHERE subject = $1";

impl SqlStore {
    /// Reads all policies, and those that this version cannot read.
    pub(crate) async fn page_of_policies_now(&self) -> Result<Page<KeyPolicy>, StoreError> {
        let StoredPolicies { readable, unreadable } = self.stored_policies().await?;
        let broken = unreadable.into_iter().map(|UnreadablePolicy { subject, problem }| {
            BrokenRow { id: subject, account: None, problem }
        });
        Ok(Page { found: readable.iter().cloned().collect(), broken: broken.collect() })
    }

    /// Reads all policies.
    pub(crate) async fn all_policies(&self) -> Result<Policies, ManageError> {
        let mut stored = self.stored_policies().await?;
        stored.unreadable.pop().map_or(Ok(stored.readable), |unreadable| Err(unreadable.into()))
    }

    /// Reads the policies that this version can read, and counts the others.
    pub(super) async fn readable_policies(&self) -> Result<(Policies, u64), StoreError> {
        let stored = self.stored_policies().await?;
        Ok((stored.readable, stored.unreadable.len() as u64))
    }

    async fn stored_policies(&self) -> Result<StoredPolicies, StoreError> {
        let rows = self.read(Statement::made(self.tables.fill(ALL))).await?;
        Ok(StoredPolicies::of(&rows))
    }
}

impl Step<'_> {
    /// Reads the policies that cover a key.
    pub(super) async fn policies_of(
        &mut self,
        record: &KeyRecord,
    ) -> Result<Policies, ManageError> {
        let policies: Result<Vec<_>, _> = self.rows_of(record).await?.iter().map(policy).collect();
        Ok(Policies::new(policies?))
    }

    /// Reads the policies that cover a key, without those that this version cannot read.
    pub(super) async fn readable_policies_of(
        &mut self,
        record: &KeyRecord,
    ) -> Result<Policies, ManageError> {
        let rows = self.rows_of(record).await?;
        Ok(Policies::new(rows.iter().filter_map(|found| policy(found).ok())))
    }

    async fn rows_of(&mut self, record: &KeyRecord) -> Result<Vec<Row>, ManageError> {
        let subjects = PolicySubject::all_of(record).chain([PolicySubject::All]).take(3);
        let asked = Statement::made(self.store.tables.fill(COVERING));
        let asked = subjects.fold(asked, |asked, subject| asked.bind(subject.to_string()));
        self.fetch(asked).await
    }

    /// Reads all policies, and those that this version cannot read.
    pub(super) async fn policies_and_errors(&mut self) -> Result<StoredPolicies, ManageError> {
        let rows = self.fetch(Statement::made(self.store.tables.fill(ALL))).await?;
        Ok(StoredPolicies::of(&rows))
    }

    /// Reads the policy for a subject: `None` if there is none, or what this version cannot read.
    pub(crate) async fn policy(
        &mut self,
        subject: &PolicySubject,
    ) -> Result<Option<Result<KeyPolicy, UnreadablePolicy>>, ManageError> {
        let asked = Statement::made(self.store.tables.fill(ONE)).bind(subject.to_string());
        Ok(self.fetch(asked).await?.first().map(policy))
    }
}

/// The policies of a store, and those that this version cannot read.
pub(super) struct StoredPolicies {
    readable: Policies,
    unreadable: Vec<UnreadablePolicy>,
}

impl StoredPolicies {
    fn of(rows: &[Row]) -> Self {
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for found in rows {
            match policy(found) {
                Ok(policy) => readable.push(policy),
                Err(wrong) => unreadable.push(wrong),
            }
        }
        Self { readable: Policies::new(readable), unreadable }
    }

    /// Returns the policies for the check of a key.
    ///
    /// # Errors
    ///
    /// Returns a policy that cannot be read and may cover the key.
    pub(super) fn for_key(&self, record: &KeyRecord) -> Result<&Policies, UnreadablePolicy> {
        let covers =
            |wrong: &&UnreadablePolicy| PolicySubject::stored(&wrong.subject).covers(record);
        self.unreadable.iter().find(covers).map_or(Ok(&self.readable), |wrong| Err(wrong.clone()))
    }
}

fn policy(found: &Row) -> Result<KeyPolicy, UnreadablePolicy> {
    // A column of another type is as unknown as a text that cannot be read.
    let subject = row::text(&**found, "subject").unwrap_or_default();
    match row::text(&**found, "rules") {
        Ok(rules) => read(&subject, &rules),
        Err(error) => Err(UnreadablePolicy { subject, problem: cause(&error) }),
    }
}

fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}
