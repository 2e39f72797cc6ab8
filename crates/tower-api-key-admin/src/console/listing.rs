//! The lists of keys: all of them, those that expire soon, and the one of a secret.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::Serializer;
use http::StatusCode;
use tower_api_key::store::{BrokenRow, KeyEntry, KeyState};

use super::fields::Fields;
use super::frame::{Frame, Section};
use super::list_filter::ListFilter;
use super::problem::{FormProblem, page};
use super::text;
use super::visit::{Sent, Visit};
use crate::management::{KeyQuery, ManagementError};

#[derive(Template)]
#[template(path = "console/keys.html")]
struct KeysPage {
    frame: Frame,
    title: &'static str,
    page: &'static str,
    problem: FormProblem,
    filter: ListFilter,
    states: [&'static str; 4],
    rows: Vec<KeyRow>,
    broken: Vec<BrokenRow>,
    next: Option<String>,
}

struct KeyRow {
    id: String,
    name: String,
    account: String,
    state: &'static str,
    owner: String,
    kind: String,
    environment: String,
    expires: String,
    last_used: String,
}

/// Lists keys.
pub(super) async fn keys(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    list(&visit, Section::Keys, &Fields(fields)).await
}

/// Lists the keys that expire soon.
pub(super) async fn expiring(
    visit: Visit,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    list(&visit, Section::Expiring, &Fields(fields)).await
}

/// Reads the filter, and leads to the list. The form is sent in a body, because somebody may paste a whole secret.
pub(super) async fn filter(Sent { visit, fields }: Sent) -> Response {
    if let Err(error) = visit.caller.check_key_reads() {
        return visit.refused(&error);
    }
    match ListFilter::address(&fields) {
        Ok(query) => Redirect::to(&format!("{}/keys{query}", visit.shared.path)).into_response(),
        Err(error) => KeysPage::without_rows(&visit, Section::Keys, &fields, &error),
    }
}

async fn list(visit: &Visit, section: Section, fields: &Fields) -> Response {
    match found(visit, section, fields).await {
        Ok(found) => page(StatusCode::OK, &found),
        // A value of the form; the place in the list is none.
        Err(error) if error.field().is_some_and(|field| field != "after") => {
            KeysPage::without_rows(visit, section, fields, &error)
        }
        Err(error) => visit.refused(&error),
    }
}

async fn found(
    visit: &Visit,
    section: Section,
    fields: &Fields,
) -> Result<KeysPage, ManagementError> {
    visit.caller.check_key_reads()?;
    let (management, now) = (&visit.shared.management, visit.shared.management.now());
    let filter = ListFilter::keys(fields, section == Section::Expiring, now)?;
    let after = fields.filled("after").map(str::to_owned);
    let query = KeyQuery { filter, after, limit: None };
    let listed = management.list_keys(&visit.caller, &query).await?;
    let next = listed.next.map(|after| following(fields, &after));
    let rows = listed.found.iter().map(|entry| KeyRow::of(entry, entry.state(now))).collect();
    Ok(KeysPage { rows, broken: listed.broken, next, ..KeysPage::empty(visit, section, fields) })
}

impl KeysPage {
    fn empty(visit: &Visit, section: Section, fields: &Fields) -> Self {
        let soon = section == Section::Expiring;
        Self {
            frame: visit.frame(section),
            title: if soon { "Keys that expire soon" } else { "Keys" },
            page: section.page(),
            problem: FormProblem::default(),
            filter: ListFilter::of(fields),
            states: KeyState::ALL.map(KeyState::name),
            rows: Vec::new(),
            broken: Vec::new(),
            next: None,
        }
    }

    /// Answers that a value of the filter is not valid.
    fn without_rows(
        visit: &Visit,
        section: Section,
        fields: &Fields,
        error: &ManagementError,
    ) -> Response {
        let problem = FormProblem::of(Some(error));
        let empty = Self { problem, ..Self::empty(visit, section, fields) };
        page(error.status(), &empty)
    }
}

/// Returns the query of the next page: the same fields, after another row.
pub(super) fn following(fields: &Fields, after: &str) -> String {
    let mut query = Serializer::new(String::new());
    let same = fields.0.iter().filter(|(name, value)| name != "after" && !value.is_empty());
    query.extend_pairs(same).append_pair("after", after);
    query.finish()
}

impl KeyRow {
    fn of(entry: &KeyEntry, state: KeyState) -> Self {
        let record = &entry.record;
        let named = |name: Option<&str>| name.unwrap_or_default().to_owned();
        Self {
            id: record.id().to_string(),
            name: record.name().to_owned(),
            account: record.account().id().to_string(),
            state: state.name(),
            owner: named(record.owner()),
            kind: named(record.kind().map(AsRef::as_ref)),
            environment: named(record.environment().map(AsRef::as_ref)),
            expires: text::moment(record.expires()),
            last_used: text::moment(entry.last_used()),
        }
    }
}

/// Finds the key of a secret, and leads to its page. The secret is in no address.
pub(super) async fn whose_key(Sent { visit, fields }: Sent) -> Response {
    let shared = &visit.shared;
    match shared.management.who_is(&visit.caller, fields.text("secret")).await {
        Ok(entry) => {
            Redirect::to(&shared.of_key("key", entry.record.id().as_str())).into_response()
        }
        Err(ManagementError::NotFound(_)) => {
            let problem = "No key that you may see has this secret. Paste the whole secret: its start finds nothing. By its last 4 characters, filter the list.";
            visit.problem(StatusCode::NOT_FOUND, problem)
        }
        Err(error) => visit.refused(&error),
    }
}
