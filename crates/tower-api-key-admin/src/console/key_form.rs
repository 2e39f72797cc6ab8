//! The pages that create and edit a key.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyHasher;
use tower_api_key::policy::{KeyPolicy, Policies};
use tower_api_key::store::{IdempotencyKey, KeyEntry, Version};

use super::changes;
use super::conflict::Conflicts;
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::key_values::KeyValues;
use super::problem::{FormProblem, page};
use super::rules::{self, ShownPolicy};
use super::secret_page;
use super::visit::{Sent, Visit};
use crate::management::{ChangeRequest, ManagementError};

#[derive(Template)]
#[template(path = "console/key_form.html")]
struct KeyForm {
    frame: Frame,
    title: String,
    page: &'static str,
    is_new: bool,
    environments: Vec<String>,
    problem: FormProblem,
    conflicts: Conflicts,
    form: KeyValues,
    policies: Vec<ShownPolicy>,
    /// Whether the store could not read its policies.
    policies_unread: bool,
    /// What policies mean for the expiry.
    expiry_rule: Option<String>,
}

impl KeyForm {
    /// Shows the form, with the policies that cover the key.
    async fn answer(
        visit: &Visit,
        mut form: KeyValues,
        error: Option<&ManagementError>,
        conflicts: Conflicts,
    ) -> Response {
        let is_new = form.id.is_empty();
        let status = error.map_or(StatusCode::OK, ManagementError::status);
        let mut policies_unread = false;
        let (policies, latest) = match covering(visit, &form).await {
            Ok(covering) => covering,
            // Without the right to read keys the rules are met when the form is sent.
            Err(ManagementError::MissingScope(_)) => <_>::default(),
            // One row that this version cannot read may be for other keys. If it is not, the store refuses the change.
            Err(ManagementError::PolicyUnreadable(_) | ManagementError::Unavailable(_)) => {
                policies_unread = true;
                <_>::default()
            }
            Err(error) => return visit.refused(&error),
        };
        if is_new && error.is_none() {
            form.permissions.list_if_bounded(&policies);
        }
        form.permissions.close(&policies);
        let form = Self {
            frame: visit.frame(Section::Keys),
            title: if is_new { "Create a key".to_owned() } else { format!("Edit {}", form.id) },
            page: if is_new { "new-key" } else { "edit-key" },
            is_new,
            environments: visit.shared.environments.clone(),
            problem: FormProblem::of(error),
            conflicts,
            form,
            policies: ShownPolicy::all(&policies),
            policies_unread,
            expiry_rule: rules::expiry(&policies, latest),
        };
        page(status, &form)
    }
}

/// Returns the policies that cover the key of a form, and the latest expiry that they allow.
async fn covering(
    visit: &Visit,
    form: &KeyValues,
) -> Result<(Policies, Option<Timestamp>), ManagementError> {
    let management = &visit.shared.management;
    let now = management.now();
    if form.id.is_empty() {
        let (account, kind) = (Some(form.account.as_str()), Some(form.kind.as_str()));
        let policies = management.policies_of_new_key(&visit.caller, account, kind).await?;
        let life = policies.iter().filter_map(KeyPolicy::longest_life).min();
        return Ok((policies, life.map(|life| now.plus(life))));
    }
    let entry = management.show_key(&visit.caller, &form.id).await?;
    let policies = management.policies_of_key(&entry).await?;
    // An expiry passes as the end of an earlier secret does.
    let newest = entry.newest_secret();
    let latest = policies.end_of_earlier(&entry.record, newest, Timestamp::MAX, now);
    Ok((policies, Some(latest).filter(|latest| *latest < Timestamp::MAX)))
}

/// Shows the form of a new key.
pub(super) async fn new(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    if let Err(error) = visit.caller.check_key_changes() {
        return visit.refused(&error);
    }
    let fields = Fields(fields);
    let Some(once) = visit.shared.sessions.name() else {
        let problem = "The server has no random numbers now. Try again.";
        return visit.problem(StatusCode::SERVICE_UNAVAILABLE, problem);
    };
    let catalogue = visit.shared.management.catalogue();
    let form = KeyValues::empty(fields.text("account"), once, catalogue);
    KeyForm::answer(&visit, form, None, Conflicts::default()).await
}

/// Creates a key, and shows its secret once. A form that is sent twice creates one key.
pub(super) async fn create(Sent { visit, fields }: Sent) -> Response {
    if let Err(error) = visit.caller.check_key_changes() {
        return visit.refused(&error);
    }
    let management = &visit.shared.management;
    let form = KeyValues::sent(&fields, management.catalogue());
    let fingerprint = fingerprint("create", &fields);
    let created = async {
        if form.once.is_empty() {
            return Err(ManagementError::invalid("once", "open the page again"));
        }
        let once = IdempotencyKey::new(&form.once, &fingerprint);
        let request = ChangeRequest::new().once(once);
        management.create_key(&visit.caller, form.draft()?, &request).await
    };
    match created.await {
        Ok(issued) => secret_page::answer(&visit, "The key was created", &issued, None),
        Err(error) => KeyForm::answer(&visit, form, Some(&error), Conflicts::default()).await,
    }
}

/// Shows the form of a key with its values.
pub(super) async fn edit(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let management = &visit.shared.management;
    match changeable(&visit, Fields(fields).text("id")).await {
        Ok(entry) => {
            let form = KeyValues::of(&entry, management.catalogue());
            KeyForm::answer(&visit, form, None, Conflicts::default()).await
        }
        Err(error) => visit.refused(&error),
    }
}

/// Saves a key, unless someone else has changed it since its form was shown. Otherwise the page shows both states.
pub(super) async fn save(Sent { visit, fields }: Sent) -> Response {
    let management = &visit.shared.management;
    let mut form = KeyValues::sent(&fields, management.catalogue());
    let stored = match changeable(&visit, &form.id).await {
        Ok(stored) => stored,
        Err(error) => return visit.refused(&error),
    };
    let shown = KeyValues::of(&stored, management.catalogue());
    let saved = async {
        let version: Version = form.version.parse().map_err(|_| ManagementError::VersionMissing)?;
        // An edit that was made from another state is compared with the present one.
        if version != Version::of_key(&stored) {
            return Err(ManagementError::VersionDiffers);
        }
        let request = ChangeRequest::new().if_version(version).because(&form.reason);
        management.edit_key(&visit.caller, &form.id, form.edit(&shown)?, &request).await
    };
    match saved.await {
        Ok(_) => {
            let to = format!("{}&done=saved", visit.shared.of_key("key", &form.id));
            Redirect::to(&to).into_response()
        }
        Err(error @ ManagementError::VersionDiffers) => {
            let present = match changeable(&visit, &form.id).await {
                Ok(present) => KeyValues::of(&present, management.catalogue()),
                Err(error) => return visit.refused(&error),
            };
            let last = changes::last_of_key(&visit, &form.id).await;
            let conflicts = Conflicts { fields: form.conflicts(&present), last };
            form.version = present.version;
            KeyForm::answer(&visit, form, Some(&error), conflicts).await
        }
        Err(error) => KeyForm::answer(&visit, form, Some(&error), Conflicts::default()).await,
    }
}

/// Returns a key that the visitor may change.
async fn changeable(visit: &Visit, id: &str) -> Result<KeyEntry, ManagementError> {
    let management = &visit.shared.management;
    let entry = management.show_key(&visit.caller, id).await?;
    management.check_key_change(&visit.caller, &entry.record)?;
    Ok(entry)
}

/// Returns a digest of what was sent.
pub(super) fn fingerprint(page: &str, fields: &Fields) -> [u8; 32] {
    let fields = fields.0.iter().filter(|(name, _)| name != "form_token");
    let text = fields.fold(format!("{page}\n"), |text, (name, value)| {
        text + &format!("{name} {} {value}\n", value.len())
    });
    *KeyHasher::sha256().digest(text.as_bytes()).as_bytes()
}
