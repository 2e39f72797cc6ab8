//! Which bodies and responses count as JSON, or are refused, only where a blocklist is in force.

use http::Method;
use tower_api_key::shaping::{OnUnshaped, ShapingFailure};

use super::bodies::{BLOCKED, BODY, RENAMED, frames};
use super::origin::{MAX_BYTES, Origin, Sent, json};

/// Types under which services send JSON without saying so. axum sends a `String` as `text/plain`.
const VAGUE: [&str; 5] = [
    "text/plain; charset=utf-8",
    "application/octet-stream",
    "*/*",
    "image/png, text/html",
    "text/*",
];

#[tokio::test]
async fn json_under_a_vague_type_is_shaped_where_a_blocklist_is_in_force() {
    let marked: &str = Box::leak(format!("\u{feff}{BODY}").into_boxed_str());
    for content_type in VAGUE {
        let origin = |metadata| Origin::new(OnUnshaped::Pass, metadata);
        let answer =
            |body| json(body, &[("content-type", content_type), ("cache-control", "public")]);
        for (body, shaped) in [
            (BODY, Ok(r#"{"aB":1}"#)),
            (" \n[{\"secret\":1}]", Ok(" \n[{}]")),
            (marked, Err(ShapingFailure::NotJson)),
            ("{\"secret\":1}\n{\"secret\":2}", Err(ShapingFailure::NotJson)),
            ("[info] secret", Err(ShapingFailure::NotJson)),
            ("no JSON: {\"secret\":1}", Ok("no JSON: {\"secret\":1}")),
            (" \n ", Ok(" \n ")),
            ("", Ok("")),
        ] {
            let outcome = origin(&BLOCKED).answers(answer(body)).await;
            match shaped {
                Ok(shaped) => assert_eq!(outcome.body.unwrap(), shaped, "{content_type}"),
                Err(failure) => {
                    assert_eq!((outcome.status.as_u16(), outcome.failures), (500, vec![failure]));
                }
            }
            // Without a blocklist it is none of the layer's types.
            let outcome = origin(&RENAMED).answers(answer(body)).await;
            assert_eq!(outcome.body.as_deref(), Ok(body));
            assert_eq!(
                outcome.header("cache-control"),
                Some("private"),
                "another key's may differ"
            );
        }
        let mut encoded = answer(BODY);
        encoded.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        let outcome = origin(&BLOCKED).answers(encoded).await;
        assert_eq!(
            (outcome.status.as_u16(), outcome.failures),
            (500, vec![ShapingFailure::Encoded])
        );
    }
}

#[tokio::test]
async fn another_body_of_a_vague_type_is_not_collected() {
    let vague = |pieces: &[Sent]| {
        let mut response = frames(pieces);
        response.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        response
    };
    let large: &str = Box::leak("x".repeat(2000).into_boxed_str());
    let blanks: &str = Box::leak(" ".repeat(800).into_boxed_str());
    let trailers = Sent::Trailers("x-checked", "yes");
    for pieces in [
        &[Sent::Data(large), trailers.clone()][..],
        &[Sent::Data(""), Sent::Data(" "), Sent::Data("text"), Sent::Data(large), trailers.clone()],
        &[Sent::Data(blanks), Sent::Data(large), trailers.clone()],
        &[Sent::Data(" "), trailers.clone()],
    ] {
        let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(vague(pieces)).await;
        let sent = pieces.iter().filter_map(|piece| match piece {
            Sent::Data(text) => Some(*text),
            Sent::Trailers(..) => None,
        });
        assert_eq!(outcome.body.unwrap(), sent.collect::<String>());
        assert_eq!(outcome.trailers.unwrap()["x-checked"], "yes");
    }
    for pieces in [
        &[Sent::Data(" "), Sent::Data("\n{"), Sent::Data(large)][..],
        &[Sent::Data(blanks), Sent::Data(blanks)],
        &[Sent::Data(blanks), Sent::Data(Box::leak(format!("{{{large}").into_boxed_str()))],
    ] {
        let outcome = Origin::new(OnUnshaped::Refuse, &BLOCKED).answers(vague(pieces)).await;
        assert_eq!(outcome.status, 500);
        assert_eq!(outcome.failures, [ShapingFailure::TooLarge { max_bytes: MAX_BYTES }]);
    }
}

#[tokio::test]
async fn a_script_is_refused_where_a_blocklist_is_in_force() {
    let script = || json("f({\"secret\":1})", &[("content-type", "application/javascript")]);
    let outcome = Origin::new(OnUnshaped::Pass, &BLOCKED).answers(script()).await;
    assert_eq!((outcome.status.as_u16(), outcome.failures), (500, vec![ShapingFailure::Script]));
    let outcome = Origin::new(OnUnshaped::Refuse, &RENAMED).answers(script()).await;
    assert_eq!(outcome.body.unwrap(), "f({\"secret\":1})");
}

#[tokio::test]
async fn a_tunnel_is_refused_where_a_blocklist_is_in_force() {
    for (method, status) in [(Method::GET, 101), (Method::CONNECT, 200), (Method::CONNECT, 204)] {
        let mut response = json("", &[("content-type", "")]);
        *response.status_mut() = status.try_into().unwrap();
        for (metadata, expected) in [(&BLOCKED[..], 500), (&RENAMED, status), (&[], status)] {
            let origin = Origin::new(OnUnshaped::Pass, metadata).method(method.clone());
            let outcome = origin.answers(response.clone()).await;
            assert_eq!(outcome.status, expected, "{method} {metadata:?}");
            let failures = if expected == 500 { vec![ShapingFailure::Tunnel] } else { vec![] };
            assert_eq!(outcome.failures, failures);
        }
    }
}
