//! Quotas of keys and accounts as pages show them, and the page that gives used-up quota back.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::Serializer;
use http::StatusCode;
use tower_api_key::key::KeyRecord;
use tower_api_key::quota::Quota;
use tower_api_key::store::IdempotencyKey;

use super::fields::Fields;
use super::frame::{Frame, Section};
use super::key_form::fingerprint;
use super::problem::{page, sentence};
use super::text;
use super::visit::{Sent, Visit};
use crate::management::{ChangeRequest, CounterEntry, ManagementError};

/// What is used of quotas. Without counters, their limits alone.
pub(super) struct ShownQuotas {
    pub(super) bars: Vec<Bar>,
    /// The quotas whose counters cannot be shown.
    pub(super) limits: Vec<String>,
    pub(super) note: Option<String>,
}

/// What is used of a quota.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) limit: u32,
    pub(super) used: u32,
    /// From here on a bar warns.
    pub(super) high: u32,
    /// When all of the quota is there again; `None` if it is.
    pub(super) resets: Option<String>,
    /// The page that gives the quota of a key back; `None` if the visitor may not, or nothing is used.
    pub(super) give_back: Option<String>,
}

#[derive(Template)]
#[template(path = "console/give_back.html")]
struct GiveBackPage {
    frame: Frame,
    problem: Option<String>,
    id: String,
    quota: String,
    once: String,
    reason: String,
    back: String,
}

impl ShownQuotas {
    /// Shows counters, or the limits of `own` quotas if the counters cannot be read.
    pub(super) fn of(
        counters: Result<Vec<CounterEntry>, ManagementError>,
        own: Option<&[Quota]>,
        none: &str,
    ) -> Self {
        match counters {
            Ok(counters) => {
                let note = counters.is_empty().then(|| none.to_owned());
                Self { bars: counters.iter().map(Bar::of).collect(), limits: Vec::new(), note }
            }
            Err(error) => {
                let limits = own.into_iter().flatten().map(ToString::to_string).collect();
                Self { bars: Vec::new(), limits, note: Some(sentence(&error)) }
            }
        }
    }

    /// Links each quota of a key to the page that gives it back, if the visitor may.
    pub(super) fn with_refunds(mut self, visit: &Visit, key: &KeyRecord) -> Self {
        if visit.shared.management.check_refund(&visit.caller, key).is_ok() {
            for bar in self.bars.iter_mut().filter(|bar| bar.used > 0) {
                let mut query = Serializer::new(String::new());
                query.append_pair("id", key.id().as_str()).append_pair("quota", &bar.name);
                bar.give_back = Some(format!("give-back?{}", query.finish()));
            }
        }
        self
    }
}

impl Bar {
    fn of(CounterEntry { quota, status, .. }: &CounterEntry) -> Self {
        let used = status.limit().saturating_sub(status.remaining());
        Self {
            name: quota.name().to_owned(),
            text: quota.to_string(),
            limit: status.limit(),
            used,
            high: status.limit() / 5 * 4,
            resets: (used > 0).then(|| text::rough_span(status.reset_after())),
            give_back: None,
        }
    }
}

/// Asks whether to give used-up quota of a key back.
pub(super) async fn ask(visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Response {
    asked(&visit, &Fields(fields), None).await
}

/// Gives used-up quota of a key back.
pub(super) async fn give_back(Sent { visit, fields }: Sent) -> Response {
    match given(&visit, &fields).await {
        Ok(response) => response,
        Err(error) => asked(&visit, &fields, Some(&error)).await,
    }
}

async fn asked(visit: &Visit, fields: &Fields, error: Option<&ManagementError>) -> Response {
    let (shared, id) = (&visit.shared, fields.text("id"));
    let shown = shared.management.show_key(&visit.caller, id).await;
    let refundable =
        shown.and_then(|entry| shared.management.check_refund(&visit.caller, &entry.record));
    if let Err(error) = refundable {
        return visit.refused(&error);
    }
    let Some(once) = shared.sessions.name() else {
        let problem = "The server has no random numbers now. Try again.";
        return visit.problem(StatusCode::SERVICE_UNAVAILABLE, problem);
    };
    let shown = GiveBackPage {
        frame: visit.frame(Section::Keys),
        problem: error.map(sentence),
        id: id.to_owned(),
        quota: fields.text("quota").to_owned(),
        once,
        reason: fields.text("reason").to_owned(),
        back: shared.last_of_key("key", id),
    };
    page(error.map_or(StatusCode::OK, ManagementError::status), &shown)
}

async fn given(visit: &Visit, fields: &Fields) -> Result<Response, ManagementError> {
    let (shared, id, reason) = (&visit.shared, fields.text("id"), fields.text("reason"));
    if reason.is_empty() {
        return Err(ManagementError::invalid("reason", "it is required"));
    }
    let fingerprint = fingerprint("give-back", fields);
    let once = IdempotencyKey::new(fields.text("once"), &fingerprint);
    let request = ChangeRequest::new().because(reason);
    let request = if once.as_str().is_empty() { request } else { request.once(once) };
    let quota = fields.text("quota");
    shared.management.give_back(&visit.caller, id, quota, None, &request).await?;
    Ok(Redirect::to(&format!("{}&done=given", shared.of_key("key", id))).into_response())
}
