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
/// a scheme; each half of a Basic pair, plain or in base64.
fn readings(text: &str) -> Vec<Zeroizing<String>> {
    let whole = text.trim();
    let mut readings = vec![Zeroizing::new(whole.to_owned())];
    let value = whole.split_once(": ").map_or(whole, |(_, value)| value.trim());
    let credential = value.split_once(' ').map_or(value, |(_, credential)| credential.trim());
    for reading in [value, credential] {
        readings.push(Zeroizing::new(reading.to_owned()));
    }
    let decoded = STANDARD.decode(credential).map(Zeroizing::new).unwrap_or_default();
    for pair in [whole, std::str::from_utf8(&decoded).unwrap_or_default()] {
        if let Some((user, password)) = pair.split_once(':') {
            readings.extend([password, user].map(|half| Zeroizing::new(half.to_owned())));
        }
    }
    readings.dedup();
    readings.retain(|reading| !reading.is_empty());
    readings
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
        ] {
            assert!(readings(text).iter().any(|reading| reading.as_str() == "KEY"), "{text}");
        }
        assert!(readings("a:b").iter().any(|reading| reading.as_str() == "a:b"));
    }
}
