//! Reads the audit trail.

use std::collections::HashMap;

use tower_api_key::store::{Action, Change, TrailFilter};

use super::caller::Caller;
use super::error::ManagementError;
use super::keys::checked_limit;
use super::listed::Listed;
use super::management::Management;
use super::scopes::TRAIL_READ;

/// The lines that one request reads of the trail at most.
const MOST_READ: usize = 2_000;

/// The lines that are read at a time.
const CHUNK: usize = 200;

/// Chooses the lines of the trail. A field that is `None` matches all lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrailQuery {
    /// Changes of this account and its keys.
    pub account: Option<String>,
    /// Changes of this key.
    pub key: Option<String>,
    /// Changes that this author made.
    pub by: Option<String>,
    /// Changes of this kind.
    pub action: Option<Action>,
    /// The `next` of the page before, or the sequence of a line; `None` for the newest line.
    pub before: Option<u64>,
    /// The most lines of the page, from 1 to 200; `None` for 50.
    pub limit: Option<usize>,
}

impl TrailQuery {
    /// Compares what the store's filter does not know.
    fn chooses(&self, change: &Change) -> bool {
        self.by.as_ref().is_none_or(|by| *by == change.by)
            && self.action.is_none_or(|action| action == change.action)
    }
}

impl Management {
    /// Reads the trail, the newest change first. With `by` or `action`, a page may have fewer lines than the limit, or
    /// none, as long as it has a `next`: one request compares at most 2,000 lines.
    ///
    /// An owner gets the lines of its own account. The author and the reason are left out if the author is no key of
    /// the account, so that customers do not see what operators note. Such lines have no author, so `by` finds none of
    /// them.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `trail.read`; [`ManagementError::Invalid`] for a limit that is not from 1
    /// to 200.
    pub async fn read_trail(
        &self,
        caller: &Caller,
        query: &TrailQuery,
    ) -> Result<Listed<Change>, ManagementError> {
        caller.require(TRAIL_READ)?;
        let limit = checked_limit(query.limit)?;
        let mut filter = TrailFilter { key: query.key.clone(), account: query.account.clone() };
        if !caller.is_operator() {
            let own = caller.account().as_str();
            if filter.account.as_deref().is_some_and(|account| account != own) {
                return Ok(Listed { found: Vec::new(), broken: Vec::new(), next: None });
            }
            filter.account = Some(own.to_owned());
        }
        let compares = query.by.is_some() || query.action.is_some();
        let most = if compares { CHUNK } else { limit + 1 };
        let (mut found, mut read, mut before) = (Vec::new(), 0, query.before);
        let mut own = HashMap::new();
        let next = loop {
            let mut lines = self.0.manager.trail(&filter, before, most).await?;
            let (count, last) = (lines.len(), lines.last().map(|line| line.sequence));
            // What is hidden is not compared either.
            if !caller.is_operator() {
                self.hide_others(caller, &mut lines, &mut own).await?;
            }
            found.extend(lines.into_iter().filter(|line| query.chooses(line)));
            read += count;
            if found.len() > limit {
                found.truncate(limit);
                break found.last().map(|line| line.sequence);
            }
            if count < most || read >= MOST_READ {
                break last.filter(|_| count == most);
            }
            before = last;
        };
        Ok(Listed { found, broken: Vec::new(), next: next.map(|next| next.to_string()) })
    }

    /// Removes the author and the reason of changes that no key of the caller's account made.
    async fn hide_others(
        &self,
        caller: &Caller,
        lines: &mut [Change],
        own: &mut HashMap<String, bool>,
    ) -> Result<(), ManagementError> {
        for line in lines {
            if !own.contains_key(&line.by) {
                let key = self.0.manager.get(&line.by).await?;
                let known = key.is_some_and(|key| key.record.account().id() == caller.account());
                own.insert(line.by.clone(), known);
            }
            if own.get(&line.by) != Some(&true) {
                line.by = String::new();
                line.reason = None;
            }
        }
        Ok(())
    }
}
