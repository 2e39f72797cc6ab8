//! The bound on the keys of an owner.

use super::row;
use super::statement::Statement;
use super::trail::Step;
use tower_api_key::key::KeyRecord;
use tower_api_key::store::{Command, ManageError};

/// A key that a bound counts with.
pub(super) enum BoundedKey {
    New(KeyRecord),
    Known(String),
}

impl BoundedKey {
    /// Returns `None` for a command that ignores the bound.
    pub(super) fn of(command: &Command<'_>) -> Option<Self> {
        match command {
            Command::Add(new) => Some(Self::New(new.record.clone())),
            Command::Update { id, .. } => Some(Self::Known((*id).to_owned())),
            _ => None,
        }
    }
}

impl Step<'_> {
    /// Refuses a key whose owner has `most` other keys. No other change runs until this one is committed.
    pub(super) async fn check_most_keys(
        &mut self,
        key: &BoundedKey,
        most: u32,
    ) -> Result<(), ManageError> {
        let record = match key {
            BoundedKey::New(record) => record,
            BoundedKey::Known(id) => &self.locked(id).await?.record,
        };
        let asked = Statement::new(&self.store.queries.count_keys_of_owner)
            .bind(record.account().id().as_str())
            .bind(record.id().as_str())
            .bind(record.owner().unwrap_or_default())
            .bind(self.at());
        let rows = self.fetch(asked).await?;
        let count = rows.first().map(|found| row::number(&**found, "number")).transpose()?;
        let fits = count.unwrap_or_default() < i64::from(most);
        if fits { Ok(()) } else { Err(ManageError::TooManyKeys(most)) }
    }
}
