//! Quotas as people write them: `minute=100/60s`, `day=5000/1 day:sliding_window@key`,
//! `month=100000/calendar_month`.

use std::str::FromStr;
use std::time::Duration;

use tower_api_key::quota::{Algorithm, OnLimiterFailure, Per, Quota};

use crate::moment::Span;

/// A quota as the command line writes it.
#[derive(Debug, Clone)]
pub(crate) struct QuotaText(pub(crate) Quota);

const SHADOW: &str = "+shadow";

const FORM: &str = "write NAME=LIMIT/WINDOW[:ALGORITHM][@PER][+shadow][+FAILURE], such as minute=100/60s; \
    LIMIT is a whole number; WINDOW is a duration such as 60s, or calendar_day or calendar_month; \
    ALGORITHM is fixed_window, leaky_bucket or sliding_window, after a duration only; \
    PER is account or key; FAILURE is deny, allow or local/NODES";

impl FromStr for QuotaText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name may hold every character of the rest, but the rest holds no `=`.
        let (name, text) = text.rsplit_once('=').ok_or(FORM)?;
        let (text, on_failure) = match text.rsplit_once('+') {
            Some((rest, choice)) => match choice.parse::<OnLimiterFailure>() {
                Ok(choice) => (rest, Some(choice)),
                Err(_) => (text, None),
            },
            None => (text, None),
        };
        let shadow = text.ends_with(SHADOW);
        let text = text.strip_suffix(SHADOW).unwrap_or(text);
        let (rest, per) = match text.split_once('@') {
            Some((rest, per)) => (rest, per.parse().map_err(|_| FORM)?),
            None => (text, Per::Account),
        };
        let (rest, algorithm) = match rest.split_once(':') {
            Some((rest, name)) => (rest, Some(name.parse::<Algorithm>().map_err(|_| FORM)?)),
            None => (rest, None),
        };
        let (limit, window) = rest.split_once('/').ok_or(FORM)?;
        let limit = limit.parse().map_err(|_| FORM)?;
        let (window, algorithm) = match (window.parse(), algorithm) {
            (Ok(calendar), None) if follows_calendar(calendar) => (Duration::ZERO, calendar),
            (_, Some(calendar)) if follows_calendar(calendar) => return Err(FORM),
            (_, algorithm) => {
                let Span(window) = window.parse()?;
                (window, algorithm.unwrap_or_default())
            }
        };
        let quota = Quota::named(name, limit, window).with_algorithm(algorithm).with_per(per);
        let quota = if shadow { quota.in_shadow() } else { quota };
        Ok(Self(match on_failure {
            Some(choice) => quota.with_failure_choice(choice),
            None => quota,
        }))
    }
}

/// Returns true if a window of the algorithm ends with a day or a month.
fn follows_calendar(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::CalendarDay | Algorithm::CalendarMonth)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tower_api_key::quota::Quotas;

    use super::*;

    fn quota() -> impl Strategy<Value = Quota> {
        let name = "[a-z@:/=+ -]{1,8}|[ -~]{1,12}|a[+:@](key|deny|allow|leaky|shadow|local/3)=?";
        let algorithm = prop::sample::select(&Algorithm::ALL);
        let per = prop::sample::select(vec![Per::Account, Per::Key]);
        let choice =
            prop::option::of(prop::sample::select(vec!["deny", "allow", "local/1", "local/99"]));
        (name, 1..=u32::MAX, 1..366 * 24 * 3_600u64, algorithm, per, any::<bool>(), choice)
            .prop_map(|(name, limit, seconds, algorithm, per, shadow, choice)| {
                let quota = Quota::named(name, limit, Duration::from_secs(seconds));
                let quota = quota.with_algorithm(algorithm).with_per(per);
                let quota = if shadow { quota.in_shadow() } else { quota };
                match choice.and_then(|choice| choice.parse().ok()) {
                    Some(choice) => quota.with_failure_choice(choice),
                    None => quota,
                }
            })
    }

    proptest! {
        #[test]
        fn any_quota_is_read_as_it_is_written(quota in quota()) {
            prop_assume!(Quotas::new([quota.clone()]).is_ok());
            let written = quota.to_string();
            let read: Result<QuotaText, _> = written.parse();
            prop_assert_eq!(read.map(|read| read.0), Ok(quota), "{}", written);
        }
    }

    #[test]
    fn quotas_are_read_as_they_are_written() {
        for written in [
            "minute=100/60s",
            "hour=5/3600s:leaky_bucket",
            "day=1/86400s:sliding_window@key",
            "day=5/calendar_day",
            "month=9/calendar_month@key",
            "minute=100/60s+shadow",
            "hour=5/3600s:leaky_bucket@key+shadow",
            "a=1/60s+deny",
            "a=1/60s:leaky_bucket+allow",
            "a=1/calendar_day@key+shadow+local/3",
            "a+b=1/60s",
            "a@key=1/60s@key",
            "a:b=c/d=1/60s:leaky_bucket",
        ] {
            let QuotaText(quota) = written.parse().unwrap();
            assert_eq!(quota.to_string(), written);
        }
        for wrong in [
            "",
            "minute",
            "minute=100",
            "minute=x/60s",
            "a=1/60s:other",
            "a=1/60s@other",
            "a=1/calendar_day:leaky_bucket",
            "a=1/calendar-year",
            "a=1/60s+dark",
            "a=1/60s+local",
            "a=1/60s+local/0",
        ] {
            assert!(wrong.parse::<QuotaText>().is_err(), "{wrong}");
        }
    }
}
