//! The protocol of Redis, as far as the limiter speaks it.

/// A command: its name and its arguments.
pub(super) type Command = Vec<Vec<u8>>;

/// Takes the first command from a buffer. Returns `None` until it is whole.
pub(super) fn take_command(buffer: &mut Vec<u8>) -> Option<Command> {
    let mut at = 0;
    let count = number(buffer, &mut at, b'*')?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let length = number(buffer, &mut at, b'$')?;
        words.push(buffer.get(at..at + length)?.to_vec());
        at += length + 2;
    }
    if buffer.len() < at {
        return None;
    }
    buffer.drain(..at);
    Some(words)
}

fn number(buffer: &[u8], at: &mut usize, kind: u8) -> Option<usize> {
    let rest = buffer.get(*at..)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    assert_eq!(rest[0], kind, "the client speaks another protocol");
    *at += end + 1;
    std::str::from_utf8(&rest[1..end - 1]).ok()?.parse().ok()
}

/// An answer of the server.
pub(super) enum Answer {
    Status(&'static str),
    Text(String),
    Numbers(Vec<i64>),
    Error(String),
}

impl Answer {
    /// Adds the answer to a buffer.
    pub(super) fn write(&self, buffer: &mut Vec<u8>) {
        let text = match self {
            Self::Status(text) => format!("+{text}\r\n"),
            Self::Text(text) => format!("${}\r\n{text}\r\n", text.len()),
            Self::Error(text) => format!("-{text}\r\n"),
            Self::Numbers(numbers) => {
                let each = |number: &i64| format!(":{number}\r\n");
                format!("*{}\r\n", numbers.len()) + &numbers.iter().map(each).collect::<String>()
            }
        };
        buffer.extend_from_slice(text.as_bytes());
    }
}
