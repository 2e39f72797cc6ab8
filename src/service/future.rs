//! The response: the inner service's with what the gate adds to it, or a refusal.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::GateBody;
use super::flow::{self, Wait};
use super::layer::Hold;
use super::outcome::{Admitted, Outcome};
use super::serving::{Serving, refuse};
use crate::request::Head;

pin_project! {
    /// Resolves to the inner service's response, or to a refusal; made by
    /// [`ApiKeyGate`](super::ApiKeyGate).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S, B> {
        /// The decision waits for a store, a limiter or a place. Boxed, for it is large, and what
        /// waits may allocate.
        Deciding { waiting: Box<Waiting<S, B>> },
        Serving {
            #[pin]
            future: F,
            serving: Serving,
        },
        Refused { response: Option<Response<Bytes>> },
        Done,
    }
}

/// A request whose decision waits, and the instance of the inner service that was polled ready.
struct Waiting<S, B> {
    shared: Option<Hold>,
    wait: Wait,
    request: Option<Request<B>>,
    service: S,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    /// Waits for the decision, then serves or refuses the request.
    pub(super) fn waiting(shared: Hold, wait: Wait, request: Request<B>, service: S) -> Self {
        let (shared, request) = (Some(shared), Some(request));
        let waiting = Box::new(Waiting { shared, wait, request, service });
        Self { state: State::Deciding { waiting } }
    }

    /// Serves or refuses a request that was decided.
    pub(super) fn decided(
        shared: Hold,
        outcome: Outcome,
        request: Request<B>,
        service: &mut S,
    ) -> Self {
        let head = request.method() == Method::HEAD;
        let state = match outcome {
            Outcome::Admitted(admitted) => Self::serve(shared, admitted, request, service),
            Outcome::Refused(refusal) => {
                let passage = refusal.passage.as_ref();
                let trail = passage.map(|passage| passage.trail(&shared.policy));
                let response = shared.renderer.refuse(&refusal.denial, head, trail);
                State::Refused { response: Some(response) }
            }
        };
        Self { state }
    }

    fn serve(
        shared: Hold,
        admitted: Admitted,
        mut request: Request<B>,
        service: &mut S,
    ) -> State<S::Future, S, B> {
        let serving = Serving::begin(shared, admitted, &mut request);
        State::Serving { future: service.call(request), serving }
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
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Deciding { waiting } => {
                    let Waiting { shared, wait, request, service } = &mut **waiting;
                    let (Some(hold), Some(head)) = (&*shared, request.as_ref().map(Head::of))
                    else {
                        return Poll::Pending;
                    };
                    let outcome = ready!(flow::resume(hold, wait, context, head));
                    let (Some(shared), Some(request)) = (shared.take(), request.take()) else {
                        return Poll::Pending;
                    };
                    Self::decided(shared, outcome, request, service).state
                }
                StateProjection::Serving { future, serving } => {
                    let finished = match future.poll(context) {
                        Poll::Ready(answered) => answered.map(|response| serving.finish(response)),
                        Poll::Pending => Ok(ready!(serving.poll_budget(context))),
                    };
                    state.set(State::Done);
                    return Poll::Ready(finished);
                }
                StateProjection::Refused { response } => {
                    let refusal = response.take();
                    state.set(State::Done);
                    return refusal
                        .map_or(Poll::Pending, |refusal| Poll::Ready(Ok(refuse(refusal))));
                }
                StateProjection::Done => return Poll::Pending,
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ResponseFuture")
    }
}
