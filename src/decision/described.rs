//! What a gate reads and demands, as data again, for a document that describes the gate.

use super::options::Counts;
use super::policy::Policy;
use crate::profile::Scheme;
use crate::quota::Quota;
use crate::rules::{Demand, DescribedRow, RouteTable};

impl Policy {
    /// Lists the schemes that keys come in, each with the kinds of keys that it accepts.
    pub(crate) fn schemes(&self) -> impl Iterator<Item = (Scheme<'_>, Option<&[Box<str>]>)> {
        self.profile.credentials.schemes()
    }

    /// Returns the headers that every request must have.
    pub(crate) fn demands(&self) -> &[Demand] {
        &self.profile.demands
    }

    /// Lists the rows of the route table.
    pub(crate) fn rows(&self) -> impl Iterator<Item = DescribedRow<'_>> {
        self.routes.iter().flat_map(RouteTable::rows)
    }

    /// Returns true if the gate has a route table.
    pub(crate) const fn has_routes(&self) -> bool {
        self.routes.is_some()
    }

    /// Returns true if the table covers requests that no row covers.
    pub(crate) fn has_otherwise(&self) -> bool {
        self.routes.as_ref().is_some_and(RouteTable::has_otherwise)
    }

    /// Returns what the gate counts.
    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns true if every request counts as one over HTTPS.
    pub(crate) const fn assumes_https(&self) -> bool {
        self.options.assume_https
    }

    /// Returns true if a key can belong to another environment than its text or the gate names.
    pub(crate) fn has_environments(&self) -> bool {
        let mut formats = self.profile.formats.iter();
        self.environment.is_some() || formats.any(|format| format.tags().is_some())
    }

    /// Returns an environment that keys of the gate can belong to.
    pub(crate) fn some_environment(&self) -> Option<&str> {
        let mut tags = self.profile.formats.iter().filter_map(|format| format.tags());
        let pinned = self.environment.as_ref().map(crate::key::Environment::as_str);
        pinned.or_else(|| tags.find_map(|tags| tags.first()).map(|tag| &**tag))
    }

    /// Returns the quotas of the profile.
    pub(crate) fn profile_quotas(&self) -> &[Quota] {
        self.profile.quotas.as_slice()
    }
}
