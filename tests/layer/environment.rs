//! The environment of a key: what its text names, what its record names, and what the gate is pinned to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request};
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::{
    Alphabet, InvalidRecord, KeyDigest, KeyForm, KeyFormat, KeyRecord, SharedRecord,
};
use tower_api_key::store::{KeyManager, KeyStore, ManageError, MemoryStore, NewKey, StoreError};
use tower_api_key::{ApiKeyLayer, Denial, Profile, Reply};

use crate::support::{PROFILE, account, anonymous, digest, greeting, reason, send, tls};

const TAGGED: KeyFormat =
    KeyFormat::new().literal("key_").environment(&["live", "test"]).characters(Alphabet::Hex, 32);
const OTHER: KeyFormat = KeyFormat::new().literal("key_test").characters(Alphabet::Hex, 32);
const OPEN: KeyFormat = KeyFormat::new().between(Alphabet::Token, 16, 256);
const CONTRARY: KeyFormat =
    KeyFormat::new().environment(&["key_"]).between(Alphabet::Token, 16, 256);

/// Counts the questions that it is asked.
#[derive(Clone)]
struct Asked(MemoryStore, Arc<AtomicUsize>);

impl KeyStore for Asked {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.find(digest)
    }
}

fn text(environment: &str) -> String {
    format!("key_{environment}0123456789abcdef0123456789abcdef")
}

fn request(key: &str) -> Request<()> {
    let mut request = anonymous(Method::GET, "/");
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request
}

fn record(environment: Option<&str>) -> KeyRecord {
    let record = KeyRecord::builder("key_1", account("acme"));
    let record = match environment {
        Some(environment) => record.environment(environment),
        None => record,
    };
    record.build().unwrap()
}

/// Asks a gate of these formats for the key of this text and record; returns the reason, and how often
/// the store was asked.
async fn ask(
    formats: &'static [KeyFormat<'_>],
    pinned: Option<&str>,
    text: &str,
    record: KeyRecord,
) -> (&'static str, usize) {
    let store = Asked(MemoryStore::new(), Arc::default());
    store.0.add_now(digest(text), record.clone());
    let asked = Arc::clone(&store.1);
    let mut builder = ApiKeyLayer::builder(Profile { formats, ..PROFILE }, store);
    if let Some(pinned) = pinned {
        builder = builder.environment(pinned);
    }
    let layer = builder.build().unwrap();
    let decided = reason(&send(&greeting(&layer), request(text)).await);
    let record = Arc::new(record);
    let explained = layer.explain(&request(text), tls(), Some(&record), Timestamp::default());
    let explained = explained.decision().map_or_else(Denial::name, |_| "admitted");
    assert_eq!(explained, decided, "an explanation says the same");
    (decided, asked.load(Ordering::SeqCst))
}

#[tokio::test]
async fn text_record_and_gate_name_one_environment() {
    const MISMATCH: &str = "environment_mismatch";
    let both: &[KeyFormat] = &[TAGGED, OPEN];
    for (pinned, named, recorded, expected, asked) in [
        (None, "live", Some("live"), "admitted", 1),
        (None, "test", Some("test"), "admitted", 1),
        (None, "test", Some("live"), MISMATCH, 1),
        (None, "test", None, MISMATCH, 1),
        (Some("live"), "live", Some("live"), "admitted", 1),
        (Some("live"), "live", Some("test"), MISMATCH, 1),
        (Some("live"), "live", None, MISMATCH, 1),
        // A wrong tag is refused without asking the store, whatever the record says.
        (Some("live"), "test", Some("live"), MISMATCH, 0),
        (Some("live"), "test", Some("test"), MISMATCH, 0),
        (Some("live"), "test", None, MISMATCH, 0),
    ] {
        for formats in [&[TAGGED][..], both, &[OPEN, TAGGED]] {
            let answer = ask(formats, pinned, &text(named), record(recorded)).await;
            assert_eq!(answer, (expected, asked), "{pinned:?} {named} {recorded:?}");
        }
    }
}

#[tokio::test]
async fn a_text_that_names_none_leaves_it_to_the_record() {
    for formats in [&[OPEN][..], &[OTHER]] {
        for (pinned, recorded, expected) in [
            (None, None, "admitted"),
            (None, Some("live"), "admitted"),
            (Some("live"), Some("live"), "admitted"),
            (Some("live"), Some("test"), "environment_mismatch"),
            (Some("live"), None, "environment_mismatch"),
        ] {
            let answer = ask(formats, pinned, &text("test"), record(recorded)).await;
            assert_eq!(answer, (expected, 1), "{pinned:?} {recorded:?}");
        }
    }
}

#[tokio::test]
async fn a_text_that_names_two_names_neither() {
    for recorded in [Some("live"), Some("key_"), None] {
        let answer = ask(&[TAGGED, CONTRARY], None, &text("live"), record(recorded)).await;
        assert_eq!(answer, ("environment_mismatch", 0), "{recorded:?}");
    }
}

#[tokio::test]
async fn a_wrong_tag_is_a_failed_attempt_and_is_answered_like_an_unknown_key() {
    let profile = Profile { formats: &[TAGGED], ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, MemoryStore::new())
        .environment("live")
        .failed_attempts(FailedAttempts::new(1, Duration::from_secs(60)))
        .build()
        .unwrap();
    let service = greeting(&layer);
    let refused = send(&service, request(&text("test"))).await;
    assert_eq!(reason(&refused), "environment_mismatch");
    let unknown = layer.answer(&Denial::KeyUnknown);
    assert_eq!((refused.status(), refused.headers()), (unknown.status(), unknown.headers()));
    assert_eq!(reason(&send(&service, request(&text("live"))).await), "too_many_failures");
    let explained = layer.explain(&request(&text("test")), tls(), None, Timestamp::default());
    for (check, outcome) in [
        (Check::KeyWellFormed, Outcome::Passed),
        (Check::KeyFound, Outcome::NotReached),
        (Check::Environment, Outcome::Refused(Denial::EnvironmentMismatch)),
    ] {
        assert_eq!(explained.outcome(check), &outcome);
    }
}

#[tokio::test]
async fn a_record_of_a_known_form_cannot_leave_its_environment() {
    let form = KeyForm::of(&TAGGED, Some("test")).unwrap();
    let build = |environment: Option<&str>| {
        let record = record(environment).edit().form(form.clone()).build();
        record.map(|record| record.environment().map(ToString::to_string))
    };
    for right in [Some("test"), None] {
        assert_eq!(build(right), Ok(Some("test".to_owned())), "{right:?}");
    }
    assert!(matches!(build(Some("live")), Err(InvalidRecord::Environment { .. })));
    let said = build(Some("live")).unwrap_err().to_string();
    let expected = "the key's text names the environment `test`, but the record has `live`: set the record's environment to \
         `test`";
    assert_eq!(said, expected);
    // By an edit through the store, too, and an import.
    let store = MemoryStore::new();
    let new = record(Some("test")).edit().form(form).build().unwrap();
    store.add(NewKey::new(digest(&text("test")), new), "ada").await.unwrap();
    let moved = store.update("key_1", Box::new(|key| key.environment("live")), "ada").await;
    assert!(matches!(moved, Err(ManageError::Invalid(InvalidRecord::Environment { .. }))));
}
