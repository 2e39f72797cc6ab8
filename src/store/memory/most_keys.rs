//! The bound on the keys of an owner.

use super::super::manage::{Command, ManageError, apply_update};
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::key::KeyRecord;

impl Writer<'_> {
    /// Refuses a command after which the owner of the key that it adds or changes would have `most` other keys.
    pub(super) fn check_most_keys<'a>(
        &self,
        command: Command<'a>,
        most: u32,
        now: Timestamp,
    ) -> Result<Command<'a>, ManageError> {
        match command {
            Command::Add(new) => {
                self.check_others(&new.record, most, now)?;
                Ok(Command::Add(new))
            }
            Command::Update { id, change } => {
                let Some(entry) = self.find(id) else { return Err(ManageError::NotFound) };
                let after = apply_update(&entry.record, change)?;
                self.check_others(&after, most, now)?;
                Ok(Command::Update { id, change: Box::new(move |_| after.edit()) })
            }
            other => Ok(other),
        }
    }

    fn check_others(
        &self,
        record: &KeyRecord,
        most: u32,
        now: Timestamp,
    ) -> Result<(), ManageError> {
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
