//! A client that sends bytes as they are, over TLS or plain, from an address of its choice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer, with the names of its fields in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    /// The status; 0 if the connection ended without an answer.
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the values of all lines of a field.
    pub(crate) fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.fields.iter().filter(|(other, _)| other == name);
        lines.map(|(_, value)| value.as_str()).collect()
    }

    /// Reads an answer. `is_whole` says that no more bytes come.
    fn read(bytes: &[u8], is_whole: bool) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, rest) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let mut answer = Self { status, fields: fields.collect(), body: rest.to_owned() };
        if let [length] = *answer.lines("content-length") {
            let is_complete = rest.len() >= length.parse().ok()?;
            return (is_whole || is_complete).then_some(answer);
        }
        if answer.lines("transfer-encoding") == ["chunked"] && !rest.is_empty() {
            answer.body = dechunk(rest)?;
            return Some(answer);
        }
        is_whole.then_some(answer)
    }
}

fn dechunk(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.push_str(after.get(..size)?);
        rest = after.get(size + 2..)?;
    }
}

/// Sends bytes to the plain port of a proxy.
pub(crate) async fn plain(from: &str, to: SocketAddr, bytes: &[u8]) -> Answer {
    exchange(connect(from, to).await, bytes).await
}

/// Sends bytes to the TLS port of a proxy.
pub(crate) async fn tls(
    roots: &Arc<rustls::ClientConfig>,
    from: &str,
    to: SocketAddr,
    bytes: &[u8],
) -> Answer {
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::clone(roots)).connect(name, connect(from, to).await);
    exchange(timeout(PATIENCE, stream).await.expect("a handshake").unwrap(), bytes).await
}

async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_nodelay(true).unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Answer {
    // A proxy may refuse before it has read all.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let is_head = bytes.starts_with(b"HEAD ");
    let mut read = Vec::new();
    let whole = async {
        loop {
            if let Some(answer) = Answer::read(&read, is_head) {
                return answer;
            }
            if !stream.read_buf(&mut read).await.is_ok_and(|length| length > 0) {
                return Answer::read(&read, true).unwrap_or_default();
            }
        }
    };
    timeout(PATIENCE, whole).await.unwrap_or_default()
}
