//! Connections to the demo: over TLS with either version of HTTP, and plain ones.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::server::Demo;

/// The demo gives a client half a minute for its next request; one that is about to run out is not
/// used again, for the request and the end could cross.
const LONGEST_IDLE: Duration = Duration::from_secs(15);

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
    /// HTTP/1.1 without TLS, on the demo's other port.
    Plain,
}

/// Knows how to reach a demo.
pub(crate) struct Client {
    secure: SocketAddr,
    plain: SocketAddr,
    http1: TlsConnector,
    http2: TlsConnector,
}

impl Client {
    pub(crate) fn of(demo: &Demo) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(demo.certificate()).unwrap()).unwrap();
        let connector = |protocol: &str| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            TlsConnector::from(Arc::new(config))
        };
        let address = |url: &str| {
            let port = url.rsplit(':').next().unwrap().parse().unwrap();
            SocketAddr::from(([127, 0, 0, 1], port))
        };
        Self {
            secure: address(demo.https()),
            plain: address(demo.http()),
            http1: connector("http/1.1"),
            http2: connector("h2"),
        }
    }

    /// Connects, and no more than that.
    pub(crate) async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.secure).await.unwrap()
    }

    /// Connects and shakes hands, so that bytes can be sent by hand.
    pub(crate) async fn raw(&self) -> TlsStream<TcpStream> {
        shake_hands(&self.http1, self.dial().await).await
    }

    /// Opens a connection for requests.
    pub(crate) async fn connect(&self, protocol: Protocol) -> Connection {
        let authority = match protocol {
            Protocol::Plain => format!("localhost:{}", self.plain.port()),
            _ => format!("localhost:{}", self.secure.port()),
        };
        let mut driver = JoinSet::new();
        let sender = match protocol {
            Protocol::Http1 => http1(self.raw().await, &mut driver).await,
            Protocol::Plain => {
                http1(TcpStream::connect(self.plain).await.unwrap(), &mut driver).await
            }
            Protocol::Http2 => {
                let stream = shake_hands(&self.http2, self.dial().await).await;
                let stream = TokioIo::new(stream);
                let shaken = http2::handshake(TokioExecutor::new(), stream).await;
                let (sender, running) = shaken.unwrap();
                driver.spawn(async move { drop(running.await) });
                Sender::Http2(sender)
            }
        };
        Connection { sender, authority, used: Instant::now(), _driver: driver }
    }
}

async fn shake_hands(connector: &TlsConnector, stream: TcpStream) -> TlsStream<TcpStream> {
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    connector.connect(name, stream).await.unwrap()
}

async fn http1<S>(stream: S, driver: &mut JoinSet<()>) -> Sender
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, running) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    driver.spawn(async move { drop(running.await) });
    Sender::Http1(sender)
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A kept connection; to drop it is to hang up.
pub(crate) struct Connection {
    sender: Sender,
    authority: String,
    used: Instant,
    _driver: JoinSet<()>,
}

impl Connection {
    /// Tells whether another request may be sent.
    pub(crate) fn serves(&self) -> bool {
        let open = match &self.sender {
            Sender::Http1(sender) => !sender.is_closed(),
            Sender::Http2(sender) => !sender.is_closed(),
        };
        open && self.used.elapsed() < LONGEST_IDLE
    }

    /// Tells whether a request that is given up leaves the connection to others.
    pub(crate) const fn survives(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends a request, and reads its answer to the end. To drop this is to hang up on it.
    pub(crate) async fn send(&mut self, question: &Question) -> Result<Answer, hyper::Error> {
        let request = question.request(&self.authority, matches!(self.sender, Sender::Http2(_)));
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let (parts, body) = response.into_parts();
        let content = body.collect().await?.to_bytes();
        self.used = Instant::now();
        let content = String::from_utf8_lossy(&content).into_owned();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, content })
    }
}

/// A request, before it is known which connection it takes.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: &'static str,
}

impl Question {
    fn request(&self, authority: &str, absolute: bool) -> Request<Full<Bytes>> {
        let uri = if absolute {
            Uri::builder().scheme("https").authority(authority).path_and_query(&*self.path).build()
        } else {
            Ok(self.path.parse().unwrap())
        };
        let mut request = Request::builder().method(self.method.clone()).uri(uri.unwrap());
        if !absolute {
            request = request.header("host", authority);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Full::new(Bytes::from_static(self.content.as_bytes()))).unwrap()
    }

    /// Writes the request by hand, as HTTP/1.1.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut lines = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            lines.push_str(&format!("{name}: {value}\r\n"));
        }
        lines.push_str(&format!("content-length: {}\r\n\r\n", self.content.len()));
        lines.push_str(self.content);
        lines.into_bytes()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: String,
    headers: HeaderMap,
}

impl Answer {
    /// Returns all values of a header, a comma between them.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.get_all(name).iter();
        let values: Vec<&str> = values.map(|value| value.to_str().unwrap()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}
