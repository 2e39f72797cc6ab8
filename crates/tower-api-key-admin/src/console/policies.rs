//! The pages of policies: the list, what they mean for keys, and the deletion.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{BrokenRow, IdempotencyKey, Version};

use super::confirm::ConfirmPage;
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::key_form::fingerprint;
use super::listing::following;
use super::problem::{page, sentence};
use super::rules::{self, ShownPolicy};
use super::visit::{Sent, Visit};
use crate::management::{ChangeRequest, KeyReview, ManagementError};

#[derive(Template)]
#[template(path = "console/policies.html")]
struct PoliciesPage {
    frame: Frame,
    note: Option<&'static str>,
    rows: Vec<PolicyRow>,
    unreadable: Vec<UnreadableRow>,
    next: Option<String>,
}

struct PolicyRow {
    policy: ShownPolicy,
    /// Whether the visitor may change the policy.
    open: bool,
}

/// A policy that this version cannot read.
struct UnreadableRow {
    id: String,
    subject: String,
    problem: String,
    open: bool,
}

#[derive(Template)]
#[template(path = "console/policy_review.html")]
struct ReviewPage {
    frame: Frame,
    rows: Vec<ReviewRow>,
    next: Option<String>,
}

struct ReviewRow {
    key: String,
    account: String,
    violations: Vec<String>,
    due: Vec<String>,
}

impl ReviewRow {
    fn of(review: &KeyReview) -> Self {
        Self {
            key: review.key.clone(),
            account: review.account.clone(),
            violations: review.violations.iter().map(rules::violation).collect(),
            due: review.due.iter().map(rules::due).collect(),
        }
    }
}

/// Lists policies.
pub(super) async fn policies(
    visit: Visit,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    let fields = Fields(fields);
    let management = &visit.shared.management;
    let listed = management.list_policies(&visit.caller, fields.filled("after"), None).await;
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return visit.refused(&error),
    };
    let row = |policy: &KeyPolicy| PolicyRow {
        policy: ShownPolicy::of(policy),
        open: management.may_change_policy(&visit.caller, policy.subject()),
    };
    let unreadable = |row: &BrokenRow| {
        let subject = PolicySubject::stored(&row.id);
        UnreadableRow {
            id: row.id.clone(),
            subject: rules::subject(&subject),
            problem: row.problem.clone(),
            open: management.may_change_policy(&visit.caller, &subject),
        }
    };
    let policies = PoliciesPage {
        frame: visit.frame(Section::Policies),
        note: match fields.text("done") {
            "saved" => Some("The policy was saved."),
            "deleted" => Some("The policy was deleted."),
            _ => None,
        },
        rows: listed.found.iter().map(row).collect(),
        unreadable: listed.broken.iter().map(unreadable).collect(),
        next: listed.next.map(|after| following(&fields, &after)),
    };
    page(StatusCode::OK, &policies)
}

/// Lists the keys that break a policy, and those that a sweep would change.
pub(super) async fn review(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    let management = &visit.shared.management;
    match management.review_keys(&visit.caller, fields.filled("after"), None).await {
        Ok(listed) => {
            let review = ReviewPage {
                frame: visit.frame(Section::Policies),
                rows: listed.found.iter().map(ReviewRow::of).collect(),
                next: listed.next.map(|after| following(&fields, &after)),
            };
            page(StatusCode::OK, &review)
        }
        Err(error) => visit.refused(&error),
    }
}

/// Shows what a deletion means, and asks for a reason.
pub(super) async fn ask_deletion(
    visit: Visit,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    ask(&visit, Fields(fields).text("id"), "", None).await
}

/// Deletes a policy, unless someone else has changed it since the page was shown.
pub(super) async fn delete(Sent { visit, fields }: Sent) -> Response {
    let (shared, reason) = (&visit.shared, fields.text("reason"));
    let deleted = async {
        if reason.is_empty() {
            return Err(ManagementError::invalid("reason", "it is required"));
        }
        let subject = PolicySubject::stored(fields.text("id"));
        let request = ChangeRequest::new().because(reason);
        let request = match fields.text("version") {
            "" => {
                // Only a policy that cannot be read has no version. It may be gone already if the form is sent twice.
                match shared.management.show_policy(&visit.caller, &subject).await {
                    Err(ManagementError::PolicyUnreadable(_) | ManagementError::NotFound(_)) => {
                        request
                    }
                    shown => return shown.and(Err(ManagementError::VersionMissing)),
                }
            }
            version => {
                let version = version.parse().map_err(|_| ManagementError::VersionMissing)?;
                request.if_version(version)
            }
        };
        let fingerprint = fingerprint("delete-policy", &fields);
        let once = IdempotencyKey::new(fields.text("once"), &fingerprint);
        let request = if once.as_str().is_empty() { request } else { request.once(once) };
        shared.management.delete_policy(&visit.caller, &subject, &request).await
    };
    match deleted.await {
        Ok(()) => Redirect::to(&format!("{}/policies?done=deleted", shared.path)).into_response(),
        Err(error) => ask(&visit, fields.text("id"), reason, Some(&error)).await,
    }
}

async fn ask(visit: &Visit, id: &str, reason: &str, error: Option<&ManagementError>) -> Response {
    let shared = &visit.shared;
    let subject = PolicySubject::stored(id);
    if let Err(error) = shared.management.check_policy_change(&visit.caller, &subject) {
        return visit.refused(&error);
    }
    let version = match shared.management.show_policy(&visit.caller, &subject).await {
        Ok(policy) => Version::of_policy(&policy).to_string(),
        Err(ManagementError::PolicyUnreadable(_)) => String::new(),
        Err(error) => return visit.refused(&error),
    };
    let Some(once) = shared.sessions.name() else {
        let problem = "The server has no random numbers now. Try again.";
        return visit.problem(StatusCode::SERVICE_UNAVAILABLE, problem);
    };
    let asked = ConfirmPage {
        frame: visit.frame(Section::Policies),
        title: format!("Delete the policy for {}", rules::subject(&subject)),
        page: "delete-policy",
        problem: error.map(sentence),
        consequence: if version.is_empty() {
            "This server cannot read the policy. Its rules bind no key from now on: set it again. Keys stay as they are."
        } else {
            "Its rules bind no key from now on. Keys stay as they are, with what sweeps have changed."
        },
        id: id.to_owned(),
        version,
        once,
        reason: reason.to_owned(),
        needs_reason: true,
        danger: true,
        button: "Delete",
        back: "policies".to_owned(),
    };
    page(error.map_or(StatusCode::OK, ManagementError::status), &asked)
}
