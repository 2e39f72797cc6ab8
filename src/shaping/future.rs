//! The future of a shaped response.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ShapedBody;
use super::collecting::{Collecting, empty};
use super::plan::{BodyAction, ResponsePlan};
use crate::error::Denial;
use crate::response::refusal::refusal;

pin_project! {
    /// The future of a [`ShapingService`](super::ShapingService). Resolves to the inner service's response, shaped, or
    /// to a refusal that the gate renders.
    #[must_use = "futures do nothing unless polled"]
    pub struct ShapingFuture<F, B: Body> {
        #[pin]
        state: ShapingState<F, B>,
    }
}

pin_project! {
    #[project = ShapingProjection]
    enum ShapingState<F, B: Body> {
        Calling { #[pin] future: F, plan: Option<ResponsePlan> },
        // Boxed because it is large, and needed by bodies that do not come at once.
        Collecting { collecting: Option<Box<Collecting<B>>> },
        Refused { denial: Option<Denial> },
        Done,
    }
}

impl<F, B: Body> ShapingFuture<F, B> {
    /// Waits for the inner service, and shapes its response.
    pub(super) const fn calling(future: F, plan: ResponsePlan) -> Self {
        Self { state: ShapingState::Calling { future, plan: Some(plan) } }
    }

    /// Refuses the request.
    pub(super) const fn refused(denial: Denial) -> Self {
        Self { state: ShapingState::Refused { denial: Some(denial) } }
    }
}

impl<F, B, E> Future for ShapingFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    B::Data: From<Bytes>,
{
    type Output = Result<Response<ShapedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let response = match state.as_mut().project() {
                ShapingProjection::Calling { future, plan } => {
                    let answered = ready!(future.poll(context));
                    let Some(plan) = plan.take() else { return Poll::Pending };
                    // The inner future ends before its body is collected.
                    state.set(ShapingState::Done);
                    match answered {
                        Err(error) => return Poll::Ready(Err(error)),
                        Ok(response) => match receive(plan, response) {
                            ControlFlow::Break(response) => response,
                            ControlFlow::Continue(collecting) => {
                                let collecting = Some(collecting);
                                state.set(ShapingState::Collecting { collecting });
                                continue;
                            }
                        },
                    }
                }
                ShapingProjection::Collecting { collecting } => {
                    let Some(pending) = collecting.as_mut() else { return Poll::Pending };
                    let end = ready!(pending.poll(context));
                    let Some(collecting) = collecting.take() else { return Poll::Pending };
                    collecting.finish(end)
                }
                ShapingProjection::Refused { denial } => {
                    let Some(denial) = denial.take() else { return Poll::Pending };
                    refusal(denial)
                }
                ShapingProjection::Done => return Poll::Pending,
            };
            state.set(ShapingState::Done);
            return Poll::Ready(Ok(response));
        }
    }
}

/// Breaks with a response that is ready, or continues with one whose body must come first.
fn receive<B>(
    plan: ResponsePlan,
    response: Response<B>,
) -> ControlFlow<Response<ShapedBody<B>>, Box<Collecting<B>>>
where
    B: Body,
    B::Data: From<Bytes>,
{
    let (mut parts, body) = response.into_parts();
    let least_bytes = body.size_hint().lower();
    let action = plan.receive(parts.status, &mut parts.headers, least_bytes);
    let response = match action {
        BodyAction::Pass => Response::from_parts(parts, ShapedBody::untouched(body)),
        BodyAction::Refuse(failure) => {
            plan.rules.report(&failure);
            refusal(Denial::InternalError)
        }
        // Not the service's body, which could say so and have content.
        _ if body.is_end_stream() => empty(&plan, parts, ShapedBody::default()),
        BodyAction::Collect { is_vague } => {
            return ControlFlow::Continue(Box::new(Collecting::new(plan, parts, body, is_vague)));
        }
        BodyAction::Fail(failure) if plan.refuses(&failure) => refusal(Denial::InternalError),
        BodyAction::Fail(_) => Response::from_parts(parts, ShapedBody::untouched(body)),
    };
    ControlFlow::Break(response)
}

impl<F, B: Body> fmt::Debug for ShapingFuture<F, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ShapingFuture")
    }
}
