//! The idempotency keys of changes that were made.

use std::collections::{HashMap, VecDeque};

use super::super::manage::{IdempotencyKey, ManageError};
use crate::clock::Timestamp;

/// Changes that were made, by their author and idempotency key.
#[derive(Default)]
pub(super) struct MadeRequests {
    fingerprints: HashMap<(String, String), ([u8; 32], Timestamp)>,
    /// The oldest first.
    order: VecDeque<(Timestamp, (String, String))>,
}

impl MadeRequests {
    /// Returns true if the change was made.
    pub(super) fn has_made(
        &mut self,
        by: &str,
        key: &IdempotencyKey<'_>,
        now: Timestamp,
    ) -> Result<bool, ManageError> {
        self.forget_old(now);
        match self.fingerprints.get(&(by.to_owned(), key.as_str().to_owned())) {
            None => Ok(false),
            Some((made, _)) if made == key.fingerprint() => Ok(true),
            Some(_) => Err(ManageError::IdempotencyKeyReused),
        }
    }

    pub(super) fn note(&mut self, by: &str, key: &IdempotencyKey<'_>, now: Timestamp) {
        let name = (by.to_owned(), key.as_str().to_owned());
        self.fingerprints.insert(name.clone(), (*key.fingerprint(), now));
        self.order.push_back((now, name));
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.order.front()
            && at.plus(IdempotencyKey::KEPT) <= now
        {
            if let Some((_, name)) = self.order.pop_front() {
                self.fingerprints.remove(&name);
            }
        }
    }
}
