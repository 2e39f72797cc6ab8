//! Keys that nobody has, and keys that serve no more, as a client on the same machine sees them: from the
//! request's last byte to the answer's, over HTTP/1.1 on loopback.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::net::TcpListener;
use tower::{Layer, service_fn};
use tower_api_key::ApiKeyLayer;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::MemoryStore;

use crate::sampling::{Bound, Class, Outcome, sample};
use crate::subject::{PROFILE, key};

/// Prints what is measured of each class; nothing is demanded of a figure that the kernel makes.
pub(crate) fn measure(outcome: &mut Outcome, samples: usize) {
    println!("\nKeys that do not serve, over a socket on loopback");
    let mut random = SmallRng::seed_from_u64(37);
    let (unknown, revoked) = (key(&mut random), key(&mut random));
    let store = MemoryStore::new();
    let acme = Account::builder("acme").build().expect("valid");
    let record = KeyRecord::builder("key_1", acme).revoked(true).build().expect("valid");
    store.add_now(KeyHasher::sha256().digest(revoked.as_bytes()), record);
    // One connection for all classes: where two lie in memory would show, too.
    let connection = std::cell::RefCell::new(connect(serve(store)));
    let connection = &connection;
    let keys = [("unknown", &unknown), ("unknown, once more", &unknown), ("revoked", &revoked)];
    let classes = keys.map(|(name, key)| {
        let request =
            format!("GET /v1/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n");
        Class::new(name, move || asking(&mut connection.borrow_mut(), request.as_bytes()))
    });
    let taken = sample(classes.into(), samples);
    let [unknown, again, revoked] = &taken[..] else { panic!("one series a class") };
    outcome.compare(unknown, again, &Bound::Printed);
    outcome.compare(unknown, revoked, &Bound::Printed);
}

/// Serves refusals from a thread of its own, for as long as the process runs.
fn serve(store: MemoryStore) -> SocketAddr {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let builder = ApiKeyLayer::builder(PROFILE, store).without_limits().assume_https();
            let layer = builder.build().expect("valid");
            let service = layer.layer(service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            }));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            sender.send(listener.local_addr().expect("an address")).expect("waited for");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("a socket");
                let service = TowerToHyperService::new(service.clone());
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    receiver.recv().expect("a server")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a server");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// Times one request to its answer, which is no longer than a buffer.
fn asking(stream: &mut TcpStream, request: &[u8]) -> Duration {
    let mut answer = [0; 2_048];
    let began = Instant::now();
    stream.write_all(request).expect("a server");
    let length = stream.read(&mut answer).expect("a server");
    let took = began.elapsed();
    assert!(answer[..length].starts_with(b"HTTP/1.1 401 "), "a refusal");
    took
}
