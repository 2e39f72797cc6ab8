//! The usage of a key or an account as pages show it, and the usage of an account as a file.

use std::time::Duration;

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use http::header;
use tower_api_key::clock::Timestamp;
use tower_api_key::usage::{UsageCount, UsageGroup, UsageHour};

use super::chart::Chart;
use super::fields::Fields;
use super::text;
use super::visit::Visit;
use crate::management::ManagementError;

/// The time whose usage pages show: 30 days.
const SHOWN: Duration = Duration::from_secs(30 * 86_400);

const DAY: Duration = Duration::from_secs(86_400);

/// Whose requests are counted.
#[derive(Clone, Copy)]
pub(super) enum UsedBy<'a> {
    Key(&'a str),
    Account(&'a str),
}

pub(super) enum ShownUsage {
    None,
    NotAllowed,
    Unavailable,
    Chart(Chart),
}

impl UsedBy<'_> {
    /// Reads the usage by day, and again by route: two short answers, where one by both is long.
    pub(super) async fn shown(self, visit: &Visit) -> ShownUsage {
        let now = visit.shared.management.now();
        let from = UsageHour::of(now).earlier(SHOWN).start();
        let read = async |by| self.read(visit, from, now, &[by, UsageGroup::Decision]).await;
        let read = async { Ok((read(UsageGroup::Day).await?, read(UsageGroup::Route).await?)) };
        match read.await {
            Ok((days, routes)) => ShownUsage::Chart(Chart::of(&days, &routes, from, now)),
            Err(ManagementError::NotOffered(_)) => ShownUsage::None,
            Err(ManagementError::MissingScope(_)) => ShownUsage::NotAllowed,
            Err(_) => ShownUsage::Unavailable,
        }
    }

    async fn read(
        self,
        visit: &Visit,
        since: Timestamp,
        until: Timestamp,
        by: &[UsageGroup],
    ) -> Result<Vec<UsageCount>, ManagementError> {
        let (management, by) = (&visit.shared.management, by.iter().copied());
        match self {
            Self::Key(id) => management.read_usage(&visit.caller, id, since, until, by).await,
            Self::Account(id) => {
                management.read_account_usage(&visit.caller, id, since, until, by).await
            }
        }
    }
}

/// Reads the usage of an account by day, route and decision.
async fn of_month(
    visit: &Visit,
    account: &str,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<UsageCount>, ManagementError> {
    let by = [UsageGroup::Day, UsageGroup::Route, UsageGroup::Decision];
    let read = async |since, until| UsedBy::Account(account).read(visit, since, until, &by).await;
    let whole = read(since, until).await;
    // A month of many routes has more rows than one answer may have. A day has fewer.
    if !matches!(&whole, Err(error) if error.field() == Some("group_by")) {
        return whole;
    }
    let (mut counts, mut day) = (Vec::new(), since);
    while day < until {
        let next = day.plus(DAY);
        counts.extend(read(day, next.min(until)).await?);
        day = next;
    }
    Ok(counts)
}

/// Returns the present month in UTC, such as `2027-01`.
pub(super) fn month(now: Timestamp) -> String {
    text::date(Some(now)).chars().take(7).collect()
}

/// Answers with the usage of an account in the present month, by day, route and decision, as comma-separated values.
pub(super) async fn file(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let now = visit.shared.management.now();
    let month = month(now);
    let since = text::first_instant(&format!("{month}-01")).unwrap_or(now);
    // The present hour counts from its beginning on, also if the month has just begun.
    let until = now.plus(Duration::from_secs(1));
    match of_month(&visit, fields.text("id"), since, until).await {
        Ok(counts) => {
            // The name has no text of people, which a header might not hold.
            let name = format!("attachment; filename=\"usage-{month}.csv\"");
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, name),
            ];
            (headers, UsageCount::csv(&counts)).into_response()
        }
        Err(error) => visit.refused(&error),
    }
}
