//! Lists and shows keys.

use tower_api_key::store::KeyEntry;

use super::bounds::Bounds;
use super::caller::Caller;
use super::error::ManagementError;
use super::key_query::KeyQuery;
use super::listed::Listed;
use super::management::Management;

impl Management {
    /// Lists keys in the order of the query, one page after another. An owner gets the keys of its own account only.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`; [`ManagementError::Invalid`] for a limit that is not from 1
    /// to 200, or an `after` of another order; [`ManagementError::Unavailable`] if the store cannot answer.
    pub async fn list_keys(
        &self,
        caller: &Caller,
        query: &KeyQuery,
    ) -> Result<Listed<KeyEntry>, ManagementError> {
        caller.check_key_reads()?;
        let limit = checked_limit(query.limit)?;
        let mut filter = query.filter.clone();
        if !caller.is_operator() {
            let own = caller.account().as_str();
            if filter.account.as_deref().is_some_and(|account| account != own) {
                return Ok(Listed { found: Vec::new(), broken: Vec::new(), next: None });
            }
            filter.account = Some(own.to_owned());
        }
        let page = self.0.manager.page(&filter, query.after.as_deref(), limit + 1).await?;
        let order = filter.order;
        let mut listed = Listed::new(page, limit, |entry| order.after(&entry.record));
        if !caller.is_operator() {
            // The account of a broken row is not known.
            listed.broken.clear();
        }
        Ok(listed)
    }

    /// Shows a key.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`; [`ManagementError::NotFound`] if there is no such key, or
    /// an owner asks for a key of another account.
    pub async fn show_key(&self, caller: &Caller, id: &str) -> Result<KeyEntry, ManagementError> {
        caller.check_key_reads()?;
        self.seen_key(caller, id).await
    }

    /// Returns a key that the caller sees.
    pub(super) async fn seen_key(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<KeyEntry, ManagementError> {
        let found = self.0.manager.get(id).await?;
        let seen = found.filter(|entry| caller.sees(entry.record.account().id().as_str()));
        seen.ok_or(ManagementError::NotFound("key"))
    }

    /// Returns the bounds of what a caller may give to a key of an account.
    pub(super) fn bounds<'a>(&'a self, caller: &'a Caller, account: &str) -> Bounds<'a> {
        Bounds {
            caller,
            roles: self.0.roles.as_ref(),
            catalogue: &self.0.catalogue,
            policy: self.0.owners,
            of_operators: self.is_of_operators(account),
            now: self.now(),
        }
    }
}

/// Checks the number of rows that a page may have.
pub(super) fn checked_limit(limit: Option<usize>) -> Result<usize, ManagementError> {
    let limit = limit.unwrap_or(KeyQuery::USUAL);
    if (1..=KeyQuery::MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(ManagementError::invalid("limit", format!("must be from 1 to {}", KeyQuery::MOST)))
}
