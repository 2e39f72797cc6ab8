//! The description of a gate, from which documents are made.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::gate::{DescribedGate, GatedOperation};
use super::operation::METHODS;
use super::sample::Sample;
use super::template::PathTemplate;
use super::{security, shared_responses};
use crate::error::Denial;
use crate::rules::DescribedRow;

/// Describes a gate in OpenAPI. [`ApiKeyLayer::openapi`](crate::ApiKeyLayer::openapi) returns it.
pub struct OpenApi<'a> {
    pub(super) gate: DescribedGate<'a>,
    pub(super) sample: Sample,
    pub(super) prefix: String,
    pub(super) of_handlers: Vec<(Method, String, Denial)>,
}

impl<'a> OpenApi<'a> {
    pub(crate) fn new(gate: DescribedGate<'a>) -> Self {
        let sample = Sample::new(&gate);
        Self { gate, sample, prefix: String::new(), of_handlers: Vec::new() }
    }

    /// Returns the document of the gate alone.
    pub fn document(&self, title: &str, version: &str) -> Value {
        let sources = security::schemes(&self.gate, &self.prefix);
        let (paths, left_out) = self.paths(&sources);
        let mut document = json!({
            "openapi": "3.1.0",
            "info": { "title": title, "version": version },
            "paths": paths,
            "components": { "securitySchemes": security::object(&sources) },
        });
        if !left_out.is_empty() {
            document["x-left-out"] = left_out.into();
        }
        shared_responses::share(&mut document, &self.prefix);
        document
    }

    fn paths(&self, sources: &[security::SourceSchemes<'_>]) -> (Map<String, Value>, Vec<Value>) {
        let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        let mut left_out = Vec::new();
        for row in self.gate.policy.rows() {
            let DescribedRow { methods, pattern, index } = row;
            let Some(template) = PathTemplate::new(pattern) else {
                left_out.push(json!({ "path": pattern }));
                continue;
            };
            if GatedOperation::is_grpc(&self.gate, &template) {
                left_out.push(json!({ "path": pattern }));
                continue;
            }
            for method in
                METHODS.iter().filter(|method| methods.is_empty() || methods.contains(method))
            {
                let found = GatedOperation::find(&self.gate, &self.sample, method, &template);
                let Some(operation) = found.filter(|found| found.index == Some(index)) else {
                    continue;
                };
                let of_handler: Vec<&Denial> = Vec::new();
                let name = method.as_str().to_ascii_lowercase();
                paths
                    .entry(template.text.clone())
                    .or_default()
                    .insert(name, operation.object(sources, &of_handler));
            }
        }
        (paths.into_iter().map(|(path, item)| (path, item.into())).collect(), left_out)
    }
}
