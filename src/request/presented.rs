//! A key as a client presented it: borrowed for as long as its digest takes.

use std::fmt;

use zeroize::Zeroize;

use super::credential::MAX_CREDENTIAL_BYTES;

/// The most bytes that base64 of the longest credential can decode to.
const DECODED_BYTES: usize = MAX_CREDENTIAL_BYTES / 4 * 3;

/// Borrows the text of a presented key; the only way to the bytes is [`expose`](Self::expose).
pub(crate) struct PresentedKey<'a>(&'a [u8]);

impl<'a> PresentedKey<'a> {
    pub(super) const fn new(key: &'a [u8]) -> Self {
        Self(key)
    }

    /// Returns the secret bytes, to be matched against a format and digested.
    pub(crate) const fn expose(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PresentedKey(REDACTED)")
    }
}

/// Holds what base64 decodes to on the stack, and wipes it when it goes out of scope. It is filled
/// in place and never moved afterwards, for a move would leave a copy behind. It begins without
/// bytes: to clear 384 of them takes longer than all that is read of a Bearer token.
pub(crate) struct KeyBuffer {
    bytes: Option<[u8; DECODED_BYTES]>,
    used: usize,
}

impl KeyBuffer {
    pub(crate) const fn new() -> Self {
        Self { bytes: None, used: 0 }
    }

    /// Lets `fill` write into the buffer and returns what it wrote.
    pub(super) fn fill<E>(
        &mut self,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<&[u8], E> {
        let bytes = self.bytes.insert([0; DECODED_BYTES]);
        // A failed attempt may have written anything, so all of it counts as used until then.
        self.used = DECODED_BYTES;
        self.used = fill(bytes)?.min(DECODED_BYTES);
        Ok(bytes.get(..self.used).unwrap_or_default())
    }
}

impl Drop for KeyBuffer {
    fn drop(&mut self) {
        // Only what was written: wiping is volatile, byte by byte, on every Basic request.
        let bytes = self.bytes.as_mut();
        if let Some(written) = bytes.and_then(|bytes| bytes.get_mut(..self.used)) {
            written.zeroize();
        }
    }
}

impl fmt::Debug for KeyBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyBuffer(REDACTED)")
    }
}
