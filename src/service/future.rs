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
use super::wait::{Settling, Wait};
use crate::error::Denial;

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
        state: State<S::Future, S, B, Result<S::Response, S::Error>>,
        serving: Serving,
    }

    impl<S, B> PinnedDrop for ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.serving.may_owe() {
                // The client hung up. The inner future may add to the cost until it has ended.
                this.state.set(State::Done);
                // Nobody is left to wait for a limiter.
                let _ = this.serving.settle();
            }
        }
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S, B, A> {
        /// The decision waits for a store, a limiter or a place. Boxed, for it is large, and what
        /// waits may allocate.
        Deciding { waiting: Box<Waiting<S, B>> },
        Serving { #[pin] future: F },
        /// The limiter takes what the handler added to the cost.
        Settling { ended: Box<Ended<A>> },
        Refused { denial: Denial },
        Answered { answer: Option<Box<Response<Bytes>>> },
        Done,
    }
}

/// A request whose decision waits, and the instance of the inner service that was polled ready.
struct Waiting<S, B> {
    wait: Wait,
    request: Option<Request<B>>,
    service: S,
}

/// What became of the inner service, while the limiter is waited for.
struct Ended<A> {
    settling: Settling,
    outcome: Option<Outcome<A>>,
}

/// How the inner service ended: with an answer, or because its time was up.
enum Outcome<A> {
    Answered(A),
    Refused(Denial),
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

    /// Answers the request without the inner service.
    pub(super) const fn answered(serving: Serving, answer: Box<Response<Bytes>>) -> Self {
        Self { serving, state: State::Answered { answer: Some(answer) } }
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
                // The inner future ends before its place is given back, and adds to the cost until then.
                StateProjection::Serving { future } => match future.poll(context) {
                    Poll::Ready(answered) => {
                        state.set(State::Done);
                        let Some(settling) = serving.settle() else {
                            return Poll::Ready(conclude(serving, answered));
                        };
                        let outcome = Some(Outcome::Answered(answered));
                        State::Settling { ended: Box::new(Ended { settling, outcome }) }
                    }
                    Poll::Pending => {
                        let denial = ready!(serving.poll_budget(context));
                        state.set(State::Done);
                        let Some(settling) = serving.settle() else {
                            return Poll::Ready(Ok(serving.deny(&denial)));
                        };
                        let outcome = Some(Outcome::Refused(denial));
                        State::Settling { ended: Box::new(Ended { settling, outcome }) }
                    }
                },
                StateProjection::Settling { ended } => {
                    let Ended { settling, outcome } = &mut **ended;
                    ready!(serving.poll_settled(settling, context));
                    let outcome = outcome.take();
                    state.set(State::Done);
                    return match outcome {
                        Some(Outcome::Answered(answered)) => {
                            Poll::Ready(conclude(serving, answered))
                        }
                        Some(Outcome::Refused(denial)) => Poll::Ready(Ok(serving.deny(&denial))),
                        None => Poll::Pending,
                    };
                }
                StateProjection::Refused { denial } => {
                    let refusal = serving.refuse(denial);
                    state.set(State::Done);
                    return Poll::Ready(Ok(refusal.map(GateBody::refusal)));
                }
                StateProjection::Answered { answer } => {
                    let Some(answer) = answer.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(answer.map(GateBody::refusal)));
                }
                StateProjection::Done => return Poll::Pending,
            };
            state.set(next);
        }
    }
}

#[allow(clippy::inline_always)] // It would be handed a copy of the response.
#[inline(always)]
fn conclude<R, E>(
    serving: &mut Serving,
    answered: Result<Response<R>, E>,
) -> Result<Response<GateBody<R>>, E> {
    match answered {
        Ok(response) => Ok(serving.finish(response)),
        Err(error) => {
            serving.release();
            Err(error)
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ResponseFuture")
    }
}
