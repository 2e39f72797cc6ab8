//! The route of the trail.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_api_key::store::{Action, Change};

use super::answers::page;
use super::asking::Asking;
use super::key_parameters::{limit, parameter, text};
use super::operation::Operation;
use super::problem::Problem;
use super::{schema, strict};
use crate::management::scopes::TRAIL_READ;
use crate::management::{Management, TrailQuery};

/// The kinds of changes, by which the trail is filtered.
const ACTIONS: [&str; 11] = [
    "key_added",
    "key_updated",
    "key_rotated",
    "key_rehashed",
    "key_revoked",
    "key_deleted",
    "quota_refunded",
    "account_saved",
    "account_deleted",
    "policy_saved",
    "policy_deleted",
];

/// The largest whole number that every reader of JSON knows exactly.
const LAST: u64 = 9_007_199_254_740_991;

/// Lists the operation on the trail.
pub(super) fn operations() -> Vec<Operation> {
    let sequence = json!({ "type": "integer", "minimum": 0, "maximum": LAST });
    vec![
        Operation::new("get", "/trail", "readTrail", "Reads who changed what, and why", get(read))
            .needs(TRAIL_READ)
            .parameters([
                parameter("account", "Changes of this account.", text()),
                parameter("key", "Changes of this key.", text()),
                parameter("by", "Changes that this author made.", json!({ "type": "string" })),
                parameter(
                    "action",
                    "Changes of this kind.",
                    json!({ "type": "string", "enum": ACTIONS }),
                ),
                parameter("before", "The `next` of the page before.", sequence),
                limit(),
            ])
            .answer(
                200,
                "Lines, the newest first. Go on while there is a `next`: a page may be short.",
                schema::page("Change"),
            )
            .also_fails_with([422]),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrailParameters {
    account: Option<String>,
    key: Option<String>,
    by: Option<String>,
    action: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
}

/// A line of the trail, as answers have it.
#[derive(Serialize)]
pub(super) struct ChangeView {
    sequence: u64,
    at: String,
    by: Option<String>,
    action: String,
    key: Option<String>,
    account: String,
    reason: Option<String>,
    differences: Vec<Value>,
}

impl ChangeView {
    fn of(change: &Change) -> Self {
        let differences = change.differences.iter().map(|difference| {
            json!({
                "field": difference.field, "before": difference.before, "after": difference.after,
            })
        });
        Self {
            sequence: change.sequence,
            at: change.at.to_string(),
            by: Some(change.by.clone()).filter(|by| !by.is_empty()),
            action: change.action.to_string(),
            key: change.key.clone(),
            account: change.account.clone(),
            reason: change.reason.clone(),
            differences: differences.collect(),
        }
    }

    pub(super) fn schema() -> Value {
        let string = json!({ "type": "string" });
        let some = json!({ "type": ["string", "null"] });
        let difference = json!({ "field": string, "before": some, "after": some });
        schema::whole_view(json!({
            "sequence": { "type": "integer" },
            "at": string,
            "by": some,
            "action": string,
            "key": some,
            "account": { "type": "string", "description": "Empty for a policy for all accounts." },
            "reason": some,
            "differences": { "type": "array", "items": schema::whole_view(difference) },
        }))
    }
}

async fn read(
    State(management): State<Management>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Response, Problem> {
    let TrailParameters { account, key, by, action, before, limit } = strict::query(uri.query())?;
    let action = match action.as_deref() {
        None => None,
        Some(name) if ACTIONS.contains(&name) => name.parse::<Action>().ok(),
        Some(_) => return Err(Problem::bad_request("action: must be such as key_revoked")),
    };
    if before.is_some_and(|before| before > LAST) {
        return Err(Problem::bad_request("before: must be at most 9007199254740991"));
    }
    let query = TrailQuery { account, key, by, action, before, limit };
    Ok(page(management.read_trail(&caller, &query).await?, ChangeView::of))
}
