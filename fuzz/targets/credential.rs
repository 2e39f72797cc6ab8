//! Reading `Authorization`, against the model's naive reader. The first byte chooses the vendor; what
//! follows are the field lines, each after a line feed.

#![no_main]

#[path = "../../tests/model/main.rs"]
mod model;

use std::sync::LazyLock;

use http::{HeaderValue, Request};
use libfuzzer_sys::fuzz_target;
use model::credential::{credential, is_key};
use model::question::Question;
use model::vendor::{Reason, VENDORS};
use tower_api_key::clock::Timestamp;
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, vendors};

/// Basic of one user, Bearer, and both.
static LAYERS: LazyLock<[(usize, ApiKeyLayer); 3]> = LazyLock::new(|| {
    [(0, vendors::PERSONYZE), (2, vendors::POLYTEIA), (5, vendors::POLYTOMIC_ON_PREMISES)].map(
        |(vendor, profile)| {
            let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).assume_https().build();
            (vendor, layer.unwrap())
        },
    )
});

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let (vendor, layer) = &LAYERS[usize::from(*first) % LAYERS.len()];
    let mut question = Question {
        method: "GET",
        path: "/".to_owned(),
        query: None,
        fields: Vec::new(),
        peer: None,
        store_answers: true,
        pause: 0,
    };
    let mut request = Request::new(());
    for line in rest.split(|byte| *byte == b'\n').take(3) {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        request.headers_mut().append("authorization", value);
        question.fields.push(("authorization", line.to_vec()));
    }
    let vendor = &VENDORS[*vendor];
    let expected = match credential(&question, vendor) {
        Ok((key, _)) if is_key(&key, vendor.key) => Reason::Unknown,
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
