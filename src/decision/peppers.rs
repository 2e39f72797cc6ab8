//! The digests of a key that is read from its request again.

use super::policy::{Admission, Policy};
use crate::clock::Timestamp;
use crate::key::{KeyDigest, OtherDigest, PepperName};
use crate::request::{Head, KeyBuffer};

impl Policy {
    /// Returns the digest of a well-formed key that was read before, or that came over plain HTTP.
    pub(crate) fn current_digest(&self, head: Head<'_>) -> Option<KeyDigest> {
        let mut buffer = KeyBuffer::new();
        let reading = self.read(head, &mut buffer).ok()?;
        match self.digest(&reading) {
            Ok(Admission::Key(digest, _)) => Some(digest),
            _ => None,
        }
    }

    /// Returns true if keys may be found by other peppers than the current one.
    pub(crate) fn has_other_peppers(&self) -> bool {
        self.options.hasher.has_others()
    }

    /// Returns the digest of a well-formed key by the first of the other peppers from this place on that has not
    /// ended.
    pub(crate) fn other_digest(
        &self,
        head: Head<'_>,
        place: usize,
        now: Timestamp,
    ) -> Option<OtherDigest> {
        let mut buffer = KeyBuffer::new();
        let reading = self.read(head, &mut buffer).ok()?;
        self.options.hasher.other_digest(reading.key.expose(), place, now)
    }

    /// Returns the name of the current pepper.
    pub(crate) fn pepper(&self) -> Option<&PepperName> {
        self.options.hasher.pepper()
    }
}
