//! The chart of a key's usage: a bar for each day, with a part for each decision.

use std::collections::BTreeMap;

use tower_api_key::clock::Timestamp;
use tower_api_key::decision::RequestDecision;
use tower_api_key::usage::UsageCount;

use super::text;

const A_DAY: u64 = 86_400;

/// The size of the drawing area, in units of the SVG.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 160;

/// The classes of the stylesheet that give the parts their colours.
const COLOURS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

/// What the template draws.
pub(super) struct Chart {
    pub(super) total: u64,
    pub(super) from: String,
    pub(super) until: String,
    /// The requests of the highest bar.
    pub(super) most: u64,
    pub(super) parts: Vec<Part>,
    pub(super) decisions: Vec<(&'static str, String)>,
    pub(super) rows: Vec<RouteRow>,
}

/// A part of a bar.
pub(super) struct Part {
    pub(super) colour: &'static str,
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) title: String,
}

/// The requests of one route with one decision.
pub(super) struct RouteRow {
    pub(super) route: String,
    pub(super) decision: &'static str,
    pub(super) requests: u64,
}

impl Chart {
    /// Draws the usage from one instant until another. `days` are counts by day and decision, `routes` by route and
    /// decision.
    pub(super) fn of(
        days: &[UsageCount],
        routes: &[UsageCount],
        from: Timestamp,
        until: Timestamp,
    ) -> Self {
        let first = from.unix_seconds() / A_DAY;
        let number = (until.unix_seconds() / A_DAY).saturating_sub(first) + 1;
        let mut by_day: BTreeMap<u64, BTreeMap<&str, u64>> = BTreeMap::new();
        let mut by_decision: BTreeMap<&str, u64> = BTreeMap::new();
        for count in days {
            let start = count.start.unwrap_or(from).unix_seconds();
            let day = (start / A_DAY).clamp(first, first + number - 1) - first;
            let add = |sum: &mut u64| *sum = sum.saturating_add(count.requests);
            add(by_day.entry(day).or_default().entry(decision(count)).or_default());
            add(by_decision.entry(decision(count)).or_default());
        }
        let sum = |parts: &BTreeMap<&str, u64>| {
            parts.values().fold(0, |sum: u64, part| sum.saturating_add(*part))
        };
        let most = by_day.values().map(sum).max().unwrap_or_default().max(1);
        // The most frequent decisions have colours of their own. The others share the last one.
        let mut decisions: Vec<(&str, u64)> = by_decision.into_iter().collect();
        decisions.sort_by_key(|(_, requests)| std::cmp::Reverse(*requests));
        let colour = |decision: &str| {
            let place = decisions.iter().position(|(other, _)| *other == decision);
            place.and_then(|place| COLOURS.get(place)).copied().unwrap_or("six")
        };
        let width = WIDTH / number;
        let mut parts = Vec::new();
        for (day, decisions) in &by_day {
            let mut base = HEIGHT;
            let date = text::date(Some(Timestamp::from_unix_seconds((first + day) * A_DAY)));
            for (decision, requests) in decisions {
                let height = scaled(*requests, most);
                base = base.saturating_sub(height);
                let title = format!("{date}: {requests} {decision}");
                let (x, width) = (day * width, width.saturating_sub(2).max(1));
                parts.push(Part { colour: colour(decision), x, y: base, width, height, title });
            }
        }
        let total =
            decisions.iter().fold(0, |sum: u64, (_, requests)| sum.saturating_add(*requests));
        let legend = decisions.iter().map(|(name, _)| (colour(name), (*name).to_owned())).collect();
        let row = |count: &UsageCount| RouteRow {
            route: count.route.clone().unwrap_or_default(),
            decision: decision(count),
            requests: count.requests,
        };
        let mut rows: Vec<_> = routes.iter().map(row).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.requests));
        Self {
            total,
            from: text::date(Some(from)),
            until: text::date(Some(until)),
            most,
            parts,
            decisions: legend,
            rows,
        }
    }
}

/// Returns the name of the decision that a count is of.
fn decision(count: &UsageCount) -> &'static str {
    count.decision.map_or("", RequestDecision::name)
}

/// Returns the height of a part; at least 1, so that every part is seen.
fn scaled(requests: u64, most: u64) -> u64 {
    let height = u128::from(requests) * u128::from(HEIGHT) / u128::from(most.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).max(u64::from(requests > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use RequestDecision::{Admitted, Refused};

    fn by_day(day: u64, decision: RequestDecision, requests: u64) -> UsageCount {
        let start = Timestamp::from_unix_seconds(day * A_DAY);
        UsageCount::new(Some(start), None, Some(decision), requests)
    }

    fn by_route(route: &str, decision: RequestDecision, requests: u64) -> UsageCount {
        UsageCount::new(None, Some(route.to_owned()), Some(decision), requests)
    }

    #[test]
    fn days_become_bars_and_decisions_become_parts() {
        let days = [by_day(0, Admitted, 30), by_day(1, Admitted, 5), by_day(1, Refused, 10)];
        let routes = [
            by_route("/a", Admitted, 15),
            by_route("/a", Refused, 10),
            by_route("/b", Admitted, 20),
        ];
        let until = Timestamp::from_unix_seconds(2 * A_DAY - 1);
        let chart = Chart::of(&days, &routes, Timestamp::from_unix_seconds(0), until);
        assert_eq!((chart.total, chart.most), (45, 30));
        let parts: Vec<_> =
            chart.parts.iter().map(|part| (part.x, part.y, part.height, part.colour)).collect();
        assert_eq!(parts, [(0, 0, 160, "one"), (360, 134, 26, "one"), (360, 81, 53, "two")]);
        let first = chart.rows.first().unwrap();
        assert_eq!((first.route.as_str(), first.decision, first.requests), ("/b", "admitted", 20));
    }

    #[test]
    fn nothing_and_very_much_are_drawn() {
        let at = Timestamp::from_unix_seconds;
        assert!(Chart::of(&[], &[], at(0), at(0)).parts.is_empty());
        let much = [
            by_day(0, Admitted, u64::MAX),
            by_day(0, Refused, u64::MAX),
            by_day(9_999_999, Admitted, 1),
        ];
        let chart = Chart::of(&much, &[], at(0), at(10));
        assert_eq!(chart.total, u64::MAX);
        assert!(chart.parts.iter().all(|part| part.height <= HEIGHT && part.y <= HEIGHT));
    }
}
