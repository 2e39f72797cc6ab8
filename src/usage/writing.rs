//! Makes batches of counts, and writes each until it succeeds.

use std::sync::Arc;

use super::batch::UsageBatch;
use super::cells::{Cells, HeldCell};
use super::hour::UsageHour;
use super::last_use::LastUse;
use super::sink::UsageSink;
use crate::clock::Timestamp;
use crate::decision::RequestDecision;
use crate::store::StoreError;

/// The batches of a recorder. One task at a time writes.
#[derive(Default)]
pub(super) struct Writing {
    /// Names the recorder, once it has a batch.
    writer: Option<[u8; 16]>,
    sequence: u64,
    /// A batch that may not be written yet.
    pending: Option<UsageBatch>,
}

impl Writing {
    /// Writes the pending batch, and then what was counted since.
    pub(super) async fn write(
        &mut self,
        sink: &Arc<dyn UsageSink>,
        cells: &Cells,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_pending(sink).await?;
        let writer = self.name()?;
        self.pending = self.next_batch(writer, cells, now);
        self.write_pending(sink).await
    }

    /// Keeps the batch if the write fails, or if its future is dropped: the sink may have written it.
    async fn write_pending(&mut self, sink: &Arc<dyn UsageSink>) -> Result<(), StoreError> {
        if let Some(batch) = &self.pending {
            sink.write(batch).await?;
            self.pending = None;
        }
        Ok(())
    }

    /// Returns the name of the recorder. Without random numbers there is none: two recorders with one name would take
    /// each other's batches for written.
    fn name(&mut self) -> Result<[u8; 16], StoreError> {
        if let Some(writer) = self.writer {
            return Ok(writer);
        }
        let mut writer = [0; 16];
        getrandom::fill(&mut writer)
            .map_err(|_| StoreError::new("the system has no random numbers"))?;
        Ok(*self.writer.insert(writer))
    }

    fn next_batch(
        &mut self,
        writer: [u8; 16],
        cells: &Cells,
        now: Timestamp,
    ) -> Option<UsageBatch> {
        let (held, others) = cells.take(UsageHour::of(now));
        if held.is_empty() && others.is_empty() {
            return None;
        }
        let used = |held: &HeldCell| {
            let admitted = held.cell.decision == RequestDecision::Admitted;
            let key = held.cell.key.clone().filter(|_| admitted)?;
            Some((key, LastUse::new(held.at, held.client)))
        };
        let uses: Vec<_> = held.iter().filter_map(used).collect();
        let cells = held.into_iter().map(|held| held.cell).chain(others);
        self.sequence += 1;
        Some(UsageBatch::new(writer, self.sequence, cells, uses))
    }
}
