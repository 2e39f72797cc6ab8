//! Runs `whose`, which finds the key that a secret belongs to.

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

/// Looks up a secret as it stands and as a client may have sent it. Each text is digested without a pepper and
/// with each pepper given. Prints the key in whatever state it is, and never the secret.
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
    output.say(
        "no key of this store has the secret; if the keys have a pepper, add --pepper-file FILE",
    );
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
        // For a secret that a rotation replaced, this is the end of the secret.
        "expires": record.expires().map(moment::text),
    })
}

/// Returns the parts of a leaked text that may be the key:
///
/// 1. all of it;
/// 2. the text after a header's name, or after an authentication scheme;
/// 3. each word, as in a command, a log, JSON, a URL or a settings file;
/// 4. each half of a Basic pair, plain or in base64.
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
    // Last, because these characters may also stand inside a key.
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

/// Returns true for characters that surround a key in text of people and programs.
fn is_around_a_key(character: char) -> bool {
    let quote = matches!(character, '"' | '\'' | '`' | '\\');
    let bracket = matches!(character, '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>');
    let mark = matches!(character, ',' | ';' | '|');
    // A Bearer token is ASCII, so typographic quotes and a byte order mark are not part of it.
    quote || bracket || mark || character.is_whitespace() || !character.is_ascii()
}

/// Returns true for characters that separate a key from its surroundings in a URL or an assignment.
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
