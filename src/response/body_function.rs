//! A gate's own function of bodies.

use std::fmt;

use crate::profile::{CustomBody, Refusal};

type MakeBody = dyn Fn(&Refusal<'_>) -> Option<CustomBody> + Send + Sync;

/// A function that makes bodies of refusals, or leaves them to the profile.
pub(crate) struct BodyFunction(Box<MakeBody>);

impl BodyFunction {
    pub(crate) fn new(
        make: impl Fn(&Refusal<'_>) -> Option<CustomBody> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(make))
    }

    /// Returns the body of a refusal; `None` for the one of the profile's row.
    pub(super) fn make(&self, refusal: &Refusal<'_>) -> Option<CustomBody> {
        (self.0)(refusal)
    }
}

impl fmt::Debug for BodyFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BodyFunction")
    }
}
