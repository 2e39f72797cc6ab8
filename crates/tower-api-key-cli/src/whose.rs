//! Whose secret is it?

use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{Audience, Environment, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, KeyState};
use zeroize::Zeroizing;

use crate::failure::{Failure, UNKNOWN};
use crate::issue::hasher;
use crate::output::Output;
use crate::{moment, secret};

/// Looks a secret up, as it is and as a client may have sent it, digested without a pepper and with each
/// of those given. A key is told whatever its state is; the secret never is.
pub(crate) async fn run(
    store: &dyn KeyManager,
    pepper_files: &[PathBuf],
    output: &Output,
) -> Result<ExitCode, Failure> {
    let secret = secret::read()?;
    let peppered = pepper_files.iter().map(|file| hasher(Some(file)));
    let hashers: Vec<KeyHasher> =
        [hasher(None)].into_iter().chain(peppered).collect::<Result<_, _>>()?;
    for text in readings(secret.expose_secret()) {
        for hasher in &hashers {
            let digest = hasher.digest(text.as_bytes());
            if let Some(record) = store.find(&digest).await? {
                output.found(&described(&record))?;
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    output.found(&json!({ "id": null, "account": null, "state": "unknown" }))?;
    output
        .say("no key of this store has the secret; one with a pepper is found with --pepper-file");
    Ok(ExitCode::from(UNKNOWN))
}

fn described(record: &KeyRecord) -> Value {
    let now = SystemClock.now();
    json!({
        "id": record.id().as_str(),
        "account": record.account().id().as_str(),
        "state": KeyState::of(record, now).name(),
        "owner": record.owner(),
        "name": record.name(),
        "environment": record.environment().map(Environment::as_str),
        "audience": record.audience().map(Audience::as_str),
        // Of a secret that a rotation has replaced this is its own end.
        "expires": record.expires().map(moment::text),
    })
}

/// Lists what the key may be in a text that was found: all of it; what follows the name of a header, or of
/// a scheme; each word, as it stands in a command, a log, JSON, a URL or a file of settings; each half of a
/// Basic pair, plain or in base64.
fn readings(text: &str) -> Vec<Zeroizing<String>> {
    let mut readings = Vec::new();
    let whole = text.trim();
    let value = whole.split_once(": ").map_or(whole, |(_, value)| value.trim());
    let credential = value.split_once(' ').map_or(value, |(_, credential)| credential.trim());
    let words = || whole.split(is_around_a_key).filter(|word| !word.is_empty());
    for word in [whole, value, credential].into_iter().chain(words()) {
        add(&mut readings, word);
        let decoded = STANDARD.decode(word).map(Zeroizing::new).unwrap_or_default();
        for pair in [word, std::str::from_utf8(&decoded).unwrap_or_default()] {
            if let Some((user, password)) = pair.split_once(':') {
                add(&mut readings, password);
                add(&mut readings, user);
            }
        }
    }
    // Last, for these cut keys apart that have such characters themselves.
    for part in words().flat_map(|word| word.split(is_within_a_word)) {
        add(&mut readings, part);
        add(&mut readings, part.trim_end_matches('.'));
    }
    readings
}

fn add(readings: &mut Vec<Zeroizing<String>>, reading: &str) {
    if !reading.is_empty() && !readings.iter().any(|known| known.as_str() == reading) {
        readings.push(Zeroizing::new(reading.to_owned()));
    }
}

/// Tells whether a character ends a key where people and programs write one down.
fn is_around_a_key(character: char) -> bool {
    let quote = matches!(character, '"' | '\'' | '`' | '\\');
    let bracket = matches!(character, '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>');
    let mark = matches!(character, ',' | ';' | '|');
    // What is not ASCII is in no key that a Bearer credential carries: typographic quotes, a byte order mark.
    quote || bracket || mark || character.is_whitespace() || !character.is_ascii()
}

/// Tells whether a character may stand between a key and what is around it in a URL or an assignment.
fn is_within_a_word(character: char) -> bool {
    matches!(character, '=' | '&' | '?' | '#' | '@' | ':' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_what_leaked() {
        let basic = format!("Basic {}", STANDARD.encode("api:KEY"));
        let header = format!("Authorization: {basic}");
        for text in [
            "KEY",
            " KEY ",
            "Bearer KEY",
            "authorization: Bearer KEY",
            "X-Api-Key: KEY",
            "api:KEY",
            "KEY:",
            &basic,
            &header,
            "\"KEY\"",
            "'KEY'",
            "\u{201c}KEY\u{201d}",
            "\u{feff}KEY",
            "(KEY)",
            "KEY,",
            "the key is KEY.",
            "KEY # of the backup",
            "Bearer\tKEY",
            "curl -u api:KEY https://api.example",
            "curl -H 'Authorization: Bearer KEY' https://api.example",
            "GET / HTTP/1.1\r\nAuthorization: Bearer KEY\r\nAccept: */*",
            r#"{"Authorization": "Bearer KEY"}"#,
            r#"{\"key\":\"KEY\"}"#,
            "api_key: \"KEY\"",
            "export API_KEY='KEY'",
            "API_KEY=KEY",
            "https://api.example/?a=b&key=KEY#top",
            "https://api:KEY@api.example/",
            "https://KEY@api.example/",
        ] {
            assert!(readings(text).iter().any(|reading| reading.as_str() == "KEY"), "{text}");
        }
        assert!(readings("a:b").iter().any(|reading| reading.as_str() == "a:b"));
        // Keys may have nearly all of these characters themselves.
        for key in ["12|a+b/c=", "secret-token:x", "a.b~c-d_e."] {
            assert_eq!(readings(key).first().map(|reading| reading.as_str()), Some(key));
        }
    }
}
