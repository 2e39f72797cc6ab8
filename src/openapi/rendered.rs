//! Refusals, rendered by the gate's own renderer for examples.

use http::{HeaderMap, Method};
use serde_json::Value;

use super::gate::DescribedLimits;
use super::gated_operation::GatedOperation;
use super::possible::{PossibleDenial, is_authenticated};
use super::sample::NOW;
use crate::caller::Caller;
use crate::error::Denial;
use crate::request::Head;
use crate::response::{AnswerForm, Authenticated, RefusalFacts, RequestFacts};

/// The answer to a denial: with all facts that the gate can know, and with those only that it always knows.
#[derive(Debug)]
pub(super) struct RenderedRefusal {
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) status: u16,
    /// The headers of the answer with all facts.
    pub(super) headers: HeaderMap,
    /// The headers of the other answer.
    pub(super) fewest_headers: HeaderMap,
    /// `None` for an answer without content.
    pub(super) body: Option<RenderedBody>,
    /// Whether a function makes the body, so that other answers can have any form.
    pub(super) is_made: bool,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct RenderedBody {
    /// The media type, without parameters.
    pub(super) media_type: String,
    pub(super) example: Value,
    /// The body with the fewest facts.
    pub(super) fewest: Value,
}

impl GatedOperation<'_> {
    /// Renders the answer to a denial of the operation.
    pub(super) fn render(&self, possible: &PossibleDenial) -> RenderedRefusal {
        let renderer = self.gate.renderer;
        let PossibleDenial { name, summary, denial, table } = possible;
        let is_authenticated = is_authenticated(denial);
        let refuses = matches!(denial, Denial::RateLimited { .. });
        let verdict = self.sample.verdict(self.route, refuses);
        let id = renderer.sample_request_id();
        let request = RequestFacts::new(&Head::of(&self.request), true, id.clone());
        let cost = self.least_cost();
        let simultaneous = self.route.and_then(|route| route.concurrency);
        let record = self.sample.record.as_ref().filter(|_| is_authenticated);
        let authenticated = record.map(|record| Authenticated {
            caller: Caller::Key(record),
            quotas: self.sample.quotas(self.route),
            verdict: (self.gate.limits == DescribedLimits::Counted).then_some(&verdict),
            now: NOW,
            cost,
            in_flight: None,
            shows_limits: self.shows_limits(),
        });
        let facts = RefusalFacts {
            table: *table,
            request: Some(&request),
            authenticated,
            simultaneous: simultaneous.map(|rule| rule.limit()),
            expired_at: Some(NOW),
            ..RefusalFacts::of(denial, self.form())
        };
        let mut full = renderer.refuse(&facts);
        renderer.steady_ids(full.headers_mut());
        let request = RequestFacts { target: None, id };
        let fewest = renderer.refuse(&RefusalFacts {
            request: Some(&request),
            authenticated: None,
            ..facts
        });
        let body = media_type(full.headers()).filter(|_| self.form() == AnswerForm::Full);
        let body = body.map(|media_type| RenderedBody {
            example: content(&media_type, full.body()),
            fewest: content(&media_type, fewest.body()),
            media_type,
        });
        RenderedRefusal {
            name: name.clone(),
            summary: summary.clone(),
            status: full.status().as_u16(),
            headers: full.headers().clone(),
            fewest_headers: fewest.headers().clone(),
            body,
            is_made: self.form() == AnswerForm::Full && renderer.makes_body(*table, denial),
        }
    }

    fn form(&self) -> AnswerForm {
        let is_head = self.request.method() == Method::HEAD;
        if is_head { AnswerForm::HeadersOnly } else { AnswerForm::Full }
    }
}

/// Returns the media type of an answer, without parameters; `None` for an answer without content.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(|essence| essence.trim().to_owned())
}

/// Returns a body as a value: JSON as what it means, and anything else as a text.
fn content(media_type: &str, bytes: &[u8]) -> Value {
    let is_json = media_type.ends_with("/json") || media_type.ends_with("+json");
    let parsed = is_json.then(|| serde_json::from_slice(bytes).ok()).flatten();
    parsed.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned().into())
}
