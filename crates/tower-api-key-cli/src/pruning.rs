//! Prunes the audit trail and the events.

use clap::Args;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key_sqlx::SqlStore;

use crate::failure::Failure;
use crate::moment::Moment;
use crate::output::Output;

/// What is deleted.
#[derive(Debug, Args)]
pub(crate) struct Pruning {
    /// Delete what is older than this time, such as "90 days ago" or 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    before: Moment,
    /// Only count what would be deleted
    #[arg(long)]
    dry_run: bool,
}

impl Pruning {
    /// Returns the time. One in the future is a slip, and would delete nearly all.
    fn before(&self) -> Result<Timestamp, Failure> {
        let Moment(before) = self.before;
        if before > SystemClock.now() {
            let text =
                "`--before` is in the future: write a time in the past, such as \"90 days ago\"";
            return Err(Failure::Invalid(text.to_owned()));
        }
        Ok(before)
    }

    /// Prunes the changes of the trail.
    pub(crate) async fn of_trail(&self, store: &SqlStore, output: &Output) -> Result<(), Failure> {
        let before = self.before()?;
        if self.dry_run {
            let prunable = store.prunable_trail(before).await?;
            output.say(&format!("changes that would be deleted from the trail: {prunable}"));
        } else {
            let pruned = store.prune_trail(before).await?;
            output.say(&format!("changes deleted from the trail: {pruned}"));
        }
        Ok(())
    }

    /// Prunes events, with their deliveries and dead letters.
    pub(crate) async fn of_events(&self, store: &SqlStore, output: &Output) -> Result<(), Failure> {
        let before = self.before()?;
        if self.dry_run {
            let prunable = store.prunable_events(before).await?;
            output.say(&format!("events that would be deleted: {prunable}"));
        } else {
            let pruned = store.prune_events(before).await?;
            output.say(&format!("events deleted: {pruned}"));
        }
        Ok(())
    }
}
