//! Prunes the audit trail.

use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key_sqlx::SqlStore;

use crate::failure::Failure;
use crate::output::Output;

/// Deletes the changes before a time. A time in the future is a slip, and would delete the whole trail.
pub(crate) async fn prune(
    store: &SqlStore,
    before: Timestamp,
    output: &Output,
) -> Result<(), Failure> {
    if before > SystemClock.now() {
        let text = "`--before` is in the future: write a time in the past, such as \"90 days ago\"";
        return Err(Failure::Invalid(text.to_owned()));
    }
    let pruned = store.prune_trail(before).await?;
    output.say(&format!("changes deleted from the trail: {pruned}"));
    Ok(())
}
