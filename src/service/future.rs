//! The response: decided first, then the inner service's, with what the gate adds to it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use super::body::GateBody;
use super::flow::Flow;
use super::layer::Shared;
use super::outcome::{Admitted, Outcome};
use crate::decision::Grant;
use crate::denial::Denial;
use crate::request::Head;
use crate::response::{Asked, Trail, keep_private, vary_by};

pin_project! {
    /// Resolves to the inner service's response, or to a refusal.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, S, B>,
        // A HEAD request gets a refusal without content.
        head: bool,
        shared: Arc<Shared>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S, B> {
        Deciding {
            flow: Flow,
            request: Option<Request<B>>,
            service: S,
        },
        Serving {
            #[pin]
            future: F,
            serving: Serving,
        },
        Done,
    }
}

/// What is left to do when the inner service has answered.
struct Serving {
    admitted: Admitted,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn new(flow: Flow, request: Request<B>, service: S) -> Self {
        Self {
            head: request.method() == Method::HEAD,
            shared: Arc::clone(flow.shared()),
            state: State::Deciding { flow, request: Some(request), service },
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
    R::Data: From<Bytes>,
{
    type Output = Result<Response<GateBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Deciding { flow, request, service } => {
                    let Some(head) = request.as_ref().map(Head::of) else {
                        return Poll::Pending;
                    };
                    let outcome = ready!(flow.poll(context, head));
                    let Some(request) = request.take() else {
                        return Poll::Pending;
                    };
                    match outcome {
                        Outcome::Admitted(admitted) => {
                            let (request, serving) = prepare(this.shared, admitted, request);
                            State::Serving { future: service.call(request), serving }
                        }
                        Outcome::Refused { denial, passage } => {
                            let trail = passage.as_ref().map(|passage| passage.trail(this.shared));
                            let response = refuse(this.shared, *this.head, &denial, trail);
                            this.state.set(State::Done);
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                StateProjection::Serving { future, serving } => {
                    let finished = match future.poll(context) {
                        Poll::Ready(answered) => answered
                            .map(|response| serving.finish(this.shared, *this.head, response)),
                        Poll::Pending => {
                            let denial = ready!(serving.poll_budget(context));
                            Ok(serving.deny(this.shared, *this.head, &denial))
                        }
                    };
                    this.state.set(State::Done);
                    return Poll::Ready(finished);
                }
                StateProjection::Done => return Poll::Pending,
            };
            this.state.set(next);
        }
    }
}

/// Makes an admitted request ready for the inner service.
fn prepare<B>(
    shared: &Shared,
    admitted: Admitted,
    mut request: Request<B>,
) -> (Request<B>, Serving) {
    if let Some(grant) = &admitted.grant {
        if shared.strip_credential {
            for name in shared.policy.credentials.header_names() {
                request.headers_mut().remove(name);
            }
        }
        request.extensions_mut().insert(grant.clone());
    } else {
        // A grant of a gate further out says nothing of what this one admits.
        request.extensions_mut().remove::<Grant>();
    }
    let timer = admitted.budget.map(|budget| Box::pin(sleep(budget)));
    (request, Serving { admitted, timer })
}

impl Serving {
    /// Adds to the inner service's response, or renders the denial that it asks for.
    fn finish<R>(
        &mut self,
        shared: &Shared,
        head: bool,
        mut response: Response<R>,
    ) -> Response<GateBody<R>> {
        if let Some(Asked(denial)) = response.extensions_mut().remove::<Asked>() {
            return self.deny(shared, head, &denial);
        }
        if let Some(trail) = self.admitted.trail(shared) {
            shared.renderer.mark(response.headers_mut(), trail);
        }
        match (&self.admitted.grant, &self.admitted.own_header) {
            (Some(_), Some(header)) => keep_private(response.headers_mut(), header),
            (Some(_), None) => {}
            (None, _) => {
                let names = shared.policy.credentials.own_header_names();
                names.for_each(|name| vary_by(response.headers_mut(), name));
            }
        }
        let permit = self.admitted.permit.take();
        response.map(|body| GateBody::inner(body, permit))
    }

    /// Refuses a request that was admitted.
    fn deny<R>(&self, shared: &Shared, head: bool, denial: &Denial) -> Response<GateBody<R>> {
        shared.observer.refused(denial, self.admitted.record());
        refuse(shared, head, denial, self.admitted.trail(shared))
    }

    /// Resolves when the time budget is spent; never, if there is none.
    fn poll_budget(&mut self, context: &mut Context<'_>) -> Poll<Denial> {
        let (Some(timer), Some(budget)) = (&mut self.timer, self.admitted.budget) else {
            return Poll::Pending;
        };
        timer.as_mut().poll(context).map(|()| Denial::TimedOut { budget })
    }
}

fn refuse<R>(
    shared: &Shared,
    head: bool,
    denial: &Denial,
    trail: Option<Trail<'_>>,
) -> Response<GateBody<R>> {
    shared.renderer.refuse(denial, head, trail).map(GateBody::refusal)
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ResponseFuture")
    }
}
