//! Reading credentials, against the model's naive reader. The first byte chooses the vendor; what follows are
//! lines of `Authorization`, each after a line feed. A line that begins with 1 to 4 is another field or the query, one
//! with 5 offers protocols in a WebSocket handshake.

#![no_main]

#[path = "../../tests/model/main.rs"]
mod model;

use std::sync::LazyLock;

use http::{HeaderValue, Request};
use libfuzzer_sys::fuzz_target;
use model::credential::{credential, is_key};
use model::gate::PROFILES;
use model::question::Question;
use model::vendor::{Reason, VENDORS};
use tower_api_key::clock::Timestamp;
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial};

/// Basic of one user, Bearer, both; and all others, once or several times.
static LAYERS: LazyLock<[(usize, ApiKeyLayer); 7]> = LazyLock::new(|| {
    [0, 2, 5, 6, 7, 8, 9].map(|vendor| {
        let (profile, _) = PROFILES[vendor];
        let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).assume_https().build();
        (vendor, layer.unwrap())
    })
});

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let (vendor, layer) = &LAYERS[usize::from(*first) % LAYERS.len()];
    let mut question = Question {
        method: "GET",
        protocol: None,
        path: "/".to_owned(),
        query: None,
        fields: Vec::new(),
        peer: None,
        store_answers: true,
        pause: 0,
    };
    let mut request = Request::new(());
    for line in rest.split(|byte| *byte == b'\n').take(3) {
        let (name, line) = match line {
            [1, line @ ..] => ("x-api-key", line),
            [2, line @ ..] => ("x-key-id", line),
            [3, line @ ..] => ("x-key-secret", line),
            [4, line @ ..] => {
                let Ok(query) = std::str::from_utf8(line) else { return };
                let Ok(uri) = format!("/?{query}").parse() else { return };
                *request.uri_mut() = uri;
                question.query = request.uri().query().map(str::to_owned);
                continue;
            }
            [5, line @ ..] => ("sec-websocket-protocol", line),
            _ => ("authorization", line),
        };
        if name == "sec-websocket-protocol" {
            for (name, value) in [("upgrade", "websocket"), ("connection", "upgrade")] {
                request.headers_mut().insert(name, HeaderValue::from_static(value));
                question.fields.push((name, value.into()));
            }
        }
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        request.headers_mut().append(name, value);
        question.fields.push((name, line.to_vec()));
    }
    let vendor = &VENDORS[*vendor];
    let expected = match credential(&question, vendor) {
        Ok(read) if is_key(&read.key, vendor.key) => Reason::Unknown,
        Ok(_) => Reason::NotAKey,
        Err(reason) => reason,
    };
    let explanation =
        layer.explain(&request, Connection::unknown(), None, Timestamp::from_unix_seconds(1));
    let reason = match explanation.decision().unwrap_err() {
        Denial::CredentialsMissing | Denial::SchemeUnsupported => Reason::Missing,
        Denial::CredentialsAmbiguous => Reason::Ambiguous,
        Denial::CredentialsMalformed(_) => Reason::Malformed,
        Denial::KeyMalformed => Reason::NotAKey,
        Denial::KeyUnknown => Reason::Unknown,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason, expected, "{}", vendor.name);
    let status = explanation.answer().unwrap().status().as_u16();
    assert_eq!(status, (vendor.replies)(expected).0, "{}", vendor.name);
});
