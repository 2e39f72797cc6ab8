//! The pages that add and edit a policy.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tower_api_key::policy::PolicySubject;
use tower_api_key::store::Version;

use super::changes;
use super::conflict::Conflicts;
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::policy_values::PolicyValues;
use super::problem::{FormProblem, page};
use super::rules;
use super::visit::{Sent, Visit};
use crate::management::{ChangeRequest, ManagementError};

#[derive(Template)]
#[template(path = "console/policy_form.html")]
struct PolicyForm {
    frame: Frame,
    title: String,
    page: &'static str,
    is_new: bool,
    problem: FormProblem,
    conflicts: Conflicts,
    form: PolicyValues,
}

impl PolicyForm {
    /// Shows the form, if the visitor may send it.
    fn answer(
        visit: &Visit,
        form: PolicyValues,
        error: Option<&ManagementError>,
        conflicts: Conflicts,
    ) -> Response {
        let is_new = form.id.is_empty();
        let subject = form.id.parse::<PolicySubject>();
        let allowed = match &subject {
            Ok(subject) => visit.shared.management.check_policy_save(&visit.caller, subject),
            // The subject is still to be chosen.
            Err(_) => visit.caller.check_policy_saves(),
        };
        if let Err(error) = allowed {
            return visit.refused(&error);
        }
        let named = subject.map(|subject| rules::subject(&subject));
        let form = Self {
            frame: visit.frame(Section::Policies),
            title: match named {
                Ok(subject) if !is_new => format!("Edit the policy for {subject}"),
                _ => "Add a policy".to_owned(),
            },
            page: if is_new { "new-policy" } else { "edit-policy" },
            is_new,
            problem: FormProblem::of(error),
            conflicts,
            form,
        };
        page(error.map_or(StatusCode::OK, ManagementError::status), &form)
    }
}

/// Shows the form of a new policy.
pub(super) async fn new(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let catalogue = visit.shared.management.catalogue();
    let form = PolicyValues::empty(Fields(fields).text("account"), catalogue);
    PolicyForm::answer(&visit, form, None, Conflicts::default())
}

/// Adds a policy, unless there is one for these keys.
pub(super) async fn create(Sent { visit, fields }: Sent) -> Response {
    let management = &visit.shared.management;
    let form = PolicyValues::sent(&fields, management.catalogue());
    let created = async {
        let subject = form.new_subject()?;
        let request = ChangeRequest::new().because(&form.reason).if_absent();
        management.save_policy(&visit.caller, &subject, &form.draft()?, &request).await
    };
    match created.await {
        Ok(_) => saved(&visit),
        // The condition was that there is none.
        Err(ManagementError::VersionDiffers) => {
            let problem = "these keys have a policy: edit it";
            let error = ManagementError::invalid("subject", problem);
            PolicyForm::answer(&visit, form, Some(&error), Conflicts::default())
        }
        Err(error) => PolicyForm::answer(&visit, form, Some(&error), Conflicts::default()),
    }
}

/// Shows the form of a policy with its values.
pub(super) async fn edit(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    match stored(&visit, Fields(fields).text("id")).await {
        Ok(form) => PolicyForm::answer(&visit, form, None, Conflicts::default()),
        Err(error) => visit.refused(&error),
    }
}

/// Saves a policy, unless someone else has changed it since its form was shown.
pub(super) async fn save(Sent { visit, fields }: Sent) -> Response {
    let management = &visit.shared.management;
    let mut form = PolicyValues::sent(&fields, management.catalogue());
    let changed = async {
        let subject = subject(&form.id)?;
        let version: Version = form.version.parse().map_err(|_| ManagementError::VersionMissing)?;
        let request = ChangeRequest::new().because(&form.reason).if_version(version);
        management.save_policy(&visit.caller, &subject, &form.draft()?, &request).await
    };
    match changed.await {
        Ok(_) => saved(&visit),
        Err(error @ ManagementError::VersionDiffers) => {
            let present = match stored(&visit, &form.id).await {
                Ok(present) => present,
                Err(error) => return visit.refused(&error),
            };
            let last = changes::last_of_policy(&visit, &form.id).await;
            let conflicts = Conflicts { fields: form.conflicts(&present), last };
            form.version = present.version;
            PolicyForm::answer(&visit, form, Some(&error), conflicts)
        }
        Err(error @ ManagementError::NotFound(_)) => visit.refused(&error),
        Err(error) => PolicyForm::answer(&visit, form, Some(&error), Conflicts::default()),
    }
}

fn saved(visit: &Visit) -> Response {
    Redirect::to(&format!("{}/policies?done=saved", visit.shared.path)).into_response()
}

/// Returns the values of a stored policy.
async fn stored(visit: &Visit, id: &str) -> Result<PolicyValues, ManagementError> {
    let management = &visit.shared.management;
    let policy = management.show_policy(&visit.caller, &subject(id)?).await?;
    Ok(PolicyValues::of(&policy, management.catalogue()))
}

/// Reads the subject of a policy that should exist.
fn subject(id: &str) -> Result<PolicySubject, ManagementError> {
    id.parse().map_err(|_| ManagementError::NotFound("policy"))
}
