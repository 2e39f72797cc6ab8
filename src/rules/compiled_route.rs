//! One checked route of the table.

use http::Method;
use smol_str::SmolStr;

use super::anonymous_quotas::check_anonymous_quotas;
use super::compiled_scopes::CompiledScopes;
use super::needs::{NameList, RouteNeeds};
use crate::error::{ConfigError, InvalidRoute};
use crate::key::{KeyKind, ScopeSet};
use crate::quota::Quota;

/// A checked route with its name.
#[derive(Debug, Clone)]
pub(super) struct CompiledRoute {
    pub(super) name: SmolStr,
    /// Where the pattern begins in the name.
    pattern_at: usize,
    pub(super) needs: RouteNeeds,
}

impl CompiledRoute {
    /// Checks a route, and refuses needs that no request can meet.
    pub(super) fn new(
        methods: &[Method],
        pattern: &str,
        parameters: &[String],
        needs: RouteNeeds,
    ) -> Result<Self, ConfigError> {
        let name = name(methods, pattern);
        let path_pattern = pattern;
        let pattern = || path_pattern.to_owned();
        if let Some(parameter) = &needs.account_parameter
            && !parameters.iter().any(|name| *name == **parameter)
        {
            return Err(ConfigError::Route(InvalidRoute::Parameter {
                pattern: pattern(),
                parameter: parameter.to_string(),
            }));
        }
        if needs.concurrency.is_some_and(|rule| rule.limit() == 0) {
            return Err(ConfigError::Route(InvalidRoute::Concurrency { pattern: pattern() }));
        }
        if needs.budget.is_some_and(|budget| budget.is_zero()) {
            return Err(ConfigError::Route(InvalidRoute::Budget { pattern: pattern() }));
        }
        let sets = needs.sets.as_deref();
        let is_empty = |list: &Option<NameList>| list.as_ref().is_some_and(|list| list.is_empty());
        for (list, is_empty) in [
            ("any_of", is_empty(&needs.any_of)),
            (
                "any_of_sets",
                sets.is_some_and(|sets| sets.is_empty() || sets.iter().any(|set| set.is_empty())),
            ),
            ("kinds", is_empty(&needs.kinds)),
        ] {
            if is_empty {
                let place = format!("route pattern `{}`", pattern());
                return Err(ConfigError::NoAlternative { place, list });
            }
        }
        let refused = |field, value: &str, problem: String| {
            Err(ConfigError::Route(InvalidRoute::Need {
                pattern: pattern(),
                field,
                value: value.to_owned(),
                problem,
            }))
        };
        let any_of = needs.any_of.as_deref().unwrap_or_default();
        let lists = [("all_of", &*needs.all_of), ("any_of", any_of)].into_iter();
        let sets = sets.unwrap_or_default().iter().map(|set| ("any_of_sets", &**set));
        for (field, scopes) in lists.chain(sets) {
            for scope in scopes {
                if let Err(problem) = ScopeSet::new([&**scope]) {
                    return refused(field, scope, problem.to_string());
                }
            }
        }
        for kind in needs.kinds.as_deref().unwrap_or_default() {
            if let Err(problem) = KeyKind::new(&**kind) {
                return refused("kinds", kind, problem.to_string());
            }
        }
        if let Err(invalid) = needs.quotas.quotas().check() {
            let problem = invalid.problem().to_owned();
            return refused("quotas", invalid.name(), problem);
        }
        if let Some((parameter, problem)) = needs.query_costs.problem() {
            return refused("query_costs", parameter, problem.to_owned());
        }
        if needs.only_own_quotas && needs.quotas.as_slice().is_empty() {
            let problem = "has no quotas to count in: list some, or let the route cost 0";
            return refused("only_own_quotas", "true", problem.to_owned());
        }
        for statuses in &needs.refund_on {
            let refused = |problem: &str| {
                let value = format!("{}-{}", statuses.start(), statuses.end());
                refused("refund_on", &value, problem.to_owned())
            };
            if statuses.is_empty()
                || !(100..=599).contains(statuses.start())
                || *statuses.end() > 599
            {
                return refused(
                    "is no range of statuses: write the lower one first, from 100 to 599",
                );
            }
            if needs.is_free() && !needs.metered {
                return refused(
                    "has nothing to give back, because the route costs nothing: remove it",
                );
            }
        }
        check_anonymous_quotas(&needs, pattern)?;
        let pattern_at = name.len() - path_pattern.len();
        let compiled = Self { name, pattern_at, needs };
        if let Some(quota) = compiled.quota_below_cost(compiled.needs.quotas.as_slice()) {
            return Err(compiled.cost_error(quota));
        }
        Ok(compiled)
    }

    /// Refuses a scope that the gate reads as a wildcard: a reader would take it for a need that any scope of
    /// the wildcard meets.
    pub(super) fn check_scopes(&self, rules: &CompiledScopes) -> Result<(), ConfigError> {
        let mut needed = self.needs.scopes_by_need().map(|(_, scope)| scope);
        let Some(wildcard) = needed.find(|scope| rules.reads_as_wildcard(scope)) else {
            return Ok(());
        };
        Err(ConfigError::Route(InvalidRoute::Need {
            pattern: self.pattern().to_owned(),
            field: "scopes",
            value: wildcard.to_owned(),
            problem:
                "is a wildcard, which only keys can have: list each scope that the route needs"
                    .to_owned(),
        }))
    }

    /// Refuses a rule that gives costs back, for a limiter that cannot.
    pub(super) fn check_refunds(&self) -> Result<(), ConfigError> {
        let Some(statuses) = self.needs.refund_on.first() else { return Ok(()) };
        Err(ConfigError::Route(InvalidRoute::Need {
            pattern: self.pattern().to_owned(),
            field: "refund_on",
            value: format!("{}-{}", statuses.start(), statuses.end()),
            problem:
                "needs a limiter that gives costs back: write `Limiter::refund`, or remove the rule"
                    .to_owned(),
        }))
    }

    /// Finds a quota that never has room for a request of this route.
    pub(super) fn quota_below_cost<'a>(&self, quotas: &'a [Quota]) -> Option<&'a Quota> {
        quotas.iter().find(|quota| !quota.is_in_shadow() && quota.limit() < self.needs.cost)
    }

    pub(super) fn cost_error(&self, quota: &Quota) -> ConfigError {
        ConfigError::Route(InvalidRoute::Cost {
            pattern: self.pattern().to_owned(),
            cost: self.needs.cost,
            quota: quota.name().to_owned(),
            limit: quota.limit(),
        })
    }

    /// Returns the path pattern, which is the second part of the name.
    pub(super) fn pattern(&self) -> &str {
        self.name.get(self.pattern_at..).unwrap_or_default()
    }
}

/// Returns the name of a route, which does not depend on the order of its methods.
fn name(methods: &[Method], pattern: &str) -> SmolStr {
    let mut methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    methods.sort_unstable();
    let methods = if methods.is_empty() { "*".to_owned() } else { methods.join(",") };
    SmolStr::new(format!("{methods} {pattern}"))
}

#[cfg(test)]
mod tests {
    use super::super::route::Route;
    use super::super::routes::{Otherwise, Routes};
    use super::*;
    use crate::concurrency::Concurrency;

    const READ: Route<'_> = Route::new().all_of(&["read"]);
    const WRITE: Route<'_> = Route::new().all_of(&["write"]);

    #[test]
    fn contradictory_tables_are_refused() {
        let twice = Routes::new().on(&[Method::GET], "/a", READ).on(&[Method::GET], "/a", WRITE);
        assert!(matches!(twice.compile(), Err(ConfigError::Route(InvalidRoute::Repeated { .. }))));
        let clash = Routes::new().on(&[], "/{a}", READ).on(&[], "/{b}", WRITE);
        assert!(matches!(clash.compile(), Err(ConfigError::Route(InvalidRoute::Pattern { .. }))));
        let parameter = Routes::new().on(&[], "/a", Route::new().account_parameter("org"));
        assert!(matches!(
            parameter.compile(),
            Err(ConfigError::Route(InvalidRoute::Parameter { .. }))
        ));
        let scope = Routes::new().on(&[], "/a", Route::new().all_of(&["no space"]));
        assert!(matches!(scope.compile(), Err(ConfigError::Route(InvalidRoute::Need { .. }))));
        let none = Routes::new().on(&[], "/a", Route::new().concurrency(Concurrency::new(0)));
        assert!(matches!(
            none.compile(),
            Err(ConfigError::Route(InvalidRoute::Concurrency { .. }))
        ));
        let place = "route pattern `/a`";
        for (route, named) in [
            (Route::new().any_of(&[]), "any_of"),
            (Route::new().all_of(&["read"]).any_of(&[]), "any_of"),
            (Route::new().any_of_sets(&[]), "any_of_sets"),
            (Route::new().any_of_sets(&[&["read"], &[]]), "any_of_sets"),
            (Route::new().kinds(&[]), "kinds"),
        ] {
            let error = Routes::new().on(&[], "/a", route).compile().unwrap_err();
            let ConfigError::NoAlternative { place: reported, list } = error else {
                panic!("{error}")
            };
            assert_eq!((&*reported, list), (place, named));
            let otherwise = Routes::new().otherwise(Otherwise::Need(route)).compile();
            assert!(matches!(otherwise, Err(ConfigError::NoAlternative { .. })));
        }
        for (route, fine) in [
            (Route::new().refund_on(&[500..=599, 304..=304]), true),
            (Route::new().refund_on(&[100..=599]), true),
            (Route::new().refund_on(&[99..=100]), false),
            (Route::new().refund_on(&[500..=600]), false),
            (Route::new().refund_on(&[500..=599, std::ops::RangeInclusive::new(599, 500)]), false),
            (Route::new().refund_on(&[500..=599]).cost(0), false),
            (Route::new().refund_on(&[500..=599]).cost(0).metered(), true),
        ] {
            let compiled = Routes::new().on(&[], "/a", route).compile();
            let refused = matches!(
                &compiled,
                Err(ConfigError::Route(InvalidRoute::Need { field: "refund_on", .. }))
            );
            assert_eq!((compiled.is_ok(), refused), (fine, !fine), "{route:?}");
        }
        const TEN: &[Quota] = &[Quota::by_day("ten", 10)];
        const DARK: &[Quota] = &[Quota::by_day("ten", 10).in_shadow()];
        for (quotas, cost, fine) in [(TEN, 10, true), (TEN, 11, false), (DARK, 11, true)] {
            let table = Routes::new().on(&[], "/a", Route::new().quotas(quotas).cost(cost));
            let refused =
                matches!(table.compile(), Err(ConfigError::Route(InvalidRoute::Cost { .. })));
            assert_eq!(refused, !fine, "{cost}");
        }
    }
}
