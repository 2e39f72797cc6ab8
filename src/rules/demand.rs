//! Required headers, checked: by themselves, against each other and against the credential.

use http::{HeaderName, HeaderValue};

use super::header::{Demand, Served};
use crate::error::ConfigError;
use crate::profile::RequiredHeader;
use crate::request::Credentials;

/// Checks the required headers of a profile. Each must be one that a request can have, beside the others
/// and the credential.
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

/// Refuses values that no header has.
fn check_value(demand: &Demand) -> Result<(), ConfigError> {
    match &demand.expected {
        Served::OneOf(values) if values.is_empty() => Err(refused(
            &demand.name,
            "`OneOf` lists no value, so that none is served: list one, or write `Present`",
        )),
        Served::OneOf(values) => {
            let problem = values.iter().find_map(|value| Some((value, problem_of(value)?)));
            problem.map_or(Ok(()), |(value, problem)| {
                let value = value.escape_debug();
                Err(refused(&demand.name, &format!("the value `{value}` of `OneOf` {problem}")))
            })
        }
        Served::MediaType(media_type) if !is_media_type(media_type) => {
            let written = media_type.escape_debug();
            Err(refused(
                &demand.name,
                &format!(
                    "`{written}` is no media type: write one type/subtype, without parameters as `charset`"
                ),
            ))
        }
        Served::MediaType(_) | Served::Present | Served::Date => Ok(()),
    }
}

fn problem_of(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("is empty, which counts as missing: leave it out")
    } else if value.trim_ascii() != value {
        Some("has white space around it, which is cut off before values are compared: leave it out")
    } else if HeaderValue::from_bytes(value.as_bytes()).is_err() {
        Some("has a control character, which HTTP does not allow in a header: leave it out")
    } else {
        None
    }
}

/// Tells whether a text is `type/subtype` (RFC 9110 §8.3.1), and no range of them.
fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        // Header names are tokens, too.
        HeaderName::from_bytes(part.as_bytes()).is_ok() && !part.contains('*')
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Refuses a demand that a credential cannot meet. The one source's header is always there; of several
/// sources a request uses one, and a demand for it refuses all others.
fn check_credential(demand: &Demand, credentials: &Credentials) -> Result<(), ConfigError> {
    let carries_keys = credentials.header_names().any(|name| *name == demand.name);
    let is_alone = credentials.header_names().nth(1).is_none();
    if carries_keys && !(is_alone && demand.expected == Served::Present) {
        let problem = "this header carries the credential, of which nothing else can be demanded: leave it out";
        return Err(refused(&demand.name, problem));
    }
    Ok(())
}

/// Refuses demands of one header that no value meets.
fn check_together(name: &HeaderName, demands: &[Demand]) -> Result<(), ConfigError> {
    let of_this = || {
        let same = demands.iter().filter(|demand| demand.name == *name);
        same.map(|demand| &demand.expected)
    };
    let listed = of_this().find_map(|expected| match expected {
        Served::OneOf(values) => Some(values),
        _ => None,
    });
    let can_be_met = if let Some(values) = listed {
        let mut values = values.iter().map(|value| value.as_bytes());
        values.any(|value| of_this().all(|expected| expected.serves(value)))
    } else {
        let mut kinds = of_this().filter_map(|expected| match expected {
            Served::MediaType(media_type) => Some(media_type.to_ascii_lowercase()),
            // No media type is a date.
            Served::Date => Some(String::new()),
            Served::OneOf(_) | Served::Present => None,
        });
        let first = kinds.next();
        kinds.all(|kind| Some(kind) == first)
    };
    if can_be_met {
        return Ok(());
    }
    let all = of_this().map(|expected| format!("{expected:?}")).collect::<Vec<_>>().join(" and ");
    Err(refused(name, &format!("no value is {all}: demand what one value can be")))
}

fn refused(name: &HeaderName, problem: &str) -> ConfigError {
    ConfigError::RequiredHeader { name: name.to_string(), problem: problem.to_owned() }
}
