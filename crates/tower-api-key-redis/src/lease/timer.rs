//! The timer that gives unused tokens back, also if no further request comes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::shard::Returned;
use super::table::LeaseTable;
use crate::failure::Failure;
use crate::question::{Question, Terms};
use crate::script::ChargeScript;
use tower_api_key::limits::ChargeMode;

/// The time between two looks at the batches.
const TICK: Duration = Duration::from_millis(50);

/// The most calls under way at the same time.
const CALLS: usize = 32;

/// Starts the task that watches batches, unless it runs. It runs while there is a batch to watch.
pub(super) fn start(leases: &Arc<LeaseTable>, script: &Arc<ChargeScript>) {
    if !leases.is_watching.swap(true, Ordering::AcqRel) {
        let guard = Running(Arc::downgrade(leases));
        let task = run(guard, Arc::downgrade(script));
        // Without a runtime the task is dropped, and with it the guard. The next batch starts another.
        let _ = script.connection().spawn(task);
    }
}

impl LeaseTable {
    /// Gives all tokens back, and returns the first failure. Waits for calls of the timer that are under way.
    pub(crate) async fn give_back_all(&self, script: &Arc<ChargeScript>) -> Result<(), Failure> {
        let _alone = self.giving_back.lock().await;
        give_back(script, self.end_due(Instant::now(), |_| true, true)).await
    }
}

/// A task that runs. When it is dropped, for example with its runtime, another can start.
struct Running(Weak<LeaseTable>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(leases) = self.0.upgrade() {
            leases.is_watching.store(false, Ordering::Release);
        }
    }
}

/// Gives back what is due, until there is no batch to watch, or no limiter.
async fn run(mut running: Running, script: Weak<ChargeScript>) {
    loop {
        tokio::time::sleep(TICK).await;
        let (Some(leases), Some(script)) = (running.0.upgrade(), script.upgrade()) else { return };
        let alone = leases.giving_back.lock().await;
        // Without a connection the tokens would be lost. The node can still spend them.
        let due = leases.end_due(Instant::now(), |counted| !script.is_down(counted), false);
        // A failure loses the tokens, as if they had been spent. The connection has counted it.
        let _ = give_back(&script, due).await;
        drop(alone);
        if !leases.watches_any() {
            leases.is_watching.store(false, Ordering::Release);
            // A batch that came between these two lines found the timer running.
            if !leases.watches_any() || leases.is_watching.swap(true, Ordering::AcqRel) {
                running.0 = Weak::new();
                return;
            }
        }
    }
}

/// Gives tokens back, each once, and returns the first failure. Tokens are never given back twice, because their
/// second return would be spent twice.
async fn give_back(script: &Arc<ChargeScript>, due: Vec<Returned>) -> Result<(), Failure> {
    let (mut running, mut ended) = (JoinSet::new(), Ok(()));
    for returned in due {
        if running.len() >= CALLS
            && let Some(Ok(Err(failure))) = running.join_next().await
        {
            ended = ended.and(Err(failure));
        }
        let script = Arc::clone(script);
        running.spawn(async move {
            let Returned { slot, unspent, at } = returned;
            let question = Question {
                cost: 0,
                mode: ChargeMode::Peek,
                now: script.now(at),
                terms: Terms::ALONE,
                back: Some(&unspent),
                until: None,
                refund: None,
            };
            script.ask(&slot.counted, &question).await.map(drop)
        });
    }
    while let Some(given) = running.join_next().await {
        if let Ok(Err(failure)) = given {
            ended = ended.and(Err(failure));
        }
    }
    ended
}
