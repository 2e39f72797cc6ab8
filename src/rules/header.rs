//! The rule that a request has the headers that the vendor requires.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};

use crate::clock::is_leap_year;
use crate::error::{ConfigError, Denial, HeaderProblem};
use crate::key::AccountId;
use crate::profile::{Expected, RequiredHeader};
use crate::request::{field_name, is_grpc_type};

/// A required header whose name was checked.
#[derive(Debug, Clone)]
pub(crate) struct Demand {
    pub(super) name: HeaderName,
    pub(super) expected: Accepted,
    /// Whether a request without the header passes.
    pub(super) may_be_absent: bool,
}

impl Demand {
    /// Returns the name of the header.
    pub(crate) const fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Returns true if every request must have the header.
    #[cfg(feature = "openapi")]
    pub(crate) const fn is_required(&self) -> bool {
        !self.may_be_absent
    }

    pub(super) fn new(header: &RequiredHeader<'_>) -> Result<Self, ConfigError> {
        let what = "the profile's field `required_headers`, the header";
        let mut expected = header.expected;
        let mut may_be_absent = false;
        while let Expected::AbsentOr(value) = expected {
            (expected, may_be_absent) = (*value, true);
        }
        Ok(Self { name: field_name(what, header.name)?, expected: expected.into(), may_be_absent })
    }

    /// Returns true for a rule about `Content-Type` that names no media type of gRPC.
    pub(crate) fn spares_grpc(&self) -> bool {
        let names_grpc = match &self.expected {
            Accepted::Present => true,
            Accepted::OneOf(values) => values.iter().any(|value| is_grpc_type(value.as_bytes())),
            Accepted::MediaType(media_type) => is_grpc_type(media_type.as_bytes()),
            Accepted::Date | Accepted::OwnAccount => false,
        };
        self.name == CONTENT_TYPE && !names_grpc
    }

    /// Refuses a request without a header that must be present, with two of them, or with a value that is not accepted.
    /// `account` is the key's.
    pub(crate) fn is_met(&self, headers: &HeaderMap, account: &AccountId) -> Result<(), Denial> {
        let mut lines = headers.get_all(&self.name).iter();
        let problem = match (lines.next(), lines.next()) {
            (None, _) if self.may_be_absent => return Ok(()),
            (None, _) => HeaderProblem::Missing,
            (Some(_), Some(_)) => HeaderProblem::Repeated,
            (Some(value), None) => match value.as_bytes().trim_ascii() {
                b"" if self.may_be_absent => return Ok(()),
                b"" => HeaderProblem::Missing,
                value if self.expected == Accepted::OwnAccount => {
                    let is_own = value == account.as_str().as_bytes();
                    return if is_own { Ok(()) } else { Err(Denial::AccountMismatch) };
                }
                value if self.expected.accepts(value) => return Ok(()),
                _ => HeaderProblem::NotAcceptable,
            },
        };
        Err(Denial::HeaderRefused { header: self.name.clone(), problem })
    }
}

/// The values that are accepted, which own what [`Expected`] borrows. Errors print the variants, so
/// they have the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepted {
    Present,
    OneOf(Box<[Box<str>]>),
    MediaType(Box<str>),
    Date,
    OwnAccount,
}

impl From<Expected<'_>> for Accepted {
    fn from(expected: Expected<'_>) -> Self {
        match expected {
            Expected::Present => Self::Present,
            Expected::OneOf(values) => Self::OneOf(values.iter().copied().map(Box::from).collect()),
            Expected::MediaType(media_type) => Self::MediaType(media_type.into()),
            Expected::Date => Self::Date,
            Expected::OwnAccount => Self::OwnAccount,
            Expected::AbsentOr(value) => Self::from(*value),
        }
    }
}

impl Accepted {
    /// Returns true if a value is accepted. Any may be an account's id.
    pub(super) fn accepts(&self, value: &[u8]) -> bool {
        match self {
            Self::Present | Self::OwnAccount => true,
            Self::OneOf(values) => values.iter().any(|one| one.as_bytes() == value),
            Self::MediaType(media_type) => {
                let essence = value.split(|&byte| byte == b';').next().unwrap_or_default();
                essence.trim_ascii_end().eq_ignore_ascii_case(media_type.as_bytes())
            }
            Self::Date => is_date(value),
        }
    }
}

/// Returns true for a date `YYYY-MM-DD` of the Gregorian calendar (RFC 3339 §5.6).
fn is_date(value: &[u8]) -> bool {
    let number = |digits: &[u8]| -> Option<u32> {
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')))
    };
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = value else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) =
        (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2]))
    else {
        return false;
    };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year.into()) => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> AccountId {
        AccountId::new("acme").unwrap()
    }

    #[test]
    fn a_header_may_name_the_own_account_only() {
        let header = RequiredHeader {
            name: "x-organization",
            expected: Expected::AbsentOr(&Expected::OwnAccount),
        };
        let demand = Demand::new(&header).unwrap();
        for (values, expected) in [
            (&[][..], Ok(())),
            (&["acme"], Ok(())),
            (&[" acme "], Ok(())),
            (&["Acme"], Err(Denial::AccountMismatch)),
            (&["other"], Err(Denial::AccountMismatch)),
            (&[""], Ok(())),
            (
                &["acme", "acme"],
                Err(Denial::HeaderRefused {
                    header: HeaderName::from_static("x-organization"),
                    problem: HeaderProblem::Repeated,
                }),
            ),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-organization", value.parse().unwrap());
            }
            assert_eq!(demand.is_met(&headers, &acme()), expected, "{values:?}");
        }
    }

    #[test]
    fn values_are_accepted_as_expected() {
        use Expected::{Date, MediaType, OneOf, Present};
        let json = MediaType("application/json");
        for (expected, value, passes) in [
            (Present, "x", true),
            (Present, "  ", false),
            (OneOf(&["a", "b"]), "b", true),
            (OneOf(&["a", "b"]), "B", false),
            (json, "application/json", true),
            (json, "Application/JSON; charset=utf-8", true),
            (json, "application/json ;charset=utf-8", true),
            (json, "application/jsonp", false),
            (json, "text/plain; application/json", false),
            (Date, "2024-02-08", true),
            (Date, " 2024-02-29 ", true),
            (Date, "2023-02-28", true),
            (Date, "2023-02-29", false),
            (Date, "1900-02-29", false),
            (Date, "2000-02-29", true),
            (Date, "2024-04-31", false),
            (Date, "2024-13-01", false),
            (Date, "2024-00-01", false),
            (Date, "2024-01-00", false),
            (Date, "2024-1-01", false),
            (Date, "latest", false),
        ] {
            let demand = Demand::new(&RequiredHeader { name: "x-demanded", expected }).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert("x-demanded", value.parse().unwrap());
            assert_eq!(demand.is_met(&headers, &acme()).is_ok(), passes, "{expected:?} {value:?}");
        }
    }

    #[test]
    fn an_optional_header_is_absent_empty_or_has_an_accepted_value() {
        let version = Expected::AbsentOr(&Expected::OneOf(&["1", "2"]));
        let demand =
            Demand::new(&RequiredHeader { name: "x-demanded", expected: version }).unwrap();
        for (values, passes) in [
            (&[][..], true),
            (&[""], true),
            (&["2"], true),
            (&["3"], false),
            (&["1", "2"], false),
            (&["1", ""], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-demanded", value.parse().unwrap());
            }
            assert_eq!(demand.is_met(&headers, &acme()).is_ok(), passes, "{values:?}");
        }
    }

    #[test]
    fn absent_and_repeated_headers_have_their_own_problems() {
        let demand =
            Demand::new(&RequiredHeader { name: "x-demanded", expected: Expected::Present });
        let demand = demand.unwrap();
        let problem = |headers: &HeaderMap| match demand.is_met(headers, &acme()) {
            Err(Denial::HeaderRefused { problem, .. }) => problem,
            other => panic!("{other:?}"),
        };
        let mut headers = HeaderMap::new();
        assert_eq!(problem(&headers), HeaderProblem::Missing);
        headers.append("x-demanded", "a".parse().unwrap());
        headers.append("x-demanded", "a".parse().unwrap());
        assert_eq!(problem(&headers), HeaderProblem::Repeated);
    }
}
