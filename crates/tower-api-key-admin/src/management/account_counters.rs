//! Reads the counters of accounts.

use std::sync::Arc;

use tower_api_key::key::KeyRecord;
use tower_api_key::quota::Per;

use super::caller::Caller;
use super::counters::{CounterEntry, entries};
use super::error::ManagementError;
use super::management::Management;
use super::scopes::USAGE_READ;

impl Management {
    /// Reads the counters that all keys of an account share: those of its own quotas, of its plan or of the profile.
    /// Quotas of routes, and those that count each key apart, are not among them.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `usage.read` and `accounts.read`; [`ManagementError::NotFound`] if the
    /// caller sees no such account; [`ManagementError::NotOffered`] without a limiter; [`ManagementError::Unavailable`] if
    /// it cannot answer.
    pub async fn read_account_counters(
        &self,
        caller: &Caller,
        account: &str,
    ) -> Result<Vec<CounterEntry>, ManagementError> {
        caller.require(USAGE_READ)?;
        let account = self.show_account(caller, account).await?;
        // A record of no key: counters of an account are found by the account alone.
        let record = KeyRecord::builder("console", Arc::clone(&account)).build();
        let record = record.map_err(|problem| ManagementError::invalid("account", problem))?;
        let (limiter, mut quotas) = self.counted(&record)?;
        quotas.retain(|quota| quota.per() == Per::Account);
        let verdict = self.peek(&*limiter, &record, &quotas).await?;
        Ok(entries(quotas, &verdict))
    }
}
