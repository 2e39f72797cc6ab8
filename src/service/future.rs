//! The future of a gate's response.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::GateBody;
use super::emptied::emptied;
use super::exchange::Exchange;
use super::settling::{ServiceEnd, Settlement};
use super::wait::Wait;
use crate::error::Denial;

pin_project! {
    /// The future of an [`ApiKeyGate`](super::ApiKeyGate). Resolves to the inner service's response with the
    /// gate's headers, or to a refusal.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        // Dropped in this order: the inner future ends before its permit is given back.
        #[pin]
        state: ResponseState<S::Future, S, B, Result<S::Response, S::Error>>,
        exchange: Exchange,
    }

    impl<S, B> PinnedDrop for ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.exchange.settles() {
                // The client hung up. The inner future may add to the cost until it is dropped.
                this.state.set(ResponseState::Done);
                // Nothing polls a limiter that has not answered yet.
                let _ = this.exchange.settle(ServiceEnd::HungUp);
            }
        }
    }
}

pin_project! {
    #[project = StateProjection]
    enum ResponseState<F, S, B, A> {
        /// The decision waits for the store, the limiter or a permit. Boxed because it is large; a request
        /// that waits may allocate.
        Deciding { waiting: Box<Undecided<S, B>> },
        Calling { #[pin] future: F },
        /// The limiter charges the cost that the handler added, or gives a cost back.
        Settling { unsettled: Box<Unsettled<A>> },
        /// The extensions are empty: they are the request's, for their table. `None` after the response.
        Refused { denial: Denial, extensions: Option<Extensions> },
        Answered { answer: Option<Box<Response<Bytes>>> },
        Done,
    }
}

/// A request whose decision waits, with the instance of the inner service that was polled ready.
struct Undecided<S, B> {
    wait: Wait,
    request: Option<Request<B>>,
    service: S,
}

/// A request that the inner service has finished, while the limiter charges or gives back.
struct Unsettled<A> {
    settlement: Settlement,
    result: Option<InnerResult<A>>,
}

/// How the inner service ended: it answered, or its time budget was spent.
enum InnerResult<A> {
    Answered(A),
    TimedOut(Denial),
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    /// Waits for the decision, then calls the inner service or refuses the request.
    pub(super) fn waiting(exchange: Exchange, wait: Wait, request: Request<B>, service: S) -> Self {
        let waiting = Box::new(Undecided { wait, request: Some(request), service });
        Self { exchange, state: ResponseState::Deciding { waiting } }
    }

    /// Waits for the inner service.
    pub(super) const fn calling(exchange: Exchange, future: S::Future) -> Self {
        Self { exchange, state: ResponseState::Calling { future } }
    }

    /// Answers the request without the inner service.
    pub(super) const fn answered(exchange: Exchange, answer: Box<Response<Bytes>>) -> Self {
        Self { exchange, state: ResponseState::Answered { answer: Some(answer) } }
    }

    /// Refuses the request. The extensions are empty.
    pub(super) const fn refused(
        exchange: Exchange,
        denial: Denial,
        extensions: Extensions,
    ) -> Self {
        Self { exchange, state: ResponseState::Refused { denial, extensions: Some(extensions) } }
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
        let (exchange, mut state) = (this.exchange, this.state);
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Deciding { waiting } => {
                    let Undecided { wait, request, service } = &mut **waiting;
                    let Some(undecided) = request.as_ref() else {
                        return Poll::Pending;
                    };
                    let decision = ready!(exchange.resume(wait, context, undecided));
                    match (decision, request.take()) {
                        (Ok(()), Some(mut request)) => {
                            exchange.hand_on(&mut request);
                            ResponseState::Calling { future: service.call(request) }
                        }
                        (Ok(()), None) => return Poll::Pending,
                        (Err(denial), request) => {
                            let extensions = request.map_or_else(Extensions::new, |mut request| {
                                emptied(request.extensions_mut())
                            });
                            ResponseState::Refused { denial, extensions: Some(extensions) }
                        }
                    }
                }
                // The inner future may add to the cost until it is dropped, which is before its permit is given back.
                StateProjection::Calling { future } => match future.poll(context) {
                    Poll::Ready(answered) => {
                        state.set(ResponseState::Done);
                        let settlement = if exchange.settles() {
                            exchange.settle(ServiceEnd::Answered(exchange.end_status(&answered)))
                        } else {
                            None
                        };
                        let Some(settlement) = settlement else {
                            return Poll::Ready(conclude(exchange, answered));
                        };
                        let result = Some(InnerResult::Answered(answered));
                        let unsettled = Box::new(Unsettled { settlement, result });
                        ResponseState::Settling { unsettled }
                    }
                    Poll::Pending => {
                        let denial = ready!(exchange.poll_budget(context));
                        state.set(ResponseState::Done);
                        let Some(settlement) = exchange.settle(ServiceEnd::TimedOut) else {
                            return Poll::Ready(Ok(exchange.deny(&denial, Extensions::new())));
                        };
                        let result = Some(InnerResult::TimedOut(denial));
                        let unsettled = Box::new(Unsettled { settlement, result });
                        ResponseState::Settling { unsettled }
                    }
                },
                StateProjection::Settling { unsettled } => {
                    let Unsettled { settlement, result } = &mut **unsettled;
                    ready!(exchange.poll_settled(settlement, context));
                    let result = result.take();
                    state.set(ResponseState::Done);
                    return match result {
                        Some(InnerResult::Answered(answered)) => {
                            Poll::Ready(conclude(exchange, answered))
                        }
                        Some(InnerResult::TimedOut(denial)) => {
                            Poll::Ready(Ok(exchange.deny(&denial, Extensions::new())))
                        }
                        None => Poll::Pending,
                    };
                }
                StateProjection::Refused { denial, extensions } => {
                    // Without `Done`, which would be written between the response and its way out: a copy less.
                    let Some(extensions) = extensions.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(exchange.refuse(denial, extensions)));
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

#[allow(clippy::inline_always)] // A call would copy the response.
#[inline(always)]
fn conclude<R, E>(
    exchange: &mut Exchange,
    answered: Result<Response<R>, E>,
) -> Result<Response<GateBody<R>>, E> {
    match answered {
        Ok(response) => Ok(exchange.finish(response)),
        Err(error) => {
            exchange.fail();
            Err(error)
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ResponseFuture")
    }
}
