//! A body, as far as it has come.

use std::mem;

use bytes::{Buf, BufMut, Bytes};
use http::HeaderMap;

use super::opening::Opening;

/// The bytes of a body that have come, and its trailers.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// The first data. Most bodies have no more, and then nothing is copied.
    first: Bytes,
    /// All data, once there is more than the first.
    joined: Vec<u8>,
    trailers: Option<HeaderMap>,
    /// The number of bytes at the beginning in which nothing has opened.
    blank: usize,
}

impl Collected {
    /// Adds data, if the whole is then no longer than this many bytes. Otherwise returns the data.
    pub(super) fn push<D: Buf>(&mut self, mut data: D, max_bytes: usize) -> Result<(), D> {
        let held = self.first.len() + self.joined.len();
        let more = data.remaining();
        if more > max_bytes.saturating_sub(held) {
            return Err(data);
        }
        if held == 0 {
            self.first = data.copy_to_bytes(more);
            return Ok(());
        }
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&mem::take(&mut self.first));
        }
        self.joined.put(data);
        Ok(())
    }

    /// Looks at how the body begins.
    pub(super) fn opening(&mut self) -> Opening {
        let held = if self.joined.is_empty() { &*self.first } else { &*self.joined };
        let opening = Opening::of(held.get(self.blank..).unwrap_or_default());
        if opening == Opening::Blank {
            self.blank = held.len();
        }
        opening
    }

    /// Adds trailers, which end the body.
    pub(super) fn end(&mut self, trailers: HeaderMap) {
        self.trailers = Some(trailers);
    }

    /// Returns the data in one piece, and the trailers.
    pub(super) fn finish(self) -> (Bytes, Option<HeaderMap>) {
        let bytes = if self.joined.is_empty() { self.first } else { self.joined.into() };
        (bytes, self.trailers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_joined_up_to_the_limit() {
        for (frames, whole) in [
            (&[][..], Some("")),
            (&["12345"], Some("12345")),
            (&["", "12", "", "345"], Some("12345")),
            (&["123456"], None),
            (&["12", "3456"], None),
            (&["12345", "6"], None),
        ] {
            let mut collected = Collected::default();
            let pushed = frames
                .iter()
                .try_for_each(|frame| collected.push(frame.as_bytes(), 5).map_err(drop));
            let joined = pushed.map(|()| collected.finish().0).ok();
            assert_eq!(joined.as_deref(), whole.map(str::as_bytes), "{frames:?}");
        }
    }

    #[test]
    fn a_single_frame_is_not_copied() {
        let frame = Bytes::from(vec![1; 100]);
        let mut collected = Collected::default();
        collected.push(Bytes::new(), 100).unwrap();
        collected.push(frame.clone(), 100).unwrap();
        assert_eq!(collected.finish().0.as_ptr(), frame.as_ptr());
    }
}
