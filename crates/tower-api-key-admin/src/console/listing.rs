//! The lists of keys: all of them, those that expire soon, and the one of a secret.

use std::time::Duration;

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::Serializer;
use http::StatusCode;
use tower_api_key::key::SecretTail;
use tower_api_key::store::{BrokenRow, KeyEntry, KeyFilter, KeyOrder, KeyState};

use super::fields::Fields;
use super::frame::{Frame, Section};
use super::problem::page;
use super::text;
use super::visit::{Sent, Visit};
use crate::management::{KeyQuery, ManagementError};

/// The days within which keys expire that the page of expiring keys lists, unless asked for others.
const SOON: u64 = 30;

/// The most days that the page takes.
const LATEST: u64 = 3_650;

const A_DAY: u64 = 86_400;

#[derive(Template)]
#[template(path = "console/keys.html")]
struct KeysPage {
    frame: Frame,
    title: &'static str,
    page: &'static str,
    filter: Filter,
    states: [&'static str; 4],
    days: u64,
    rows: Vec<KeyRow>,
    broken: Vec<BrokenRow>,
    next: Option<String>,
}

/// What the form of the filter shows.
#[derive(Default)]
struct Filter {
    name: String,
    tail: String,
    account: String,
    owner: String,
    kind: String,
    environment: String,
    state: String,
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

async fn list(visit: &Visit, section: Section, fields: &Fields) -> Response {
    match found(visit, section, fields).await {
        Ok(found) => page(StatusCode::OK, &found),
        Err(error) => visit.refused(&error),
    }
}

async fn found(
    visit: &Visit,
    section: Section,
    fields: &Fields,
) -> Result<KeysPage, ManagementError> {
    let owned = |name| fields.text(name).to_owned();
    let filter = Filter {
        name: owned("name"),
        tail: owned("tail"),
        account: owned("account"),
        owner: owned("owner"),
        kind: owned("kind"),
        environment: owned("environment"),
        state: owned("state"),
    };
    let some = |name| fields.filled(name).map(str::to_owned);
    let state = KeyState::ALL.into_iter().find(|state| state.name() == filter.state);
    if state.is_none() && !filter.state.is_empty() {
        return Err(ManagementError::invalid("state", "there is no such state"));
    }
    let tail = fields.filled("tail").map(SecretTail::new).transpose();
    let tail =
        tail.map_err(|_| ManagementError::invalid("tail", "must be the last 4 characters"))?;
    let days = fields.filled("days").map_or(Ok(SOON), str::parse);
    let days = days.ok().filter(|days| (1..=LATEST).contains(days));
    let days = days
        .ok_or_else(|| ManagementError::invalid("days", format!("must be from 1 to {LATEST}")))?;
    let (shared, now) = (&visit.shared, visit.shared.management.now());
    let soon = section == Section::Expiring;
    // Each order has an index that finds the first row at once.
    let order = match (soon, filter.name.is_empty()) {
        (true, _) => KeyOrder::Expiry,
        (false, false) => KeyOrder::Name,
        (false, true) => KeyOrder::Id,
    };
    let chosen = KeyFilter {
        account: some("account"),
        owner: some("owner"),
        kind: some("kind"),
        environment: some("environment"),
        state: state.or(soon.then_some(KeyState::Active)),
        name_prefix: some("name"),
        tail,
        expires_before: soon.then(|| now.plus(Duration::from_secs(days * A_DAY))),
        order,
        ..KeyFilter::default()
    };
    let query = KeyQuery { filter: chosen, after: some("after"), limit: None };
    let listed = shared.management.list_keys(&visit.caller, &query).await?;
    let next = listed.next.map(|after| following(fields, &after));
    let rows = listed.found.iter().map(|entry| KeyRow::of(entry, entry.state(now))).collect();
    Ok(KeysPage {
        frame: visit.frame(section),
        title: if soon { "Keys that expire soon" } else { "Keys" },
        page: section.page(),
        filter,
        states: KeyState::ALL.map(KeyState::name),
        days,
        rows,
        broken: listed.broken,
        next,
    })
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
