//! The responses of an operation: refusals by status, and the headers of the service's own responses.

use std::collections::BTreeMap;

use http::{HeaderMap, Response};
use serde_json::{Map, Value, json};

use super::gate::DescribedLimits;
use super::gated_operation::GatedOperation;
use super::rendered::{RenderedBody, RenderedRefusal};
use super::sample::NOW;
use super::{response_headers, schema};
use crate::caller::Caller;
use crate::error::Denial;
use crate::profile::reason_phrase;
use crate::response::Authenticated;

impl GatedOperation<'_> {
    /// Returns the refusals of the operation as response objects, by their status.
    pub(super) fn refusals(&self, of_handler: &[&Denial]) -> BTreeMap<u16, Value> {
        let mut by_status: BTreeMap<u16, Vec<RenderedRefusal>> = BTreeMap::new();
        for possible in self.denials(of_handler) {
            let rendered = self.render(&possible);
            by_status.entry(rendered.status).or_default().push(rendered);
        }
        let described =
            |(status, rows): (u16, Vec<RenderedRefusal>)| (status, self.response(status, &rows));
        by_status.into_iter().map(described).collect()
    }

    fn response(&self, status: u16, rows: &[RenderedRefusal]) -> Value {
        let mut summaries: Vec<&str> = rows.iter().map(|row| &*row.summary).collect();
        summaries.dedup();
        let phrase = reason_of(status);
        let mut response = Map::new();
        response.insert(
            "description".to_owned(),
            format!("{phrase}: {}.", summaries.join("; ")).into(),
        );
        let headers = response_headers::of_refusals(rows, self.gate.renderer);
        if !headers.is_empty() {
            response.insert("headers".to_owned(), headers.into());
        }
        let content = content(rows);
        if !content.is_empty() {
            response.insert("content".to_owned(), content.into());
        }
        response.into()
    }

    /// Returns the headers that the gate adds to responses of the service.
    pub(super) fn added_headers(&self) -> Map<String, Value> {
        let renderer = self.gate.renderer;
        let mut always = Response::new(());
        renderer.add_fixed(always.headers_mut());
        if let Some(id) = renderer.sample_request_id() {
            renderer.write_request_id(&mut always, &id);
        }
        let mut all = always.headers().clone();
        self.mark(&mut all);
        renderer.steady_ids(&mut all);
        response_headers::described(&all, |name| always.headers().contains_key(name), renderer)
    }

    /// Adds the headers of a response to a key's request.
    fn mark(&self, headers: &mut HeaderMap) {
        let Some(record) = &self.sample.record else { return };
        let verdict = self.sample.verdict(self.route, false);
        let is_counted = self.gate.limits == DescribedLimits::Counted;
        self.gate.renderer.mark(
            headers,
            &Authenticated {
                caller: Caller::Key(record),
                quotas: self.sample.quotas(self.route),
                verdict: is_counted.then_some(&verdict),
                now: NOW,
                in_flight: self.route.and_then(|route| route.concurrency).map(|_| 1),
                shows_limits: self.shows_limits(),
                cost: self.least_cost(),
            },
        );
    }
}

/// Returns the bodies of refusals by media type. Equal ones are one example.
fn content(rows: &[RenderedRefusal]) -> Map<String, Value> {
    let mut by_type: BTreeMap<&str, Vec<(&RenderedRefusal, &RenderedBody)>> = BTreeMap::new();
    for row in rows {
        if let Some(body) = &row.body {
            by_type.entry(&body.media_type).or_default().push((row, body));
        }
    }
    let is_made = rows.iter().any(|row| row.is_made);
    let mut content: Map<String, Value> = by_type
        .into_iter()
        .map(|(media_type, bodies)| (media_type.to_owned(), media(&bodies)))
        .collect();
    if is_made {
        // A function can choose any type.
        content.entry("*/*").or_insert_with(|| json!({}));
    }
    content
}

fn media(bodies: &[(&RenderedRefusal, &RenderedBody)]) -> Value {
    let mut examples: Vec<(&str, Vec<&str>, &Value)> = Vec::new();
    for (row, body) in bodies {
        let equal = examples.iter_mut().find(|(_, _, value)| **value == body.example);
        match equal {
            Some((_, summaries, _)) => summaries.push(&row.summary),
            None => examples.push((&row.name, vec![&row.summary], &body.example)),
        }
    }
    let example = |(name, summaries, value): (&str, Vec<&str>, &Value)| {
        (name.to_owned(), json!({ "summary": summaries.join("; "), "value": value }))
    };
    let examples: Map<String, Value> = examples.into_iter().map(example).collect();
    if bodies.iter().any(|(row, _)| row.is_made) {
        return json!({ "examples": examples });
    }
    let schemas = bodies.iter().map(|(_, body)| schema::of(&[&body.example, &body.fewest]));
    json!({ "schema": schema::any_of(schemas.collect()), "examples": examples })
}

fn reason_of(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().map_or("Refused", reason_phrase)
}
