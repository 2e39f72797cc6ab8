//! A record or an account that is being built, or the first error of its parts.

use super::invalid::InvalidRecord;

/// The value so far, or the first error.
#[derive(Debug, Clone)]
pub(super) struct Draft<T>(Result<T, InvalidRecord>);

impl<T> Draft<T> {
    pub(super) const fn new(start: Result<T, InvalidRecord>) -> Self {
        Self(start)
    }

    /// Sets a part that is always valid.
    pub(super) fn set(&mut self, set: impl FnOnce(&mut T)) {
        if let Ok(draft) = &mut self.0 {
            set(draft);
        }
    }

    /// Sets a part that may not be valid.
    pub(super) fn with<P, E: Into<InvalidRecord>>(
        &mut self,
        part: Result<P, E>,
        set: impl FnOnce(&mut T, P),
    ) {
        if let Ok(draft) = &mut self.0 {
            match part {
                Ok(part) => set(draft, part),
                Err(error) => self.0 = Err(error.into()),
            }
        }
    }

    pub(super) fn finish(self) -> Result<T, InvalidRecord> {
        self.0
    }
}
