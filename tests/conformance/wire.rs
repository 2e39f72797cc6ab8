//! A client that sends bytes as they are, and reads HTTP/1.1 answers to the letter (RFC 9112 §4).

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::server::Server;

/// The longest that a case waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a case listens for what must not come.
pub(crate) const SILENCE: Duration = Duration::from_millis(150);

pub(crate) struct Client<S = TcpStream> {
    stream: S,
    unread: Vec<u8>,
}

/// An answer, with its field lines in alphabetical order and without `date`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) start: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) async fn connect(server: &Server) -> Self {
        Self::over(TcpStream::connect(server.address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) const fn over(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A server that has refused may have closed already; the answer tells.
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Reads one answer, of the length that it states.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.read(true).await
    }

    /// Reads an answer that has no content, whatever length it states (RFC 9112 §6.3, rule 1).
    pub(crate) async fn answer_to_head(&mut self) -> Answer {
        self.read(false).await
    }

    /// Tells whether the server sends nothing for a while, and keeps the connection.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        self.unread.is_empty() && timeout(SILENCE, self.more()).await.is_err()
    }

    /// Reads another answer; `None` if the connection ends without one.
    pub(crate) async fn next(&mut self) -> Option<Answer> {
        if self.unread.is_empty() && !timeout(PATIENCE, self.more()).await.expect("an end") {
            return None;
        }
        Some(self.answer().await)
    }

    async fn read(&mut self, content: bool) -> Answer {
        let head = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                let head = self.unread.drain(..end + 4).collect::<Vec<_>>();
                break String::from_utf8(head[..end].to_vec()).unwrap();
            }
            self.expect_more().await;
        };
        let mut answer = Answer::parse(&head.replace("\r\n", "\n"), "");
        assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF: {head:?}");
        let length = answer.field("content-length").map_or(0, |text| text.parse().unwrap());
        assert_eq!(answer.field("transfer-encoding"), None, "not of a refusal, nor of `greet`");
        if content {
            while self.unread.len() < length {
                self.expect_more().await;
            }
            answer.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        }
        answer
    }

    async fn expect_more(&mut self) {
        let more = timeout(PATIENCE, self.more()).await.expect("the server answers");
        assert!(more, "the connection ended after {:?}", String::from_utf8_lossy(&self.unread));
    }

    /// Reads some bytes; `false` at the end of the stream.
    async fn more(&mut self) -> bool {
        self.stream.read_buf(&mut self.unread).await.is_ok_and(|read| read > 0)
    }
}

impl Answer {
    /// Reads an answer as it stands in a table: lines, a blank line, the content.
    pub(crate) fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        Self::parse(head, body)
    }

    fn parse(head: &str, body: &str) -> Self {
        let mut lines = head.split('\n');
        let start = lines.next().unwrap().to_owned();
        let mut fields: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("field line {line:?}")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| name != "date")
            .collect();
        fields.sort();
        Self { start, fields, body: body.to_owned() }
    }

    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Returns the values of all lines of a field.
    pub(crate) fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.fields.iter().filter(|(other, _)| other == name);
        lines.map(|(_, value)| value.as_str()).collect()
    }

    /// Leaves out whether the connection goes on.
    pub(crate) fn without_connection(mut self) -> Self {
        self.fields.retain(|(name, _)| name != "connection");
        self
    }

    /// Returns the value of a field that may have one line at most.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = self.lines(name);
        assert!(lines.len() < 2, "{name}: {lines:?}");
        lines.first().copied()
    }
}

/// Sends a `GET` with these field lines over a connection of its own.
pub(crate) async fn get(server: &Server, lines: impl AsRef<[u8]>) -> Answer {
    request(server, "GET / HTTP/1.1", lines).await
}

/// Sends a request line and these field lines, which may be none, over a connection of its own.
pub(crate) async fn request(server: &Server, line: &str, lines: impl AsRef<[u8]>) -> Answer {
    let mut client = Client::connect(server).await;
    client.send(head(line, lines)).await;
    if line.starts_with("HEAD ") { client.answer_to_head().await } else { client.answer().await }
}

/// Writes the head of a request to the host `api.example.com`.
pub(crate) fn head(line: &str, lines: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = format!("{line}\r\nHost: api.example.com\r\n").into_bytes();
    if !lines.as_ref().is_empty() {
        bytes.extend_from_slice(lines.as_ref());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
