//! Reads events from rows.

use crate::driver::Columns;
use crate::json::json;
use crate::row;
use tower_api_key::events::{Event, EventKind};
use tower_api_key::store::StoreError;

/// Reads an event. A kind of a newer release is read as `Unknown`.
pub(super) fn read(found: &dyn Columns) -> Result<Event, StoreError> {
    Ok(Event {
        sequence: u64::try_from(row::number(found, "sequence")?).unwrap_or(0),
        id: row::text(found, "id")?,
        kind: row::text(found, "kind")?.parse().unwrap_or(EventKind::Unknown),
        at: row::timestamp(row::number(found, "at")?),
        key: row::text(found, "key_id")?,
        account: row::text(found, "account")?,
        data: json(&row::text(found, "data")?)?,
    })
}
