//! RFC 9113 §9.2: HTTP/2 over TLS, and HTTP/1.1 over the same, with real handshakes.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::conformance::answers::{INVALID, MISSING, SERVED};
use crate::conformance::gates::rest;
use crate::conformance::server::Server;
use crate::conformance::wire::{Answer, Client, head};
use crate::support::KEY;

/// §9.2: over TLS, 1.2 or 1.3, the handshake is the proof, in both versions of HTTP and whatever
/// scheme the client names.
#[tokio::test]
async fn rfc9113_9_2_a_handshake_is_the_proof_of_https() {
    let (server, certificate) = Server::with_tls(&rest()).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = server.handshake(&certificate, &[version], "http/1.1").await;
        let mut client = Client::over(stream);
        client.send(head("GET http://api.example.com/ HTTP/1.1", "")).await;
        assert_eq!(client.answer().await, Answer::of(MISSING));
        client.send(head("GET / HTTP/1.1", format!("Authorization: Bearer {KEY}"))).await;
        assert_eq!(client.answer().await, Answer::of(SERVED));

        let stream = TokioIo::new(server.handshake(&certificate, &[version], "h2").await);
        let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
        let (mut sender, connection) = shaken.unwrap();
        tokio::spawn(connection);
        for (scheme, key, expected) in [
            ("https", Some(KEY), SERVED),
            ("http", Some(KEY), SERVED),
            ("https", None, MISSING),
            ("https", Some("unknown_0123456789abcdef"), INVALID),
        ] {
            let mut request = Request::get(format!("{scheme}://api.example.com/"));
            if let Some(key) = key {
                request = request.header("authorization", format!("Bearer {key}"));
            }
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            let expected = Answer::of(expected);
            assert_eq!(answer.status(), expected.status());
            let fields = answer.headers().iter().filter(|(name, _)| *name != "date");
            let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
            let mut fields: Vec<_> =
                fields.map(|(name, value)| (name.to_string(), text(value))).collect();
            fields.sort();
            assert_eq!(fields, expected.fields, "the same as over HTTP/1.1");
            let content = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(content, expected.body);
        }
    }
}
