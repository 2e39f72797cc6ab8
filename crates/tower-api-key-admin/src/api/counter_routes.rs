//! The routes of counters.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::data;
use super::asking::{Asking, PathId};
use super::change_body::ChangeBody;
use super::moment::whole;
use super::operation::Operation;
use super::problem::Problem;
use super::quota_body::QuotaBody;
use super::schema;
use crate::management::scopes::{USAGE_READ, USAGE_WRITE};
use crate::management::{CounterEntry, Management};

/// Lists the operations on counters.
pub(super) fn operations() -> Vec<Operation> {
    let counters = || schema::whole_view(json!({ "data": schema::list("Counter") }));
    vec![
        Operation::new(
            "get",
            "/counters/{id}",
            "readCounters",
            "Reads the counters of a key",
            get(read),
        )
        .needs(USAGE_READ)
        .answer(200, "What is left of each quota", counters())
        .also_fails_with([501]),
        Operation::new(
            "post",
            "/counters/{id}/reset",
            "resetCounter",
            "Gives all of a used-up quota back",
            post(reset),
        )
        .needs(USAGE_WRITE)
        .body("ResetBody")
        .changes()
        .answer(200, "What is left of each quota", counters())
        .also_fails_with([501]),
        Operation::new(
            "post",
            "/counters/{id}/raise",
            "raiseCounter",
            "Gives a part of a used-up quota back",
            post(raise),
        )
        .needs(USAGE_WRITE)
        .body("RaiseBody")
        .changes()
        .answer(200, "What is left of each quota", counters())
        .also_fails_with([501]),
    ]
}

/// A quota to give back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetBody {
    quota: String,
}

impl ResetBody {
    pub(super) fn schema() -> Value {
        schema::body(&["quota"], json!({ "quota": { "type": "string", "example": "minute" } }))
    }
}

/// A part of a quota to give back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RaiseBody {
    quota: String,
    #[serde(deserialize_with = "whole")]
    by: u32,
}

impl RaiseBody {
    pub(super) fn schema() -> Value {
        let by = json!({
            "type": "integer", "minimum": 0, "maximum": u32::MAX, "example": 10,
            "description": "How many used requests to give back; at most all that were used.",
        });
        let quota = json!({ "type": "string", "example": "minute" });
        schema::body(&["quota", "by"], json!({ "quota": quota, "by": by }))
    }
}

/// What is left of a quota, as answers have it.
#[derive(Serialize)]
pub(super) struct CounterView {
    quota: QuotaBody,
    limit: u32,
    remaining: u32,
    used: u32,
    reset_after_seconds: u64,
}

impl CounterView {
    fn of(entry: &CounterEntry) -> Self {
        let status = entry.status;
        let after = status.reset_after();
        Self {
            quota: QuotaBody::of(&entry.quota),
            limit: status.limit(),
            remaining: status.remaining(),
            used: status.limit().saturating_sub(status.remaining()),
            reset_after_seconds: after.as_secs() + u64::from(after.subsec_nanos() > 0),
        }
    }

    pub(super) fn schema() -> Value {
        let number = json!({ "type": "integer" });
        schema::whole_view(json!({
            "quota": schema::reference("QuotaView"),
            "limit": number,
            "remaining": number,
            "used": number,
            "reset_after_seconds": number,
        }))
    }
}

async fn read(
    State(management): State<Management>,
    Asking(caller): Asking,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    Ok(counters(&management.read_counters(&caller, &id).await?))
}

async fn reset(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_condition()?;
    let ResetBody { quota } = change.json()?;
    let request = change.request();
    Ok(counters(&management.give_back(&change.caller, &id, &quota, None, &request).await?))
}

async fn raise(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_condition()?;
    let RaiseBody { quota, by } = change.json()?;
    let request = change.request();
    Ok(counters(&management.give_back(&change.caller, &id, &quota, Some(by), &request).await?))
}

fn counters(entries: &[CounterEntry]) -> Response {
    data(entries.iter().map(CounterView::of))
}
