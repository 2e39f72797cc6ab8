//! The bound on the keys of an owner.

use super::row;
use super::statement::Statement;
use super::trail::Step;
use tower_api_key::key::KeyRecord;
use tower_api_key::store::ManageError;

impl Step<'_> {
    /// Refuses a key whose owner has as many other keys as the command allows. No other change runs until this one is
    /// committed.
    pub(super) async fn check_owner(&mut self, record: &KeyRecord) -> Result<(), ManageError> {
        let Some(most) = self.most_keys() else { return Ok(()) };
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
