//! Collects a body, and shapes it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Response};
use http_body::Body;

use super::body::ShapedBody;
use super::collected::Collected;
use super::failure::ShapingFailure;
use super::plan::{ResponsePlan, reframe, remove_digests};
use crate::error::Denial;
use crate::response::refusal::refusal;

/// A response whose body comes.
pub(super) struct Collecting<B> {
    plan: ResponsePlan,
    parts: Parts,
    // Boxed, so that the rest of a body that is too large can move into the response.
    body: Pin<Box<B>>,
    collected: Collected,
}

/// How collecting ended.
pub(super) enum CollectedBody<D, E> {
    Whole,
    TooLarge(D),
    Failed(E),
}

impl<B> Collecting<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    pub(super) fn new(plan: ResponsePlan, parts: Parts, body: B) -> Self {
        Self { plan, parts, body: Box::pin(body), collected: Collected::default() }
    }

    /// Collects what has come of the body.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<CollectedBody<B::Data, B::Error>> {
        loop {
            match ready!(self.body.as_mut().poll_frame(context)) {
                None => return Poll::Ready(CollectedBody::Whole),
                Some(Err(error)) => return Poll::Ready(CollectedBody::Failed(error)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        if let Err(data) = self.collected.push(data, self.plan.rules.max_bytes) {
                            return Poll::Ready(CollectedBody::TooLarge(data));
                        }
                    }
                    Err(frame) => {
                        if let Ok(trailers) = frame.into_trailers() {
                            self.collected.end(trailers);
                        }
                    }
                },
            }
        }
    }

    /// Makes the response of what was collected.
    pub(super) fn finish(self, end: CollectedBody<B::Data, B::Error>) -> Response<ShapedBody<B>> {
        let Self { plan, mut parts, body, collected } = self;
        let (held, trailers) = collected.finish();
        match end {
            CollectedBody::Whole => whole(&plan, parts, held, trailers),
            CollectedBody::TooLarge(next) => {
                let failure = ShapingFailure::TooLarge { max_bytes: plan.rules.max_bytes };
                if plan.refuses(&failure) {
                    return refusal(Denial::InternalError);
                }
                Response::from_parts(parts, ShapedBody::resumed(held, next, body))
            }
            CollectedBody::Failed(error) => {
                reframe(&mut parts.headers, None);
                Response::from_parts(parts, ShapedBody::failed(error))
            }
        }
    }
}

fn whole<B>(
    plan: &ResponsePlan,
    mut parts: Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
) -> Response<ShapedBody<B>>
where
    B: Body,
{
    if body.is_empty() {
        return empty(plan, parts, ShapedBody::shaped(body, trailers));
    }
    match plan.shape(&body) {
        Ok(text) => {
            // HTTP/1.1 sends trailers only after a body without a stated length.
            let length = trailers.is_none().then_some(text.len());
            reframe(&mut parts.headers, length);
            let trailers = trailers.map(|mut trailers| {
                remove_digests(&mut trailers);
                trailers
            });
            Response::from_parts(parts, ShapedBody::shaped(text, trailers))
        }
        Err(failure) if plan.refuses(&failure) => refusal(Denial::InternalError),
        Err(_) => Response::from_parts(parts, ShapedBody::shaped(body, trailers)),
    }
}

/// Makes the response of a body without content. The answer to HEAD loses the length and the digests that the service's
/// body would have.
pub(super) fn empty<B: Body>(
    plan: &ResponsePlan,
    mut parts: Parts,
    body: ShapedBody<B>,
) -> Response<ShapedBody<B>> {
    if plan.is_head {
        reframe(&mut parts.headers, None);
        return Response::from_parts(parts, ShapedBody::headless());
    }
    Response::from_parts(parts, body)
}
