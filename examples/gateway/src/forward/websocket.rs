//! Frames of a WebSocket (RFC 6455 §5.2), as far as a proxy must know them to tell a client goodbye.

/// A Close frame of a server with the code 1001, "going away" (RFC 6455 §7.4.1).
pub(super) const GOING_AWAY: [u8; 4] = [0x88, 0x02, 0x03, 0xe9];

/// Follows the frames of one direction, to find where one ends and another frame may stand.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    /// The bytes of a head that has begun.
    head: Vec<u8>,
    /// The bytes that are left of a frame's payload.
    payload: u64,
}

impl FrameReader {
    /// Returns true between two frames.
    pub(super) const fn is_between_frames(&self) -> bool {
        self.head.is_empty() && self.payload == 0
    }

    /// Reads all bytes.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (_, rest) = bytes.split_at(self.read_some(bytes));
            bytes = rest;
        }
    }

    /// Reads the bytes up to the end of a frame. Returns how many these are.
    pub(super) fn read_to_end_of_frame(&mut self, bytes: &[u8]) -> usize {
        let mut read = 0;
        while !self.is_between_frames() && read < bytes.len() {
            read += self.read_some(bytes.get(read..).unwrap_or_default());
        }
        read
    }

    /// Reads a part of a payload or one byte of a head. Returns how many bytes these are.
    fn read_some(&mut self, bytes: &[u8]) -> usize {
        if self.payload > 0 {
            let part = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
            self.payload -= part as u64;
            return part;
        }
        self.head.extend(bytes.first());
        if let Some(payload) = payload_length(&self.head) {
            self.payload = payload;
            self.head.clear();
        }
        1
    }
}

/// Returns the length of the payload once the head is complete.
fn payload_length(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    if head.len() < 2 + extended + mask {
        return None;
    }
    let length = head.get(2..2 + extended)?.iter();
    Some(match extended {
        0 => u64::from(second & 0x7f),
        _ => length.fold(0, |length, byte| (length << 8) | u64::from(*byte)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match length {
            0..126 => frame.push(mask + u8::try_from(length).unwrap()),
            126..=0xffff => {
                frame.push(mask + 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(mask + 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(std::iter::repeat_n(0x88, length + if masked { 4 } else { 0 }));
        frame
    }

    #[test]
    fn the_ends_of_frames_are_found() {
        for masked in [false, true] {
            let lengths = [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 0, 3];
            let frames: Vec<Vec<u8>> =
                lengths.iter().map(|length| frame(*length, masked)).collect();
            for step in [1, 2, 7, 4096, usize::MAX] {
                let mut reader = FrameReader::default();
                for frame in &frames {
                    for (at, part) in frame.chunks(step.min(frame.len())).enumerate() {
                        assert_eq!(reader.is_between_frames(), at == 0, "{step}");
                        reader.read(part);
                    }
                    assert!(reader.is_between_frames(), "{step}");
                }
            }
            let mut reader = FrameReader::default();
            let all = frames.concat();
            assert_eq!(reader.read_to_end_of_frame(&all), 0, "it stands between frames");
            let (first, rest) = all[all.len() - 40..].split_at(1);
            reader.read(first);
            assert!(reader.read_to_end_of_frame(rest) < rest.len());
        }
        let mut reader = FrameReader::default();
        let two = [frame(200, false), frame(5, false)].concat();
        reader.read(&two[..100]);
        assert_eq!(reader.read_to_end_of_frame(&two[100..]), frame(200, false).len() - 100);
    }
}
