//! The routes of keys.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post};
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use serde_json::json;
use tower_api_key::store::{KeyEntry, Version};

use super::answers::{deleted, no_store, page, shown, with_version};
use super::asking::{Asking, PathId};
use super::change_body::{ChangeBody, check_reason};
use super::key_bodies::{CreateKeyBody, EditKeyBody, RevokeBody, RotateBody, WhoIsBody};
use super::key_parameters::KeyParameters;
use super::key_view::KeyView;
use super::operation::Operation;
use super::problem::Problem;
use super::{schema, strict};
use crate::management::scopes::{KEYS_READ, KEYS_WRITE};
use crate::management::{IssuedEntry, Management, ManagementError};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Lists the operations on keys.
pub(super) fn operations() -> Vec<Operation> {
    let key = || schema::reference("Key");
    let issued = || schema::reference("IssuedKey");
    let replay =
        "A replay: an earlier request with this idempotency key did it. The secret is null.";
    vec![
        Operation::new("get", "/keys", "listKeys", "Lists keys", get(list))
            .needs(KEYS_READ)
            .parameters(KeyParameters::describe())
            .answer(200, "A page of keys, in the order that `order` names", schema::page("Key"))
            .also_fails_with([422]),
        Operation::new("post", "/keys", "createKey", "Creates a key", post(create))
            .needs(KEYS_WRITE)
            .body("CreateKeyBody")
            .changes()
            .answer(201, "The key, and its secret", issued())
            .answer(200, replay, issued())
            .shows_version(),
        Operation::new("get", "/keys/{id}", "showKey", "Shows a key", get(show))
            .needs(KEYS_READ)
            .answer(200, "The key", key())
            .shows_version(),
        Operation::new("patch", "/keys/{id}", "editKey", "Edits a key", patch(edit))
            .needs(KEYS_WRITE)
            .patch("EditKeyBody")
            .changes()
            .conditional(true)
            .answer(200, "The key afterwards", key())
            .shows_version(),
        Operation::new("delete", "/keys/{id}", "deleteKey", "Deletes a key", delete(remove))
            .needs(KEYS_WRITE)
            .changes()
            .conditional(false)
            .empty_answer("The key is deleted"),
        Operation::new(
            "post",
            "/keys/{id}/rotate",
            "rotateKey",
            "Gives a key a new secret",
            post(rotate),
        )
        .needs(KEYS_WRITE)
        .body("RotateBody")
        .changes()
        .conditional(false)
        .answer(200, "The key, and its new secret", issued())
        .shows_version(),
        Operation::new(
            "post",
            "/keys/{id}/end-earlier-secrets",
            "endEarlierSecrets",
            "Ends all secrets of a key except the newest",
            post(end_earlier_secrets),
        )
        .needs(KEYS_WRITE)
        .changes()
        .conditional(false)
        .answer(200, "The key afterwards", key())
        .shows_version(),
        Operation::new(
            "post",
            "/keys/{id}/revoke",
            "revokeKey",
            "Revokes a key for good",
            post(revoke),
        )
        .needs(KEYS_WRITE)
        .body("RevokeBody")
        .changes()
        .conditional(false)
        .answer(
            200,
            "The key afterwards; null if its row cannot be read",
            schema::or_null(key()),
        ),
        Operation::new("post", "/who-is", "whoIs", "Finds the key of a secret", post(who_is))
            .needs(KEYS_READ)
            .body("WhoIsBody")
            .also_fails_with([404])
            .answer(200, "The key, in whatever state it is", key())
            .shows_version(),
    ]
}

async fn list(
    State(management): State<Management>,
    Asking(caller): Asking,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = strict::query::<KeyParameters>(uri.query())?.query()?;
    let now = management.now();
    let listed = management.list_keys(&caller, &query).await?;
    Ok(page(listed, |entry| KeyView::of(entry, now)))
}

async fn show(
    State(management): State<Management>,
    Asking(caller): Asking,
    PathId(id): PathId,
) -> Result<Response, Problem> {
    let entry = management.show_key(&caller, &id).await?;
    Ok(of_key(&management, &entry))
}

async fn create(
    State(management): State<Management>,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_condition()?;
    let draft = change.json::<CreateKeyBody>()?.draft()?;
    let issued = management.create_key(&change.caller, draft, &change.request()).await?;
    let status = if issued.is_replay() { StatusCode::OK } else { StatusCode::CREATED };
    let mut response = (status, with_secret(&management, &issued)).into_response();
    let place = format!("keys/{}", issued.entry.record.id());
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn edit(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    let edit = change.json::<EditKeyBody>()?.edit()?;
    change.require_condition()?;
    let entry = management.edit_key(&change.caller, &id, edit, &change.request()).await?;
    Ok(of_key(&management, &entry))
}

async fn rotate(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_absence()?;
    let RotateBody { overlap_seconds } = change.json()?;
    let overlap = Duration::from_secs(overlap_seconds.into());
    let issued = management.rotate_key(&change.caller, &id, overlap, &change.request()).await?;
    Ok(with_secret(&management, &issued).into_response())
}

async fn end_earlier_secrets(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_absence()?;
    change.no_body()?;
    let ended = management.end_earlier_secrets(&change.caller, &id, &change.request()).await?;
    let entry = ended.ok_or(ManagementError::NotFound("key"))?;
    Ok(of_key(&management, &entry))
}

async fn revoke(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_absence()?;
    let RevokeBody { reason } = change.json()?;
    if reason.is_empty() {
        return Err(ManagementError::invalid("reason", "it must not be empty").into());
    }
    check_reason(Some(&reason))?;
    let request = change.request().because(&reason);
    match management.revoke_key(&change.caller, &id, &request).await? {
        Some(entry) => Ok(of_key(&management, &entry)),
        None => Ok((no_store(), Json(json!(null))).into_response()),
    }
}

async fn remove(
    State(management): State<Management>,
    PathId(id): PathId,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_absence()?;
    change.no_body()?;
    management.delete_key(&change.caller, &id, &change.request()).await?;
    Ok(deleted())
}

async fn who_is(
    State(management): State<Management>,
    change: ChangeBody,
) -> Result<Response, Problem> {
    change.no_condition()?;
    let WhoIsBody { secret } = change.json()?;
    let entry = management.who_is(&change.caller, &secret).await?;
    Ok(of_key(&management, &entry))
}

/// Answers with a key and its version.
fn of_key(management: &Management, entry: &KeyEntry) -> Response {
    shown(StatusCode::OK, Version::of_key(entry), KeyView::of(entry, management.now()))
}

/// Answers with a key and its new secret.
fn with_secret(management: &Management, issued: &IssuedEntry) -> impl IntoResponse + use<> {
    let mut headers = with_version(Version::of_key(&issued.entry));
    if issued.is_replay() {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    let secret = issued.secret.as_ref().map(tower_api_key::key::IssuedKey::expose);
    let key = KeyView::of(&issued.entry, management.now());
    (headers, Json(json!({ "key": key, "secret": secret })))
}
