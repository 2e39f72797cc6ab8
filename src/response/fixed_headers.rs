//! Response headers with fixed values, on every response.

use http::header::CONTENT_LANGUAGE;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ConfigError;
use crate::profile::ResponseHeader;
use crate::request::field_name;

/// The fields that errors name.
const NAME: &str = "the profile's field `response_headers`, the name";
const VALUE: &str = "the profile's field `response_headers`, the value of";

/// The headers of a profile that have fixed values, checked.
#[derive(Debug)]
pub(super) struct FixedHeaders(Vec<(HeaderName, HeaderValue)>);

impl FixedHeaders {
    /// Checks the headers of a profile. `taken` returns the problem of a name that HTTP, the gate
    /// or another part of the profile uses.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`] for a name or value that is not valid, is used twice, or has another purpose.
    pub(super) fn new(
        headers: &[ResponseHeader<'_>],
        taken: impl Fn(&HeaderName) -> Option<&'static str>,
    ) -> Result<Self, ConfigError> {
        let mut checked: Vec<(HeaderName, HeaderValue)> = Vec::new();
        for header in headers {
            let name = field_name(NAME, header.name)?;
            let value = name.as_str().to_owned();
            let refused = |problem| Err(ConfigError::Header { what: NAME, value, problem });
            // The only such header that a row of an answer may have.
            if name == CONTENT_LANGUAGE {
                return refused("this header describes one response: let the service write it");
            }
            if let Some(problem) = taken(&name) {
                return refused(problem);
            }
            if checked.iter().any(|(other, _)| *other == name) {
                return refused("the name is listed twice: keep one of the two");
            }
            checked.push((name, value_of(header)?));
        }
        Ok(Self(checked))
    }

    /// Returns true if the profile has no such headers.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds each header that is absent.
    pub(super) fn add(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Returns the value of a header.
///
/// # Errors
///
/// [`ConfigError::Header`] for an empty value, and for characters that not all recipients read alike (RFC 9110 §5.5).
fn value_of(header: &ResponseHeader<'_>) -> Result<HeaderValue, ConfigError> {
    let text = header.value;
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let value = HeaderValue::from_str(text).ok();
    value.filter(|_| is_visible && !text.is_empty() && text.trim() == text).ok_or_else(|| {
        ConfigError::Header {
            what: VALUE,
            value: format!("{}: {text}", header.name),
            problem: "it does not fit into a header: write visible ASCII, with blanks inside only",
        }
    })
}
