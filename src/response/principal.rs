//! Response headers about the key and its account.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::limit_headers::PreparedLimitHeaders;
use super::reserved::is_reserved_for_values;
use crate::caller::Caller;
use crate::error::ConfigError;
use crate::key::KeyRecord;
use crate::profile::{PrincipalHeader, PrincipalValue, Profile};
use crate::request::field_name;

/// The field that an error names.
const NAME: &str = "the profile's field `principal_headers`, the name";

/// The principal headers of a profile, checked.
#[derive(Debug)]
pub(super) struct PrincipalHeaders {
    pub(super) headers: Vec<(HeaderName, Value)>,
    process: u64,
    requests: AtomicU64,
}

/// The value of a header, which owns what [`PrincipalValue`] borrows.
#[derive(Debug)]
pub(super) enum Value {
    RequestId(Box<str>),
    Account,
    Environment,
    KeyId,
    Metadata(Box<str>),
    InFlight,
}

impl From<PrincipalValue<'_>> for Value {
    fn from(value: PrincipalValue<'_>) -> Self {
        match value {
            PrincipalValue::RequestId(prefix) => Self::RequestId(prefix.into()),
            PrincipalValue::Account => Self::Account,
            PrincipalValue::Environment => Self::Environment,
            PrincipalValue::KeyId => Self::KeyId,
            PrincipalValue::Metadata(name) => Self::Metadata(name.into()),
            PrincipalValue::InFlight => Self::InFlight,
        }
    }
}

impl PrincipalHeaders {
    /// Checks the headers of a profile.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`] for a name or value that is not valid, is used twice, or is the gate's, and for an id of
    /// the request beside [`Profile::request_id`].
    pub(super) fn new(
        profile: &Profile<'_>,
        limits: &PreparedLimitHeaders,
    ) -> Result<Self, ConfigError> {
        let mut checked: Vec<(HeaderName, Value)> = Vec::new();
        for header in profile.principal_headers {
            let name = check(header)?;
            let makes_ids = matches!(header.value, PrincipalValue::RequestId(_));
            if makes_ids && profile.request_id.is_some() {
                return Err(refused(
                    header,
                    "a request has one id, which the profile's field `request_id` makes: leave this header out, or set \
                     `request_id` to `None`",
                ));
            }
            if limits.has(&name) {
                return Err(refused(
                    header,
                    "the profile's `limit_headers` write this header: choose another name",
                ));
            }
            if checked.iter().any(|(other, _)| *other == name) {
                return Err(refused(header, "the name is listed twice: keep one of the two"));
            }
            checked.push((name, header.value.into()));
        }
        Ok(Self {
            headers: checked,
            // Only tells processes apart: without randomness two of them might issue the same id.
            process: getrandom::u64().unwrap_or_default(),
            requests: AtomicU64::new(0),
        })
    }

    /// Returns true if the profile has no principal headers.
    pub(super) fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// Returns true if this is the name of a principal header.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.headers.iter().any(|(own, _)| own == name)
    }

    /// Writes the headers of a key, and removes those that the service has set for an anonymous client.
    pub(super) fn mark(&self, headers: &mut HeaderMap, caller: Caller<'_>, in_flight: Option<u32>) {
        match caller {
            Caller::Key(record) => self.write(headers, record, in_flight),
            Caller::Network(_) => self.remove(headers),
        }
    }

    /// Writes the headers, and replaces those that the service has set. Removes a header for which there is
    /// no value: a client would take the service's value for the gate's.
    fn write(&self, headers: &mut HeaderMap, record: &KeyRecord, in_flight: Option<u32>) {
        for (name, chosen) in &self.headers {
            let value = match chosen {
                Value::RequestId(prefix) => self.request_id(prefix),
                Value::Account => value(record.account().id().as_str()),
                Value::Environment => record.environment().and_then(|name| value(name.as_str())),
                Value::KeyId => value(record.id().as_str()),
                Value::Metadata(name) => record.metadata(name).and_then(value),
                Value::InFlight => in_flight.map(HeaderValue::from),
            };
            if let Some(value) = value {
                headers.insert(name.clone(), value);
            } else {
                headers.remove(name);
            }
        }
    }

    /// Removes the headers that the service has set.
    pub(super) fn remove(&self, headers: &mut HeaderMap) {
        for (name, _) in &self.headers {
            headers.remove(name);
        }
    }

    fn request_id(&self, prefix: &str) -> Option<HeaderValue> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        // SplitMix64's finalizer is a bijection: ids stay unique. It hides nothing, because it can be undone.
        let mut mixed = (number ^ self.process).wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        value(&format!("{prefix}{:016x}{mixed:016x}", self.process))
    }
}

/// Returns the name of a header.
///
/// # Errors
///
/// [`ConfigError::Header`] if the name or the value is not valid, or the header has another purpose.
fn check(header: &PrincipalHeader<'_>) -> Result<HeaderName, ConfigError> {
    let name = field_name(NAME, header.name)?;
    if is_reserved_for_values(&name) {
        return Err(refused(
            header,
            "HTTP, gRPC or the gate itself uses this header: choose another name",
        ));
    }
    match header.value {
        PrincipalValue::RequestId(prefix) if value(prefix).is_none() => Err(ConfigError::Header {
            what: "the profile's field `principal_headers`, the prefix of a request's id",
            value: format!("{name}: {prefix}"),
            problem: "it does not fit into a header: write visible ASCII",
        }),
        PrincipalValue::Metadata("") => {
            Err(refused(header, "metadata names are never empty: name metadata of the records"))
        }
        _ => Ok(name),
    }
}

fn refused(header: &PrincipalHeader<'_>, problem: &'static str) -> ConfigError {
    ConfigError::Header { what: NAME, value: header.name.to_ascii_lowercase(), problem }
}

/// Returns a text as a header value. Returns `None` if HTTP does not allow it, or if it begins or ends with
/// blanks, which recipients remove (RFC 9110 §5.5).
fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok().filter(|_| text.trim_ascii() == text)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::profile::LimitHeaders;

    fn none() -> PrincipalHeaders {
        let limits = PreparedLimitHeaders::new(&LimitHeaders::NONE).unwrap();
        PrincipalHeaders::new(&Profile::STANDARD, &limits).unwrap()
    }

    /// The first output for seed 0, as the authors of SplitMix64 publish it.
    #[test]
    fn request_ids_are_mixed_by_the_finalizer_of_splitmix64() {
        let headers = PrincipalHeaders { process: 0, ..none() };
        let id = headers.request_id("req_").unwrap();
        assert_eq!(id, "req_0000000000000000e220a8397b1dcdaf");
    }

    #[test]
    fn request_ids_never_repeat() {
        let headers = none();
        let ids: HashSet<_> = (0..10_000).map(|_| headers.request_id("req_").unwrap()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes().starts_with(b"req_")));
    }
}
