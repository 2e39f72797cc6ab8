//! Content as it comes, both ways, and what happens when one side goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::raw;
use crate::site::{Site, one};
use crate::upstream::{serve, text};

const CHUNKED: &[u8] = b"Host: a.example\r\nTransfer-Encoding: chunked\r\n";

/// Reads until a text has come.
async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut bytes = Vec::new();
    let read = async {
        loop {
            let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            if text.contains(wanted) {
                return text;
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "{text}");
        }
    };
    timeout(Duration::from_secs(10), read).await.unwrap()
}

/// Neither side of the gateway waits for the rest of a message.
#[tokio::test]
async fn each_chunk_is_forwarded_as_it_comes() {
    let (upstream, _) = serve(|request| async move {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut content = request.into_body();
        tokio::spawn(async move {
            while let Some(Ok(frame)) = content.frame().await {
                let trailers = frame.trailers_ref().cloned();
                if let Ok(data) = frame.into_data() {
                    let _ = sender.send(Ok(Frame::data(data)));
                }
                if let Some(mut trailers) = trailers {
                    trailers.insert("x-sum", HeaderValue::from_static("42"));
                    let _ = sender.send(Ok(Frame::trailers(trailers)));
                }
            }
        });
        let content = StreamBody::new(UnboundedReceiverStream::new(receiver)).boxed_unsync();
        Response::builder().header("trailer", "x-sum, x-end").body(content).unwrap()
    })
    .await;
    let site = Site::before(upstream).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let lines = [CHUNKED, b"TE: trailers\r\nTrailer: x-end, x-account-id\r\n"].concat();
    stream.write_all(&site.message("POST /a HTTP/1.1", &lines, "5\r\nfirst\r\n")).await.unwrap();
    let head = read_until(&mut stream, "first").await;
    assert!(
        head.starts_with("http/1.1 200 ") && head.contains("transfer-encoding: chunked"),
        "{head}"
    );
    stream.write_all(b"6\r\nsecond\r\n").await.unwrap();
    read_until(&mut stream, "second").await;
    let end = b"0\r\nX-End: 1\r\nX-Account-Id: forged\r\nX_End: 2\r\nContent-Length: 1\r\n\r\n";
    stream.write_all(end).await.unwrap();
    let end = read_until(&mut stream, "x-sum").await;
    assert!(end.contains("x-end: 1"), "{end}");
    assert!(!end.contains("forged") && !end.contains("x_end"), "{end}");
}

/// A client over HTTP/2 gets the trailers of an upstream over HTTP/1.1 and HTTP/2.
#[tokio::test]
async fn trailers_cross_versions() {
    for lines in ["protocol = 'http1'", "protocol = 'http2'"] {
        let (upstream, _) = serve(|_| async {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            let frames = [Ok(Frame::data(Bytes::from("hi"))), Ok(Frame::trailers(trailers))];
            let content = StreamBody::new(tokio_stream::iter(frames)).boxed_unsync();
            Response::builder().header("trailer", "grpc-status").body(content).unwrap()
        })
        .await;
        let site = Site::start(&one(upstream, lines)).await;
        let stream = TcpStream::connect(site.address).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::post("http://a.example/x")
            .header("x-api-key", &site.key)
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-for", "192.0.2.1")
            .header("te", "trailers");
        let answer = client.send_request(request.body(text("hello")).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200, "{lines}");
        let collected = answer.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["grpc-status"], "0", "{lines}");
        assert_eq!(collected.to_bytes(), "hi", "{lines}");
    }
}

/// The upstream decides before the client sends its content (RFC 9110 §10.1.1).
#[tokio::test]
async fn content_waits_for_the_word_of_the_upstream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let site = Site::before(upstream).await;
    let lines = b"Host: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n";

    // It goes on.
    let mut client = TcpStream::connect(site.address).await.unwrap();
    client.write_all(&site.message("POST /a HTTP/1.1", lines, "")).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let head = read_until(&mut server, "\r\n\r\n").await;
    assert!(head.contains("expect: 100-continue") && head.contains("content-length: 5"), "{head}");
    server.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    read_until(&mut client, "100 continue\r\n\r\n").await;
    client.write_all(b"hello").await.unwrap();
    read_until(&mut server, "hello").await;
    server.write_all(raw::OK).await.unwrap();
    read_until(&mut client, "200 ok").await;

    // It refuses, and the client never sends.
    let mut client = TcpStream::connect(site.address).await.unwrap();
    client.write_all(&site.message("POST /a HTTP/1.1", lines, "")).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    read_until(&mut server, "\r\n\r\n").await;
    server
        .write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        .await
        .unwrap();
    let answer = read_until(&mut client, "big").await;
    assert!(answer.starts_with("http/1.1 413 "), "the first word is final: {answer}");
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(5), server.read_to_end(&mut rest)).await;
    assert!(end.is_ok() && rest.is_empty(), "its connection cannot be used again");

    // It does not know the expectation: the content follows after a second.
    let mut client = TcpStream::connect(site.address).await.unwrap();
    client.write_all(&site.message("POST /a HTTP/1.1", lines, "")).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    read_until(&mut client, "100 continue").await;
    client.write_all(b"hello").await.unwrap();
    read_until(&mut server, "hello").await;
}

/// Sets a flag when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn becomes_true(flag: &AtomicBool) {
    let wait = async {
        while !flag.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), wait).await.expect("the upstream was not told");
}

#[tokio::test]
async fn a_client_that_goes_cancels_the_request_of_the_upstream() {
    for (protocol, answers) in
        [("http1", false), ("http1", true), ("http2", false), ("http2", true)]
    {
        let is_gone = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_gone);
        let (upstream, _) = serve(move |_| {
            let dropped = Dropped(Arc::clone(&flag));
            async move {
                if !answers {
                    sleep(Duration::from_secs(60)).await;
                }
                let first = tokio_stream::once(Ok(Frame::data(Bytes::from("first"))));
                let never = tokio_stream::pending();
                let stream = tokio_stream::StreamExt::chain(first, never);
                let stream = tokio_stream::StreamExt::map(stream, move |frame| {
                    let _ = &dropped;
                    frame
                });
                Response::new(StreamBody::new(stream).boxed_unsync())
            }
        })
        .await;
        let site = Site::start(&one(upstream, &format!("protocol = '{protocol}'"))).await;
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(&site.message("GET /a HTTP/1.1", b"Host: a\r\n", "")).await.unwrap();
        if answers {
            read_until(&mut stream, "first").await;
        } else {
            sleep(Duration::from_millis(200)).await;
        }
        assert!(!is_gone.load(Ordering::SeqCst));
        drop(stream);
        becomes_true(&is_gone).await;
    }
}

/// The client must not take half an answer for a whole one.
#[tokio::test]
async fn an_upstream_that_dies_breaks_the_answer_off() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let (upstream, _received) = raw::upstream(answer).await;
        let site = Site::before(upstream).await;
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(&site.message("GET /a HTTP/1.1", b"Host: a\r\n", "")).await.unwrap();
        let mut read = Vec::new();
        let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await.unwrap();
        let read = String::from_utf8_lossy(&read);
        assert!(read.contains("half") && !read.ends_with("0\r\n\r\n"), "{read}");
    }
}

#[tokio::test]
async fn an_upstream_that_dies_before_its_answer_is_a_bad_gateway() {
    for (answer, lines) in [
        (&b""[..], "Content-Length: 5\r\n"),
        (b"HTTP/1.1 200", "Content-Length: 5\r\n"),
        (b"not HTTP\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", ""),
    ] {
        let (upstream, _received) = raw::upstream(answer).await;
        let site = Site::before(upstream).await;
        let body = if lines.is_empty() { "" } else { "hello" };
        let lines = format!("Host: a\r\n{lines}");
        let told = site.send("POST /a HTTP/1.1", lines.as_bytes(), body).await;
        assert_eq!(raw::status(&told), 502, "{}: {told}", answer.escape_ascii());
    }
}

/// The time counts from the end of the request, so that a slow upload is no slow answer.
#[tokio::test]
async fn a_slow_upstream_is_given_up() {
    let (upstream, _) = serve(|request| async move {
        let _ = request.into_body().collect().await;
        sleep(Duration::from_secs(60)).await;
        Response::new(text("late"))
    })
    .await;
    let site = Site::start(&one(upstream, "response_timeout = '400ms'\nidle_timeout = '2s'")).await;
    let begin = Instant::now();
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(&site.message("POST /a HTTP/1.1", CHUNKED, "5\r\nhello\r\n")).await.unwrap();
    sleep(Duration::from_millis(900)).await;
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = read_until(&mut stream, "in time").await;
    assert!(answer.starts_with("http/1.1 504 "), "{answer}");
    assert!(begin.elapsed() > Duration::from_millis(1250), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn content_that_pauses_for_too_long_is_given_up() {
    let (upstream, _received) =
        raw::upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi").await;
    let (silent, _) = serve(|request| async move {
        let _ = request.into_body().collect().await;
        Response::new(text("whole"))
    })
    .await;
    // The client pauses.
    let site = Site::start(&one(silent, "idle_timeout = '300ms'")).await;
    let answer = site.send("POST /a HTTP/1.1", CHUNKED, "5\r\nhello\r\n").await;
    assert_eq!(raw::status(&answer), 400, "{answer}");
    // The upstream pauses.
    let site = Site::start(&one(upstream, "idle_timeout = '300ms'")).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(&site.message("GET /a HTTP/1.1", b"Host: a\r\n", "")).await.unwrap();
    let mut read = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await.unwrap();
    assert!(read.ends_with(b"hi"), "{}", read.escape_ascii());
}
