//! Checks required headers: each alone, against each other, and against the credential.

use http::{HeaderName, HeaderValue};

use super::header::{Accepted, Demand};
use crate::error::ConfigError;
use crate::profile::RequiredHeader;
use crate::request::Credentials;

/// Checks the required headers of a profile. A request must be able to have them all, besides its
/// credential.
pub(crate) fn demands(
    headers: &[RequiredHeader<'_>],
    credentials: &Credentials,
) -> Result<Vec<Demand>, ConfigError> {
    let mut demands: Vec<Demand> = Vec::new();
    for header in headers {
        let demand = Demand::new(header)?;
        check_value(&demand)?;
        check_credential(&demand, credentials)?;
        demands.push(demand);
        if let Some(last) = demands.last() {
            check_together(&last.name, &demands)?;
        }
    }
    Ok(demands)
}

/// Refuses values that no header can have.
fn check_value(demand: &Demand) -> Result<(), ConfigError> {
    match &demand.expected {
        Accepted::OneOf(values) if values.is_empty() => Err(refused(
            &demand.name,
            "`OneOf` lists no value, so no request can pass: list a value, or write `Present`",
        )),
        Accepted::OneOf(values) => {
            let problem = values.iter().find_map(|value| Some((value, problem_of(value)?)));
            problem.map_or(Ok(()), |(value, problem)| {
                let value = value.escape_debug();
                Err(refused(&demand.name, &format!("the value `{value}` of `OneOf` {problem}")))
            })
        }
        Accepted::MediaType(media_type) if !is_media_type(media_type) => {
            let written = media_type.escape_debug();
            Err(refused(
                &demand.name,
                &format!(
                    "`{written}` is not a media type: write one type/subtype, without parameters such as `charset`"
                ),
            ))
        }
        Accepted::MediaType(_) | Accepted::Present | Accepted::Date | Accepted::OwnAccount => {
            Ok(())
        }
    }
}

fn problem_of(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("is empty, and an empty header counts as missing: remove the value")
    } else if value.trim_ascii() != value {
        Some("has white space around it, which values are compared without: remove the white space")
    } else if HeaderValue::from_bytes(value.as_bytes()).is_err() {
        Some("has a control character, which HTTP does not allow in a header: remove it")
    } else {
        None
    }
}

/// Returns true for `type/subtype` (RFC 9110 §8.3.1), but not for a range such as `text/*`.
fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        // A header name has the grammar of a token, too.
        HeaderName::from_bytes(part.as_bytes()).is_ok() && !part.contains('*')
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Refuses a demand on a header that carries the credential. `Present` is allowed if there is only one
/// source. With several sources, a request uses one of them, so such a demand would refuse all others.
fn check_credential(demand: &Demand, credentials: &Credentials) -> Result<(), ConfigError> {
    let carries_keys = credentials.are_carried_in(&demand.name);
    let is_alone = credentials.are_in_one_header();
    if carries_keys && !(is_alone && demand.expected == Accepted::Present) {
        let problem =
            "this header carries the credential, so it cannot be required as well: remove it";
        return Err(refused(&demand.name, problem));
    }
    Ok(())
}

/// Refuses demands on one header that no value meets together.
fn check_together(name: &HeaderName, demands: &[Demand]) -> Result<(), ConfigError> {
    let of_this = || {
        let same = demands.iter().filter(|demand| demand.name == *name);
        same.map(|demand| &demand.expected)
    };
    let listed = of_this().find_map(|expected| match expected {
        Accepted::OneOf(values) => Some(values),
        _ => None,
    });
    let can_be_met = if let Some(values) = listed {
        let mut values = values.iter().map(|value| value.as_bytes());
        values.any(|value| of_this().all(|expected| expected.accepts(value)))
    } else {
        let mut kinds = of_this().filter_map(|expected| match expected {
            Accepted::MediaType(media_type) => Some(media_type.to_ascii_lowercase()),
            // A date is no media type, so it differs from all of them.
            Accepted::Date => Some(String::new()),
            Accepted::OneOf(_) | Accepted::Present | Accepted::OwnAccount => None,
        });
        let first = kinds.next();
        kinds.all(|kind| Some(kind) == first)
    };
    if can_be_met {
        return Ok(());
    }
    let all = of_this().map(|expected| format!("{expected:?}")).collect::<Vec<_>>().join(" and ");
    Err(refused(name, &format!("no value can be {all}: require what one value can meet")))
}

fn refused(name: &HeaderName, problem: &str) -> ConfigError {
    ConfigError::RequiredHeader { name: name.to_string(), problem: problem.to_owned() }
}
