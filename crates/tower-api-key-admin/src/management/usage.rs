//! Reads how many requests a key or an account made.

use tower_api_key::clock::Timestamp;
use tower_api_key::usage::{UsageCount, UsageGroup, UsageQuery};

use super::caller::Caller;
use super::error::ManagementError;
use super::management::Management;
use super::scopes::USAGE_READ;

/// The most rows of an answer.
const MOST_ROWS: usize = 10_000;

impl Management {
    /// Reads the requests of a key from the hour of `since` until before `until`, counted apart by these groups. What a
    /// recorder has not written yet is not in the answer.
    ///
    /// An owner gets the requests that the key made for the owner's account.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `usage.read`; [`ManagementError::NotFound`] if the caller sees no such
    /// key; [`ManagementError::NotOffered`] without a [reader](super::ManagementBuilder::usage);
    /// [`ManagementError::Invalid`] if `since` is not before `until`, or if the answer has more than 10,000 rows;
    /// [`ManagementError::Unavailable`] if the reader cannot answer.
    pub async fn read_usage(
        &self,
        caller: &Caller,
        key: &str,
        since: Timestamp,
        until: Timestamp,
        by: impl IntoIterator<Item = UsageGroup>,
    ) -> Result<Vec<UsageCount>, ManagementError> {
        caller.require(USAGE_READ)?;
        let query = UsageQuery::between(since, until).key(key).by(by).limit(MOST_ROWS + 1);
        self.seen_key(caller, key).await?;
        // Operators can move a key to another account.
        let query =
            if caller.is_operator() { query } else { query.account(caller.account().as_str()) };
        self.counts(&query, since, until).await
    }

    /// Reads the requests of an account, as [`read_usage`](Self::read_usage) reads those of a key.
    ///
    /// # Errors
    ///
    /// Those of [`read_usage`](Self::read_usage); [`ManagementError::MissingScope`] also without `accounts.read`.
    pub async fn read_account_usage(
        &self,
        caller: &Caller,
        account: &str,
        since: Timestamp,
        until: Timestamp,
        by: impl IntoIterator<Item = UsageGroup>,
    ) -> Result<Vec<UsageCount>, ManagementError> {
        caller.require(USAGE_READ)?;
        let query = UsageQuery::between(since, until).account(account).by(by).limit(MOST_ROWS + 1);
        self.show_account(caller, account).await?;
        self.counts(&query, since, until).await
    }

    async fn counts(
        &self,
        query: &UsageQuery,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<UsageCount>, ManagementError> {
        let usage = self.0.usage.as_ref().ok_or(ManagementError::NotOffered("usage"))?;
        if since >= until {
            return Err(ManagementError::invalid("since", "it must be before `until`"));
        }
        let counts = usage.usage(query).await;
        let counts = counts.inspect_err(|error| self.0.observers.store_failed(error));
        let counts = counts.map_err(ManagementError::Unavailable)?;
        if counts.len() > MOST_ROWS {
            let problem =
                "the answer has more than 10,000 rows: name fewer groups or a shorter time";
            return Err(ManagementError::invalid("group_by", problem));
        }
        Ok(counts)
    }
}
