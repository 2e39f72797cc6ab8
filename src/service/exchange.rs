//! One request and its response.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Sleep, sleep};

use super::body::GateBody;
use super::charging::ExtraCharge;
use super::deciding::Deciding;
use super::request_state::{Decision, RequestState};
use super::shared::SharedHandle;
use super::wait::{Next, Wait};
use crate::decision::Grant;
use crate::error::Denial;
use crate::request::{Handshake, Head};
use crate::response::{AnswerForm, RefusalRequest};

/// One request, from the decision to its response.
pub(super) struct Exchange {
    shared: SharedHandle,
    state: RequestState,
    // Created when the inner service is pending for the first time.
    timer: Option<Pin<Box<Sleep>>>,
    form: AnswerForm,
    /// The handshake of a client that offers the protocol which the gate selects.
    handshake: Option<Handshake>,
}

/// The extension of a request that a gate admitted without a key, for the extractors.
#[cfg(all(feature = "axum", feature = "tracing"))]
#[derive(Debug, Clone, Copy)]
pub(super) struct AdmittedAnonymous;

impl Exchange {
    pub(super) fn new<B>(shared: SharedHandle, request: &Request<B>) -> Self {
        let is_grpc = || shared.policy.is_grpc(request.method(), request.headers());
        let form = AnswerForm::of(request.method(), is_grpc);
        Self { shared, state: RequestState::default(), timer: None, form, handshake: None }
    }

    fn deciding(&mut self) -> Deciding<'_> {
        Deciding { shared: &self.shared, state: &mut self.state }
    }

    /// Begins the decision.
    pub(super) fn begin<B: 'static>(&mut self, request: &Request<B>) -> Next {
        self.deciding().begin(request)
    }

    /// Returns the gate's own answer to a preflight.
    pub(super) fn own_answer(&mut self) -> Option<Box<Response<Bytes>>> {
        self.state.answer.take()
    }

    /// Continues a decision that had to wait.
    pub(super) fn resume<B>(
        &mut self,
        wait: &mut Wait,
        context: &mut Context<'_>,
        request: &Request<B>,
    ) -> Poll<Decision> {
        self.deciding().resume(wait, context, Head::of(request))
    }

    /// Prepares an admitted request for the inner service: strips the credential, and adds the grant.
    pub(super) fn hand_on<B>(&mut self, request: &mut Request<B>) {
        let Self { shared, state, handshake, .. } = self;
        if shared.options.strip_credential && state.principal.is_some() {
            shared.policy.strip_credential(request.headers_mut());
        }
        shared.policy.hide_key(request);
        if let Some(protocol) = &shared.websocket_protocol {
            *handshake = protocol.offered_by(Head::of(request));
        }
        let grant = if shared.options.leave_grant { state.grant(&shared.policy) } else { None };
        if let Some(grant) = grant {
            request.extensions_mut().insert(grant);
            return;
        }
        // A grant of a gate further out says nothing of what this one admits.
        request.extensions_mut().remove::<Grant>();
        #[cfg(all(feature = "axum", feature = "tracing"))]
        if state.principal.is_none() {
            request.extensions_mut().insert(AdmittedAnonymous);
        }
    }

    /// Charges the cost that the handler added. Returns the charge if the limiter has not answered yet.
    pub(super) fn settle(&mut self) -> Option<ExtraCharge> {
        self.deciding().settle()
    }

    /// Returns true if the handler could add to the cost.
    pub(super) const fn may_owe(&self) -> bool {
        self.state.extra.is_some()
    }

    /// Waits for the limiter's answer to the added cost.
    pub(super) fn poll_settled(
        &mut self,
        charge: &mut ExtraCharge,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        self.deciding().resume_settling(charge, context)
    }

    /// Adds headers to the inner service's response, or renders the denial that the service returned.
    pub(super) fn finish<R>(&mut self, mut response: Response<R>) -> Response<GateBody<R>> {
        let asked = response.extensions_mut().remove::<RefusalRequest>().map(|it| it.0);
        #[cfg(feature = "tonic")]
        let asked = asked.or_else(|| super::tonic::refusal(self.form, &response));
        if let Some(denial) = asked {
            // The service's body is dropped before its permit is given back.
            drop(response);
            let denial = self.counted(denial);
            return self.deny(&denial);
        }
        let Self { shared, state, .. } = self;
        if shared.renderer.marks() {
            match state.trail(&shared.policy) {
                Some(trail) => shared.renderer.mark(response.headers_mut(), trail),
                None => shared.renderer.unmark(response.headers_mut()),
            }
        }
        if let Some(handshake) = self.handshake
            && let Some(protocol) = &shared.websocket_protocol
        {
            protocol.select(handshake, &mut response);
        }
        let source = state.source.and_then(|index| shared.policy.source(index));
        shared.renderer.guard_caches(response.headers_mut(), source);
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, GateBody::inner(body, state.permit.take()))
    }

    /// Counts a denial by the handler if it refuses what the key may do. Returns the denial to answer.
    fn counted(&mut self, denial: Denial) -> Denial {
        if !denial.is_of_rules() {
            return denial;
        }
        self.deciding().count_refusal().err().unwrap_or(denial)
    }

    /// Resolves when the request's time budget is spent. Without a budget it never resolves.
    pub(super) fn poll_budget(&mut self, context: &mut Context<'_>) -> Poll<Denial> {
        let route = self.shared.policy.route(self.state.route);
        let Some(budget) = route.and_then(|route| route.budget) else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(budget)));
        timer.as_mut().poll(context).map(|()| Denial::TimedOut { budget })
    }

    /// Gives the request's permit back.
    pub(super) fn release(&mut self) {
        self.state.permit = None;
    }

    /// Refuses a request that was admitted.
    pub(super) fn deny<R>(&mut self, denial: &Denial) -> Response<GateBody<R>> {
        self.deciding().end_in_refusal(denial);
        self.refuse(denial).map(GateBody::refusal)
    }

    /// Renders a refusal.
    pub(super) fn refuse(&self, denial: &Denial) -> Response<Bytes> {
        let trail = self.state.trail(&self.shared.policy);
        self.shared.renderer.refuse(denial, self.form, trail)
    }
}

impl Drop for Exchange {
    /// Gives a reserved attempt back if the client hung up or a panic came before the store's answer.
    fn drop(&mut self) {
        if self.state.attempt.is_some() {
            let now = self.shared.now();
            self.deciding().give_back(now);
        }
    }
}
