//! The page of one key.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use http::StatusCode;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::quota::Quotas;
use tower_api_key::store::{Difference, KeyEntry, KeyState, SecretEntry};

use super::changes::ShownChange;
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::problem::page;
use super::quotas::ShownQuotas;
use super::rules::{self, ShownPolicy};
use super::text;
use super::usage::{ShownUsage, UsedBy};
use super::visit::Visit;
use crate::management::{KeyReview, ManagementError};

/// The characters of a digest that pages show.
const SHOWN: usize = 8;

#[derive(Template)]
#[template(path = "console/key.html")]
struct KeyPage {
    frame: Frame,
    title: String,
    note: Option<&'static str>,
    actions: Vec<PageAction>,
    id: String,
    account: String,
    state: &'static str,
    created: String,
    last_used: String,
    settings: Vec<(String, String)>,
    scopes: String,
    secrets: Vec<Secret>,
    policies: Vec<ShownPolicy>,
    /// What follows from the policies.
    consequences: Vec<String>,
    quotas: ShownQuotas,
    usage: ShownUsage,
    changes: Vec<ShownChange>,
    no_changes: &'static str,
}

/// A link to a page that changes the key.
struct PageAction {
    page: &'static str,
    title: &'static str,
    danger: bool,
}

struct Secret {
    digest: String,
    tail: String,
    created: String,
    expires: String,
    /// The second since 1970 at which an old secret ends that is still valid.
    until: Option<u64>,
    last_used: String,
}

/// Shows a key.
pub(super) async fn key(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    let fields = Fields(fields);
    match found(&visit, &fields).await {
        Ok(found) => page(StatusCode::OK, &found),
        Err(error) => visit.refused(&error),
    }
}

async fn found(visit: &Visit, fields: &Fields) -> Result<KeyPage, ManagementError> {
    let (shared, id) = (&visit.shared, fields.text("id"));
    let entry = shared.management.show_key(&visit.caller, id).await?;
    let now = shared.management.now();
    let (record, state) = (&entry.record, entry.state(now));
    let has_old_secrets =
        entry.secrets.iter().skip(1).any(|old| old.expires.is_none_or(|ends| ends > now));
    let review = shared.management.review_key(&visit.caller, id).await.ok();
    let counters = shared.management.read_counters(&visit.caller, id).await;
    let own = record.quotas().map(Quotas::as_slice);
    let quotas =
        ShownQuotas::of(counters, own, "No quotas of its own, of its account or of a plan.");
    let (changes, no_changes) = super::changes::of_key(visit, id).await?;
    Ok(KeyPage {
        frame: visit.frame(Section::Keys),
        title: if record.name().is_empty() { id.to_owned() } else { record.name().to_owned() },
        note: done(fields.text("done")),
        actions: actions(visit, record, state, has_old_secrets),
        id: id.to_owned(),
        account: record.account().id().to_string(),
        state: state.name(),
        created: text::moment(Some(entry.created)),
        last_used: text::moment(entry.last_used()),
        settings: settings(&entry),
        scopes: scopes(&entry),
        secrets: entry.secrets.iter().map(|secret| Secret::of(secret, now)).collect(),
        policies: review
            .as_ref()
            .map(|review| ShownPolicy::all(&review.policies))
            .unwrap_or_default(),
        consequences: review.as_ref().map_or_else(unreadable, consequences),
        quotas: quotas.with_refunds(visit, record),
        usage: UsedBy::Key(id).shown(visit).await,
        changes,
        no_changes,
    })
}

fn unreadable() -> Vec<String> {
    vec!["The policies cannot be read now.".to_owned()]
}

/// Writes which rules a key breaks, and what the next sweep does with it.
fn consequences(review: &KeyReview) -> Vec<String> {
    let broken = review.violations.iter().map(rules::violation);
    broken.chain(review.due.iter().map(rules::due)).collect()
}

/// Returns what a key's page says after a change.
fn done(change: &str) -> Option<&'static str> {
    match change {
        "saved" => Some("The key was saved."),
        "ended" => Some("The old secrets have ended. Requests with them are refused."),
        "given" => Some("The quota was given back."),
        "revoked" => Some("The key was revoked. Requests with it are refused."),
        _ => None,
    }
}

/// Lists what the visitor may do with a key in this state.
fn actions(
    visit: &Visit,
    key: &KeyRecord,
    state: KeyState,
    has_old_secrets: bool,
) -> Vec<PageAction> {
    let management = &visit.shared.management;
    let changes = management.check_key_change(&visit.caller, key).is_ok();
    let rotates = management.check_key_rotation(&visit.caller, key).is_ok();
    let (is_active, is_revoked) = (state == KeyState::Active, state == KeyState::Revoked);
    let all = [
        ("edit-key", "Edit", false, changes && !is_revoked),
        ("rotate-key", "Rotate", false, rotates && is_active),
        (
            "end-earlier-secrets",
            "End the old secrets",
            true,
            changes && !is_revoked && has_old_secrets,
        ),
        ("revoke-key", "Revoke", true, changes && !is_revoked),
        ("delete-key", "Delete", true, changes),
    ];
    let action = |(page, title, danger, _)| PageAction { page, title, danger };
    all.into_iter().filter(|(.., offered)| *offered).map(action).collect()
}

/// Lists the settings that are set, in words. The account, permissions and the form of the text stand elsewhere or
/// nowhere.
fn settings(entry: &KeyEntry) -> Vec<(String, String)> {
    let all = Difference::of_keys(None, Some(&entry.record)).into_iter();
    let hidden = ["account", "scopes", "form", "expires", "not_before"];
    let shown = all.filter(|setting| !hidden.contains(&setting.field.as_str()));
    let named = |setting: Difference| {
        let name = setting.field.replace('_', " ");
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        let name = first.into_iter().chain(letters).collect();
        (name, setting.after.unwrap_or_default())
    };
    let record = &entry.record;
    let times = [("Not before", record.not_before()), ("Expires", record.expires())];
    let times = times.into_iter().filter(|(_, at)| at.is_some());
    let times = times.map(|(name, at)| (name.to_owned(), text::moment(at)));
    shown.map(named).chain(times).collect()
}

fn scopes(entry: &KeyEntry) -> String {
    let record = &entry.record;
    let scopes =
        if record.scopes().is_empty() { "none".to_owned() } else { record.scopes().to_string() };
    if record.own_scopes().is_some() { scopes } else { format!("{scopes} (those of the account)") }
}

impl Secret {
    fn of(secret: &SecretEntry, now: Timestamp) -> Self {
        let digest = secret.digest.to_hex();
        Self {
            digest: digest.get(..SHOWN).unwrap_or_default().to_owned(),
            tail: secret.tail.map(|tail| format!("…{tail}")).unwrap_or_default(),
            created: text::moment(Some(secret.created)),
            expires: text::moment(secret.expires),
            until: secret.expires.filter(|ends| *ends > now).map(Timestamp::unix_seconds),
            last_used: text::moment(secret.last_used),
        }
    }
}
