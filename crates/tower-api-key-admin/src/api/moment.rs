//! Instants and whole numbers in JSON.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Number;
use tower_api_key::clock::Timestamp;

/// An instant as RFC 3339 writes it: `2027-01-31T12:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Timestamp);

const EXPECTED: &str = "must be an instant of the years 1970 to 2261 as RFC 3339 writes it, such as 2027-01-31T12:00:00Z";

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader)?;
        // The parser's own error would quote the text. It also reads forms that are not those of RFC 3339.
        let plain = text.len() >= 20
            && text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
        let plain = plain && !text.contains('[');
        let moment: Option<jiff::Timestamp> = text.parse().ok().filter(|_| plain);
        // Databases count nanoseconds in 64 bits with a sign.
        let nanoseconds = moment.and_then(|moment| i64::try_from(moment.as_nanosecond()).ok());
        let nanoseconds = nanoseconds.and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
        let instant = nanoseconds.map(Timestamp::from_unix_nanoseconds);
        instant.map(Self).ok_or_else(|| D::Error::custom(EXPECTED))
    }
}

/// A whole number that is not negative, for a field that may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WholeNumber(pub(super) u32);

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        whole(reader).map(Self)
    }
}

/// Reads a whole number that is not negative. JSON does not distinguish `1` from `1.0`.
pub(super) fn whole<'de, D: Deserializer<'de>>(reader: D) -> Result<u32, D::Error> {
    let number = Number::deserialize(reader)?;
    let whole = number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        let fits = float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&float);
        // The range was checked.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        fits.then_some(float as u64)
    });
    let whole = whole.and_then(|whole| u32::try_from(whole).ok());
    whole.ok_or_else(|| D::Error::custom("must be a whole number from 0 to 4294967295"))
}
