//! What an answer may show of a refused key.

use super::policy::Policy;
use crate::request::{Head, KeyBuffer};

impl Policy {
    /// Returns the key of a request without its secret part. `None` if the request has no readable key.
    #[cold]
    pub(crate) fn masked_key(&self, head: Head<'_>) -> Option<Box<str>> {
        let mut buffer = KeyBuffer::new();
        let reading = self.read(head, &mut buffer).ok()?;
        Some(self.profile.masked(reading.key.expose()))
    }
}
