//! RFC 7617: the Basic scheme.

use super::answers::{LOG_IN, NO_ACCOUNT, ON_PREMISES_INVALID, SERVED, UNKNOWN};
use super::challenge::{challenge, parameter};
use super::gates::{HEX, UUID, basic, on_premises, personyze};
use super::server::Server;
use super::wire::{Answer, get};

/// §2: the pair is `user-id ":" password`, and only the first colon is the one.
#[tokio::test]
async fn rfc7617_2_the_user_id_ends_at_the_first_colon() {
    let server = Server::start(&personyze()).await;
    for (pair, answer) in [
        (format!("api:{HEX}"), SERVED),
        (format!("api:{}", HEX.replace('F', "E")), NO_ACCOUNT),
        (format!("api:{HEX}:"), UNKNOWN),
        (format!("api::{HEX}"), UNKNOWN),
        (format!("api:{HEX} "), UNKNOWN),
        (format!("a:pi:{HEX}"), LOG_IN),
        ("api".to_owned(), LOG_IN),
        (HEX.to_owned(), LOG_IN),
    ] {
        assert_eq!(get(&server, basic(&pair)).await, Answer::of(answer), "{pair:?}");
    }
    assert_eq!(server.reached(), 1);
}

/// §2: both may be empty; then neither names a key.
#[tokio::test]
async fn rfc7617_2_user_id_and_password_may_be_empty() {
    let (api, either) = (Server::start(&personyze()).await, Server::start(&on_premises()).await);
    for (pair, of_api, of_either) in [
        (format!("{UUID}:"), LOG_IN, SERVED),
        (format!(":{UUID}"), LOG_IN, SERVED),
        (format!("whoever:{UUID}"), LOG_IN, SERVED),
        (format!("{UUID}:x"), LOG_IN, ON_PREMISES_INVALID),
        ("api:".to_owned(), LOG_IN, ON_PREMISES_INVALID),
        (":".to_owned(), LOG_IN, ON_PREMISES_INVALID),
        (String::new(), LOG_IN, ON_PREMISES_INVALID),
        (format!(":{HEX}"), LOG_IN, ON_PREMISES_INVALID),
    ] {
        assert_eq!(get(&api, basic(&pair)).await, Answer::of(of_api), "{pair:?}");
        assert_eq!(get(&either, basic(&pair)).await, Answer::of(of_either), "{pair:?}");
    }
    assert_eq!((api.reached(), either.reached()), (0, 3));
}

/// §2: user-id and password must not contain control characters (RFC 5234 B.1).
#[tokio::test]
async fn rfc7617_2_control_characters_are_refused() {
    let (api, either) = (Server::start(&personyze()).await, Server::start(&on_premises()).await);
    for control in (0..=0x1f).chain([0x7f]).map(char::from) {
        for pair in [format!("api:{HEX}{control}"), format!("a{control}pi:{HEX}")] {
            assert_eq!(get(&api, basic(&pair)).await, Answer::of(LOG_IN), "{pair:?}");
        }
        for pair in [format!("{control}:{UUID}"), format!("{UUID}{control}:")] {
            let answer = get(&either, basic(&pair)).await;
            assert_eq!(answer, Answer::of(ON_PREMISES_INVALID), "{pair:?}");
        }
    }
    assert_eq!((api.reached(), either.reached()), (0, 0));
}

/// §2: the credentials are base64 as of RFC 4648 §4, of which nothing is forgiven.
#[tokio::test]
async fn rfc7617_2_base64_is_strict() {
    let server = Server::start(&personyze()).await;
    let token = basic(format!("api:{HEX}")).split_off("Authorization: Basic ".len());
    assert!(token.ends_with("Q=") || token.ends_with("0="), "one pad character: {token}");
    let bare = token.trim_end_matches('=');
    let (most, last) = bare.split_at(bare.len() - 1);
    for (token, answer) in [
        (token.clone(), SERVED),
        (bare.to_owned(), LOG_IN),     // RFC 4648 §3.2: no padding
        (format!("{token}="), LOG_IN), // too much
        (format!("{}{}=", most, after(last)), LOG_IN), // §3.5: pad bits that are not zero
        (token.replacen('R', "R ", 1), LOG_IN), // §3.3: outside of the alphabet
        (token.replacen('R', "R\t", 1), LOG_IN),
        (format!("{token}, {token}"), LOG_IN),
        (format!("{token}{token}"), LOG_IN), // padding inside
        ("YXBpOi0_Pz8_".to_owned(), LOG_IN), // §5: another alphabet
        ("====".to_owned(), LOG_IN),
        ("=".to_owned(), LOG_IN),
    ] {
        let answered = get(&server, format!("Authorization: Basic {token}")).await;
        assert_eq!(answered, Answer::of(answer), "{token:?}");
    }
    assert_eq!(server.reached(), 1);
}

/// Returns a character whose six bits end otherwise.
fn after(last: &str) -> char {
    char::from(last.as_bytes()[0] + 1)
}

/// §2: a challenge must have a realm; §2.1: `charset` may only be `UTF-8`.
#[tokio::test]
async fn rfc7617_2_1_the_challenge_has_realm_and_charset() {
    for (layer, realm) in [(personyze(), "Personyze"), (on_premises(), "Polytomic")] {
        let answer = get(&Server::start(&layer).await, "").await;
        let challenge = challenge(answer.lines("www-authenticate")[0]);
        assert_eq!(challenge.0, "Basic");
        assert_eq!(parameter(&challenge, "realm"), Some(realm));
        assert_eq!(parameter(&challenge, "charset"), Some("UTF-8"));
        assert_eq!(challenge.1.len(), 2, "{challenge:?}");
    }
}

/// §2.1: what is announced as UTF-8 is read as UTF-8.
#[tokio::test]
async fn rfc7617_2_1_the_pair_is_utf_8() {
    let server = Server::start(&personyze()).await;
    for (pair, answer) in [
        (&b"api:test\xc2\xa3"[..], UNKNOWN), // the document's own example, no key
        (b"api:test\xa3", LOG_IN),           // the same in ISO 8859-1
        (b"api:\xc0\xba", LOG_IN),           // an overlong colon
        (b"api\xc0\xba:x", LOG_IN),
        (b"api:\xed\xa0\x80", LOG_IN),      // half a surrogate pair
        (b"\xef\xbb\xbfapi:x", LOG_IN),     // a byte order mark is part of the user-id
        ("api:\u{85}".as_bytes(), UNKNOWN), // a control character of Latin-1 only
    ] {
        assert_eq!(get(&server, basic(pair)).await, Answer::of(answer), "{pair:?}");
    }
    assert_eq!(server.reached(), 0);
}
