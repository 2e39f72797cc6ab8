//! RFC 9112: HTTP/1.1 messages. What one connection carries, and where each request ends.

use super::answers::{INVALID, MALFORMED, MISSING, NO_REQUEST, SERVED};
use super::gates::rest;
use super::server::Server;
use super::wire::{Answer, Client, get, head, request};
use crate::support::KEY;

fn authorization() -> String {
    format!("Authorization: Bearer {KEY}")
}

/// §2.2 and §5.1: bytes that another parser could read otherwise are no request.
#[tokio::test]
async fn rfc9112_5_1_lines_that_could_be_read_two_ways_are_refused() {
    let server = Server::start(&rest()).await;
    for lines in [
        format!("Authorization : Bearer {KEY}"), // white space before the colon
        format!(" Authorization: Bearer {KEY}"), // white space before the first field
        format!("Authorization\t: Bearer {KEY}"),
        format!("X-A: b\r\n Authorization: Bearer {KEY}"),
        format!("Authorization Bearer {KEY}"),
        format!(": Bearer {KEY}"),
        format!("Authori zation: Bearer {KEY}"),
        format!("Authori\0zation: Bearer {KEY}"),
        format!("Authorizati\u{f6}n: Bearer {KEY}"),
    ] {
        assert_eq!(get(&server, &lines).await, Answer::of(NO_REQUEST), "{lines:?}");
    }
    assert_eq!(server.reached(), 0);
}

/// §5.2: a field line that is folded is refused.
#[tokio::test]
async fn rfc9112_5_2_folded_lines_are_refused() {
    let server = Server::start(&rest()).await;
    for fold in ["\r\n ", "\r\n\t", "\r\n  \t", "\n "] {
        for line in [
            format!("Authorization: Bearer{fold}{KEY}"),
            format!("Authorization:{fold}Bearer {KEY}"),
            format!("Authorization: Bearer key_0123456789{fold}abcdef"),
            format!("X-A: b{fold}c\r\n{}", authorization()),
        ] {
            assert_eq!(get(&server, &line).await, Answer::of(NO_REQUEST), "{line:?}");
        }
    }
    assert_eq!(server.reached(), 0);
}

/// §3: a request line that is none.
#[tokio::test]
async fn rfc9112_3_request_lines_follow_the_grammar() {
    let server = Server::start(&rest()).await;
    for line in [
        "GET / HTTP/1.1 ",
        "GET  / HTTP/1.1",
        "GET / /x HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /\u{7f} HTTP/1.1",
        "GET / HTTP/1.1\rX",
        "GET / http/1.1",
        "GET / HTTP/2.1",
        "G\u{e9}T / HTTP/1.1",
    ] {
        let answer = request(&server, line, authorization()).await;
        assert!(matches!(answer.status(), 400 | 505), "{line:?}: {answer:?}");
        assert_eq!(answer.body, "", "{line:?}: the gate has not seen it");
    }
    assert_eq!(server.reached(), 0);
}

/// §9.3.2: requests that were sent at once are answered in their order, each for itself.
#[tokio::test]
async fn rfc9112_9_3_2_each_pipelined_request_is_decided_for_itself() {
    let server = Server::start(&rest()).await;
    let mut client = Client::connect(&server).await;
    let good = authorization();
    let unknown = format!("{good}x");
    let twice = format!("{good}\r\n{good}");
    let order = [
        ("", MISSING),
        (&*good, SERVED),
        ("", MISSING),
        (&*unknown, INVALID),
        (&*good, SERVED),
        (&*twice, MALFORMED),
        ("", MISSING),
    ];
    let requests = order.map(|(lines, _)| head("GET / HTTP/1.1", lines));
    client.send(requests.concat()).await;
    for (number, (_, answer)) in order.into_iter().enumerate() {
        assert_eq!(client.answer().await, Answer::of(answer), "request {number}");
    }
    assert!(client.hears_nothing().await);
    assert_eq!(server.reached(), 2);
}

/// §9.3.2: a connection outlives a refusal whose content was read or was none, and the next
/// request on it has to bring a key of its own.
#[tokio::test]
async fn rfc9112_9_3_2_no_grant_is_left_on_a_connection() {
    let server = Server::start(&rest()).await;
    let mut client = Client::connect(&server).await;
    for _ in 0..3 {
        client.send(head("GET / HTTP/1.1", authorization())).await;
        assert_eq!(client.answer().await, Answer::of(SERVED));
        client.send(head("GET / HTTP/1.1", "")).await;
        assert_eq!(client.answer().await, Answer::of(MISSING));
    }
}

/// §6.3 and §9.3: the content of a request that is refused is never read as another request.
#[tokio::test]
async fn rfc9112_6_3_content_left_unread_is_no_request() {
    let server = Server::start(&rest()).await;
    let smuggled = head("GET /smuggled HTTP/1.1", authorization());
    let size = smuggled.len();
    let chunked = [format!("{size:x}\r\n").as_bytes(), &smuggled, b"\r\n0\r\n\r\n"].concat();
    for (lines, content) in [
        (format!("Content-Length: {size}"), smuggled.clone()),
        ("Transfer-Encoding: chunked".to_owned(), chunked.clone()),
        // §6.1: of both, the coding counts, or the request is refused.
        (format!("Transfer-Encoding: chunked\r\nContent-Length: {size}"), chunked.clone()),
    ] {
        let mut client = Client::connect(&server).await;
        client.send([head("POST / HTTP/1.1", &lines), content].concat()).await;
        assert!(matches!(client.answer().await.status(), 400 | 401), "{lines}");
        // Whether the connection goes on or ends, only a request of its own gets another answer.
        client.send(head("GET / HTTP/1.1", "Connection: close")).await;
        let left = client.next().await;
        if let Some(answer) = left {
            assert_eq!(answer.without_connection(), Answer::of(MISSING), "{lines}");
            assert_eq!(client.next().await, None, "{lines}");
        }
    }
    assert_eq!(server.reached(), 0);
}

/// §6.3: lengths that contradict each other make no request.
#[tokio::test]
async fn rfc9112_6_3_contradictory_lengths_are_refused() {
    let server = Server::start(&rest()).await;
    for lines in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: xchunked",
    ] {
        let lines = format!("{}\r\n{lines}", authorization());
        let answer = request(&server, "POST / HTTP/1.1", &lines).await;
        assert_eq!(answer, Answer::of(NO_REQUEST), "{lines}");
    }
    assert_eq!(server.reached(), 0);
}

/// §7.1: content that comes in chunks is not waited for; it may never end.
#[tokio::test]
async fn rfc9112_7_1_chunked_content_is_refused_at_its_beginning() {
    let server = Server::start(&rest()).await;
    for beginning in ["", "5\r\nhello\r\n", "5\r\nhel", "ffffffffffffff\r\n"] {
        let mut client = Client::connect(&server).await;
        client.send(head("POST / HTTP/1.1", "Transfer-Encoding: chunked")).await;
        client.send(beginning).await;
        let answer = client.answer().await.without_connection();
        assert_eq!(answer, Answer::of(MISSING), "{beginning:?}");
    }
    assert_eq!(server.reached(), 0);
    let mut client = Client::connect(&server).await;
    let lines = format!("{}\r\nTransfer-Encoding: chunked", authorization());
    client.send(head("POST / HTTP/1.1", lines)).await;
    client.send("5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n").await;
    assert_eq!(client.answer().await.body, "acme POST / 5", "trailers are no credentials");
}

/// §6.5.1 of RFC 9110 by way of §7.1.2: a credential in a trailer does not authenticate.
#[tokio::test]
async fn rfc9112_7_1_2_trailers_carry_no_credentials() {
    let server = Server::start(&rest()).await;
    let mut client = Client::connect(&server).await;
    client
        .send(head("POST / HTTP/1.1", "Transfer-Encoding: chunked\r\nTrailer: Authorization"))
        .await;
    client.send(format!("5\r\nhello\r\n0\r\n{}\r\n\r\n", authorization())).await;
    assert_eq!(client.answer().await.status(), 401);
    assert_eq!(server.reached(), 0);
}

/// §9.6: a client that goes away in the middle of its head has asked for nothing.
#[tokio::test]
async fn rfc9112_9_6_an_unfinished_head_is_no_request() {
    let server = Server::start(&rest()).await;
    let whole = head("GET / HTTP/1.1", authorization());
    for length in 0..whole.len() {
        let mut client = Client::connect(&server).await;
        client.send(&whole[..length]).await;
        drop(client);
    }
    let answer = get(&server, authorization()).await;
    assert_eq!(answer, Answer::of(SERVED));
    assert_eq!(server.reached(), 1);
}
