//! Reads the changes behind a position, each with the present state of what it changed.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::super::driver::{Columns, Row};
use super::super::row;
use super::behind::ProvenAge;
use super::secrets::{SecretReader, account};
use super::trail_lines::{LineStep, TrailLines};
use super::trail_position::{TrailPlace, is_seen};
use tower_api_key::key::{Account, AccountId, KeyId};
use tower_api_key::store::{
    Action, FeedAnswer, FeedChange, FeedChanges, FeedPosition, FeedSecret, StoreError,
};

/// Collects the changes of an answer.
pub(super) struct ChangeList {
    seen: FeedPosition,
    lines: TrailLines,
    reader: SecretReader,
    keys: HashMap<KeyId, Vec<FeedSecret>>,
    accounts: HashMap<AccountId, AccountState>,
    /// The numbers of the changes whose keys are held already.
    repeated: HashSet<i64>,
}

/// What became of an account.
#[derive(Default)]
struct AccountState {
    was_deleted: bool,
    account: Option<Account>,
}

/// What a row means for the answer.
enum RowOutcome {
    Read,
    /// The answer ends with this row, and there are more changes.
    Cut,
    /// The row cannot be told as a change, or does not belong behind the position.
    Diverged,
}

impl ChangeList {
    pub(super) fn new(since: FeedPosition, seen: FeedPosition) -> Self {
        Self {
            seen,
            lines: TrailLines::new(since),
            reader: SecretReader::default(),
            keys: HashMap::new(),
            accounts: HashMap::new(),
            repeated: HashSet::new(),
        }
    }

    /// Reads the rows of the statement, in the order of the trail.
    pub(super) fn read(
        mut self,
        rows: &[Row],
        age: ProvenAge,
    ) -> Result<FeedAnswer<FeedChanges>, StoreError> {
        let (mut behind, mut latest) = (Duration::ZERO, None);
        for row in rows {
            behind = age.of(&**row)?;
            latest = Some(TrailPlace::latest(&**row)?);
            match self.read_row(&**row)? {
                RowOutcome::Read => {}
                RowOutcome::Cut => break,
                RowOutcome::Diverged => return Ok(FeedAnswer::Diverged),
            }
        }
        let (Some(last), Some(latest)) = (self.lines.last(), latest) else {
            return Ok(FeedAnswer::Diverged);
        };
        let mut changes = Vec::with_capacity(self.keys.len() + self.accounts.len());
        for (id, AccountState { was_deleted, account }) in self.accounts {
            if was_deleted || account.is_none() {
                changes.push(FeedChange::Account { id: id.clone(), account: None });
            }
            if account.is_some() {
                changes.push(FeedChange::Account { id, account });
            }
        }
        let keys = self.keys.into_iter().map(|(id, secrets)| FeedChange::Key { id, secrets });
        changes.extend(keys);
        Ok(FeedAnswer::Same(FeedChanges {
            changes,
            position: last.position(),
            latest: latest.position(),
            more: self.lines.is_full(),
            behind,
        }))
    }

    fn read_row(&mut self, row: &dyn Columns) -> Result<RowOutcome, StoreError> {
        let is_first = self.lines.last().is_none();
        // A key with several secrets has several rows.
        let (place, is_new) = match self.lines.step(row)? {
            LineStep::Diverged => return Ok(RowOutcome::Diverged),
            _ if is_first && !is_seen(row, self.seen)? => return Ok(RowOutcome::Diverged),
            LineStep::Known => return Ok(RowOutcome::Read),
            LineStep::Beyond => return Ok(RowOutcome::Cut),
            LineStep::Next(place) => (place, true),
            LineStep::Further(place) => (place, false),
        };
        match row::optional(row, "key_id")? {
            Some(key) => self.read_key(row, place, &key, is_new),
            None if is_of_policy(&row::text(row, "action")?) => Ok(RowOutcome::Read),
            None => self.read_account(row),
        }
    }

    fn read_key(
        &mut self,
        row: &dyn Columns,
        place: TrailPlace,
        key: &str,
        is_new: bool,
    ) -> Result<RowOutcome, StoreError> {
        let Ok(id) = KeyId::new(key) else { return Ok(RowOutcome::Diverged) };
        if is_new && self.keys.contains_key(&id) {
            self.repeated.insert(place.sequence);
        }
        if !self.repeated.contains(&place.sequence) {
            let secret = self.reader.secret(row)?;
            self.keys.entry(id).or_default().extend(secret);
        }
        Ok(RowOutcome::Read)
    }

    fn read_account(&mut self, row: &dyn Columns) -> Result<RowOutcome, StoreError> {
        let Ok(id) = AccountId::new(row::text(row, "of_account")?) else {
            return Ok(RowOutcome::Diverged);
        };
        // A broken account breaks all its keys, which are not among the changes.
        let Ok(account) = account(row) else { return Ok(RowOutcome::Diverged) };
        let state = self.accounts.entry(id).or_default();
        state.was_deleted |= row::text(row, "action")? == Action::AccountDeleted.name();
        state.account = account;
        Ok(RowOutcome::Read)
    }
}

/// Returns true if a line is of a policy. It changes no key, and its account may be empty.
fn is_of_policy(action: &str) -> bool {
    matches!(action.parse(), Ok(Action::PolicySaved | Action::PolicyDeleted))
}
