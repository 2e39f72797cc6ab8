//! What the query of a request adds to its cost.

use crate::request::{Head, count_listed};

/// Adds to the cost of a request for what a parameter of its query lists: an entry of
/// [`Route::query_costs`](super::Route::query_costs).
///
/// Each value that is not empty counts, where commas separate the values. If the query has the parameter several
/// times, all of its values count. The gate takes the name for the parameter's if any reader may: with
/// percent-encoding, in another case, after a `;`, or as an element of a list, like `include[]` or `include[0]`. For
/// `_` or `.` in the name, PHP also reads the other one, a space or `[`, and so does the gate. So a client cannot make
/// its request cheaper by writing it differently.
///
/// A layer refuses a name with other characters than letters, digits and `-._~`, a name that is listed twice, and
/// `each` of 0.
///
/// ```
/// use tower_api_key::rules::QueryCost;
///
/// const INCLUDED: QueryCost = QueryCost { parameter: "include", each: 2 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryCost<'a> {
    /// The name of the parameter.
    pub parameter: &'a str,
    /// What each listed value costs.
    pub each: u32,
}

/// The costs of a route's queries, which own what [`QueryCost`] borrows.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueryCosts(Box<[(Box<str>, u32)]>);

impl QueryCosts {
    pub(super) fn new(costs: &[QueryCost<'_>]) -> Self {
        Self(costs.iter().map(|cost| (cost.parameter.into(), cost.each)).collect())
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lists the parameters, and what each listed value costs.
    #[cfg(feature = "openapi")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0.iter().map(|(parameter, each)| (&**parameter, *each))
    }

    /// Returns the first parameter that cannot be listed, and why.
    pub(super) fn problem(&self) -> Option<(&str, &'static str)> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        self.0.iter().enumerate().find_map(|(index, (parameter, each))| {
            let mut before = self.0.iter().take(index);
            let problem = if parameter.is_empty() || !parameter.bytes().all(is_plain) {
                "is no name of a parameter: write letters, digits and -._~"
            } else if before.any(|(other, _)| other.eq_ignore_ascii_case(parameter)) {
                "is listed twice: keep one of the two"
            } else if *each == 0 {
                "adds nothing: let `each` be at least 1, or remove it"
            } else {
                return None;
            };
            Some((&**parameter, problem))
        })
    }

    /// Returns what the query of a request adds.
    pub(super) fn of(&self, head: &Head<'_>) -> u32 {
        let Some(query) = head.query() else { return 0 };
        let added = self
            .0
            .iter()
            .map(|(parameter, each)| count_listed(query, parameter).saturating_mul(*each));
        added.fold(0, u32::saturating_add)
    }
}
