//! Messages as bytes: what a client sends, and what an upstream receives.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Reads a message up to the end that its fields state, in lower case.
pub(crate) async fn read_message(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let whole = match length {
                Some(length) => body.len() >= length.parse().unwrap(),
                None if head.contains("chunked") => {
                    body.contains("0\r\n") && body.ends_with("\r\n\r\n")
                }
                None => true,
            };
            if whole {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

/// An upstream that records the bytes it reads, and answers with these bytes.
pub(crate) async fn upstream(
    answer: &'static [u8],
) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = sender.send(read_message(&mut stream).await);
            let _ = stream.write_all(answer).await;
        }
    });
    (address, received)
}

/// Returns the lines of a message's fields, in order.
pub(crate) fn fields(message: &str) -> Vec<&str> {
    let mut fields: Vec<_> = message.split("\r\n\r\n").next().unwrap().lines().skip(1).collect();
    fields.sort_unstable();
    fields
}

/// Returns the number of a status line.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
