//! The ids of requests: made for each request, and written into each response.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, Response};

use crate::error::ConfigError;
use crate::profile::RequestIdHeader;
use crate::request::{RequestId, field_name, is_plain_in_ids};

/// The field that errors name.
const FIELD: &str = "the profile's field `request_id`";

/// The most bytes of a prefix.
const LONGEST_PREFIX: usize = 64;

/// The request ids of a profile.
#[derive(Debug)]
pub(crate) struct RequestIds {
    name: HeaderName,
    pub(super) prefix: Box<str>,
    pub(super) is_uuid: bool,
    /// Stands in for random bytes, should the system have none.
    counter: AtomicU64,
}

impl RequestIds {
    /// Checks the header. `taken` returns the problem of a name that HTTP, the gate or another part of the profile
    /// uses.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`] for a name or a prefix that is not valid, and for a name with another purpose.
    pub(super) fn new(
        header: RequestIdHeader<'_>,
        taken: impl Fn(&HeaderName) -> Option<&'static str>,
    ) -> Result<Self, ConfigError> {
        let RequestIdHeader { name, prefix, is_uuid } = header;
        let refused = |value: &str, problem| {
            Err(ConfigError::Header { what: FIELD, value: value.to_owned(), problem })
        };
        let checked = field_name(FIELD, name)?;
        if let Some(problem) = taken(&checked) {
            return refused(name, problem);
        }
        if prefix.len() > LONGEST_PREFIX || !prefix.bytes().all(is_plain_in_ids) {
            let problem =
                "it is no prefix of an id: write at most 64 letters, digits and `-._~+/=:`";
            return refused(prefix, problem);
        }
        Ok(Self { name: checked, prefix: prefix.into(), is_uuid, counter: AtomicU64::new(0) })
    }

    /// Returns the name of the header.
    pub(crate) const fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Makes an id. Returns `None` never, because prefix and digits are an id.
    pub(crate) fn make(&self) -> Option<RequestId> {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            let number = self.counter.fetch_add(1, Ordering::Relaxed);
            bytes = u128::from(number).to_be_bytes();
        }
        let number = u128::from_be_bytes(bytes);
        let mut text = String::with_capacity(self.prefix.len() + 36);
        text.push_str(&self.prefix);
        // Writing to a string never fails.
        if self.is_uuid {
            // Version 4 and variant 10 (RFC 9562 §5.4).
            let number = number & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
            let digits = format!("{number:032x}");
            let mut from = 0;
            for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "-" });
                text.push_str(digits.get(from..from + length).unwrap_or_default());
                from += length;
            }
        } else {
            let _ = write!(text, "{number:032x}");
        }
        RequestId::new(&text)
    }

    /// Writes the id into a response. Replaces what the service wrote under the name.
    pub(crate) fn write<B>(&self, response: &mut Response<B>, id: &RequestId) {
        self.write_header(response.headers_mut(), id);
        response.extensions_mut().insert(id.clone());
    }

    /// Writes the id into the headers of a request or a response.
    pub(crate) fn write_header(&self, headers: &mut HeaderMap, id: &RequestId) {
        headers.insert(self.name.clone(), id.value().clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_and_of_their_form() {
        let make = |header| {
            let ids = RequestIds::new(header, |_| None).unwrap();
            (0..100).map(|_| ids.make().unwrap().as_str().to_owned()).collect::<Vec<_>>()
        };
        let header = RequestIdHeader::new("x-request-id");
        let mut all = make(header.prefix("req_"));
        assert!(all.iter().all(|id| id.len() == 36 && id.starts_with("req_")), "{all:?}");
        all.extend(make(header.uuid()));
        for id in all.iter().skip(100) {
            let parts: Vec<&str> = id.split('-').collect();
            let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(
                parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']),
                "{id}"
            );
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 200);
    }
}
