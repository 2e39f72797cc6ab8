//! Prints the audit trail.

use clap::{Args, Subcommand};
use serde_json::json;
use tower_api_key::store::{Change, Difference, KeyManager, TrailFilter};
use tower_api_key_sqlx::SqlStore;

use crate::at_least_one::at_least_one;
use crate::failure::Failure;
use crate::help;
use crate::moment;
use crate::output::Output;
use crate::pruning::Pruning;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TrailCommand {
    #[command(subcommand)]
    command: Option<TrailChange>,
    /// Print the newest changes of this key only
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Print the newest changes of this account and its keys only
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Start after the change with this sequence number
    #[arg(long, default_value_t = 0, value_name = "SEQUENCE", conflicts_with_all = ["key", "account"])]
    after: u64,
    /// Print at most this many changes
    #[arg(long, default_value_t = 100, value_parser = at_least_one)]
    limit: usize,
}

#[derive(Debug, Subcommand)]
enum TrailChange {
    /// Delete old changes from the trail; the newest change always stays
    ///
    /// A replica that was away since before the oldest change that stays reads all keys anew. So keep some days.
    #[command(after_help = help::PRUNE)]
    Prune(Pruning),
}

impl TrailCommand {
    pub(crate) async fn run(self, store: &SqlStore, output: &Output) -> Result<(), Failure> {
        let Self { command, key, account, after, limit } = self;
        if let Some(TrailChange::Prune(pruning)) = command {
            return pruning.of_trail(store, output).await;
        }
        let changes = if key.is_none() && account.is_none() {
            store.changes(after, limit).await?
        } else {
            let mut filter = TrailFilter::default();
            (filter.key, filter.account) = (key, account);
            let mut newest = store.trail(&filter, None, limit).await?;
            newest.reverse();
            newest
        };
        let columns = ["sequence", "at", "by", "action", "key", "account", "reason", "differences"];
        output.rows(
            columns,
            changes.iter().map(|change| {
                json!({
                    "sequence": change.sequence,
                    "at": moment::text(change.at),
                    "by": change.by,
                    "action": change.action.name(),
                    "key": change.key,
                    "account": change.account,
                    "reason": change.reason,
                    "differences": differences(change, output.is_json()),
                })
            }),
        )
    }
}

/// Writes what a change changed, each field as `name: before -> after`. People read times in words, machines the seconds.
fn differences(change: &Change, is_json: bool) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let line = |Difference { field, before, after, .. }: &Difference| {
        format!("{field}: {} -> {}", text(before), text(after))
    };
    let drawn = |difference: &Difference| {
        if is_json { line(difference) } else { line(&difference.in_words()) }
    };
    change.differences.iter().map(drawn).collect()
}
