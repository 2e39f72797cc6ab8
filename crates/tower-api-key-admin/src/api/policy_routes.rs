//! The routes of policies.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, put};
use axum::{Extension, Json};
use http::{StatusCode, Uri};
use serde::Deserialize;
use tower_api_key::policy::KeyPolicy;
use tower_api_key::store::Version;

use super::answers::{deleted, no_store, page, shown};
use super::asking::{Asking, PathId};
use super::change_body::ChangeBody;
use super::key_parameters::{after, limit};
use super::operation::Operation;
use super::policy_bodies::{KeyReviewView, PolicyBody, PolicyView};
use super::policy_subject::{NamedSubject, SubjectPath};
use super::problem::Problem;
use super::{schema, strict};
use crate::management::Management;
use crate::management::scopes::{KEYS_GRANT_ANY, KEYS_READ, POLICIES_READ, POLICIES_WRITE};

/// A path of policies, with the id and the summary of each of its operations.
struct PolicyPath {
    of: SubjectPath,
    path: &'static str,
    show: (&'static str, &'static str),
    save: (&'static str, &'static str),
    delete: (&'static str, &'static str),
}

const PATHS: [PolicyPath; 3] = [
    PolicyPath {
        of: SubjectPath::All,
        path: "/policies/all",
        show: ("showGeneralPolicy", "Shows the policy for all keys"),
        save: ("saveGeneralPolicy", "Adds or replaces the policy for all keys"),
        delete: ("deleteGeneralPolicy", "Deletes the policy for all keys"),
    },
    PolicyPath {
        of: SubjectPath::Account,
        path: "/policies/accounts/{id}",
        show: ("showAccountPolicy", "Shows the policy for the keys of an account"),
        save: ("saveAccountPolicy", "Adds or replaces the policy for the keys of an account"),
        delete: ("deleteAccountPolicy", "Deletes the policy for the keys of an account"),
    },
    PolicyPath {
        of: SubjectPath::Kind,
        path: "/policies/kinds/{kind}",
        show: ("showKindPolicy", "Shows the policy for the keys of a kind"),
        save: ("saveKindPolicy", "Adds or replaces the policy for the keys of a kind"),
        delete: ("deleteKindPolicy", "Deletes the policy for the keys of a kind"),
    },
];

/// Lists the operations on policies.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![
        Operation::new("get", "/policies", "listPolicies", "Lists policies", get(list))
            .needs(POLICIES_READ)
            .parameters([after(), limit()])
            .answer(
                200,
                "A page of policies: for all keys, then by account, then by kind",
                schema::page("Policy"),
            )
            .also_fails_with([422]),
        Operation::new(
            "get",
            "/policies/review",
            "reviewKeys",
            "Lists the keys that break a policy, and those that a sweep would change",
            get(review_all),
        )
        .needs(POLICIES_READ)
        .also_needs([KEYS_READ])
        .parameters([after(), limit()])
        .answer(
            200,
            "Keys in the order of their ids. Go on while there is a `next`: a page may be short.",
            schema::page("KeyReview"),
        )
        .also_fails_with([422]),
        Operation::new(
            "get",
            "/keys/{id}/policies",
            "reviewKey",
            "Shows the policies that cover a key, and what follows from them",
            get(review),
        )
        .needs(KEYS_READ)
        .answer(200, "The policies, and what follows", schema::reference("KeyReview")),
    ];
    all.extend(PATHS.iter().flat_map(of_subject));
    all.push(
        Operation::new(
            "delete",
            "/policies/unknown/{subject}",
            "deleteUnknownPolicy",
            "Deletes a policy of a newer version, for keys that this one cannot tell",
            delete(remove).layer(Extension(SubjectPath::Unknown)),
        )
        .needs(POLICIES_WRITE)
        .also_needs([KEYS_GRANT_ANY])
        .because("The list of policies has such a subject as the `id` of a row in `broken`.")
        .changes()
        .conditional(false)
        .empty_answer("The policy is deleted"),
    );
    all
}

/// Describes the scopes that changes of policies need.
fn with_scopes(of: SubjectPath, operation: Operation) -> Operation {
    match of {
        SubjectPath::Account => operation.because(
            "For an account of operators, the key needs the scope `keys.grant-any`, too: a sweep ends keys as policies say.",
        ),
        _ => operation
            .also_needs([KEYS_GRANT_ANY])
            .because("The policy may cover keys of operators, and a sweep ends keys as policies say."),
    }
}

fn of_subject(path: &PolicyPath) -> [Operation; 3] {
    let policy = || schema::reference("Policy");
    let of = path.of;
    let new = |method, (id, summary), handler: MethodRouter<Management>| {
        let handler = handler.layer(Extension(of));
        Operation::new(method, path.path, id, summary, handler).also_fails_with([404])
    };
    [
        new("get", path.show, get(show))
            .needs(POLICIES_READ)
            .answer(200, "The policy", policy())
            .shows_version(),
        with_scopes(of, new("put", path.save, put(save)).needs(POLICIES_WRITE))
            .also_needs([POLICIES_READ])
            .body("PolicyBody")
            .changes()
            .conditional(true)
            .or_absent()
            .answer(200, "The policy afterwards", policy())
            .answer(201, "The new policy", policy())
            .shows_version(),
        with_scopes(of, new("delete", path.delete, delete(remove)).needs(POLICIES_WRITE))
            .changes()
            .conditional(false)
            .empty_answer("The policy is deleted"),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyParameters {
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(
    State(management): State<Management>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Response, Problem> {
    let PolicyParameters { after, limit } = strict::query(uri.query())?;
    let listed = management.list_policies(&caller, after.as_deref(), limit).await?;
    Ok(page(listed, PolicyView::of))
}

async fn review_all(
    State(management): State<Management>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Response, Problem> {
    let PolicyParameters { after, limit } = strict::query(uri.query())?;
    let listed = management.review_keys(&caller, after.as_deref(), limit).await?;
    Ok(page(listed, KeyReviewView::of))
}

async fn review(
    State(management): State<Management>,
    Asking(caller): Asking,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let review = management.review_key(&caller, &id).await?;
    Ok((no_store(), Json(KeyReviewView::of(&review))).into_response())
}

async fn show(
    State(management): State<Management>,
    Asking(caller): Asking,
    subject: NamedSubject,
) -> Result<Response, Problem> {
    let policy = management.show_policy(&caller, &subject.existing()?).await?;
    Ok(of_policy(StatusCode::OK, &policy))
}

async fn save(
    State(management): State<Management>,
    subject: NamedSubject,
    change: ChangeBody,
) -> Result<Response, Problem> {
    let draft = change.json::<PolicyBody>()?.draft()?;
    change.require_condition_or_absence()?;
    let (subject, request) = (subject.valid()?, change.request());
    let policy = management.save_policy(&change.caller, &subject, &draft, &request).await?;
    let status = if change.is_if_absent() { StatusCode::CREATED } else { StatusCode::OK };
    Ok(of_policy(status, &policy))
}

async fn remove(
    State(management): State<Management>,
    subject: NamedSubject,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_absence()?;
    change.no_body()?;
    management.delete_policy(&change.caller, &subject.existing()?, &change.request()).await?;
    Ok(deleted())
}

fn of_policy(status: StatusCode, policy: &KeyPolicy) -> Response {
    shown(status, Version::of_policy(policy), PolicyView::of(policy))
}
