//! Reads the audit trail.

use std::collections::HashMap;

use tower_api_key::store::{Action, Change};

use super::caller::Caller;
use super::error::ManagementError;
use super::keys::checked_limit;
use super::listed::Listed;
use super::management::Management;
use super::scopes::TRAIL_READ;

/// The lines that one request reads of the trail at most.
const MOST_READ: usize = 20_000;

/// The lines that are read at a time.
const CHUNK: usize = 1_000;

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
    /// The `next` of the page before, or the sequence of a line; `None` for the start of the trail.
    pub after: Option<u64>,
    /// The most lines of the page, from 1 to 200; `None` for 50.
    pub limit: Option<usize>,
}

impl TrailQuery {
    fn chooses(&self, change: &Change) -> bool {
        let is = |wanted: &Option<String>, name: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| name == Some(wanted))
        };
        is(&self.account, Some(&change.account))
            && is(&self.key, change.key.as_deref())
            && is(&self.by, Some(&change.by))
            && self.action.is_none_or(|action| action == change.action)
    }
}

impl Management {
    /// Reads the trail in the order in which changes were made. A page may have fewer lines than the limit, or none, as
    /// long as it has a `next`: one request reads at most 20,000 lines.
    ///
    /// An owner gets the lines of its own account. The author and the reason are left out if the author is no key of
    /// the account, so that customers do not see what operators note.
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
        let mut query = query.clone();
        if !caller.is_operator() {
            let own = caller.account().as_str();
            if query.account.as_deref().is_some_and(|account| account != own) {
                return Ok(Listed { found: Vec::new(), broken: Vec::new(), next: None });
            }
            query.account = Some(own.to_owned());
        }
        let (mut found, mut read) = (Vec::new(), 0);
        let mut after = query.after.unwrap_or_default();
        let next = loop {
            let lines = self.0.manager.changes(after, CHUNK).await?;
            let (count, last) = (lines.len(), lines.last().map(|line| line.sequence));
            let mut lines = lines.into_iter();
            for line in lines.by_ref().filter(|line| query.chooses(line)) {
                found.push(line);
                if found.len() == limit {
                    break;
                }
            }
            if found.len() == limit {
                let more = lines.next().is_some() || count == CHUNK;
                break found.last().map(|line| line.sequence).filter(|_| more);
            }
            let Some(last) = last.filter(|_| count == CHUNK) else { break None };
            (after, read) = (last, read + count);
            if read >= MOST_READ {
                break Some(after);
            }
        };
        if !caller.is_operator() {
            self.hide_others(caller, &mut found).await?;
        }
        Ok(Listed { found, broken: Vec::new(), next: next.map(|next| next.to_string()) })
    }

    /// Removes the author and the reason of changes that no key of the caller's account made.
    async fn hide_others(
        &self,
        caller: &Caller,
        lines: &mut [Change],
    ) -> Result<(), ManagementError> {
        let mut own: HashMap<String, bool> = HashMap::new();
        for line in lines {
            let known = match own.get(&line.by) {
                Some(known) => *known,
                None => {
                    let key = self.0.manager.get(&line.by).await?;
                    let known =
                        key.is_some_and(|key| key.record.account().id() == caller.account());
                    own.insert(line.by.clone(), known);
                    known
                }
            };
            if !known {
                line.by = String::new();
                line.reason = None;
            }
        }
        Ok(())
    }
}
