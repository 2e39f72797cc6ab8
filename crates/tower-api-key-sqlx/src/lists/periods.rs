//! Periods of expiry. An index has the active keys of each period in the order of ids. So a list of active keys does not read
//! the keys that expired before: often these have the first ids.

use super::term::{Term, TermValues};
use crate::row;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyState};

/// The length of a period in nanoseconds: 90 days. The index has the same number.
const PERIOD: i64 = 7_776_000_000_000_000;

/// The period of a key, in the words of the index. Keys that never expire have a period of their own, so that it is a value
/// like any other: PostgreSQL sorts a column that is NULL in all rows.
const OF_KEY: &str = "COALESCE(~k.expires / 7776000000000000, -1)";

const NEVER: i64 = -1;

/// The periods from the present one on that are read one by one: two years.
const NEAR: i64 = 9;

/// The conditions of the periods in which active keys expire. Together they have all active keys, each in one period.
#[derive(Debug)]
pub(super) struct PeriodTerms {
    /// The keys that never expire, and those of each near period.
    pub(super) each: Vec<Term>,
    /// The keys of all later periods.
    pub(super) later: Term,
}

impl PeriodTerms {
    /// Returns the periods of a list of active keys in the order of ids; `None` if the list is another one, or if a kind or
    /// an environment finds few keys by itself.
    pub(super) fn of(filter: &KeyFilter, now: Timestamp, values: &mut TermValues) -> Option<Self> {
        let is_open = filter.kind.is_none() && filter.environment.is_none();
        if filter.state != Some(KeyState::Active) || filter.order != KeyOrder::Id || !is_open {
            return None;
        }
        let present = row::column(now) / PERIOD;
        let mut is =
            |sign: &str, period: i64| Term::new(format!("{OF_KEY} {sign} {}", values.add(period)));
        let near = present..present + NEAR;
        let each = std::iter::once(NEVER).chain(near).map(|period| is("=", period)).collect();
        Some(Self { each, later: is(">=", present + NEAR) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_as_long_as_in_the_index() {
        assert_eq!(PERIOD, 90 * 86_400 * 1_000_000_000);
        assert!(OF_KEY.contains(&PERIOD.to_string()));
        for migration in [
            include_str!("../../migrations/0010_pages.sqlite.sql"),
            include_str!("../../migrations/0010_pages.postgres.sql"),
        ] {
            assert!(migration.contains(&OF_KEY.replace("~k.", "")));
        }
    }

    #[test]
    fn only_active_keys_in_the_order_of_ids_have_periods() {
        let active = KeyFilter { state: Some(KeyState::Active), ..KeyFilter::default() };
        let of = |filter: KeyFilter| {
            let terms = PeriodTerms::of(
                &filter,
                Timestamp::from_unix_seconds(0),
                &mut TermValues::default(),
            );
            terms.map(|terms| terms.each.len())
        };
        assert_eq!(of(active.clone()), Some(10));
        assert_eq!(of(KeyFilter::default()), None);
        assert_eq!(of(KeyFilter { order: KeyOrder::Name, ..active.clone() }), None);
        assert_eq!(of(KeyFilter { kind: Some("robot".into()), ..active.clone() }), None);
        assert_eq!(of(KeyFilter { environment: Some("live".into()), ..active }), None);
    }
}
