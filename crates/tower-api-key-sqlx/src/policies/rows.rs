//! Reads the rows of policies.

use super::rules_column::{read, unreadable};
use crate::SqlStore;
use crate::driver::Row;
use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::key::KeyRecord;
use tower_api_key::policy::{KeyPolicy, Policies, PolicySubject};
use tower_api_key::store::{ManageError, StoreError};

const ALL: &str = "SELECT subject, rules FROM {policies} ORDER BY subject";

/// A key has at most three policies. Without a kind, one subject is there twice.
const COVERING: &str = "SELECT subject, rules FROM {policies} WHERE subject IN ($1, $2, $3)";

const ONE: &str = "SELECT subject, rules FROM {policies} WHERE subject = $1";

impl SqlStore {
    /// Reads all policies.
    pub(crate) async fn all_policies(&self) -> Result<Policies, StoreError> {
        let rows = self.read(Statement::made(self.tables.fill(ALL))).await?;
        let policies: Result<Vec<_>, _> = rows.iter().map(policy).collect();
        Ok(Policies::new(policies?))
    }

    /// Reads the policies that this version can read, and counts the others.
    pub(super) async fn readable_policies(&self) -> Result<(Policies, u64), StoreError> {
        let rows = self.read(Statement::made(self.tables.fill(ALL))).await?;
        let readable: Vec<_> = rows.iter().filter_map(|found| policy(found).ok()).collect();
        let unreadable = (rows.len() - readable.len()) as u64;
        Ok((Policies::new(readable), unreadable))
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

    /// Reads all policies. One that cannot be read is kept with its error.
    pub(super) async fn policies_and_errors(&mut self) -> Result<StoredPolicies, ManageError> {
        let rows = self.fetch(Statement::made(self.store.tables.fill(ALL))).await?;
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for found in &rows {
            match policy(found) {
                Ok(policy) => readable.push(policy),
                Err(error) => unreadable.push((row::text(&**found, "subject")?, error)),
            }
        }
        Ok(StoredPolicies { readable: Policies::new(readable), unreadable })
    }

    /// Reads the policy for a subject: `None` if there is none, or its error.
    pub(crate) async fn policy(
        &mut self,
        subject: &PolicySubject,
    ) -> Result<Option<Result<KeyPolicy, StoreError>>, ManageError> {
        let asked = Statement::made(self.store.tables.fill(ONE)).bind(subject.to_string());
        Ok(self.fetch(asked).await?.first().map(policy))
    }
}

/// The policies of a store, and those that this version cannot read.
pub(super) struct StoredPolicies {
    readable: Policies,
    /// Each with the text of its subject.
    unreadable: Vec<(String, StoreError)>,
}

impl StoredPolicies {
    /// Returns the policies for the check of a key.
    ///
    /// # Errors
    ///
    /// Returns the error of a policy that cannot be read and may cover the key.
    pub(super) fn for_key(&self, record: &KeyRecord) -> Result<&Policies, StoreError> {
        let may_cover = |subject: &str| {
            subject.parse().map_or(true, |subject: PolicySubject| subject.covers(record))
        };
        match self.unreadable.iter().find(|(subject, _)| may_cover(subject)) {
            Some((_, error)) => Err(StoreError::new(cause(error))),
            None => Ok(&self.readable),
        }
    }
}

fn policy(found: &Row) -> Result<KeyPolicy, StoreError> {
    let (subject, rules) = (row::text(&**found, "subject")?, row::text(&**found, "rules")?);
    let parsed = subject.parse().map_err(|cause| unreadable(&subject, &cause))?;
    read(&parsed, &rules)
}

fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}
