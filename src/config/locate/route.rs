//! The path of a route, by its pattern and what it needs.

use crate::config::gate::{OtherwiseTable, RouteNeedsTable};
use crate::config::quota::QuotaTable;
use crate::config::read::Path;
use crate::config::tables::FrontDoorTable;

/// The pattern that errors write for `otherwise`.
const OTHERWISE: &str = "*";

impl FrontDoorTable {
    /// Returns the path of the first route with a pattern whose needs are as `is` asks. Without one it returns that of
    /// the shipped routes.
    pub(super) fn needs_path(&self, pattern: &str, is: impl Fn(&RouteNeedsTable) -> bool) -> Path {
        let root = Path::default();
        if pattern == OTHERWISE {
            return root.field("otherwise").field("need");
        }
        let rows = self.routes.as_deref().unwrap_or_default();
        let of_pattern = rows.iter().enumerate().filter(|(_, row)| row.path == pattern);
        let mut of_pattern = of_pattern.map(|(index, row)| (index, is(&row.needs())));
        let first = of_pattern.clone().next().map(|(index, _)| index);
        let index = of_pattern.find(|(_, is)| *is).map(|(index, _)| index).or(first);
        index.map_or_else(|| root.field("routes_of"), |index| root.field("routes").item(index))
    }

    /// Returns the path of the last route with a pattern that collides with another one.
    pub(super) fn pattern_path(&self, pattern: &str) -> Path {
        let path = self.needs_path(pattern, |_| true);
        if self.has_row(pattern) { path.field("path") } else { path }
    }

    /// Returns the path of the first route that has a method of an earlier one with the same pattern.
    pub(super) fn repeated_path(&self, pattern: &str) -> Path {
        let rows = self.routes.as_deref().unwrap_or_default();
        let shipped = self.routes_of.map_or(&[][..], crate::config::profile::BaseName::routes);
        // An empty list means all methods, which may stand beside single ones.
        let mut known: Vec<Option<&http::Method>> = Vec::new();
        for row in shipped.iter().filter(|row| row.path == pattern) {
            known.extend(row.methods.iter().map(Some));
            known.extend(row.methods.is_empty().then_some(None));
        }
        for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.path == pattern) {
            let before = known.len();
            known.extend(row.methods.iter().map(|method| Some(&method.0)));
            known.extend(row.methods.is_empty().then_some(None));
            let (old, new) = known.split_at(before);
            let mut numbered = new.iter().enumerate();
            if numbered.any(|(place, method)| {
                old.contains(method) || new.iter().take(place).any(|other| other == method)
            }) {
                return Path::default().field("routes").item(index);
            }
        }
        self.needs_path(pattern, |_| true)
    }

    /// Returns the path of what a route needs, and that of the field which holds it.
    pub(super) fn need_path(&self, pattern: &str, field: &str, value: &str) -> (Path, Path) {
        let is_in = |list: &[String]| list.iter().position(|listed| listed == value);
        let is_quota = |list: &[QuotaTable]| list.iter().rposition(|quota| quota.is_named(value));
        let place = |needs: &RouteNeedsTable| -> Option<(&'static str, Vec<usize>)> {
            let of = |name: &'static str, index: Option<usize>| Some((name, vec![index?]));
            let sets = || {
                let sets = needs.any_of_sets.as_deref().unwrap_or_default().iter().enumerate();
                let mut found = sets.filter_map(|(set, list)| Some(vec![set, is_in(list)?]));
                Some(("any_of_sets", found.next()?))
            };
            let all_of = || of("all_of", is_in(&needs.all_of));
            let any_of = || of("any_of", is_in(needs.any_of.as_deref().unwrap_or_default()));
            let only = |name: &'static str, is: bool| is.then(|| (name, Vec::new()));
            match field {
                "query_costs" => {
                    let mut costs = needs.query_costs.iter();
                    of("query_costs", costs.rposition(|cost| cost.parameter == value))
                }
                "only_own_quotas" => only("only_own_quotas", needs.only_own_quotas),
                "metered" => only("metered", needs.metered),
                "concurrency" => only("concurrency", needs.concurrency.is_some()),
                "budget" => only("budget", needs.budget.is_some()),
                "all_of" => all_of(),
                "any_of" => any_of(),
                "any_of_sets" => sets(),
                "scopes" => all_of().or_else(any_of).or_else(sets),
                "kinds" => of("kinds", is_in(needs.kinds.as_deref().unwrap_or_default())),
                "quotas" => of("quotas", is_quota(&needs.quotas)),
                "anonymous_quotas" => of("anonymous_quotas", is_quota(&needs.anonymous_quotas)),
                "refund_on" => {
                    let written = |range: &std::ops::RangeInclusive<u16>| {
                        format!("{}-{}", range.start(), range.end()) == value
                    };
                    of("refund_on", needs.refund_on.iter().position(|range| written(&range.0)))
                }
                _ => None,
            }
        };
        let route = self.needs_path(pattern, |needs| place(needs).is_some());
        match self.needs_at(&route).as_ref().and_then(place) {
            Some((list, indexes)) => {
                let list = route.field(list);
                let value = indexes.into_iter().fold(list.clone(), |path, index| path.item(index));
                (value, route.field("cost"))
            }
            None => (route.clone(), route),
        }
    }

    /// Returns the needs of the route at a path that [`needs_path`](Self::needs_path) has returned.
    fn needs_at(&self, path: &Path) -> Option<RouteNeedsTable> {
        if let Some(OtherwiseTable::Need(needs)) = &self.otherwise
            && *path == Path::default().field("otherwise").field("need")
        {
            return Some(needs.clone());
        }
        let rows = self.routes.as_deref().unwrap_or_default();
        let list = Path::default().field("routes");
        let mut found = rows.iter().enumerate().filter(|(index, _)| *path == list.item(*index));
        found.next().map(|(_, row)| row.needs())
    }

    fn has_row(&self, pattern: &str) -> bool {
        self.routes.iter().flatten().any(|row| row.path == pattern)
    }
}
