//! A WebSocket client over HTTP/1.1, and one over HTTP/2. Both check the selected protocol as browsers do.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

/// An open socket, and what the server answered to the handshake.
pub(crate) struct Socket<S = TcpStream> {
    pub(crate) answer: Response<()>,
    pub(crate) stream: WebSocketStream<S>,
}

/// Why a socket did not open.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The server's status and body.
    Status(u16, String),
    /// The client found a mistake in the server's answer.
    Client(String),
}

/// Opens a socket over HTTP/1.1 with these header lines.
pub(crate) async fn open(
    server: SocketAddr,
    path: &str,
    lines: &[(&'static str, &str)],
) -> Result<Socket, Refused> {
    let mut request: Request<()> = format!("ws://{server}{path}").into_client_request().unwrap();
    for (name, value) in lines {
        if *name == "sec-websocket-version" {
            request.headers_mut().remove(*name);
        }
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(server).await.unwrap();
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((stream, answer)) => Ok(Socket { answer: answer.map(drop), stream }),
        Err(Error::Http(answer)) => {
            let status = answer.status().as_u16();
            let body = answer.into_body().unwrap_or_default();
            Err(Refused::Status(status, String::from_utf8(body).unwrap()))
        }
        Err(error) => Err(Refused::Client(error.to_string())),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Returns the next text of the server.
    pub(crate) async fn hear(&mut self) -> String {
        self.stream.next().await.unwrap().unwrap().into_text().unwrap().to_string()
    }

    /// Sends a text, and returns the answer.
    pub(crate) async fn ask(&mut self, text: &str) -> String {
        self.stream.send(Message::text(text)).await.unwrap();
        self.hear().await
    }

    /// Closes the socket, and waits for the server to close it, too.
    pub(crate) async fn close(mut self) {
        self.stream.close(None).await.unwrap();
        while self.stream.next().await.is_some() {}
    }

    /// Returns the protocol that the server selected.
    pub(crate) fn protocol(&self) -> Option<&str> {
        self.answer.headers().get("sec-websocket-protocol").map(|name| name.to_str().unwrap())
    }
}

impl Refused {
    /// Returns the status of a server's refusal.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Status(status, _) => *status,
            Self::Client(error) => panic!("{error}"),
        }
    }
}
