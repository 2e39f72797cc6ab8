//! What a response's headers say of its body.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use crate::request::elements;

/// What the types of sequences of JSON texts have in their names.
const SEQUENCES: [&str; 5] = ["ndjson", "jsonl", "json-lines", "json-seq", "json-stream"];

/// What the types of scripts have in their names. A script may call a function with JSON.
const SCRIPTS: [&str; 4] = ["javascript", "ecmascript", "jscript", "livescript"];

/// The types that say nothing of a body, or that services write where they mean no type. Clients read JSON from them.
const VAGUE: [&str; 3] = ["text/plain", "application/octet-stream", "binary/octet-stream"];

/// What kind of content a body is, as far as JSON is concerned. A later one is the stricter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum JsonContent {
    /// Another media type.
    Other,
    /// A type that fits a JSON text and many other bodies.
    Vague,
    /// A script.
    Script,
    /// What may be one JSON text, or a body of unknown type.
    Document,
    /// Something that may hold JSON but is no single text: a sequence, a stream of events, several parts.
    Sequence,
}

impl JsonContent {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(CONTENT_TYPE).iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => Self::of_type(line),
            // A client may take a body without a type for JSON (RFC 9110 §8.3).
            (None, _) => Self::Document,
            // Which of several lines counts is up to the client.
            (Some(_), Some(_)) => Self::Sequence,
        }
    }

    fn of_type(line: &HeaderValue) -> Self {
        let mut types = line.as_bytes().split(|byte| *byte == b',').map(Self::of_one);
        let first = types.next().unwrap_or(Self::Document);
        // Which of several types counts is up to the client.
        types.fold(first, |strictest, kind| strictest.max(kind).max(Self::Vague))
    }

    fn of_one(text: &[u8]) -> Self {
        let essence = text.split(|byte| *byte == b';').next().unwrap_or_default();
        let essence = String::from_utf8_lossy(essence.trim_ascii()).to_ascii_lowercase();
        if essence.starts_with("application/grpc") {
            return Self::Other;
        }
        let Some((main, sub)) = essence.split_once('/') else { return Self::Document };
        let is_stream = sub == "stream+json" || sub.ends_with(".stream+json");
        let is_sequence = is_stream || SEQUENCES.iter().any(|word| sub.contains(word));
        if is_sequence || main == "multipart" || essence == "text/event-stream" {
            Self::Sequence
        } else if sub.contains("json") {
            Self::Document
        } else if SCRIPTS.iter().any(|word| sub.contains(word)) {
            Self::Script
        } else if VAGUE.contains(&&*essence) || essence.contains('*') || essence.contains("unknown")
        {
            Self::Vague
        } else {
            Self::Other
        }
    }
}

/// Returns true if the body has a content coding that changes it.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    elements(headers, &CONTENT_ENCODING)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_may_hold_json_is_known() {
        for (line, expected) in [
            ("application/json", JsonContent::Document),
            ("Application/JSON ; charset=utf-8", JsonContent::Document),
            ("application/problem+json", JsonContent::Document),
            ("application/vnd.api+json", JsonContent::Document),
            ("text/json", JsonContent::Document),
            ("application/x-json", JsonContent::Document),
            ("json", JsonContent::Document),
            ("", JsonContent::Document),
            ("application/x-ndjson", JsonContent::Sequence),
            ("application/jsonl", JsonContent::Sequence),
            ("application/json-seq", JsonContent::Sequence),
            ("application/stream+json", JsonContent::Sequence),
            ("application/vnd.acme.stream+json", JsonContent::Sequence),
            ("application/vnd.acme.sequence+json", JsonContent::Document),
            ("application/x-jsonlines", JsonContent::Sequence),
            ("application/geo+json-seq", JsonContent::Sequence),
            ("application/x-amz-json-1.1", JsonContent::Document),
            ("application/json, text/html", JsonContent::Document),
            ("text/event-stream", JsonContent::Sequence),
            ("multipart/mixed; boundary=x", JsonContent::Sequence),
            ("multipart/byteranges; boundary=x", JsonContent::Sequence),
            ("application/grpc", JsonContent::Other),
            ("application/grpc+json", JsonContent::Other),
            ("text/plain", JsonContent::Vague),
            ("Text/Plain; charset=utf-8", JsonContent::Vague),
            ("*/*", JsonContent::Vague),
            ("text/*", JsonContent::Vague),
            ("application/unknown", JsonContent::Vague),
            ("text/html, image/png", JsonContent::Vague),
            ("text/html; charset=utf-8, text/plain", JsonContent::Vague),
            ("text/html; charset=utf-8, application/json", JsonContent::Document),
            ("application/json; a=b, text/event-stream", JsonContent::Sequence),
            ("application/javascript", JsonContent::Script),
            ("text/javascript; charset=utf-8", JsonContent::Script),
            ("application/x-javascript", JsonContent::Script),
            ("application/postscript", JsonContent::Other),
            ("text/html; charset=json", JsonContent::Other),
            ("application/octet-stream", JsonContent::Vague),
            ("binary/octet-stream", JsonContent::Vague),
            ("application/cbor-seq", JsonContent::Other),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, line.parse().unwrap());
            assert_eq!(JsonContent::of(&headers), expected, "{line}");
            headers.append(CONTENT_TYPE, "text/plain".parse().unwrap());
            assert_eq!(JsonContent::of(&headers), JsonContent::Sequence, "{line}, twice");
        }
        assert_eq!(JsonContent::of(&HeaderMap::new()), JsonContent::Document);
    }

    #[test]
    fn identity_is_no_coding() {
        for (line, expected) in [
            ("gzip", true),
            ("identity", false),
            ("Identity, br", true),
            ("", false),
            (" , ", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, line.parse().unwrap());
            assert_eq!(is_encoded(&headers), expected, "{line}");
        }
        assert!(!is_encoded(&HeaderMap::new()));
    }
}
