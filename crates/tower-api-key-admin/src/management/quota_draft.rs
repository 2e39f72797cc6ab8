//! A quota as a body or a form describes it.

use std::time::Duration;

use tower_api_key::quota::{Algorithm, Per, Quota};

use super::error::ManagementError;

/// The seconds of a day.
const DAY: u64 = 86_400;

/// A quota as a body or a form describes it, with names as text. The API and the console read it by the same rules.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct QuotaDraft {
    pub(crate) name: String,
    pub(crate) limit: u32,
    /// The length of the window. A quota of the calendar has none.
    pub(crate) window_seconds: Option<f64>,
    pub(crate) algorithm: Option<String>,
    pub(crate) per: Option<String>,
    pub(crate) shadow: bool,
    pub(crate) on_limiter_failure: Option<String>,
}

impl QuotaDraft {
    /// Describes a quota.
    pub(crate) fn of(quota: &Quota) -> Self {
        let calendar =
            matches!(quota.algorithm(), Algorithm::CalendarDay | Algorithm::CalendarMonth);
        Self {
            name: quota.name().to_owned(),
            limit: quota.limit(),
            window_seconds: (!calendar).then(|| quota.window().as_secs_f64()),
            algorithm: Some(quota.algorithm().to_string()),
            per: Some(quota.per().to_string()),
            shadow: quota.is_in_shadow(),
            on_limiter_failure: quota.failure_choice().map(|choice| choice.to_string()),
        }
    }

    /// Returns the quota, unchecked: what cannot be counted is found when the key or account is built.
    pub(crate) fn quota(self) -> Result<Quota, ManagementError> {
        let invalid =
            |problem: &dyn ToString| ManagementError::invalid("quotas", problem.to_string());
        let algorithm: Option<Algorithm> = self
            .algorithm
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|error| invalid(&error))?;
        let calendar = matches!(algorithm, Some(Algorithm::CalendarDay | Algorithm::CalendarMonth));
        let window = match (self.window_seconds, calendar) {
            // As `Quota::by_day` and `Quota::by_month` have it.
            (None, true) if algorithm == Some(Algorithm::CalendarDay) => Duration::from_secs(DAY),
            (None, true) => Duration::from_secs(31 * DAY),
            (Some(_), true) => {
                return Err(invalid(&"a calendar's quota has no `window_seconds`: leave it out"));
            }
            (None, false) => return Err(invalid(&"`window_seconds` is required")),
            (Some(seconds), false) => Duration::try_from_secs_f64(seconds)
                .map_err(|_| invalid(&"`window_seconds` must be a positive number"))?,
        };
        let mut quota = Quota::named(self.name, self.limit, window);
        if let Some(algorithm) = algorithm {
            quota = quota.with_algorithm(algorithm);
        }
        if let Some(per) = &self.per {
            quota = quota.with_per(per.parse::<Per>().map_err(|error| invalid(&error))?);
        }
        if let Some(choice) = &self.on_limiter_failure {
            quota = quota.with_failure_choice(choice.parse().map_err(|error| invalid(&error))?);
        }
        Ok(if self.shadow { quota.in_shadow() } else { quota })
    }
}
