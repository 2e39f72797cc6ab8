//! Methods of requests, as they stand in a file.

use std::borrow::Cow;

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A method, as `GET`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::config) struct MethodText(pub(in crate::config) Method);

impl TryFrom<String> for MethodText {
    type Error = &'static str;

    /// Methods have a case (RFC 9110 §9.1), so `get` would never match.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let problem = "this is no method: write it in upper case, as `GET`";
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(problem);
        }
        Method::from_bytes(text.as_bytes()).map(Self).map_err(|_| problem)
    }
}

impl From<MethodText> for String {
    fn from(method: MethodText) -> Self {
        method.0.to_string()
    }
}

impl JsonSchema for MethodText {
    fn schema_name() -> Cow<'static, str> {
        "Method".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A method in upper case.",
            "type": "string",
            "pattern": "^[!#$%&'*+.^_`|~0-9A-Z-]+$",
            "examples": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        })
    }
}

/// Returns the methods of a list.
pub(super) fn methods(list: &[MethodText]) -> Vec<Method> {
    list.iter().map(|method| method.0.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_in_upper_case() {
        for (text, expected) in [
            ("GET", true),
            ("M-SEARCH", true),
            ("get", false),
            ("Get", false),
            ("", false),
            ("A B", false),
        ] {
            assert_eq!(MethodText::try_from(text.to_owned()).is_ok(), expected, "{text}");
        }
        let method = MethodText(Method::PATCH);
        assert_eq!(String::from(method), "PATCH");
    }
}
