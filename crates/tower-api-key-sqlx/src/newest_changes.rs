//! The newest lines of the trail.

use super::SqlStore;
use super::statement::Statement;
use super::storable::{can_be_stored, row_limit};
use super::trail;
use tower_api_key::store::{Change, StoreError, TrailFilter};

impl SqlStore {
    /// Lists the newest lines of the trail before a line.
    pub(super) async fn newest_changes(
        &self,
        filter: &TrailFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Change>, StoreError> {
        let names = [&filter.key, &filter.account];
        if names.into_iter().flatten().any(|name| !can_be_stored(name)) {
            return Ok(Vec::new());
        }
        let queries = &self.queries;
        let query = match (&filter.key, &filter.account) {
            (None, None) => &queries.newest_changes,
            (Some(_), None) => &queries.newest_changes_of_key,
            (None, Some(_)) => &queries.newest_changes_of_account,
            (Some(_), Some(_)) => &queries.newest_changes_of_both,
        };
        let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        let asked = Statement::new(query).bind(before).bind(row_limit(limit));
        let names = names.into_iter().flatten();
        let listed = self.read(names.fold(asked, |asked, name| asked.bind(name.as_str()))).await?;
        listed.iter().map(|row| trail::change(&**row)).collect()
    }
}
