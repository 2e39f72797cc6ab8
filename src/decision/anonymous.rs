//! The part of the decision for requests without a key.

use super::policy::{Admission, Policy};
use crate::caller::ClientNetwork;
use crate::error::{ConfigError, Denial};
use crate::limits::AnonymousQuotas;
use crate::quota::{AppliedQuotas, Quota};
use crate::request::{Client, Head};
use crate::rules::CountedCallers;

impl Policy {
    /// Admits a request without a credential if it is a preflight and the gate admits those, or if
    /// [`anonymous_route`](Self::anonymous_route) does.
    ///
    /// # Errors
    ///
    /// [`Denial::CredentialsMissing`].
    pub(super) fn anonymous(&self, head: Head<'_>) -> Result<Admission, Denial> {
        if self.options.preflight && head.is_preflight() {
            return Ok(Admission::Preflight);
        }
        self.anonymous_route(head).map(Admission::Anonymous)
    }

    /// Returns the route of an anonymous request that is admitted. The gate must be optional. The route must
    /// need nothing that only a key can prove. What is counted for a key must be counted for the request as well.
    ///
    /// # Errors
    ///
    /// [`Denial::CredentialsMissing`].
    pub(crate) fn anonymous_route(&self, head: Head<'_>) -> Result<Option<usize>, Denial> {
        if !self.options.optional {
            return Err(Denial::CredentialsMissing);
        }
        match (&self.routes, self.counted_callers()) {
            (None, CountedCallers::Keys) => Err(Denial::CredentialsMissing),
            (None, CountedCallers::None | CountedCallers::All) => Ok(None),
            (Some(table), counted) => {
                let matched = table.find(head, head.path);
                let open = matched.filter(|matched| matched.route.is_open(counted));
                open.map(|open| Some(open.index)).ok_or(Denial::CredentialsMissing)
            }
        }
    }

    /// Returns the quotas that count an anonymous request on a route, which are none where nothing is counted.
    pub(crate) fn anonymous_quotas(&self, route: Option<usize>) -> AppliedQuotas<'_> {
        if !self.counts.requests {
            return AppliedQuotas::default();
        }
        let own = self.route(route);
        let route = own.map_or(&[][..], |route| route.anonymous_quotas.as_slice());
        let only_own = own.is_some_and(|route| route.only_own_quotas);
        let general = if only_own { &[][..] } else { self.general_anonymous_quotas() };
        AppliedQuotas { general, route }
    }

    /// Returns the network that is charged for an anonymous request on a route, and the cost; `None` if no quota
    /// counts the request.
    pub(crate) fn charged_network(
        &self,
        route: Option<usize>,
        client: Client,
        head: &Head<'_>,
    ) -> Option<(ClientNetwork, u32)> {
        if self.anonymous_quotas(route).is_empty() {
            return None;
        }
        let set = self.options.anonymous_quotas.as_ref();
        let network = set.unwrap_or(&AnonymousQuotas::default()).network(client.address);
        Some((network, self.route(route).map_or(1, |route| route.cost_of(head))))
    }

    /// Refuses quotas of anonymous requests that never count, or that clients could evade.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub(super) fn check_anonymous_quotas(&self) -> Result<(), ConfigError> {
        let set = self.options.anonymous_quotas.as_ref();
        set.map_or(Ok(()), AnonymousQuotas::check)?;
        let on_route = self.routes.as_ref().and_then(|routes| routes.anonymous_pattern());
        let refused = AnonymousQuotas::refused;
        match (set, on_route) {
            (None, None) => return Ok(()),
            (Some(set), None) if set.as_slice().is_empty() => {
                return Err(refused("there are none: list a quota here or at a route"));
            }
            (Some(_), _) if !self.counts.requests => {
                return Err(refused(
                    "`without_limits` counts nothing: remove one of the two calls",
                ));
            }
            _ if !self.counts.requests => return Ok(()),
            _ => {}
        }
        let problem = if !self.options.optional {
            "every request needs a key: call `optional`, or remove the quotas"
        } else if self.options.proxies.trusts_all() {
            "with `insecure_whole_internet` a client chooses its own network: list the networks of the proxies"
        } else {
            let general = self.general_anonymous_quotas();
            let routes = self.routes.as_ref();
            return routes.map_or(Ok(()), |routes| routes.check_anonymous_costs(general));
        };
        Err(match (set, on_route) {
            (None, Some(pattern)) => ConfigError::AnonymousQuotas {
                place: format!("route pattern `{pattern}`"),
                problem: problem.to_owned(),
            },
            _ => refused(problem),
        })
    }

    pub(super) fn general_anonymous_quotas(&self) -> &[Quota] {
        self.options.anonymous_quotas.as_ref().map_or(&[], AnonymousQuotas::as_slice)
    }

    /// Returns whose requests are counted, whatever their route.
    fn counted_callers(&self) -> CountedCallers {
        if !self.counts.requests {
            return CountedCallers::None;
        }
        CountedCallers::of(self.general_anonymous_quotas())
    }
}
