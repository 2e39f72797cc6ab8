//! An operation that passes a gate.

use http::{Method, Request};

use super::gate::DescribedGate;
use super::sample::Sample;
use super::template::PathTemplate;
use crate::request::Head;
use crate::rules::RouteNeeds;

/// An operation that passes a gate: a method of a path template, with what the gate needs of its requests.
pub(super) struct GatedOperation<'a> {
    pub(super) gate: &'a DescribedGate<'a>,
    pub(super) sample: &'a Sample,
    pub(super) template: &'a PathTemplate,
    /// A request of the operation, which the gate's own functions are asked about.
    pub(super) request: Request<()>,
    /// The route, if the gate has a table.
    pub(super) route: Option<&'a RouteNeeds>,
    /// The index of the route in the table.
    pub(super) index: Option<usize>,
    /// Whether the gate admits requests without a key.
    pub(super) is_open: bool,
}

impl<'a> GatedOperation<'a> {
    /// Finds the route of an operation as the gate finds it for a request. Returns `None` if no route covers it.
    pub(super) fn find(
        gate: &'a DescribedGate<'a>,
        sample: &'a Sample,
        method: &Method,
        template: &'a PathTemplate,
    ) -> Option<Self> {
        let request = Request::builder().method(method.clone()).uri(&*template.sample);
        let request = request.body(()).ok()?;
        let index = gate.policy.find(Head::of(&request)).map(|matched| matched.index);
        if index.is_none() && gate.policy.has_routes() {
            return None;
        }
        let is_open = gate.policy.anonymous_route(Head::of(&request)).is_ok();
        let route = gate.policy.route(index);
        Some(Self { gate, sample, template, request, route, index, is_open })
    }

    /// Returns true for a call of a gRPC service, whose refusals have a form that OpenAPI cannot describe.
    pub(super) fn is_grpc(gate: &DescribedGate<'_>, template: &PathTemplate) -> bool {
        gate.policy.grpc().has_path(&template.sample)
    }
}
