//! A key as a client presented it, borrowed only until its digest is computed.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Limits the length of a credential, in bytes of the field value after the scheme. A gate refuses a
/// longer credential before it decodes or hashes it.
pub const MAX_CREDENTIAL_BYTES: usize = 512;

/// The most bytes that the longest credential can decode to from base64.
const DECODED_BYTES: usize = MAX_CREDENTIAL_BYTES / 4 * 3;
/// Enough bytes for nearly all decoded credentials: a key of 64 characters with a user name.
const USUAL_BYTES: usize = 96;

/// The key, and the id that was presented beside it, as read from one place.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) key: &'a [u8],
    pub(super) id: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// Returns a key that came without an id.
    pub(super) const fn alone(key: &'a [u8]) -> Self {
        Self { key, id: None }
    }
}

/// Borrows the text of a presented key. Only [`expose`](Self::expose) gives access to the bytes.
pub(crate) struct PresentedKey<'a>(&'a [u8]);

impl<'a> PresentedKey<'a> {
    pub(super) const fn new(key: &'a [u8]) -> Self {
        Self(key)
    }

    /// Returns the secret bytes, to match them against a format and compute their digest.
    pub(crate) const fn expose(&self) -> &'a [u8] {
        self.0
    }

    /// Compares two keys of one request without ending at the first difference.
    pub(super) fn equals(&self, other: &PresentedKey<'_>) -> bool {
        self.0.ct_eq(other.0).into()
    }
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PresentedKey(REDACTED)")
    }
}

/// Holds decoded base64 on the stack, and wipes it on drop.
///
/// The buffer is filled in place and never moved afterwards, because a move would leave a copy behind.
/// It begins without bytes and takes as few as are enough: clearing 384 bytes takes longer than reading
/// a Bearer token.
pub(crate) struct KeyBuffer {
    usual: Option<[u8; USUAL_BYTES]>,
    large: Option<[u8; DECODED_BYTES]>,
}

impl KeyBuffer {
    pub(crate) const fn new() -> Self {
        Self { usual: None, large: None }
    }

    /// Lets `fill` write up to `longest` bytes into the buffer and returns what it wrote.
    pub(super) fn fill<E>(
        &mut self,
        longest: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<&[u8], E> {
        let bytes: &mut [u8] = if longest <= USUAL_BYTES {
            self.usual.insert([0; USUAL_BYTES])
        } else {
            self.large.insert([0; DECODED_BYTES])
        };
        let used = fill(bytes)?;
        Ok(bytes.get(..used).unwrap_or_default())
    }
}

impl Drop for KeyBuffer {
    fn drop(&mut self) {
        // As one slice: `zeroize` wipes an array byte by byte, and a part of it with a function call.
        if let Some(bytes) = &mut self.usual {
            bytes.as_mut_slice().zeroize();
        }
        if let Some(bytes) = &mut self.large {
            bytes.as_mut_slice().zeroize();
        }
    }
}

impl fmt::Debug for KeyBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyBuffer(REDACTED)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let mut buffer = KeyBuffer::new();
        let fill = |bytes: &mut [u8]| {
            bytes[..6].copy_from_slice(b"canary");
            Ok::<usize, ()>(6)
        };
        assert_eq!(buffer.fill(6, fill), Ok(&b"canary"[..]));
        assert_eq!(format!("{buffer:?}"), "KeyBuffer(REDACTED)");
        assert_eq!(format!("{:?}", PresentedKey::new(b"canary")), "PresentedKey(REDACTED)");
    }
}
