//! The configuration of a layer, and its contradictions.

use std::fmt;
use std::sync::Arc;

use super::blocklist::{Blocklist, InvalidBlocklist};
use super::failure::ShapingFailure;
use super::inflection::Inflection;
use super::layer::ShapingLayer;
use super::rules::{OnFailure, OnUnshaped, ShapeOf, ShapingRules};
use super::shape::Shape;
use crate::decision::Grant;
use crate::error::ConfigError;
use crate::request::field_name;

/// The configuration of a [`ShapingLayer`].
///
/// A request's own choice of a case counts before the key's, and the key's before the layer's. All blocklists count.
///
/// ```
/// use tower_api_key::shaping::{OnUnshaped, Shape, ShapingLayer};
///
/// let layer = ShapingLayer::builder(1024 * 1024, OnUnshaped::Refuse)
///     .blocklist(["internal-notes"])
///     .shape_by(|grant| {
///         let blocked = if grant.has_scope("pii.read") { "" } else { "birthdate, $.data.name" };
///         Ok(Shape::new().with_blocklist(blocked.parse()?))
///     })
///     .on_failure(|failure| eprintln!("a response was not shaped: {failure}"))
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub struct ShapingLayerBuilder {
    max_bytes: usize,
    on_unshaped: OnUnshaped,
    inflection: Option<Inflection>,
    blocklist: Option<Result<Blocklist, InvalidBlocklist>>,
    inflection_metadata: Option<String>,
    blocklist_metadata: Option<String>,
    shape_of: Option<Arc<ShapeOf>>,
    inflection_header: Option<String>,
    anonymous: Option<Shape>,
    on_failure: Option<Arc<OnFailure>>,
}

impl ShapingLayerBuilder {
    pub(super) const fn new(max_bytes: usize, on_unshaped: OnUnshaped) -> Self {
        Self {
            max_bytes,
            on_unshaped,
            inflection: None,
            blocklist: None,
            inflection_metadata: None,
            blocklist_metadata: None,
            shape_of: None,
            inflection_header: None,
            anonymous: None,
            on_failure: None,
        }
    }

    /// Sets the case of names where neither the request nor its key chooses one.
    pub fn inflection(self, inflection: Inflection) -> Self {
        Self { inflection: Some(inflection), ..self }
    }

    /// Sets attributes that are removed for all keys. [`Blocklist`] says how paths are written.
    pub fn blocklist(self, paths: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self { blocklist: Some(Blocklist::new(paths)), ..self }
    }

    /// Reads a key's case from this entry of its record's metadata: `camel`, `kebab` or `snake`. A key without the
    /// entry has none. A request whose key has another value there is refused with the vendor's internal error.
    pub fn inflection_metadata(self, name: impl Into<String>) -> Self {
        Self { inflection_metadata: Some(name.into()), ..self }
    }

    /// Reads a key's blocklist from this entry of its record's metadata: paths with commas between them. A key
    /// without the entry has none. A request whose key has no valid list there is refused with the vendor's internal
    /// error.
    pub fn blocklist_metadata(self, name: impl Into<String>) -> Self {
        Self { blocklist_metadata: Some(name.into()), ..self }
    }

    /// Calls a function for the shape of each request with a key, for settings that are not in the record's metadata.
    /// If the function fails, the request is refused with the vendor's internal error.
    pub fn shape_by(
        self,
        shape_of: impl Fn(&Grant) -> Result<Shape, InvalidBlocklist> + Send + Sync + 'static,
    ) -> Self {
        Self { shape_of: Some(Arc::new(shape_of)), ..self }
    }

    /// Lets a request choose the case of names in this header. A request with another value than `camel`, `kebab` or
    /// `snake`, or with several, gets the vendor's answer to [`Denial::HeaderRefused`](crate::Denial::HeaderRefused).
    pub fn inflection_header(self, name: impl Into<String>) -> Self {
        Self { inflection_header: Some(name.into()), ..self }
    }

    /// Sets the shape for requests without a key, behind an [optional](crate::ApiKeyLayerBuilder::optional) gate.
    ///
    /// Without this call, a layer that has settings of keys refuses such requests. So it is noticed if the layer stands
    /// outside of the gate, where no request has a grant.
    ///
    /// With this call it is not noticed. Outside of an optional gate, requests with a key have no grant, either, and
    /// all get this shape. The blocklists of keys would not count. So test a key that has one.
    pub fn anonymous(self, shape: Shape) -> Self {
        Self { anonymous: Some(shape), ..self }
    }

    /// Calls a function for each response that could not be shaped, and for each request whose shape is not known.
    /// The layer calls the function on the request's task, so it must return at once.
    pub fn on_failure(self, on_failure: impl Fn(&ShapingFailure) + Send + Sync + 'static) -> Self {
        Self { on_failure: Some(Arc::new(on_failure)), ..self }
    }

    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Shaping`] if `max_bytes` is 0, a path is not valid, keys have both metadata and a function, or
    /// the layer would change nothing; [`ConfigError::Header`] if the header's name is not valid.
    pub fn build(self) -> Result<ShapingLayer, ConfigError> {
        let wrong =
            |field, problem: &str| Err(ConfigError::Shaping { field, problem: problem.to_owned() });
        if self.max_bytes == 0 {
            return wrong(
                "max_bytes",
                "no body fits into 0 bytes: set the size of the largest body",
            );
        }
        let has_metadata = self.inflection_metadata.is_some() || self.blocklist_metadata.is_some();
        if has_metadata && self.shape_of.is_some() {
            return wrong(
                "shape_by",
                "the function replaces `inflection_metadata` and `blocklist_metadata`: keep one of the two",
            );
        }
        let blocklist = self.blocklist.transpose().map_err(|error| ConfigError::Shaping {
            field: "blocklist",
            problem: error.to_string(),
        })?;
        let common = Shape::of(self.inflection, blocklist.unwrap_or_default());
        let inflection_header = self.inflection_header.as_deref();
        let inflection_header =
            inflection_header.map(|name| field_name("shaping, field `inflection_header`", name));
        let rules = ShapingRules {
            max_bytes: self.max_bytes,
            on_unshaped: self.on_unshaped,
            common,
            inflection_metadata: self.inflection_metadata,
            blocklist_metadata: self.blocklist_metadata,
            shape_of: self.shape_of,
            inflection_header: inflection_header.transpose()?,
            anonymous: self.anonymous,
            on_failure: self.on_failure,
        };
        let is_idle = rules.common.is_empty()
            && rules.inflection_header.is_none()
            && rules.anonymous.as_ref().is_none_or(Shape::is_empty);
        if is_idle && !rules.depend_on_key() {
            return wrong(
                "blocklist",
                "the layer would change nothing: set a blocklist, an inflection, or where keys have theirs",
            );
        }
        Ok(ShapingLayer::new(rules))
    }
}

impl fmt::Debug for ShapingLayerBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ShapingLayerBuilder")
            .field("max_bytes", &self.max_bytes)
            .field("on_unshaped", &self.on_unshaped)
            .finish_non_exhaustive()
    }
}
