//! One request on its way through the gate and back.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::time::{Sleep, sleep};

use super::body::GateBody;
use super::charging;
use super::flow::{self, Decision, Next};
use super::layer::Hold;
use super::passage::Passage;
use super::wait::{Settling, Wait};
use crate::decision::Grant;
use crate::denial::Denial;
use crate::request::Head;
use crate::response::Asked;

/// Holds what a response needs of its request.
pub(super) struct Serving {
    shared: Hold,
    passage: Passage,
    // Made when the inner service first has to be waited for.
    timer: Option<Pin<Box<Sleep>>>,
    // A HEAD request gets a refusal without content.
    head: bool,
}

impl Serving {
    pub(super) fn new<B>(shared: Hold, request: &Request<B>) -> Self {
        let head = request.method() == Method::HEAD;
        Self { shared, passage: Passage::default(), timer: None, head }
    }

    /// Begins the decision.
    pub(super) fn begin<B: 'static>(&mut self, request: &Request<B>) -> Next {
        flow::begin(&self.shared, &mut self.passage, request)
    }

    /// Returns the answer that the gate gives by itself.
    pub(super) fn own_answer(&mut self) -> Option<Box<Response<Bytes>>> {
        self.passage.answer.take()
    }

    /// Goes on with a decision that had to wait.
    pub(super) fn resume<B>(
        &mut self,
        wait: &mut Wait,
        context: &mut Context<'_>,
        request: &Request<B>,
    ) -> Poll<Decision> {
        flow::resume(&self.shared, &mut self.passage, wait, context, Head::of(request))
    }

    /// Makes an admitted request ready for the inner service.
    pub(super) fn hand_on<B>(&mut self, request: &mut Request<B>) {
        let Self { shared, passage, .. } = self;
        if shared.strip_credential && passage.principal.is_some() {
            for name in shared.policy.credentials.header_names() {
                request.headers_mut().remove(name);
            }
        }
        let grant = if shared.leave_grant { passage.grant(&shared.policy) } else { None };
        match grant {
            Some(grant) => {
                request.extensions_mut().insert(grant);
            }
            // A grant of a gate further out says nothing of what this one admits.
            None => {
                request.extensions_mut().remove::<Grant>();
            }
        }
    }

    /// Takes what the handler added to the cost; returns what has to be waited for.
    pub(super) fn settle(&mut self) -> Option<Settling> {
        charging::settle(&self.shared, &mut self.passage)
    }

    /// Tells whether the handler may have added something that was not taken yet.
    pub(super) const fn may_owe(&self) -> bool {
        self.passage.extra.is_some()
    }

    /// Waits until that was taken.
    pub(super) fn poll_settled(
        &mut self,
        settling: &mut Settling,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        charging::resume_settling(&self.shared, &mut self.passage, settling, context)
    }

    /// Adds to the inner service's response, or renders the denial that it asks for.
    pub(super) fn finish<R>(&mut self, mut response: Response<R>) -> Response<GateBody<R>> {
        if let Some(Asked(denial)) = response.extensions_mut().remove::<Asked>() {
            // The service's body ends before its place is given back.
            drop(response);
            let denial = self.counted(denial);
            return self.deny(&denial);
        }
        let Self { shared, passage, .. } = self;
        if shared.renderer.marks() {
            match passage.trail(&shared.policy) {
                Some(trail) => shared.renderer.mark(response.headers_mut(), trail),
                None => shared.renderer.unmark(response.headers_mut()),
            }
        }
        let source = passage.source.and_then(|index| shared.policy.credentials.source(index));
        shared.renderer.guard_caches(response.headers_mut(), source);
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, GateBody::inner(body, passage.permit.take()))
    }

    /// Counts a denial that the handler asks for, if it says what the key may not do.
    fn counted(&self, denial: Denial) -> Denial {
        if !denial.is_of_rules() {
            return denial;
        }
        flow::count_refusal(&self.shared, &self.passage).err().unwrap_or(denial)
    }

    /// Resolves when the request's time budget is spent; never, if it has none.
    pub(super) fn poll_budget(&mut self, context: &mut Context<'_>) -> Poll<Denial> {
        let route = self.shared.policy.route(self.passage.route);
        let Some(budget) = route.and_then(|route| route.budget) else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(budget)));
        timer.as_mut().poll(context).map(|()| Denial::TimedOut { budget })
    }

    /// Gives the request's place back.
    pub(super) fn release(&mut self) {
        self.passage.permit = None;
    }

    /// Refuses a request that was admitted.
    pub(super) fn deny<R>(&mut self, denial: &Denial) -> Response<GateBody<R>> {
        self.release();
        self.shared.observer.refused(denial, self.passage.record());
        self.refuse(denial).map(GateBody::refusal)
    }

    /// Renders a refusal.
    pub(super) fn refuse(&self, denial: &Denial) -> Response<Bytes> {
        let trail = self.passage.trail(&self.shared.policy);
        self.shared.renderer.refuse(denial, self.head, trail)
    }
}

impl Drop for Serving {
    /// The client hung up, or something panicked, before the store had answered.
    fn drop(&mut self) {
        if self.passage.attempt.is_some() {
            flow::give_back(&self.shared, &mut self.passage, self.shared.clock.now());
        }
    }
}
