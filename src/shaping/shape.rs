//! What is changed in one response.

use super::blocklist::Blocklist;
use super::inflection::Inflection;

/// What is changed in the JSON of a response: the case of names, and the attributes that are removed.
///
/// ```
/// use tower_api_key::shaping::{Inflection, Shape};
///
/// let shape = Shape::new().with_inflection(Inflection::Snake);
/// assert_eq!(shape.apply(r#"{"nameFirst": "Ada"}"#)?, r#"{"name_first": "Ada"}"#);
/// # Ok::<(), tower_api_key::shaping::ShapingFailure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    inflection: Option<Inflection>,
    blocklist: Blocklist,
}

impl Shape {
    /// Creates a shape that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a shape of both parts.
    pub(super) const fn of(inflection: Option<Inflection>, blocklist: Blocklist) -> Self {
        Self { inflection, blocklist }
    }

    /// Sets the case of names. Without this call, names stay as they are.
    pub fn with_inflection(self, inflection: Inflection) -> Self {
        Self { inflection: Some(inflection), ..self }
    }

    /// Sets the attributes to remove. Without this call, all attributes stay.
    pub fn with_blocklist(self, blocklist: Blocklist) -> Self {
        Self { blocklist, ..self }
    }

    /// Returns the case of names, if the shape has one.
    pub const fn inflection(&self) -> Option<Inflection> {
        self.inflection
    }

    /// Returns the attributes to remove.
    pub const fn blocklist(&self) -> &Blocklist {
        &self.blocklist
    }

    /// Returns true if the shape changes nothing.
    pub const fn is_empty(&self) -> bool {
        self.inflection.is_none() && self.blocklist.is_empty()
    }
}
