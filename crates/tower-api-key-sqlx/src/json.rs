//! Lists and maps as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use tower_api_key::store::StoreError;

/// Returns the error for a row that this program did not write.
pub(super) fn broken(what: impl std::fmt::Display) -> StoreError {
    StoreError::new(format!("a row of the database is broken: {what}"))
}

/// Reads a list or a map.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(broken)
}

/// Writes a list or a map as JSON.
pub(super) fn write(value: &impl Serialize) -> String {
    // Lists and maps of text and numbers can always be written as JSON.
    serde_json::to_string(value).unwrap_or_default()
}
