//! Tests a name that resolves to another address a moment later: DNS rebinding.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::network::{Asked, Network};
use super::webhook::Webhook;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::{Event, EventKind, EventSink};

/// A resolver that changes its answer each time, and a network that leads each public address to a receiver on loopback.
struct Rebinding {
    answers: Mutex<VecDeque<Vec<&'static str>>>,
    /// The addresses that the webhook connected to.
    connected: Mutex<Vec<String>>,
    receiver: SocketAddr,
}

impl Network for Rebinding {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Asked<'a, Vec<SocketAddr>> {
        assert_eq!(host, "hooks.example.com");
        let next = self.answers.lock().unwrap().pop_front().expect("it is asked once for each try");
        let found = next.into_iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port));
        let found = found.collect();
        Box::pin(async move { Ok(found) })
    }

    fn connect(&self, address: SocketAddr) -> Asked<'_, TcpStream> {
        let ip = address.ip().to_string();
        self.connected.lock().unwrap().push(ip.clone());
        Box::pin(async move {
            // These servers are down.
            if ip.ends_with(".9") {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            TcpStream::connect(self.receiver).await
        })
    }
}

fn event() -> Event {
    Event {
        sequence: 1,
        id: "019ad1c2-7a00-7000-8000-000000000001".to_owned(),
        kind: EventKind::Revoked,
        at: Timestamp::from_unix_seconds(1_800_000_000),
        key: "key_1".to_owned(),
        account: "acme".to_owned(),
        data: serde_json::Map::new(),
    }
}

/// Answers each connection with this text.
async fn receiver(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

/// Delivers an event once for each answer of the resolver. Returns whether each delivery succeeded, and where the webhook
/// connected to.
async fn deliver(
    answers: &[&[&'static str]],
    answer: &'static str,
    allow_private: bool,
) -> (Vec<bool>, Vec<String>) {
    let network = Arc::new(Rebinding {
        answers: Mutex::new(answers.iter().map(|answer| answer.to_vec()).collect()),
        connected: Mutex::default(),
        receiver: receiver(answer).await,
    });
    let webhook = Webhook::builder("hook", "http://hooks.example.com/").insecure_allow_http();
    let mut webhook = webhook.secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").build().unwrap();
    webhook.network = Arc::clone(&network) as _;
    webhook.allow_private = allow_private;
    let mut delivered = Vec::new();
    for _ in answers {
        delivered.push(webhook.deliver(&event()).await.is_ok());
    }
    assert!(network.answers.lock().unwrap().is_empty(), "it is asked once for each try");
    let connected = network.connected.lock().unwrap().clone();
    (delivered, connected)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_name_that_changes_its_address_is_connected_to_at_the_checked_one_or_refused() {
    for (answers, delivered, connected) in [
        // The check saw the public one, and a second question would get the other.
        (&[&["93.184.215.14"][..], &["127.0.0.1"]][..], &[true, false][..], &["93.184.215.14"][..]),
        (&[&["127.0.0.1"], &["93.184.215.14"]], &[false, true], &["93.184.215.14"]),
        // Both at once: the private one is left out, also when the public one is down.
        (&[&["127.0.0.1", "93.184.215.14"]], &[true], &["93.184.215.14"]),
        (&[&["93.184.215.9", "127.0.0.1"]], &[false], &["93.184.215.9"]),
        (
            &[&["93.184.215.9", "10.0.0.1", "93.184.215.14"]],
            &[true],
            &["93.184.215.9", "93.184.215.14"],
        ),
        // Each form of an address that leads inside.
        (&[&["::ffff:127.0.0.1"]], &[false], &[]),
        (&[&["::ffff:10.0.0.1", "::1", "::", "0.0.0.0"]], &[false], &[]),
        (&[&["64:ff9b::7f00:1", "64:ff9b:1::a00:1"]], &[false], &[]),
        (&[&["2002:7f00:1::", "2001::1", "fd00::1", "fe80::1"]], &[false], &[]),
        (&[&["2606:4700::5efe:a00:1"]], &[false], &[]),
        (&[&["169.254.169.254", "100.100.100.200", "168.63.129.16"]], &[false], &[]),
        (&[&["2606:4700::1111"]], &[true], &["2606:4700::1111"]),
        (&[&[]], &[false], &[]),
    ] {
        let found = deliver(answers, OK, false).await;
        assert_eq!(
            found,
            (delivered.to_vec(), connected.iter().map(ToString::to_string).collect())
        );
    }
}

#[tokio::test]
async fn each_try_is_checked_anew_after_a_redirect_and_after_a_failure() {
    for answer in ["HTTP/1.1 302 X\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n", ""]
    {
        let tries: &[&[&str]] = &[&["93.184.215.14"], &["127.0.0.1"], &["10.0.0.7"]];
        let (delivered, connected) = deliver(tries, answer, false).await;
        assert_eq!(delivered, [false; 3]);
        assert_eq!(connected, ["93.184.215.14"], "{answer}");
    }
}

#[tokio::test]
async fn a_deployment_may_allow_its_own_addresses() {
    let (delivered, connected) = deliver(&[&["127.0.0.1"]], OK, true).await;
    assert_eq!((delivered, connected), (vec![true], vec!["127.0.0.1".to_owned()]));
}
