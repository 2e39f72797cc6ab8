//! The audit trail as pages show it.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use http::StatusCode;
use tower_api_key::store::{Action, Change, Difference};

use super::fields::Fields;
use super::frame::{Frame, Section};
use super::listing::following;
use super::problem::page;
use super::text;
use super::visit::Visit;
use crate::management::{ManagementError, TrailQuery};

/// What stands for an author that an owner must not learn.
const HIDDEN: &str = "an operator";

/// A line of the trail.
pub(super) struct ShownChange {
    pub(super) action: String,
    pub(super) key: Option<String>,
    pub(super) account: String,
    pub(super) at: String,
    /// Who made the change; `None` if the trail does not say.
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) differences: Vec<Difference>,
}

#[derive(Template)]
#[template(path = "console/trail.html")]
struct TrailPage {
    frame: Frame,
    account: String,
    key: String,
    by: String,
    changes: Vec<ShownChange>,
    no_changes: &'static str,
    next: Option<String>,
}

impl ShownChange {
    fn all(visit: &Visit, changes: Vec<Change>) -> Vec<Self> {
        changes.into_iter().map(|change| Self::of(visit, change)).collect()
    }

    fn of(visit: &Visit, change: Change) -> Self {
        let hidden = (!visit.caller.is_operator()).then(|| HIDDEN.to_owned());
        Self {
            action: action(&change),
            key: change.key,
            account: change.account,
            at: text::moment(Some(change.at)),
            by: if change.by.is_empty() { hidden } else { Some(change.by) },
            reason: change.reason,
            differences: change.differences.iter().map(Difference::in_words).collect(),
        }
    }
}

/// Names a change. The store has no kind of its own for the end of old secrets.
fn action(change: &Change) -> String {
    if change.action == Action::KeyUpdated {
        let ended = Difference::of_ended_secrets(1);
        let is_end = |found: &Difference| ended.iter().any(|ended| ended.field == found.field);
        if change.differences.iter().any(is_end) {
            return "old secrets ended".to_owned();
        }
    }
    change.action.name().replace('_', " ")
}

/// Lists the changes of all keys and accounts that the visitor may see.
pub(super) async fn trail(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let Ok(before) = fields.filled("after").map(str::parse).transpose() else {
        return visit.refused(&ManagementError::invalid("after", "it names no line of the trail"));
    };
    let some = |name| fields.filled(name).map(str::to_owned);
    let (account, key, by) = (some("account"), some("key"), some("by"));
    let query = TrailQuery { account, key, by, before, ..TrailQuery::default() };
    let listed = match visit.shared.management.read_trail(&visit.caller, &query).await {
        Ok(listed) => listed,
        Err(error) => return visit.refused(&error),
    };
    let trail = TrailPage {
        frame: visit.frame(Section::Trail),
        account: query.account.unwrap_or_default(),
        key: query.key.unwrap_or_default(),
        by: query.by.unwrap_or_default(),
        // Authors are compared line by line, so that a page may have none of many.
        no_changes: if listed.next.is_some() { "None so far. Go on." } else { "No changes." },
        next: listed.next.map(|after| following(&fields, &after)),
        changes: ShownChange::all(&visit, listed.found),
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
        Ok(listed) => Ok((ShownChange::all(visit, listed.found), "No changes.")),
        Err(ManagementError::MissingScope(_) | ManagementError::OperatorsOnly) => {
            Ok((Vec::new(), "Your key may not read the trail."))
        }
        Err(error) => Err(error),
    }
}

/// Returns the last change of a key, if the visitor may read the trail.
pub(super) async fn last_of_key(visit: &Visit, id: &str) -> Option<ShownChange> {
    let query = TrailQuery { key: Some(id.to_owned()), ..TrailQuery::default() };
    // Quota that was given back is no change of the key.
    last(visit, query, |change| change.action != Action::QuotaRefunded).await
}

/// Returns the last change of an account itself, if the visitor may read the trail.
pub(super) async fn last_of_account(visit: &Visit, id: &str) -> Option<ShownChange> {
    let (account, action) = (Some(id.to_owned()), Some(Action::AccountSaved));
    last(visit, TrailQuery { account, action, ..TrailQuery::default() }, |_| true).await
}

/// Returns the last change of the policy for a subject, if the visitor may read the trail.
pub(super) async fn last_of_policy(visit: &Visit, subject: &str) -> Option<ShownChange> {
    let query = TrailQuery { action: Some(Action::PolicySaved), ..TrailQuery::default() };
    // The trail has no column for the subject.
    let is_subject =
        |found: &Difference| found.field == "policy" && found.after.as_deref() == Some(subject);
    last(visit, query, |change| change.differences.iter().any(is_subject)).await
}

/// Returns the newest line of a page of the trail that is chosen. A page about something else goes on without it.
async fn last(
    visit: &Visit,
    query: TrailQuery,
    is_chosen: impl Fn(&Change) -> bool,
) -> Option<ShownChange> {
    let listed = visit.shared.management.read_trail(&visit.caller, &query).await.ok()?;
    let found = listed.found.into_iter().find(is_chosen)?;
    Some(ShownChange::of(visit, found))
}
