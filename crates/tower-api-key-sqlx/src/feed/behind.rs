//! How much older than the question an answer may be.

use std::time::Duration;

use super::super::driver::Columns;
use super::super::failure::Failure;
use super::super::row;
use tower_api_key::store::StoreError;

/// Reads the column `standby`. A primary answers with its latest state. A standby cannot prove how old its state is.
pub(super) fn behind(row: &dyn Columns) -> Result<Duration, StoreError> {
    if row::number(row, "standby")? == 0 {
        return Ok(Duration::ZERO);
    }
    Err(StoreError::new(Failure::Standby))
}
