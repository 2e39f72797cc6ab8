//! What answers can have, for a document that describes the gate.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::body::PreparedBody;
use super::by_path::TableIndex;
use super::principal::Value;
use super::renderer::Renderer;
use crate::error::Denial;
use crate::request::RequestId;

/// The digits of an id in examples.
const DIGITS: &str = "0123456789abcdef0123456789abcdef";
/// A random UUID in examples.
const UUID: &str = "01234567-89ab-4def-8123-456789abcdef";

impl Renderer {
    /// Returns true if a function makes the body of the answer to a denial, so that it can be anything.
    pub(crate) fn makes_body(&self, table: TableIndex, denial: &Denial) -> bool {
        let mut answers = self.answers.get(table).row(denial).answers();
        self.body.is_some() || answers.any(|answer| matches!(answer.body, PreparedBody::Custom(_)))
    }

    /// Returns true if this is the name of a limit header.
    pub(crate) fn is_limit_header(&self, name: &HeaderName) -> bool {
        self.limit_headers.has(name)
    }

    /// Returns an id as the profile makes them, which is the same each time.
    pub(crate) fn sample_request_id(&self) -> Option<RequestId> {
        let ids = self.request_ids.as_ref()?;
        RequestId::new(&format!("{}{}", ids.prefix, if ids.is_uuid { UUID } else { DIGITS }))
    }

    /// Replaces the ids among the principal headers, which are other ones for each request, by one that is always the
    /// same.
    pub(crate) fn steady_ids(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.principal.headers {
            if let (Value::RequestId(prefix), Some(header)) = (value, headers.get_mut(name))
                && let Ok(sample) = HeaderValue::try_from(format!("{prefix}{DIGITS}"))
            {
                *header = sample;
            }
        }
    }

    /// Lists the names of the metadata that the principal headers show.
    pub(crate) fn metadata_names(&self) -> impl Iterator<Item = &str> {
        self.principal.headers.iter().filter_map(|(_, value)| match value {
            Value::Metadata(name) => Some(&**name),
            _ => None,
        })
    }
}
