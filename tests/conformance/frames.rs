//! An HTTP/2 client that sends field sections as they are, for what no typed request can express.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::server::Server;

const PATIENCE: Duration = Duration::from_secs(10);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Frame types and flags (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// The error that a request gets which is none (RFC 9113 §8.1.1).
pub(crate) const PROTOCOL_ERROR: u32 = 1;

/// A name and a value, as they are sent.
pub(crate) type Field<'a> = (&'a [u8], &'a [u8]);

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is answered, with this status and content.
    Answered(u16, String),
    /// The stream ends with this error, before an answer.
    Reset(u32),
    /// The connection ends, with this error if the server says one.
    Gone(Option<u32>),
}

pub(crate) struct Frames {
    stream: TcpStream,
}

impl Frames {
    pub(crate) async fn connect(server: &Server) -> Self {
        let mut frames = Self { stream: TcpStream::connect(server.address).await.unwrap() };
        frames.stream.write_all(PREFACE).await.unwrap();
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }

    /// Opens stream 1 with these fields; `end` says that no content follows.
    pub(crate) async fn open(&mut self, fields: &[Field<'_>], end: bool) {
        let mut block = Vec::new();
        for (name, value) in fields {
            // A literal without indexing, with a literal name (RFC 7541 §6.2.2), neither
            // Huffman-coded.
            block.push(0);
            for text in [name, value] {
                integer(&mut block, text.len());
                block.extend_from_slice(text);
            }
        }
        assert!(block.len() < 16_384, "one frame holds it");
        let flags = if end { END_HEADERS | END_STREAM } else { END_HEADERS };
        self.send(HEADERS, flags, 1, &block).await;
    }

    /// Sends content on stream 1, with more to come.
    pub(crate) async fn content(&mut self, bytes: &[u8]) {
        self.send(DATA, 0, 1, bytes).await;
    }

    /// Waits for what becomes of stream 1.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        let (mut status, mut content) = (None, Vec::new());
        loop {
            let Some((kind, flags, stream, payload)) = self.read().await else {
                return Outcome::Gone(None);
            };
            let code = |from| {
                payload
                    .get(from..from + 4)
                    .map(|code: &[u8]| u32::from_be_bytes(code.try_into().unwrap()))
            };
            match (kind, stream) {
                (SETTINGS, 0) if flags & ACK == 0 => self.send(SETTINGS, ACK, 0, &[]).await,
                (GOAWAY, 0) => return Outcome::Gone(code(4)),
                (RST_STREAM, 1) => return Outcome::Reset(code(0).unwrap()),
                (HEADERS, 1) => status = Some(status_of(&payload)),
                (DATA, 1) => content.extend_from_slice(&payload),
                _ => continue,
            }
            if let Some(status) = status
                && stream == 1
                && flags & END_STREAM != 0
            {
                return Outcome::Answered(status, String::from_utf8(content).unwrap());
            }
        }
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend_from_slice(&[kind, flags]);
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        // A server that has given up may have closed; the outcome tells.
        let _ = self.stream.write_all(&frame).await;
    }

    /// Reads a frame; `None` at the end of the connection.
    async fn read(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        let read = timeout(PATIENCE, self.stream.read_exact(&mut head)).await;
        read.expect("the server does something").ok()?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some((head[3], head[4], stream, payload))
    }
}

/// Sends a request with these fields over a connection of its own.
pub(crate) async fn ask(server: &Server, fields: &[Field<'_>]) -> Outcome {
    let mut frames = Frames::connect(server).await;
    frames.open(fields, true).await;
    frames.outcome().await
}

/// Writes an integer with a prefix of seven bits (RFC 7541 §5.1).
fn integer(block: &mut Vec<u8>, value: usize) {
    let Some(mut rest) = value.checked_sub(127) else {
        return block.push(u8::try_from(value).unwrap());
    };
    block.push(127);
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// Reads the status of an answer, which is its first field (RFC 9113 §8.3).
fn status_of(block: &[u8]) -> u16 {
    // The static table has these (RFC 7541, appendix A).
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match block {
        [indexed @ 0x88..=0x8e, ..] => INDEXED[usize::from(indexed - 0x88)],
        // The name is indexed, and the value is a literal.
        [0x08 | 0x48, length, value @ ..] if length & 0x80 != 0 => {
            digits(&value[..usize::from(length & 0x7f)])
        }
        _ => panic!("no status at the beginning of {block:x?}"),
    }
}

/// Reads Huffman-coded digits, of which all codes have five or six bits (RFC 7541, appendix B).
fn digits(coded: &[u8]) -> u16 {
    let bits: Vec<u16> = coded
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)))
        .collect();
    let (mut number, mut at) = (0, 0);
    let take = |from: usize, count: usize| -> Option<u16> {
        Some(bits.get(from..from + count)?.iter().fold(0, |code, bit| code << 1 | bit))
    };
    while let Some(five) = take(at, 5) {
        let (digit, length) = match (five, take(at, 6)) {
            (0..=2, _) => (five, 5),
            (_, Some(six @ 0x19..=0x1f)) => (six - 0x19 + 3, 6),
            _ => break, // padding
        };
        number = number * 10 + digit;
        at += length;
    }
    number
}

#[test]
fn coded_statuses_are_read() {
    // The second is the example of RFC 7541, C.6.1.
    assert_eq!(status_of(&[0x88]), 200);
    assert_eq!(status_of(&[0x48, 0x82, 0x64, 0x02]), 302);
    // 401: 011010 00000 00001, 503: 011011 00000 011001.
    assert_eq!(status_of(&[0x48, 0x82, 0b0110_1000, 0b0000_0001]), 401);
    assert_eq!(status_of(&[0x48, 0x83, 0b0110_1100, 0b0000_1100, 0b1111_1111]), 503);
}
