//! Reads JSON and queries strictly: a field that is not known is refused with its name, and no error shows a value.

use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::object::Object;
use super::problem::Problem;

/// The most bytes of a request's body: 64 KiB.
pub(super) const MOST_BYTES: usize = 64 * 1_024;

/// Reads a body of JSON, which is an object.
pub(super) fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    if !is_json(headers) {
        let detail = "send JSON with the header Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader);
    let Object(value) = read.map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let detail = format!("{}{}", place(&path), without_value(&inner.to_string()));
        if inner.is_data() {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
        } else {
            Problem::bad_request(format!("the body is not JSON, or ends too early: {detail}"))
        }
    })?;
    reader.end().map_err(|_| Problem::bad_request("the body has something after its JSON"))?;
    Ok(value)
}

/// Reads the parameters of a query.
pub(super) fn query<T: DeserializeOwned>(query: Option<&str>) -> Result<T, Problem> {
    let query = query.unwrap_or_default();
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        let detail = without_value(&error.into_inner().to_string());
        Problem::bad_request(format!("{}{detail}", place(&path)))
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    ["application/json", "application/merge-patch+json"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
}

/// Returns the path of a field as the start of a message.
fn place(path: &str) -> String {
    let path: String = path.chars().filter(|character| !character.is_control()).take(100).collect();
    if path.is_empty() || path == "." || path == "?" { String::new() } else { format!("{path}: ") }
}

/// Removes the value from an error of serde, which may be a secret in the wrong place. Names of fields stay.
fn without_value(error: &str) -> String {
    let error = error.rsplit_once(" at line ").map_or(error, |(error, _)| error);
    for named in ["unknown field ", "missing field ", "duplicate field "] {
        if let Some(rest) = error.strip_prefix(named) {
            // A name is between backticks, and is cut if it is long.
            let name = rest.strip_prefix('`').and_then(|rest| rest.split('`').next());
            let name = name.unwrap_or_default().chars().filter(|name| !name.is_control());
            return format!("{named}`{}`", name.take(64).collect::<String>());
        }
    }
    if let Some((_, expected)) = error.rsplit_once("expected ") {
        return format!("the value must be {expected}");
    }
    // The texts of this crate, and those of parsers that quote nothing.
    let ours = error.starts_with("must be ") || error.contains("invalid digit");
    if ours { error.to_owned() } else { "the value is not valid".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Example {
        number: u32,
        list: Option<Vec<u32>>,
    }

    #[test]
    fn an_error_names_the_field_and_no_value() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        for (body, expected) in [
            (r#"{"number":"sk_secret"}"#, "number: the value must be u32"),
            (r#"{"number":1,"list":[2,"sk_secret"]}"#, "list[1]: the value must be u32"),
            (r#"{"number":1,"more":2}"#, "more: unknown field `more`"),
            (r#"{"number":1,"number":2}"#, "duplicate field `number`"),
            ("{}", "missing field `number`"),
        ] {
            let problem = format!("{:?}", json::<Example>(&headers, body.as_bytes()).unwrap_err());
            assert!(problem.contains(&format!("{expected:?}")), "{body}: {problem}");
            assert!(problem.contains("422"), "{problem}");
        }
        for body in ["", "{", "{\"number\":1}x", "\u{1}", "[[[["] {
            let problem = format!("{:?}", json::<Example>(&headers, body.as_bytes()).unwrap_err());
            assert!(problem.contains("400") || body.starts_with('['), "{body}: {problem}");
        }
        let problem = json::<Example>(&HeaderMap::new(), b"{}").unwrap_err();
        assert!(format!("{problem:?}").contains("415"));
    }
}
