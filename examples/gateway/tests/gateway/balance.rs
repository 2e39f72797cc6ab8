//! Several servers of one upstream: connections that are kept, servers that are left out, and versions of HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::Response;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::raw;
use crate::site::{Site, one};
use crate::upstream::{serve, text};

/// Starts servers that answer with their number.
async fn numbered(count: usize) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for number in 0..count {
        let (address, _) =
            serve(move |_| async move { Response::new(text(format!("server {number}"))) }).await;
        addresses.push(address);
    }
    addresses
}

fn several(addresses: &[SocketAddr], lines: &str) -> String {
    let list: Vec<String> = addresses.iter().map(|address| format!("'{address}'")).collect();
    let listed = one(addresses[0], lines);
    listed.replace(
        &format!("addresses = ['{}']", addresses[0]),
        &format!("addresses = [{}]", list.join(",")),
    )
}

/// Returns an address where nothing listens.
async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn answers(site: &Site, count: usize) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    for _ in 0..count {
        let answer = site.get(b"").await;
        let content = answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        *answers.entry(content).or_default() += 1;
    }
    answers
}

#[tokio::test]
async fn servers_take_turns() {
    let site = Site::start(&several(&numbered(3).await, "")).await;
    assert_eq!(answers(&site, 9).await.into_values().collect::<Vec<_>>(), [3, 3, 3]);
}

#[tokio::test]
async fn connections_are_kept() {
    for (lines, expected) in
        [("", 1..=1), ("protocol = 'http2'", 1..=1), ("pool = { max_idle = 0 }", 8..=8)]
    {
        let (upstream, connections) = serve(|_| async { Response::new(text("hi")) }).await;
        let site = Site::start(&one(upstream, lines)).await;
        for _ in 0..8 {
            assert_eq!(raw::status(&site.get(b"").await), 200);
            // The connection is back in the pool shortly after the answer.
            sleep(Duration::from_millis(10)).await;
        }
        let count = connections.load(std::sync::atomic::Ordering::SeqCst);
        assert!(expected.contains(&count), "{lines}: {count}");
    }
}

/// A request whose connection fails has not begun, so another server can get it, whatever its method is.
#[tokio::test]
async fn another_server_takes_over() {
    let mut addresses = numbered(1).await;
    addresses.push(closed().await);
    let site =
        Site::start(&several(&addresses, "health = { max_failures = 2, retry_after = '1m' }"))
            .await;
    for _ in 0..6 {
        let lines = b"Host: a\r\nContent-Length: 5\r\n";
        let answer = site.send("POST /a HTTP/1.1", lines, "hello").await;
        assert!(answer.contains("server 0"), "{answer}");
    }
}

#[tokio::test]
async fn without_a_server_the_gateway_says_so() {
    let site = Site::start(&several(&[closed().await, closed().await], "")).await;
    let answer = site.get(b"").await;
    assert_eq!(raw::status(&answer), 502, "{answer}");
    assert!(!answer.contains("127.0.0.1"), "it names no server: {answer}");
}

/// No time is lost when the only server comes back.
#[tokio::test]
async fn servers_that_are_left_out_are_tried_if_no_other_is_left() {
    let address = closed().await;
    let lines = "health = { max_failures = 1, retry_after = '1m' }";
    let site = Site::start(&one(address, lines)).await;
    assert_eq!(raw::status(&site.get(b"").await), 502);
    let listener = TcpListener::bind(address).await.unwrap();
    let answers = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        raw::read_message(&mut stream).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, raw::OK).await.unwrap();
    };
    let (answer, ()) = tokio::join!(site.get(b""), answers);
    assert_eq!(raw::status(&answer), 200);
}

/// A server that accepts and stays silent costs its time-out a few times only.
#[tokio::test]
async fn a_silent_server_is_left_out_and_tried_again() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut addresses = numbered(1).await;
    addresses.push(silent.local_addr().unwrap());
    let lines = "response_timeout = '200ms'\nhealth = { max_failures = 1, retry_after = '2s' }";
    let site = Site::start(&several(&addresses, lines)).await;
    let statuses = |count: usize| {
        let site = &site;
        async move {
            let mut statuses = Vec::new();
            for _ in 0..count {
                statuses.push(raw::status(&site.get(b"").await));
            }
            statuses
        }
    };
    let first = statuses(6).await;
    assert_eq!(first.iter().filter(|status| **status == 504).count(), 1, "{first:?}");
    sleep(Duration::from_secs(2)).await;
    let second = statuses(6).await;
    assert_eq!(second.iter().filter(|status| **status == 504).count(), 1, "{second:?}");
}

/// A client's connection is kept, whatever the upstream speaks.
#[tokio::test]
async fn the_version_of_an_answer_is_that_of_the_gateway() {
    let old = b"HTTP/1.0 200 OK\r\nX-End: 1\r\n\r\nuntil the end";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::before(listener.local_addr().unwrap()).await;
    let answers = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        raw::read_message(&mut stream).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, old).await.unwrap();
    };
    let (answer, ()) = tokio::join!(site.get(b""), answers);
    assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
    assert!(
        answer.contains("transfer-encoding: chunked") && !answer.contains("connection:"),
        "{answer}"
    );
    assert!(answer.contains("until the end") && answer.contains("via: 1.0 gateway"), "{answer}");
}

/// Upstreams over HTTP/2 read the host that the file names, or their own address.
#[tokio::test]
async fn upstreams_read_a_host() {
    for (lines, expected) in [
        ("", "named.example"),
        ("host = 'internal.example'", "internal.example"),
        ("protocol = 'http2'", "127.0.0.1"),
        ("protocol = 'http2'\nhost = 'internal.example'", "internal.example"),
    ] {
        let (upstream, _) = serve(|request| async move {
            let host = request.uri().host().map(str::to_owned);
            let field = request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
            let forwarded = request.headers()["x-forwarded-host"].to_str().unwrap();
            Response::new(text(format!("{:?} {forwarded}", host.or(field).unwrap())))
        })
        .await;
        let site = Site::start(&one(upstream, lines)).await;
        let answer = site.get(b"").await;
        assert!(answer.contains(&format!("{expected:?} named.example")), "{lines}: {answer}");
    }
}

/// Requests on open connections, over which the upstream changes again and again, are all answered.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_while_upstreams_change() {
    let servers = numbered(2).await;
    let file = |at: usize| one(servers[at % 2], "");
    let mut site = Site::start(&file(0)).await;
    let message = site.message("GET /a HTTP/1.1", b"Host: a\r\n", "");
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (address, message) = (site.address, message.clone());
            tokio::spawn(async move {
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                let mut answers = BTreeMap::new();
                for _ in 0..300 {
                    tokio::io::AsyncWriteExt::write_all(&mut stream, &message).await.unwrap();
                    let answer = raw::read_message(&mut stream).await;
                    assert_eq!(raw::status(&answer), 200, "{answer}");
                    *answers.entry(answer.ends_with("server 0")).or_insert(0) += 1;
                }
                answers.len()
            })
        })
        .collect();
    for at in 1..30 {
        sleep(Duration::from_millis(10)).await;
        site.gateway.reload(crate::site::settings(&file(at))).unwrap();
    }
    let mut changed = 0;
    for client in clients {
        changed += usize::from(client.await.unwrap() == 2);
    }
    assert!(changed > 0, "no client met both servers");
}
