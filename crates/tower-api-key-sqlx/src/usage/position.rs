//! The last batch of a process.

use super::usage_rows::number;
use crate::SqlStore;
use crate::row;
use crate::session::Session;
use crate::statement::Statement;
use tower_api_key::store::StoreError;
use tower_api_key::usage::UsageBatch;

/// Touches no row if this batch or a later one of the same process was written.
const MOVE: &str = "INSERT INTO {usage_writers} AS held (writer, batch, at) VALUES ($1, $2, $3) \
     ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, at = excluded.at \
     WHERE held.batch < excluded.batch";

/// Records a batch as the last one of its process. Returns false if it was written before.
///
/// If a connection was lost, its transaction may still be under way. Then this waits until the transaction ends.
pub(super) async fn move_to(
    session: &mut Session,
    store: &SqlStore,
    batch: &UsageBatch,
) -> Result<bool, StoreError> {
    let moved = Statement::made(store.tables.fill(MOVE))
        .bind(batch.writer.to_vec())
        .bind(number(batch.sequence))
        .bind(row::column(store.clock.now()));
    Ok(session.execute(moved).await? > 0)
}
