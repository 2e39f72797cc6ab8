//! The bound on the keys of an owner.

use super::super::manage::{Command, ManageError};
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::key::KeyRecord;

impl Writer<'_> {
    /// Refuses a command that adds or changes a key whose owner has `most` other keys.
    pub(super) fn check_most_keys(
        &self,
        command: &Command<'_>,
        most: u32,
        now: Timestamp,
    ) -> Result<(), ManageError> {
        let record = match command {
            Command::Add(new) => &new.record,
            Command::Update { id, .. } => match self.find(id) {
                Some(entry) => &entry.record,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let others = self.index.accounts.keys_of(record.account().id().as_str()).iter();
        let others = others.filter_map(|at| self.table.entry(*at)).map(|entry| &entry.record);
        let counts = |other: &&KeyRecord| {
            other.owner() == record.owner()
                && other.id() != record.id()
                && !other.is_revoked()
                && (other.expires().is_none_or(|expires| expires > now))
        };
        // As many as there are, so a number over `u32::MAX` is too many, too.
        let count = u32::try_from(others.filter(counts).count()).unwrap_or(u32::MAX);
        if count < most { Ok(()) } else { Err(ManageError::TooManyKeys(most)) }
    }
}
