//! The audit trail as pages show it.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use http::StatusCode;
use tower_api_key::store::{Change, Difference};

use super::fields::Fields;
use super::frame::{Frame, Section};
use super::listing::following;
use super::problem::page;
use super::text;
use super::visit::Visit;
use crate::management::{ManagementError, TrailQuery};

/// A line of the trail.
pub(super) struct ShownChange {
    pub(super) action: String,
    pub(super) key: Option<String>,
    pub(super) account: String,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) reason: Option<String>,
    pub(super) differences: Vec<Difference>,
}

#[derive(Template)]
#[template(path = "console/trail.html")]
struct TrailPage {
    frame: Frame,
    changes: Vec<ShownChange>,
    no_changes: &'static str,
    next: Option<String>,
}

impl From<Change> for ShownChange {
    fn from(change: Change) -> Self {
        Self {
            action: change.action.name().replace('_', " "),
            key: change.key,
            account: change.account,
            at: text::moment(Some(change.at)),
            by: change.by,
            reason: change.reason,
            differences: change.differences.iter().map(Difference::in_words).collect(),
        }
    }
}

/// Lists the changes of all keys and accounts that the visitor may see.
pub(super) async fn trail(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let Ok(before) = fields.filled("after").map(str::parse).transpose() else {
        return visit.refused(&ManagementError::invalid("after", "it names no line of the trail"));
    };
    let query = TrailQuery {
        account: fields.filled("account").map(str::to_owned),
        before,
        ..TrailQuery::default()
    };
    let listed = match visit.shared.management.read_trail(&visit.caller, &query).await {
        Ok(listed) => listed,
        Err(error) => return visit.refused(&error),
    };
    let trail = TrailPage {
        frame: visit.frame(Section::Trail),
        next: listed.next.map(|after| following(&fields, &after)),
        changes: listed.found.into_iter().map(ShownChange::from).collect(),
        no_changes: "No changes.",
    };
    page(StatusCode::OK, &trail)
}

/// Returns the changes of a key, and what a page says if there are none.
pub(super) async fn of_key(
    visit: &Visit,
    id: &str,
) -> Result<(Vec<ShownChange>, &'static str), ManagementError> {
    let query = TrailQuery { key: Some(id.to_owned()), ..TrailQuery::default() };
    match visit.shared.management.read_trail(&visit.caller, &query).await {
        Ok(listed) => {
            Ok((listed.found.into_iter().map(ShownChange::from).collect(), "No changes."))
        }
        Err(ManagementError::MissingScope(_) | ManagementError::OperatorsOnly) => {
            Ok((Vec::new(), "Your key may not read the trail."))
        }
        Err(error) => Err(error),
    }
}
