//! Sweeps policies once.

use clap::Args;
use serde_json::json;
use tower_api_key_sqlx::{PolicyOutcome, PolicySweep, SqlStore};

use crate::failure::Failure;
use crate::moment::Moment;
use crate::output::{Output, complain};

/// How to sweep.
#[derive(Debug, Args)]
pub(crate) struct SweepOnce {
    /// Take all uses of keys as recorded since this time. A KEY THAT WAS USED THEN WITHOUT A RECORD IS SWITCHED OFF
    #[arg(long, value_name = "TIME")]
    assume_uses_recorded_since: Option<Moment>,
    /// Only count what a sweep would do; changes nothing
    #[arg(long)]
    dry_run: bool,
}

impl SweepOnce {
    pub(crate) async fn run(self, store: &SqlStore, output: &Output) -> Result<(), Failure> {
        let mut sweep = PolicySweep::new(store.clone())?;
        if let Some(Moment(since)) = self.assume_uses_recorded_since {
            sweep = sweep.assume_uses_recorded_since(since);
        }
        let outcome = if self.dry_run { sweep.preview().await? } else { sweep.sweep().await? };
        if !self.dry_run && !outcome.swept {
            complain(
                "nothing was done: another process sweeps, or has swept within the last minute",
            );
        }
        tell(&outcome);
        if self.dry_run {
            output.say(&format!(
                "a sweep would switch off {}, expire {}, and remind the owners of {}; `policies check` lists the keys",
                outcome.switched_off, outcome.expiries_set, outcome.reminders
            ));
        }
        let value = json!({
            "swept": outcome.swept,
            "switched_off": outcome.switched_off,
            "expiries_set": outcome.expiries_set,
            "reminders": outcome.reminders,
            "uses_unknown": outcome.uses_unknown,
            "unreadable_policies": outcome.unreadable_policies,
            "unreadable_keys": outcome.unreadable_keys,
        });
        if output.is_quiet() && !output.is_json() { Ok(()) } else { output.one(&value) }
    }
}

/// Prints what an operator should know, also with `--quiet`.
fn tell(outcome: &PolicyOutcome) {
    if outcome.uses_unknown {
        complain(
            "unused keys stay on: uses of keys are not recorded, or not yet for the whole time of the rule",
        );
    }
    if outcome.unreadable_policies > 0 {
        complain(&format!(
            "policies that this version cannot read: {}; update the program, or delete them and set them again",
            outcome.unreadable_policies
        ));
    }
    if outcome.unreadable_keys > 0 {
        complain(&format!(
            "keys that cannot be read, and stay as they are: {}",
            outcome.unreadable_keys
        ));
    }
}
