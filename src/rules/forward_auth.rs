//! What a route cannot ask for if the gate sees no response (forward auth).

use super::compiled_route::CompiledRoute;
use super::table::RouteTable;
use crate::error::{ConfigError, InvalidRoute};

impl RouteTable {
    /// Refuses a route with a rule that needs the end of the response.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Route`].
    pub(crate) fn check_forward_auth(&self) -> Result<(), ConfigError> {
        self.routes.iter().try_for_each(CompiledRoute::check_forward_auth)
    }
}

impl CompiledRoute {
    fn check_forward_auth(&self) -> Result<(), ConfigError> {
        let needs = &self.needs;
        let (field, value, problem) = if let Some(rule) = needs.concurrency {
            let problem = "forward auth cannot see when a request ends: limit connections in the proxy, \
                and remove the rule";
            ("concurrency", rule.limit().to_string(), problem)
        } else if let Some(budget) = needs.budget {
            let problem = "forward auth cannot stop a request: set a timeout in the proxy, and remove the rule";
            ("budget", format!("{} s", budget.as_secs_f64()), problem)
        } else if let Some(statuses) = needs.refund_on.first() {
            let problem = "forward auth cannot see the status of the response: remove the rule";
            ("refund_on", format!("{}-{}", statuses.start(), statuses.end()), problem)
        } else if needs.metered {
            let problem = "forward auth has no handler that adds a cost: remove the rule";
            ("metered", "true".to_owned(), problem)
        } else {
            return Ok(());
        };
        Err(ConfigError::Route(InvalidRoute::Need {
            pattern: self.pattern().to_owned(),
            field,
            value,
            problem: problem.to_owned(),
        }))
    }
}
