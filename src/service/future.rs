//! The response: the inner service's with what the gate adds to it, or a refusal.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::GateBody;
use super::serving::Serving;
use super::wait::Wait;
use crate::denial::Denial;

pin_project! {
    /// Resolves to the inner service's response, or to a refusal; made by
    /// [`ApiKeyGate`](super::ApiKeyGate).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // Dropped in this order: the inner future ends before its place is given back.
        #[pin]
        state: State<S::Future, S, B>,
        serving: Serving,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S, B> {
        /// The decision waits for a store, a limiter or a place. Boxed, for it is large, and what
        /// waits may allocate.
        Deciding { waiting: Box<Waiting<S, B>> },
        Serving { #[pin] future: F },
        Refused { denial: Denial },
        Done,
    }
}

/// A request whose decision waits, and the instance of the inner service that was polled ready.
struct Waiting<S, B> {
    wait: Wait,
    request: Option<Request<B>>,
    service: S,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    /// Waits for the decision, then serves or refuses the request.
    pub(super) fn waiting(serving: Serving, wait: Wait, request: Request<B>, service: S) -> Self {
        let waiting = Box::new(Waiting { wait, request: Some(request), service });
        Self { serving, state: State::Deciding { waiting } }
    }

    /// Waits for the inner service.
    pub(super) const fn serving(serving: Serving, future: S::Future) -> Self {
        Self { serving, state: State::Serving { future } }
    }

    /// Refuses the request.
    pub(super) const fn refused(serving: Serving, denial: Denial) -> Self {
        Self { serving, state: State::Refused { denial } }
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
        let this = self.project();
        let (serving, mut state) = (this.serving, this.state);
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Deciding { waiting } => {
                    let Waiting { wait, request, service } = &mut **waiting;
                    let Some(undecided) = request.as_ref() else {
                        return Poll::Pending;
                    };
                    let decision = ready!(serving.resume(wait, context, undecided));
                    match (decision, request.take()) {
                        (Ok(()), Some(mut request)) => {
                            serving.hand_on(&mut request);
                            State::Serving { future: service.call(request) }
                        }
                        (Ok(()), None) => return Poll::Pending,
                        (Err(denial), _) => State::Refused { denial },
                    }
                }
                StateProjection::Serving { future } => match future.poll(context) {
                    Poll::Ready(answered) => {
                        state.set(State::Done);
                        return Poll::Ready(match answered {
                            Ok(response) => Ok(serving.finish(response)),
                            Err(error) => {
                                serving.release();
                                Err(error)
                            }
                        });
                    }
                    Poll::Pending => {
                        let denial = ready!(serving.poll_budget(context));
                        state.set(State::Done);
                        return Poll::Ready(Ok(serving.deny(&denial)));
                    }
                },
                StateProjection::Refused { denial } => {
                    let refusal = serving.refuse(denial);
                    state.set(State::Done);
                    return Poll::Ready(Ok(refusal.map(GateBody::refusal)));
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
