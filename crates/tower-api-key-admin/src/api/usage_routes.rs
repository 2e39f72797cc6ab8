//! The routes of usage.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::RequestDecision;
use tower_api_key::usage::{UsageCount, UsageGroup, UsageHour};

use super::answers::data;
use super::asking::{Asking, PathId};
use super::key_parameters::parameter;
use super::moment::Moment;
use super::operation::Operation;
use super::problem::Problem;
use super::{schema, strict};
use crate::management::Management;
use crate::management::scopes::USAGE_READ;

/// The time that is read unless the request says since when: 30 days.
const USUAL: Duration = Duration::from_secs(30 * 86_400);

/// Lists the operations on usage.
pub(super) fn operations() -> Vec<Operation> {
    let group = "(hour|day|route|decision)";
    let groups = json!({
        "type": "string", "pattern": format!("^({group}(,{group})*)?$"), "example": "day,decision",
    });
    let parameters = || {
        let since = "Whole hours from this one; 30 days before `until` unless set.";
        let until = "Hours that begin before this instant; now unless set.";
        let by = "By what requests are counted apart. Without it, the answer is one total.";
        [
            parameter("since", since, schema::instant()),
            parameter("until", until, schema::instant()),
            parameter("group_by", by, groups.clone()),
        ]
    };
    let described = |operation: Operation| {
        operation
            .needs(USAGE_READ)
            .parameters(parameters())
            .answer(
                200,
                "Numbers of requests, by time, route and decision; at most 10,000 rows",
                schema::whole_view(json!({ "data": schema::list("Usage") })),
            )
            .also_fails_with([422, 501])
    };
    vec![
        described(Operation::new(
            "get",
            "/keys/{id}/usage",
            "readUsage",
            "Reads how many requests a key made",
            get(read),
        )),
        described(Operation::new(
            "get",
            "/accounts/{id}/usage",
            "readAccountUsage",
            "Reads how many requests the keys of an account made",
            get(read_of_account),
        )),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageParameters {
    since: Option<Moment>,
    until: Option<Moment>,
    group_by: Option<String>,
}

/// A number of requests, as answers have it.
#[derive(Serialize)]
pub(super) struct UsageView {
    start: Option<String>,
    route: Option<String>,
    decision: Option<&'static str>,
    requests: u64,
}

impl UsageView {
    fn of(count: UsageCount) -> Self {
        Self {
            start: count.start.map(|start| start.to_string()),
            route: count.route,
            decision: count.decision.map(RequestDecision::name),
            requests: count.requests,
        }
    }

    pub(super) fn schema() -> Value {
        let text = |description| json!({ "type": ["string", "null"], "description": description });
        schema::whole_view(json!({
            "start": text("The start of the hour or day; null if the query does not group by it."),
            "route": text("The pattern of the route; null if the query does not group by it."),
            "decision": text("The decision; null if the query does not group by it."),
            "requests": { "type": "integer", "minimum": 0 },
        }))
    }
}

async fn read(
    State(management): State<Management>,
    Asking(caller): Asking,
    PathId(id): PathId,
    uri: Uri,
) -> Result<Response, Problem> {
    let (since, until, groups) = query(&management, &uri)?;
    let counts = management.read_usage(&caller, &id, since, until, groups).await?;
    Ok(data(counts.into_iter().map(UsageView::of)))
}

async fn read_of_account(
    State(management): State<Management>,
    Asking(caller): Asking,
    PathId(id): PathId,
    uri: Uri,
) -> Result<Response, Problem> {
    let (since, until, groups) = query(&management, &uri)?;
    let counts = management.read_account_usage(&caller, &id, since, until, groups).await?;
    Ok(data(counts.into_iter().map(UsageView::of)))
}

/// Reads the time and the groups of a query.
fn query(
    management: &Management,
    uri: &Uri,
) -> Result<(Timestamp, Timestamp, Vec<UsageGroup>), Problem> {
    let UsageParameters { since, until, group_by } = strict::query(uri.query())?;
    let until = until.map_or_else(|| management.now(), |Moment(until)| until);
    let since =
        since.map_or_else(|| UsageHour::of(until).earlier(USUAL).start(), |Moment(since)| since);
    Ok((since, until, groups(&group_by.unwrap_or_default())?))
}

/// Reads names of groups between commas.
fn groups(names: &str) -> Result<Vec<UsageGroup>, Problem> {
    let names = names.split(',').filter(|_| !names.is_empty());
    let groups = names.map(|name| {
        let expected = "group_by: must be of hour, day, route and decision, with commas between";
        name.parse::<UsageGroup>().map_err(|_| Problem::bad_request(expected))
    });
    groups.collect()
}
