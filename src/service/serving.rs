//! An admitted request: made ready for the inner service, and what is left to do when that answers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method, Request, Response};
use tokio::time::{Sleep, sleep};

use super::body::GateBody;
use super::layer::Hold;
use super::outcome::Admitted;
use crate::decision::Grant;
use crate::denial::Denial;
use crate::request::Scheme;
use crate::response::{Asked, keep_private, vary_by};

/// Holds what a response needs of its request.
pub(super) struct Serving {
    shared: Hold,
    admitted: Admitted,
    // Made when the inner service first has to be waited for.
    timer: Option<Pin<Box<Sleep>>>,
    // A HEAD request gets a refusal without content.
    head: bool,
}

impl Serving {
    /// Makes an admitted request ready for the inner service.
    pub(super) fn begin<B>(shared: Hold, admitted: Admitted, request: &mut Request<B>) -> Self {
        if shared.strip_credential && admitted.grant.is_some() {
            for name in shared.policy.credentials.header_names() {
                request.headers_mut().remove(name);
            }
        }
        match admitted.grant.as_ref().filter(|_| shared.leave_grant) {
            Some(grant) => {
                request.extensions_mut().insert(grant.clone());
            }
            // A grant of a gate further out says nothing of what this one admits.
            None => {
                request.extensions_mut().remove::<Grant>();
            }
        }
        Self { timer: None, head: request.method() == Method::HEAD, shared, admitted }
    }

    /// Adds to the inner service's response, or renders the denial that it asks for.
    pub(super) fn finish<R>(&mut self, mut response: Response<R>) -> Response<GateBody<R>> {
        if let Some(Asked(denial)) = response.extensions_mut().remove::<Asked>() {
            return self.deny(&denial);
        }
        let Self { shared, admitted, .. } = self;
        if shared.renderer.marks()
            && let Some(trail) = admitted.trail(&shared.policy)
        {
            shared.renderer.mark(response.headers_mut(), trail);
        }
        match admitted.source.map(|source| source.scheme) {
            Some(Scheme::Header(name)) => {
                keep_private(response.headers_mut(), &HeaderName::from_static(name));
            }
            Some(Scheme::Basic(_) | Scheme::Bearer) => {}
            None => {
                let names = shared.policy.credentials.own_header_names();
                names.for_each(|name| vary_by(response.headers_mut(), name));
            }
        }
        let permit = admitted.permit.take();
        response.map(|body| GateBody::inner(body, permit))
    }

    /// Refuses the request when its time budget is spent; never, if it has none.
    pub(super) fn poll_budget<R>(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Response<GateBody<R>>> {
        let Some(budget) = self.admitted.budget else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(budget)));
        timer.as_mut().poll(context).map(|()| self.time_out(budget))
    }

    fn time_out<R>(&self, budget: Duration) -> Response<GateBody<R>> {
        self.deny(&Denial::TimedOut { budget })
    }

    /// Refuses a request that was admitted.
    fn deny<R>(&self, denial: &Denial) -> Response<GateBody<R>> {
        let Self { shared, admitted, head, .. } = self;
        shared.observer.refused(denial, admitted.record());
        refuse(shared.renderer.refuse(denial, *head, admitted.trail(&shared.policy)))
    }
}

/// Gives a refusal the body type of all responses.
pub(super) fn refuse<R>(refusal: Response<Bytes>) -> Response<GateBody<R>> {
    refusal.map(GateBody::refusal)
}
