//! A service in another language, behind the proxies.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::client::{Answer, plain};

/// A program of Python that answers with the request as it came, and lists the requests that it got. It follows each
/// upgrade that it is asked for.
const SERVICE: &str = r"
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
seen = []
class Service(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    def answer(self):
        if self.requestline.startswith('GET /_seen '):
            text = '\n'.join(seen)
        elif self.headers.get('Upgrade'):
            seen.append(self.requestline)
            self.send_response(101)
            self.send_header('Connection', 'Upgrade')
            self.send_header('Upgrade', self.headers.get('Upgrade'))
            self.end_headers()
            self.close_connection = True
            return
        else:
            seen.append(self.requestline)
            fields = ''.join('%s: %s\n' % (name.lower(), value) for name, value in self.headers.items())
            body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
            text = '%s\n%s\n%s' % (self.requestline.rsplit(' ', 1)[0], fields, body)
        bytes = text.encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('RateLimit', 'forged by the service')
        self.send_header('X-Accel-Redirect', '/_forward_auth')
        self.send_header('Content-Length', str(len(bytes)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(bytes)
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer
    def log_message(self, *args): pass
server = ThreadingHTTPServer(('127.0.0.1', 0), Service)
print(server.server_port, flush=True)
server.serve_forever()
";

/// The service, which ends with its test.
pub(crate) struct Upstream {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Upstream {
    /// Starts the service; `None` without Python.
    pub(crate) fn start() -> Option<Self> {
        let mut python = Command::new("python3");
        python.args(["-c", SERVICE]).stdin(Stdio::null()).stdout(Stdio::piped());
        let Ok(mut process) = python.spawn() else {
            assert!(env::var_os("REQUIRE_INTERPRETERS").is_none(), "there is no python3");
            println!("SKIPPED: there is no python3");
            return None;
        };
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let address = format!("127.0.0.1:{}", port.trim()).parse().unwrap();
        Some(Self { process, address })
    }

    /// Returns how many requests have reached the service.
    pub(crate) async fn count(&self) -> usize {
        let seen = b"GET /_seen HTTP/1.1\r\nHost: a\r\n\r\n";
        plain("127.0.0.1", self.address, seen).await.body.lines().count()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A request as the service got it.
#[derive(Debug)]
pub(crate) struct Received {
    /// The method and the target.
    pub(crate) start: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    /// Reads what the service answered.
    pub(crate) fn of(answer: &Answer) -> Self {
        let (head, body) = answer.body.split_once("\n\n").expect("an answer of the service");
        let mut lines = head.lines();
        let start = lines.next().unwrap().to_owned();
        let fields = lines.map(|line| line.split_once(": ").unwrap_or((line, "")));
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { start, fields, body: body.to_owned() }
    }

    /// Returns the value of a field, in any spelling that CGI reads alike. It may have one line at most.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let alike = |other: &str| other.replace(|c: char| !c.is_alphanumeric(), "-") == name;
        let mut lines = self.fields.iter().filter(|(other, _)| alike(other));
        let first = lines.next();
        assert!(lines.next().is_none(), "{name} came twice: {self:?}");
        first.map(|(_, value)| &**value)
    }
}
