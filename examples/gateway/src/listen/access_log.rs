//! A line in the log for each request.

use std::time::Instant;

use http::{Method, Request, Response, Version};
use tower_api_key::decision::GateDecision;
use tracing::info;

use crate::forward::ServedBy;

/// A line for an answer, outside of the gate. The line has no path, because clients put names and secrets there. It
/// has the path of the route.
pub(super) struct AccessLine {
    method: Method,
    version: Version,
    begin: Instant,
}

impl AccessLine {
    /// Begins the line of a request.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let (method, version) = (request.method().clone(), request.version());
        Self { method, version, begin: Instant::now() }
    }

    /// Writes the line, once the request is answered.
    pub(super) fn write<B>(self, answer: &Response<B>) {
        let decision = answer.extensions().get::<GateDecision>();
        let served_by = answer.extensions().get::<ServedBy>();
        info!(
            target: "gateway::access",
            method = %self.method,
            version = ?self.version,
            status = answer.status().as_u16(),
            milliseconds = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX),
            decision = decision.map(GateDecision::name),
            account = decision.and_then(GateDecision::account).map(tracing::field::display),
            key = decision.and_then(GateDecision::key_id).map(tracing::field::display),
            route = served_by.map(|served_by| &*served_by.route),
            upstream = served_by.map(|served_by| &*served_by.upstream),
        );
    }
}
