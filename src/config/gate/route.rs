//! What a route needs, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::concurrency::ConcurrencyTable;
use super::method::MethodText;
use super::statuses::StatusRange;
use crate::config::duration::LengthOfTime;
use crate::config::quota::{QuotaTable, describe_all};
use crate::config::read::{Contradiction, Path};
use crate::rules::{QueryCost, Route, RouteRow};

/// Defines the row of a route, and the same needs without methods and path. Serde's `flatten` would lose the places of
/// mistakes.
macro_rules! tables_with_needs {
    ($($(#[$attribute:meta])* $field:ident: $type:ty,)*) => {
        /// One route: what a request with these methods and this path needs besides a valid key.
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::config) struct RouteRowTable {
            /// The methods. Without this field, all. `HEAD` has the route of `GET`, unless it is listed itself.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub(in crate::config) methods: Vec<MethodText>,
            /// The pattern of the path, as `/users/{id}` or `/files/{*rest}`.
            pub(in crate::config) path: String,
            $($(#[$attribute])* pub(in crate::config) $field: $type,)*
        }

        /// What a request needs besides a valid key.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::config) struct RouteNeedsTable {
            $($(#[$attribute])* pub(in crate::config) $field: $type,)*
        }

        impl RouteRowTable {
            /// Returns what the row needs, without methods and path.
            pub(in crate::config) fn needs(&self) -> RouteNeedsTable {
                RouteNeedsTable { $($field: self.$field.clone(),)* }
            }
        }
    };
}

tables_with_needs! {
    /// Scopes that a key needs, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    all_of: Vec<String>,
    /// Scopes of which a key needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any_of: Option<Vec<String>>,
    /// Sets of scopes of which a key needs one set in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any_of_sets: Option<Vec<Vec<String>>>,
    /// The kinds of keys that the route accepts. Without this field, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<String>>,
    /// The parameter of the path that must name the key's own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_parameter: Option<String>,
    /// Quotas of the route, besides those of the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    quotas: Vec<QuotaTable>,
    /// Quotas of requests without a key, by the client's network. They open the route to such requests, if `optional`
    /// is set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    anonymous_quotas: Vec<QuotaTable>,
    /// What a request takes from every quota: 1 unless set. With 0 no quota refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<u32>,
    /// Counts requests in the quotas of the route only, and not in those of the account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    only_own_quotas: bool,
    /// Leaves the limit headers out of the responses of this route.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    without_limit_headers: bool,
    /// What the query of a request adds to its cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    query_costs: Vec<QueryCostTable>,
    /// Lets the handler change the cost of a request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    metered: bool,
    /// Statuses of the service after which a request gets its cost back, as `"500-599"` or `503`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refund_on: Vec<StatusRange>,
    /// How many requests of an account may be in flight at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concurrency: Option<ConcurrencyTable>,
    /// How long the service may take until its answer begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget: Option<LengthOfTime>,
}

/// What a parameter of the query adds to the cost of a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct QueryCostTable {
    /// The name of the parameter, which lists values with commas between.
    pub(in crate::config) parameter: String,
    /// What each listed value costs.
    each: u32,
}

impl QueryCostTable {
    fn of(cost: &QueryCost<'_>) -> Self {
        Self { parameter: cost.parameter.to_owned(), each: cost.each }
    }

    fn describe(&self) -> QueryCost<'_> {
        QueryCost { parameter: &self.parameter, each: self.each }
    }
}

impl RouteNeedsTable {
    /// Describes the needs for a while.
    pub(super) fn with_route(
        &self,
        path: &Path,
        add: impl FnOnce(Route<'_>),
    ) -> Result<(), Contradiction> {
        let quotas = describe_all(&self.quotas, &path.field("quotas"))?;
        let anonymous = describe_all(&self.anonymous_quotas, &path.field("anonymous_quotas"))?;
        let all_of = strs(&self.all_of);
        let any_of = self.any_of.as_deref().map(strs);
        let kinds = self.kinds.as_deref().map(strs);
        let sets: Option<Vec<Vec<&str>>> =
            self.any_of_sets.as_ref().map(|sets| sets.iter().map(|set| strs(set)).collect());
        let sets: Option<Vec<&[&str]>> =
            sets.as_ref().map(|sets| sets.iter().map(Vec::as_slice).collect());
        let statuses: Vec<_> = self.refund_on.iter().map(|range| range.0.clone()).collect();
        let query_costs: Vec<QueryCost<'_>> =
            self.query_costs.iter().map(QueryCostTable::describe).collect();
        let mut route = Route::new()
            .all_of(&all_of)
            .quotas(&quotas)
            .anonymous_quotas(&anonymous)
            .query_costs(&query_costs)
            .refund_on(&statuses);
        if let Some(scopes) = &any_of {
            route = route.any_of(scopes);
        }
        if let Some(sets) = &sets {
            route = route.any_of_sets(sets);
        }
        if let Some(kinds) = &kinds {
            route = route.kinds(kinds);
        }
        if let Some(parameter) = &self.account_parameter {
            route = route.account_parameter(parameter);
        }
        if let Some(cost) = self.cost {
            route = route.cost(cost);
        }
        if self.only_own_quotas {
            route = route.only_own_quotas();
        }
        if self.without_limit_headers {
            route = route.without_limit_headers();
        }
        if self.metered {
            route = route.metered();
        }
        if let Some(rule) = &self.concurrency {
            route = route.concurrency(rule.describe());
        }
        if let Some(budget) = self.budget {
            route = route.budget(budget.duration());
        }
        add(route);
        Ok(())
    }
}

impl RouteRowTable {
    pub(in crate::config) fn of(row: &RouteRow<'_>) -> Self {
        let route = &row.route;
        Self {
            methods: row.methods.iter().cloned().map(MethodText).collect(),
            path: row.path.to_owned(),
            all_of: owned(route.all_of),
            any_of: route.any_of.map(owned),
            any_of_sets: route.sets.map(|sets| sets.iter().map(|set| owned(set)).collect()),
            kinds: route.kinds.map(owned),
            account_parameter: route.account_parameter.map(str::to_owned),
            quotas: route.quotas.iter().map(QuotaTable::of).collect(),
            anonymous_quotas: route.anonymous_quotas.iter().map(QuotaTable::of).collect(),
            only_own_quotas: route.only_own_quotas,
            without_limit_headers: !route.shows_limits,
            query_costs: route.query_costs.iter().map(QueryCostTable::of).collect(),
            cost: (route.cost != 1).then_some(route.cost),
            metered: route.metered,
            refund_on: route.refund_on.iter().cloned().map(StatusRange).collect(),
            concurrency: route.concurrency.as_ref().map(ConcurrencyTable::of),
            budget: route.budget.map(LengthOfTime::from),
        }
    }
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn strs(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}
