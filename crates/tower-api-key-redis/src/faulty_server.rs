//! A server for tests, which hangs up or gives the answers that a test sets.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

/// In place of an answer, the server hangs up.
pub(super) const HANGS_UP: &str = "";

/// A server that gives each command of a script its next answer. It hangs up when it has no answer left.
pub(super) struct FaultyServer {
    pub(super) url: String,
    heard: Arc<Mutex<Vec<Vec<Vec<u8>>>>>,
}

impl FaultyServer {
    /// Starts a server with these answers, as they are on the wire.
    pub(super) async fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, answers, Arc::clone(&heard)));
        Self { url, heard }
    }

    /// Returns the words of each command of a script that the server received.
    pub(super) fn heard(&self) -> Vec<Vec<Vec<u8>>> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(
    listener: TcpListener,
    answers: &'static [&'static str],
    heard: Arc<Mutex<Vec<Vec<Vec<u8>>>>>,
) {
    let mut answers = answers.iter();
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = BufStream::new(stream);
        while let Some(words) = command(&mut stream).await {
            let answer = match &*words[0] {
                b"EVALSHA" | b"SCRIPT" => {
                    heard.lock().unwrap().push(words);
                    answers.next().unwrap_or(&HANGS_UP)
                }
                b"HELLO" => "*2\r\n$4\r\nmode\r\n$10\r\nstandalone",
                _ => "+OK",
            };
            if answer == HANGS_UP {
                break;
            }
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
    }
}

/// Reads a command. Each word stands behind a line with its length. Returns `None` at the end.
async fn command(stream: &mut BufStream<TcpStream>) -> Option<Vec<Vec<u8>>> {
    let count: usize = line(stream).await?.strip_prefix('*')?.parse().ok()?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length: usize = line(stream).await?.strip_prefix('$')?.parse().ok()?;
        let mut word = vec![0; length + 2];
        stream.read_exact(&mut word).await.ok()?;
        word.truncate(length);
        words.push(word);
    }
    Some(words)
}

async fn line(stream: &mut BufStream<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await.ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}
