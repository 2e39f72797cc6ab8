//! Signatures, verified by the specification's own library.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::json;
use tower_api_key::events::EventSink;

use super::receiver::{Received, Receiver};
use super::{SECRET, event, local};

const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

const VERIFY: &str = "
import { Webhook } from 'standardwebhooks';
import { readFileSync } from 'node:fs';
const { secret, headers, body } = JSON.parse(readFileSync(0));
const payload = new Webhook(secret).verify(body, headers);
console.log(payload.type);
";

/// Verifies a message with the npm package `standardwebhooks`. `None` without the package, which fails the test if
/// `REQUIRE_STANDARD_WEBHOOKS=1`.
fn verify(secret: &str, received: &Received) -> Option<Result<String, String>> {
    let folder = env::var("STANDARD_WEBHOOKS").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/standard-webhooks").to_owned()
    });
    if !Path::new(&folder).join("node_modules/standardwebhooks").exists() {
        let required = env::var("REQUIRE_STANDARD_WEBHOOKS").as_deref() == Ok("1");
        assert!(!required, "the package standardwebhooks is missing");
        println!("SKIPPED: the npm package standardwebhooks is not installed");
        return None;
    }
    let script = Path::new(&folder).join("verify.mjs");
    if fs::read_to_string(&script).ok().as_deref() != Some(VERIFY) {
        let own = script.with_extension(format!("{}.mjs", std::process::id()));
        fs::write(&own, VERIFY).unwrap();
        fs::rename(own, &script).unwrap();
    }
    let mut node = Command::new("node")
        .arg(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let message = json!({ "secret": secret, "headers": received.headers, "body": received.body });
    node.stdin.take().unwrap().write_all(message.to_string().as_bytes()).unwrap();
    let ended = node.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Some(if ended.status.success() { Ok(text(&ended.stdout)) } else { Err(text(&ended.stderr)) })
}

#[tokio::test]
async fn a_message_is_verified_by_the_library_of_the_specification() {
    let receiver = Receiver::start(&["HTTP/1.1 204 X\r\n\r\n"]).await;
    local(&receiver.url()).secret(OTHER).build().unwrap().deliver(&event()).await.unwrap();
    let [received] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(received.line, "POST /keys?token=word HTTP/1.1");
    assert_eq!(received.headers["webhook-id"], event().id);
    assert_eq!(received.headers["content-type"], "application/json");
    assert_eq!(received.headers["host"], format!("127.0.0.1:{}", receiver.port));
    assert_eq!(received.headers["webhook-signature"].split(' ').count(), 2);
    assert_eq!(received.body, event().payload());
    for secret in [SECRET, OTHER] {
        let Some(verified) = verify(secret, received) else { return };
        assert_eq!(verified.unwrap(), "key.revoked");
    }
    let unknown = OTHER.replace("AAA=", "AAE=");
    assert!(verify(&unknown, received).unwrap().is_err());
    let mut changed = received.clone();
    changed.body = changed.body.replace("key_1", "key_2");
    assert!(verify(SECRET, &changed).unwrap().is_err());
    let mut other = received.clone();
    other.headers.insert("webhook-id".to_owned(), "other".to_owned());
    assert!(verify(SECRET, &other).unwrap().is_err());
}

#[tokio::test]
async fn a_customer_sees_no_words_of_operators() {
    let receiver = Receiver::start(&["HTTP/1.1 204 X\r\n\r\n", "HTTP/1.1 204 X\r\n\r\n"]).await;
    let mut event = event();
    event.data.insert("author".to_owned(), "ada".into());
    event.data.insert("expires".to_owned(), "soon".into());
    for webhook in [local(&receiver.url()), local(&receiver.url()).account("acme")] {
        webhook.build().unwrap().deliver(&event).await.unwrap();
    }
    let [own, of_customer] = &receiver.received()[..] else { panic!("two requests") };
    for (received, whole) in [(own, true), (of_customer, false)] {
        for word in ["author", "ada", "reason", "left the company"] {
            assert_eq!(received.body.contains(word), whole, "{word}");
        }
        assert!(received.body.contains("soon") && received.body.contains("acme"));
    }
}
