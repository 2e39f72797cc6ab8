//! RFC 9110 §5: field lines, and the bytes in them.

use tower_api_key::vendors;

use crate::conformance::answers::{INVALID, LOG_IN, MALFORMED, NO_REQUEST, SERVED, WRONG_TYPE};
use crate::conformance::gates::{HEX, basic, gate, own_header, personyze, rest};
use crate::conformance::server::Server;
use crate::conformance::wire::{Answer, get};
use crate::support::KEY;

/// §2.3: a credential longer than any key is refused before it is decoded or hashed.
#[tokio::test]
async fn rfc9110_2_3_very_long_credentials_are_refused() {
    let server = Server::start(&rest()).await;
    for (length, answer) in [
        (256, INVALID),
        (257, INVALID),
        (512, INVALID),
        (513, MALFORMED),
        (8_000, MALFORMED),
        (100_000, MALFORMED),
    ] {
        let line = format!("Authorization: Bearer {}", "a".repeat(length));
        assert_eq!(get(&server, line).await, Answer::of(answer), "{length}");
    }
    // Blanks before it do not count as its own, and make it no slower.
    let line = format!("Authorization: Bearer {}{KEY}", " ".repeat(100_000));
    assert_eq!(get(&server, line).await, Answer::of(SERVED));
}

/// §5.1: field names are case-insensitive.
#[tokio::test]
async fn rfc9110_5_1_field_names_are_case_insensitive() {
    let server = Server::start(&rest()).await;
    for name in ["authorization", "AUTHORIZATION", "aUTHORIZATION"] {
        let answer = get(&server, format!("{name}: Bearer {KEY}")).await;
        assert_eq!(answer, Answer::of(SERVED), "{name}");
    }
    for name in ["authorization_", "x-authorization", "proxy-authorization"] {
        assert_eq!(get(&server, format!("{name}: Bearer {KEY}")).await.status(), 401, "{name}");
    }
}

/// §5.3: a field that is no list has one line; of several none is picked.
#[tokio::test]
async fn rfc9110_5_3_of_two_authorization_lines_none_counts() {
    let good = format!("Authorization: Bearer {KEY}");
    let server = Server::start(&rest()).await;
    for lines in [
        format!("{good}\r\n{good}"),
        format!("{good}\r\nAuthorization: Bearer unknown_0123456789abcdef"),
        format!("Authorization: Bearer unknown_0123456789abcdef\r\n{good}"),
        format!("Authorization:\r\n{good}"),
        format!("{good}\r\nAuthorization:"),
        format!("{good}\r\nAUTHORIZATION: Basic YXBpOktFWQ=="),
        format!("authorization: Digest x\r\nX-Between: y\r\n{good}"),
        [&*good; 9].join("\r\n"),
    ] {
        assert_eq!(get(&server, &lines).await, Answer::of(MALFORMED), "{lines}");
    }
    assert_eq!(server.reached(), 0);
    // This vendor documents every malformed header as 401.
    let server = Server::start(&personyze()).await;
    let good = basic(format!("api:{HEX}"));
    for lines in [format!("{good}\r\n{good}"), format!("{good}\r\nAuthorization: x")] {
        assert_eq!(get(&server, &lines).await, Answer::of(LOG_IN), "{lines}");
    }
    assert_eq!(server.reached(), 0);
}

/// §5.3: neither is one picked of two fields that both carry keys.
#[tokio::test]
async fn rfc9110_5_3_of_two_credentials_none_counts() {
    let server = Server::start(&own_header()).await;
    let (bearer, own) = (format!("Authorization: Bearer {KEY}"), format!("X-Api-Key: {KEY}"));
    for lines in [
        format!("{bearer}\r\n{own}"),
        format!("{own}\r\n{bearer}"),
        format!("{own}\r\n{own}"),
        format!("{own}\r\nX-Api-Key:"),
        format!("{own}\r\nAuthorization: Digest x"),
        format!("{own}\r\nAuthorization:"),
    ] {
        let answer = get(&server, &lines).await;
        let told = (answer.status(), answer.body.as_str());
        assert_eq!(told, (400, r#"{"error":"Malformed Authorization header."}"#), "{lines}");
    }
    assert_eq!(server.reached(), 0);
    // A list in one line is no list of keys, either (§5.6.1).
    let answer = get(&server, format!("X-Api-Key: {KEY},{KEY}")).await;
    assert_eq!(answer.body, Answer::of(INVALID).body);
    assert_eq!(get(&server, format!("X-Api-Key: {KEY}, {KEY}")).await.status(), 400);
}

/// §5.5: white space around a value is not part of it.
#[tokio::test]
async fn rfc9110_5_5_white_space_around_a_value_is_none_of_it() {
    let server = Server::start(&rest()).await;
    for (line, answer) in [
        (format!("Authorization:Bearer {KEY}"), SERVED),
        (format!("Authorization: \t Bearer {KEY}"), SERVED),
        (format!("Authorization: Bearer {KEY} \t "), SERVED),
        (format!("Authorization: Bearer\t{KEY}"), MALFORMED),
        ("Authorization: Bearer  ".to_owned(), MALFORMED),
        ("Authorization: \t".to_owned(), MALFORMED),
    ] {
        assert_eq!(get(&server, &line).await, Answer::of(answer), "{line:?}");
    }
}

/// §5.5: obsolete bytes are opaque, so they are in no credential.
#[tokio::test]
async fn rfc9110_5_5_obsolete_bytes_are_in_no_credential() {
    let (bearer, api) = (Server::start(&rest()).await, Server::start(&personyze()).await);
    let basic = basic(format!("api:{HEX}"));
    for byte in 0x80..=0xff {
        for (before, after) in [("", ""), ("Bearer ", ""), ("Bearer key_", "89abcdef0123")] {
            let line = [b"Authorization: ", before.as_bytes(), &[byte], after.as_bytes()].concat();
            assert_eq!(get(&bearer, &line).await, Answer::of(MALFORMED), "{line:?}");
        }
        let line = [basic.as_bytes(), &[byte]].concat();
        assert_eq!(get(&api, &line).await, Answer::of(LOG_IN), "{line:?}");
    }
    assert_eq!((bearer.reached(), api.reached()), (0, 0));
}

/// §5.5: CR, LF and NUL in a value are "invalid and dangerous"; so is every other control
/// character, but for the tab.
#[tokio::test]
async fn rfc9110_5_5_control_characters_make_no_request() {
    let server = Server::start(&rest()).await;
    let controls = (0..=0x1f).chain([0x7f]).filter(|byte| !b"\t\n".contains(byte));
    for byte in controls {
        for (before, after) in [("", KEY), ("key_0123456789", "abcdef"), (KEY, "x"), (KEY, "")] {
            // At the end of a line, CR is a part of its ending that came twice.
            let line = [b"Authorization: Bearer ", before.as_bytes(), &[byte], after.as_bytes()];
            let answer = get(&server, line.concat()).await;
            assert_eq!(answer, Answer::of(NO_REQUEST), "{byte:#x} {before:?} {after:?}");
        }
    }
    // A lone LF may end a line (RFC 9112 §2.2), and what follows is another.
    let line = "Authorization: Bearer key_0123456789\nabcdef";
    assert_eq!(get(&server, line).await, Answer::of(NO_REQUEST));
    assert_eq!(server.reached(), 0);
}

/// §5.3 and §8.3: a header that a vendor demands has one line, and one media type.
#[tokio::test]
async fn rfc9110_8_3_1_media_types_are_compared_as_defined() {
    let polyteia = gate(vendors::POLYTEIA, KEY, |key| key).build().unwrap();
    let server = Server::start(&polyteia).await;
    let refused = Answer::of(WRONG_TYPE);
    for (lines, served) in [
        ("Content-Type: application/json", true),
        ("Content-Type: application/json;charset=utf-8", true),
        ("Content-Type: application/json ; charset=\"utf-8\"", true),
        ("CONTENT-TYPE: Application/JSON", true),
        ("Content-Type: application/jsonx", false),
        ("Content-Type: application/json, text/plain", false),
        ("Content-Type: text/plain;x=application/json", false),
        ("Content-Type: application/ json", false),
        ("Content-Type: \"application/json\"", false),
        ("Content-Type:", false),
        ("X-Content-Type: application/json", false),
        ("Content-Type: application/json\r\nContent-Type: application/json", false),
        ("Content-Type: application/json\r\nContent-Type: text/plain", false),
    ] {
        let answer = get(&server, format!("Authorization: Bearer {KEY}\r\n{lines}")).await;
        let expected = if served { Answer::of(SERVED) } else { refused.clone() };
        assert_eq!(answer, expected, "{lines}");
    }
    assert_eq!(server.reached(), 4);
}
