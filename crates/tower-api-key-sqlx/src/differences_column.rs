//! Reads and writes the differences of a change as JSON.

use super::json::{json, write as write_json};
use tower_api_key::store::{Difference, StoreError};

/// Writes differences as a list of `[field, before, after]`; nothing if there are none.
pub(super) fn write(differences: &[Difference]) -> Option<String> {
    if differences.is_empty() {
        return None;
    }
    let column = |difference: &Difference| -> (String, Option<String>, Option<String>) {
        (difference.field.clone(), difference.before.clone(), difference.after.clone())
    };
    Some(write_json(&differences.iter().map(column).collect::<Vec<_>>()))
}

/// Reads differences; none from NULL.
pub(super) fn read(text: Option<String>) -> Result<Vec<Difference>, StoreError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let columns: Vec<(String, Option<String>, Option<String>)> = json(&text)?;
    let difference = |(field, before, after): (String, _, _)| Difference::new(field, before, after);
    Ok(columns.into_iter().map(difference).collect())
}
