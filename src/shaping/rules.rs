//! What the layer does with which request.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, Request};

use super::blocklist::{Blocklist, InvalidBlocklist};
use super::failure::ShapingFailure;
use super::inflection::Inflection;
use super::shape::Shape;
use crate::decision::Grant;
use crate::error::{Denial, HeaderProblem};

/// What happens to a response that cannot be shaped.
///
/// There is no default, because both choices have a price. Where a blocklist is in force, the layer refuses in any
/// case: a body that it cannot read could hold a blocked attribute.
///
/// ```
/// use tower_api_key::shaping::{Inflection, OnUnshaped, ShapingLayer};
///
/// // A larger body keeps the names that the service wrote.
/// let layer = ShapingLayer::builder(64 * 1024, OnUnshaped::Pass).inflection(Inflection::Camel).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnshaped {
    /// Answers with the vendor's internal error. The service has done its work by then.
    Refuse,
    /// Passes the response on as the service wrote it, if no blocklist is in force. Refuses it otherwise.
    Pass,
}

/// The function that returns the shape for a key.
pub(super) type ShapeOf = dyn Fn(&Grant) -> Result<Shape, InvalidBlocklist> + Send + Sync;

/// The function that is called for each response that could not be shaped.
pub(super) type OnFailure = dyn Fn(&ShapingFailure) + Send + Sync;

/// What the layer does with which request.
pub(super) struct ShapingRules {
    pub(super) max_bytes: usize,
    pub(super) on_unshaped: OnUnshaped,
    /// The shape of all responses.
    pub(super) common: Shape,
    pub(super) inflection_metadata: Option<String>,
    pub(super) blocklist_metadata: Option<String>,
    pub(super) shape_of: Option<Arc<ShapeOf>>,
    pub(super) inflection_header: Option<HeaderName>,
    pub(super) anonymous: Option<Shape>,
    pub(super) on_failure: Option<Arc<OnFailure>>,
}

impl ShapingRules {
    /// Returns true if the shape can depend on the key.
    pub(super) const fn depend_on_key(&self) -> bool {
        self.inflection_metadata.is_some()
            || self.blocklist_metadata.is_some()
            || self.shape_of.is_some()
    }

    /// Returns true if some request can have a blocklist.
    pub(super) fn can_block(&self) -> bool {
        let blocks = |shape: &Shape| !shape.blocklist().is_empty();
        self.blocklist_metadata.is_some()
            || self.shape_of.is_some()
            || blocks(&self.common)
            || self.anonymous.as_ref().is_some_and(blocks)
    }

    /// Chooses the shape of the response to a request.
    pub(super) fn shape<B>(&self, request: &Request<B>) -> Result<Shape, Denial> {
        let own = self.own(request.extensions().get::<Grant>()).map_err(|failure| {
            self.report(&failure);
            Denial::InternalError
        })?;
        let asked = self.asked(request.headers())?;
        let inflection = asked.or(own.inflection()).or(self.common.inflection());
        Ok(Shape::of(inflection, self.common.blocklist().and(own.blocklist())))
    }

    /// Reports a failure to the operator.
    pub(super) fn report(&self, failure: &ShapingFailure) {
        if let Some(on_failure) = &self.on_failure {
            on_failure(failure);
        }
    }

    /// Returns the shape of a key, or of requests without one.
    fn own(&self, grant: Option<&Grant>) -> Result<Shape, ShapingFailure> {
        let Some(grant) = grant else {
            let anonymous = self.anonymous.clone();
            let needed = anonymous.or_else(|| (!self.depend_on_key()).then(Shape::default));
            return needed.ok_or(ShapingFailure::NoGrant);
        };
        let invalid =
            |problem: String| ShapingFailure::KeySettings { key: grant.key_id().clone(), problem };
        if let Some(shape_of) = &self.shape_of {
            return shape_of(grant).map_err(|error| invalid(error.to_string()));
        }
        let text = |entry: &Option<String>| grant.record().metadata(entry.as_deref()?);
        let inflection = text(&self.inflection_metadata).map(str::parse::<Inflection>).transpose();
        let inflection = inflection.map_err(|error| invalid(error.to_string()))?;
        let blocklist = text(&self.blocklist_metadata).map(str::parse::<Blocklist>).transpose();
        let blocklist = blocklist.map_err(|error| invalid(error.to_string()))?;
        Ok(Shape::of(inflection, blocklist.unwrap_or_default()))
    }

    /// Returns the case that the request asks for.
    fn asked(&self, headers: &HeaderMap) -> Result<Option<Inflection>, Denial> {
        let Some(header) = &self.inflection_header else { return Ok(None) };
        let refused = |problem| Denial::HeaderRefused { header: header.clone(), problem };
        let mut lines = headers.get_all(header).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Ok(None),
            (Some(line), None) => {
                let inflection = line.to_str().ok().and_then(|name| name.parse().ok());
                inflection.map(Some).ok_or_else(|| refused(HeaderProblem::NotAcceptable))
            }
            (Some(_), Some(_)) => Err(refused(HeaderProblem::Repeated)),
        }
    }
}

impl fmt::Debug for ShapingRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ShapingRules")
            .field("max_bytes", &self.max_bytes)
            .field("on_unshaped", &self.on_unshaped)
            .field("common", &self.common)
            .finish_non_exhaustive()
    }
}
