//! The operations of a route table.

use http::Method;
use serde_json::{Value, json};

use super::gated_operation::GatedOperation;
use super::operation::METHODS;
use super::options::DocumentOptions;
use super::template::PathTemplate;
use crate::rules::DescribedRow;

/// The methods that a document has for a row of all methods.
const OF_ALL: [Method; 5] = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH];

impl DocumentOptions<'_> {
    /// Returns the templates of the route table, each with the methods that a document has; and what a document cannot
    /// have, with the reason.
    pub(super) fn rows(&self) -> (Vec<(PathTemplate, Vec<Method>)>, Vec<Value>) {
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for row in self.gate.policy.rows() {
            let DescribedRow { methods, pattern, index } = &row;
            let mut leave_out = |methods: &[&Method], reason: &str| {
                let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
                left_out.push(json!({ "methods": methods, "path": pattern, "reason": reason }));
            };
            let all: Vec<&Method> = methods.iter().collect();
            let Some(template) = PathTemplate::new(pattern) else {
                leave_out(&all, "a path template has no braces of its own");
                continue;
            };
            if GatedOperation::is_grpc(&self.gate, &template) {
                leave_out(&all, "calls of gRPC have no form in OpenAPI");
                continue;
            }
            let (known, unknown): (Vec<&Method>, Vec<&Method>) =
                all.into_iter().partition(|method| METHODS.contains(method));
            if !unknown.is_empty() {
                leave_out(&unknown, "OpenAPI 3.1 has no such method");
            }
            let listed = if methods.is_empty() { OF_ALL.iter().collect() } else { known };
            // Another row can be more specific for a path of this template, or for this method.
            let is_own = |method: &&Method| {
                let found = GatedOperation::find(&self.gate, &self.sample, method, &template);
                found.is_some_and(|found| found.index == Some(*index))
            };
            let (own, others): (Vec<&Method>, Vec<&Method>) = listed.into_iter().partition(is_own);
            if own.is_empty() && !others.is_empty() {
                leave_out(&others, "another row has the same path template");
            }
            let own: Vec<Method> = own.into_iter().cloned().collect();
            if !own.is_empty() {
                rows.push((template, own));
            }
        }
        if self.gate.policy.has_otherwise() {
            let reason = "OpenAPI has no path for all requests that no row covers";
            left_out.push(json!({ "methods": [], "path": "*", "reason": reason }));
        }
        (rows, left_out)
    }
}
