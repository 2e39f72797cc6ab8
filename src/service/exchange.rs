//! One request and its response.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use tokio::time::{Sleep, sleep};

use super::asked_refusal::asked_refusal;
use super::body::GateBody;
use super::deciding::Deciding;
use super::emptied::emptied;
use super::request_state::{Decision, RequestState};
use super::settling::{ServiceEnd, Settlement};
use super::shared::{Shared, SharedHandle};
use super::wait::{Next, Wait};
use crate::decision::{GateDecision, RequestEnd};
use crate::error::Denial;
use crate::request::{Handshake, Head, RequestId};
use crate::response::{AnswerForm, RefusalFacts, RefusalParts, RequestFacts, TableIndex};

/// One request, from the decision to its response.
pub(super) struct Exchange {
    pub(super) shared: SharedHandle,
    pub(super) state: RequestState,
    // Created when the inner service is pending for the first time.
    timer: Option<Pin<Box<Sleep>>>,
    form: AnswerForm,
    /// The answers for the request's path.
    table: TableIndex,
    /// What the answer may have of the request. `None` if no answer of the profile has any of it.
    pub(super) request: Option<Box<RequestFacts>>,
    /// The handshake of a client that offers the protocol which the gate selects.
    pub(super) handshake: Option<Handshake>,
}

impl Exchange {
    #[inline]
    pub(super) fn new<B>(shared: SharedHandle, request: &Request<B>, head: Head<'_>) -> Self {
        let grpc = shared.policy.grpc();
        let is_grpc = || !grpc.is_empty() && grpc.is_call(head);
        let form = AnswerForm::of(request.method(), is_grpc);
        let table = shared.renderer.table(head);
        let request = shared.request_facts(request);
        Self {
            shared,
            state: RequestState::default(),
            timer: None,
            form,
            table,
            request,
            handshake: None,
        }
    }

    fn deciding(&mut self) -> Deciding<'_> {
        Deciding { shared: &self.shared, state: &mut self.state }
    }

    /// Begins the decision.
    pub(super) fn begin<B: 'static>(&mut self, request: &Request<B>, head: Head<'_>) -> Next {
        self.deciding().begin(request, head)
    }

    /// Returns the gate's own answer to a preflight.
    pub(super) fn own_answer(&mut self) -> Option<Box<Response<Bytes>>> {
        let mut answer = self.state.answer.take()?;
        if let Some(id) = self.request_id() {
            self.shared.renderer.write_request_id(&mut answer, id);
        }
        self.leave_decision(&mut answer, None);
        self.observe_end(None, RequestEnd::Answered(answer.status()));
        Some(answer)
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

    pub(super) fn request_id(&self) -> Option<&RequestId> {
        self.request.as_ref()?.id.as_ref()
    }

    /// Returns true if the cost may change when the inner service has ended.
    pub(super) const fn settles(&self) -> bool {
        self.state.settles
    }

    /// Charges or gives back what the end of the inner service changes of the cost. Returns the settlement if the
    /// limiter has not answered yet.
    pub(super) fn settle(&mut self, end: ServiceEnd) -> Option<Settlement> {
        self.deciding().settle(end)
    }

    /// Waits for the limiter's answer to the changed cost.
    pub(super) fn poll_settled(
        &mut self,
        settlement: &mut Settlement,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        self.deciding().resume_settling(settlement, context)
    }

    /// Returns the state that all gates of the layer share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns the form of the answer.
    pub(super) const fn form(&self) -> AnswerForm {
        self.form
    }

    /// Returns the index of the answers for the request's path.
    pub(super) const fn table(&self) -> TableIndex {
        self.table
    }

    /// Adds headers to the inner service's response, or renders the denial that the service returned.
    pub(super) fn finish<R>(&mut self, mut response: Response<R>) -> Response<GateBody<R>> {
        if let Some(denial) = asked_refusal(&response) {
            let extensions = emptied(response.extensions_mut());
            // The service's body is dropped before its permit is given back.
            drop(response);
            let denial = self.counted(denial);
            return self.deny(&denial, extensions);
        }
        if let Some(id) = self.request_id() {
            self.shared.renderer.write_request_id(&mut response, id);
        }
        let Self { shared, state, .. } = self;
        if shared.renderer.marks() {
            match state.trail(&shared.policy) {
                Some(trail) => shared.renderer.mark(response.headers_mut(), &trail),
                None => shared.renderer.unmark(response.headers_mut()),
            }
        }
        shared.renderer.add_fixed(response.headers_mut());
        if let Some(handshake) = self.handshake
            && let Some(protocol) = &shared.websocket_protocol
        {
            protocol.select(handshake, &mut response);
        }
        let source = state.source.and_then(|index| shared.policy.source(index));
        shared.renderer.guard_caches(response.headers_mut(), source);
        self.leave_decision(&mut response, None);
        self.observe_end(None, RequestEnd::Answered(response.status()));
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, GateBody::inner(body, self.state.permit.take()))
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

    /// Gives the permit of a request back for which the inner service returned an error.
    pub(super) fn fail(&mut self) {
        self.state.permit = None;
        self.observe_end(None, RequestEnd::Failed);
    }

    /// Refuses a request that was admitted.
    pub(super) fn deny<R>(
        &mut self,
        denial: &Denial,
        extensions: Extensions,
    ) -> Response<GateBody<R>> {
        self.deciding().end_in_refusal(denial);
        self.refuse(denial, extensions)
    }

    /// Renders a refusal with these extensions, which are empty.
    pub(super) fn refuse<R>(
        &mut self,
        denial: &Denial,
        extensions: Extensions,
    ) -> Response<GateBody<R>> {
        let parts = self.render(denial, extensions);
        let mut refusal = parts.into_response(GateBody::refusal);
        self.leave_decision(&mut refusal, Some(denial));
        self.observe_end(Some(denial), RequestEnd::Answered(refusal.status()));
        refusal
    }

    fn render(&self, denial: &Denial, extensions: Extensions) -> RefusalParts {
        let simultaneous = self.simultaneous(denial);
        let mut authenticated = self.state.trail(&self.shared.policy);
        if let Some(authenticated) = &mut authenticated {
            authenticated.in_flight = simultaneous;
        }
        let facts = RefusalFacts {
            denial,
            form: self.form,
            table: self.table,
            request: self.request.as_deref(),
            authenticated,
            simultaneous,
            expired_at: self.state.expired_at,
            masked_key: self.state.masked_key.as_deref(),
        };
        self.shared.observe(|observer| observer.answered(&self.shared.renderer.facts(&facts)));
        self.shared.renderer.render(&facts, extensions)
    }

    /// Returns how many simultaneous requests the route admits, if that is why the request is refused.
    fn simultaneous(&self, denial: &Denial) -> Option<u32> {
        let exceeded = matches!(denial, Denial::ConcurrencyExceeded);
        let route = self.shared.policy.route(self.state.route).filter(|_| exceeded)?;
        route.concurrency.map(|rule| rule.limit())
    }

    /// Puts the decision into the response's extensions, if that was asked for.
    #[inline]
    fn leave_decision<R>(&self, response: &mut Response<R>, denial: Option<&Denial>) {
        if self.shared.options.leave_decision {
            self.insert_decision(response, denial);
        }
    }

    #[cold]
    fn insert_decision<R>(&self, response: &mut Response<R>, denial: Option<&Denial>) {
        // Of two gates, one in the other, the refusal of the inner one is the decision.
        let refused = response.extensions().get::<GateDecision>().and_then(GateDecision::denial);
        if denial.is_some() || refused.is_none() {
            response.extensions_mut().insert(self.state.decision(denial));
        }
    }
}

impl Drop for Exchange {
    /// Gives a reserved attempt back if the client hung up or a panic came before the store's answer.
    fn drop(&mut self) {
        if self.state.attempt.is_some() {
            let now = self.shared.now();
            self.deciding().give_back(now);
        }
        self.observe_hang_up();
    }
}
