//! Lists and shows keys.

use tower_api_key::store::{KeyEntry, KeyFilter, Page};

use super::bounds::Bounds;
use super::caller::Caller;
use super::error::ManagementError;
use super::key_query::KeyQuery;
use super::listed::Listed;
use super::management::Management;
use super::scopes::KEYS_READ;

/// The keys that one request compares at most, if the store's filter does not know a field of the query.
const MOST_READ: usize = 20_000;

/// The keys that are read at a time to be compared.
const CHUNK: usize = 500;

impl Management {
    /// Lists keys in the order of their ids, one page after another. An owner gets the keys of its own account only.
    ///
    /// A page may have fewer keys than the limit, or none, as long as it has a `next`: with `tag`, `name_prefix` or
    /// `expires_before`, one request compares at most 20,000 keys.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`; [`ManagementError::Invalid`] for a limit that is not from 1
    /// to 200; [`ManagementError::Unavailable`] if the store cannot answer.
    pub async fn list_keys(
        &self,
        caller: &Caller,
        query: &KeyQuery,
    ) -> Result<Listed<KeyEntry>, ManagementError> {
        caller.require(KEYS_READ)?;
        let limit = checked_limit(query.limit)?;
        let mut filter = query.filter();
        if !caller.is_operator() {
            let own = caller.account().as_str();
            if filter.account.as_deref().is_some_and(|account| account != own) {
                return Ok(Listed { found: Vec::new(), broken: Vec::new(), next: None });
            }
            filter.account = Some(own.to_owned());
        }
        let mut listed = self.page(&filter, query, limit).await?;
        if !caller.is_operator() {
            // The account of a broken row is not known.
            listed.broken.clear();
        }
        Ok(listed)
    }

    /// Reads a page. The store's filter does not know all fields of a query, so the others are compared here.
    async fn page(
        &self,
        filter: &KeyFilter,
        query: &KeyQuery,
        limit: usize,
    ) -> Result<Listed<KeyEntry>, ManagementError> {
        let id = |entry: &KeyEntry| entry.record.id().to_string();
        let (mut found, mut broken, mut read) = (Vec::new(), Vec::new(), 0);
        let mut after = query.after.clone();
        loop {
            let most = if query.is_for_store() { limit + 1 } else { CHUNK };
            let page = self.0.manager.page(filter, after.as_deref(), most).await?;
            let (count, last) = (page.found.len(), page.found.last().map(id));
            broken.extend(page.broken);
            found.extend(page.found.into_iter().filter(|entry| query.chooses(&entry.record)));
            read += count;
            if found.len() > limit || count < most {
                return Ok(Listed::new(Page { found, broken }, limit, id));
            }
            if read >= MOST_READ {
                return Ok(Listed { found, broken, next: last });
            }
            after = last;
        }
    }

    /// Shows a key.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`; [`ManagementError::NotFound`] if there is no such key, or
    /// an owner asks for a key of another account.
    pub async fn show_key(&self, caller: &Caller, id: &str) -> Result<KeyEntry, ManagementError> {
        caller.require(KEYS_READ)?;
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
