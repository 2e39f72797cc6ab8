//! The headers of responses.

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value, json};

use super::rendered::RenderedRefusal;
use crate::response::Renderer;

/// Describes the headers of refusals with one status. A header is required if each of them always has it.
pub(super) fn of_refusals(rows: &[RenderedRefusal], renderer: &Renderer) -> Map<String, Value> {
    let mut all = HeaderMap::new();
    for row in rows {
        for name in row.headers.keys() {
            if all.contains_key(name) {
                continue;
            }
            all.extend(row.headers.get_all(name).iter().map(|value| (name.clone(), value.clone())));
        }
    }
    let is_required = |name: &HeaderName| {
        let mut rows = rows.iter();
        rows.all(|row| row.headers.contains_key(name) && row.fewest_headers.contains_key(name))
    };
    described(&all, is_required, renderer)
}

/// Describes headers, apart from those that describe the content.
pub(super) fn described(
    headers: &HeaderMap,
    is_required: impl Fn(&HeaderName) -> bool,
    renderer: &Renderer,
) -> Map<String, Value> {
    let own = |name: &&HeaderName| **name != CONTENT_TYPE && **name != CONTENT_LENGTH;
    let described = headers.keys().filter(own).map(|name| {
        let (value, is_limit) = (combined(headers, name), renderer.is_limit_header(name));
        let (kind, example) = typed(&value, is_limit || *name == RETRY_AFTER);
        let header = json!({
            "description": description(name, is_limit),
            "required": is_required(name),
            "schema": { "type": kind },
            "example": example,
        });
        (name.as_str().to_owned(), header)
    });
    described.collect()
}

/// Returns the type of a header's value, and the value. Only headers of the gate's own numbers are numbers.
fn typed(value: &str, is_number: bool) -> (&'static str, Value) {
    if is_number && let Ok(whole) = value.parse::<u64>() {
        return ("integer", whole.into());
    }
    let number = value.parse::<f64>().ok().filter(|_| is_number);
    match number.and_then(serde_json::Number::from_f64) {
        Some(number) => ("number", number.into()),
        None => ("string", value.into()),
    }
}

fn description(name: &HeaderName, is_limit: bool) -> &'static str {
    match *name {
        WWW_AUTHENTICATE => "The challenges that a client can answer with a credential.",
        RETRY_AFTER => "The seconds until a retry can succeed.",
        CACHE_CONTROL => "Keeps the answer out of caches.",
        VARY => "The headers that can carry a credential.",
        _ if is_limit => "What the limits of requests leave.",
        _ => "Set by the gate.",
    }
}

/// Returns all lines of a header as one value (RFC 9110 §5.3).
fn combined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.collect::<Vec<_>>().join(", ")
}
