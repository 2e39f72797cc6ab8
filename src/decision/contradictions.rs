//! Contradictions between two parts of a gate's configuration.

use super::policy::Policy;
use crate::error::ConfigError;
use crate::limits::Plans;
use crate::quota::{AppliedQuotas, Quota, Quotas};
use crate::rules::RouteTable;

impl Policy {
    /// Refuses rules by which a route, or the whole gate, could serve no request.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EnvironmentUnknown`], [`ConfigError::AnonymousQuotas`] or [`ConfigError::Route`].
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_environment()?;
        if let (Some(routes), Some(scopes)) = (&self.routes, &self.scopes) {
            routes.check_scopes(scopes)?;
        }
        if let Some(routes) = self.routes.as_ref().filter(|_| !self.counts.refunds) {
            routes.check_refunds()?;
        }
        self.check_anonymous_quotas()?;
        if self.counts.requests { self.check_costs() } else { Ok(()) }
    }

    /// Returns true if the limiter gives costs back.
    pub(crate) const fn refunds(&self) -> bool {
        self.counts.refunds
    }

    /// Returns true if a protocol of this name would carry a key.
    pub(crate) fn is_key_protocol(&self, name: &str) -> bool {
        self.profile.credentials.is_key_protocol(name)
    }

    /// Refuses an environment that no format lists. With a format without environments, only the records
    /// decide.
    fn check_environment(&self) -> Result<(), ConfigError> {
        let Some(pinned) = &self.environment else { return Ok(()) };
        let mut known: Vec<&str> = Vec::new();
        for format in &self.profile.formats {
            let Some(tags) = format.tags() else { return Ok(()) };
            known.extend(tags.iter().map(|tag| &**tag));
        }
        if known.contains(&pinned.as_str()) {
            return Ok(());
        }
        known.dedup();
        let known = format!("`{}`", known.join("`, `"));
        Err(ConfigError::EnvironmentUnknown { environment: pinned.to_string(), known })
    }

    /// Calls `check` with the quotas of each request that the configuration tells: those of the profile or of a
    /// plan, with those of a route, and those of anonymous requests. Quotas of accounts and keys are known later.
    /// Without a limiter no quota counts.
    ///
    /// # Errors
    ///
    /// The first error of `check`.
    pub(crate) fn check_quotas(
        &self,
        check: impl Fn(AppliedQuotas<'_>) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        if !self.counts.requests {
            return Ok(());
        }
        let plans = self.options.plans.as_ref().map(Plans::sets).unwrap_or_default();
        let profile = self.profile.quotas.as_slice();
        for general in plans.iter().map(Quotas::as_slice).chain([profile]) {
            check(AppliedQuotas { general, route: &[] })?;
            for route in self.routes.iter().flat_map(RouteTable::quotas) {
                check(AppliedQuotas { general, route })?;
            }
        }
        let general = self.general_anonymous_quotas();
        check(AppliedQuotas { general, route: &[] })?;
        for route in self.routes.iter().flat_map(RouteTable::anonymous_quotas) {
            check(AppliedQuotas { general, route })?;
        }
        Ok(())
    }

    /// Refuses a route that costs more than the profile's quotas allow, and more than those of each plan.
    /// An empty set of plans may be filled later, so it decides nothing.
    fn check_costs(&self) -> Result<(), ConfigError> {
        let Some(routes) = &self.routes else { return Ok(()) };
        let plans = self.options.plans.as_ref().map(Plans::sets);
        if plans.as_ref().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let mut sets: Vec<&[Quota]> = vec![self.profile.quotas.as_slice()];
        sets.extend(plans.iter().flatten().map(Quotas::as_slice));
        routes.check_costs(&sets)
    }
}
