//! A receiver of webhooks, which keeps what it gets and answers as a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

#[derive(Clone, Default)]
pub(crate) struct Inbox {
    all: Arc<Mutex<Vec<Received>>>,
}

pub(crate) struct Receiver {
    pub(crate) port: u16,
    received: Inbox,
}

impl Inbox {
    pub(crate) async fn answer(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        answer: &[u8],
    ) {
        let Some(received) = read(&mut stream).await else { return };
        self.all.lock().unwrap().push(received);
        let _ = stream.write_all(answer).await;
        let _ = stream.flush().await;
        // Leaves the connection open: the sender must not wait for its end.
        let _ = stream.read(&mut [0; 1]).await;
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.all.lock().unwrap().clone()
    }
}

impl Receiver {
    /// Answers the requests with these texts, and all later ones with the last.
    pub(crate) async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Inbox::default();
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let keeps = received.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let answer = answers[number.min(answers.len() - 1)].clone();
                let keeps = keeps.clone();
                tokio::spawn(async move { keeps.answer(stream, answer.as_bytes()).await });
            }
        });
        Self { port, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys?token=word", self.port)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.all()
    }
}

/// Reads a request with a length.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break end + 4;
        }
        let mut more = [0; 4096];
        let count = stream.read(&mut more).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&more[..count]);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: HashMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end..].to_vec();
    let length: usize = headers["content-length"].parse().unwrap();
    let had = body.len();
    body.resize(length, 0);
    stream.read_exact(&mut body[had..]).await.ok()?;
    Some(Received { line, headers, body: String::from_utf8(body).unwrap() })
}
