//! Challenges that a profile or an answer lists itself.

use http::HeaderValue;

use super::uri_reference::is_uri_reference;
use crate::error::ConfigError;
use crate::key::is_scope_token;
use crate::profile::{Answer, Profile, SchemeChallenge};
use crate::request::is_token;

/// Renders one field line. `realm` is escaped already. `error` goes into the challenges with the scheme `Bearer`.
///
/// # Errors
///
/// [`ConfigError::Answer`] for a scheme or a parameter that is not valid.
pub(super) fn line(
    answer: &'static str,
    challenge: &SchemeChallenge<'_>,
    realm: &str,
    error: Option<&str>,
) -> Result<HeaderValue, ConfigError> {
    let SchemeChallenge { scheme, has_realm, parameters } = *challenge;
    let of_scheme = |problem| refused(answer, scheme, problem);
    if !is_token(scheme.as_bytes()) {
        return Err(of_scheme("it is no name of a scheme: write a token, as `Bearer`"));
    }
    let error = error.filter(|_| is_bearer(scheme));
    let mut written = Vec::new();
    if has_realm {
        written.push(format!(r#"realm="{realm}""#));
    }
    written.extend(error.map(|error| format!(r#"error="{error}""#)));
    for (index, (name, value)) in parameters.iter().enumerate() {
        let mut before = parameters.iter().take(index);
        let is_repeated = before.any(|(other, _)| other.eq_ignore_ascii_case(name));
        let repeated = is_repeated.then_some("it is listed twice: keep one of the two");
        if let Some(problem) = problem_of(name, value, error.is_some()).or(repeated) {
            return Err(refused(answer, &format!("{scheme} {name}"), problem));
        }
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        written.push(format!(r#"{name}="{value}""#));
    }
    let separator = if written.is_empty() { "" } else { " " };
    HeaderValue::try_from(format!("{scheme}{separator}{}", written.join(", ")))
        .map_err(|_| of_scheme("it does not fit into a header: write visible ASCII"))
}

/// Makes the error for a challenge that is listed twice.
pub(super) fn repeated(answer: &'static str, challenge: &SchemeChallenge<'_>) -> ConfigError {
    refused(answer, challenge.scheme, "it is listed twice: keep one of the two")
}

fn refused(answer: &'static str, challenge: &str, problem: &str) -> ConfigError {
    let part = format!("challenge `{}`", challenge.escape_debug());
    ConfigError::Answer { answer, part, problem: problem.to_owned() }
}

/// Returns true for the scheme whose challenges have an `error` (RFC 6750 §3).
pub(super) fn is_bearer(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("Bearer")
}

/// Returns true if a challenge of the answer names scopes itself.
pub(super) fn name_scopes(profile: &Profile<'_>, answer: &Answer<'_>) -> bool {
    let listed = if answer.challenges.is_empty() { profile.challenges } else { answer.challenges };
    let mut parameters = listed.iter().flat_map(|challenge| challenge.parameters);
    parameters.any(|(name, _)| name.eq_ignore_ascii_case("scope"))
}

/// Returns the problem of a parameter, and its remedy.
fn problem_of(name: &str, value: &str, has_error: bool) -> Option<&'static str> {
    if !is_token(name.as_bytes()) {
        return Some("the name of the parameter is no token: write letters, digits, `-` and `_`");
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Some("the value does not fit into a header: write visible ASCII and blanks");
    }
    // RFC 6750 §3 leaves out the characters that a quoted string would escape.
    let needs_escapes = value.contains(['"', '\\']);
    match &*name.to_ascii_lowercase() {
        "realm" => Some("set the profile's field `realm`, which every challenge has"),
        "error" if has_error => {
            Some("the row's `Challenge` writes it: choose `Challenge::Bare`, or leave it out")
        }
        "error" | "error_description" if value.is_empty() || needs_escapes => {
            Some("write visible ASCII and blanks without `\"` and `\\` (RFC 6750 §3)")
        }
        "error_uri" if value.is_empty() || !is_uri_reference(value) => {
            Some("it is no URI: write one as `https://example.com/errors` (RFC 6750 §3)")
        }
        "scope" if !value.split(' ').all(is_scope_token) => {
            Some("write scopes with one blank between them (RFC 6750 §3)")
        }
        "resource_metadata" if !(value.starts_with("https://") && is_uri_reference(value)) => {
            Some("it is no URL with the scheme `https` (RFC 9728 §5.1)")
        }
        _ => None,
    }
}
