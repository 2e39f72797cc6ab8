//! Collects a body, and shapes it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::ETAG;
use http::response::Parts;
use http::{HeaderMap, Response};
use http_body::Body;

use super::body::ShapedBody;
use super::collected::Collected;
use super::failure::ShapingFailure;
use super::opening::Opening;
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
    /// True until the first sign of a body whose type does not say whether it is JSON.
    is_vague: bool,
}

/// How collecting ended.
pub(super) enum CollectedBody<D, E> {
    Whole,
    /// The body is not collected further, because its type does not say JSON, and neither does its first sign.
    NotJson(Option<D>),
    TooLarge(D),
    Failed(E),
}

impl<B> Collecting<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    pub(super) fn new(plan: ResponsePlan, parts: Parts, body: B, is_vague: bool) -> Self {
        Self { plan, parts, body: Box::pin(body), collected: Collected::default(), is_vague }
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
                        if let Some(end) = self.push(data) {
                            return Poll::Ready(end);
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

    /// Adds data. Returns an end if no more is to be collected.
    fn push(&mut self, data: B::Data) -> Option<CollectedBody<B::Data, B::Error>> {
        if let Err(data) = self.collected.push(data, self.plan.rules.max_bytes) {
            let is_other = self.is_vague && Opening::of(data.chunk()) == Opening::Other;
            return Some(if is_other {
                CollectedBody::NotJson(Some(data))
            } else {
                CollectedBody::TooLarge(data)
            });
        }
        if self.is_vague {
            match self.collected.opening() {
                Opening::Blank => {}
                Opening::Json => self.is_vague = false,
                Opening::Other => return Some(CollectedBody::NotJson(None)),
            }
        }
        None
    }

    /// Makes the response of what was collected.
    pub(super) fn finish(self, end: CollectedBody<B::Data, B::Error>) -> Response<ShapedBody<B>> {
        let Self { plan, mut parts, body, collected, is_vague } = self;
        let (held, trailers) = collected.finish();
        match end {
            CollectedBody::Whole if is_vague && !held.is_empty() => {
                Response::from_parts(parts, ShapedBody::shaped(held, trailers))
            }
            CollectedBody::NotJson(next) => {
                Response::from_parts(parts, ShapedBody::resumed(held, next, body))
            }
            CollectedBody::Whole => whole(&plan, parts, held, trailers),
            CollectedBody::TooLarge(next) => {
                let failure = ShapingFailure::TooLarge { max_bytes: plan.rules.max_bytes };
                if plan.refuses(&failure) {
                    return refusal(Denial::InternalError);
                }
                Response::from_parts(parts, ShapedBody::resumed(held, Some(next), body))
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
        return empty(plan, parts, ShapedBody::shaped(body, trailers.map(without_tags)));
    }
    match plan.shape(&body) {
        Ok(text) => {
            // HTTP/1.1 sends trailers only after a body without a stated length.
            let length = trailers.is_none().then_some(text.len());
            reframe(&mut parts.headers, length);
            let trailers = trailers.map(without_tags);
            Response::from_parts(parts, ShapedBody::shaped(text, trailers))
        }
        Err(failure) if plan.refuses(&failure) => refusal(Denial::InternalError),
        Err(_) => Response::from_parts(parts, ShapedBody::shaped(body, trailers)),
    }
}

/// Removes what trailers say of the service's body.
fn without_tags(mut trailers: HeaderMap) -> HeaderMap {
    remove_digests(&mut trailers);
    trailers.remove(ETAG);
    trailers
}

/// Makes the response of a body without content. It loses digests, which are of another body. The answer to HEAD loses
/// the length, too, that the service's body would have.
pub(super) fn empty<B: Body>(
    plan: &ResponsePlan,
    mut parts: Parts,
    body: ShapedBody<B>,
) -> Response<ShapedBody<B>> {
    if plan.is_head() {
        reframe(&mut parts.headers, None);
        return Response::from_parts(parts, ShapedBody::headless());
    }
    remove_digests(&mut parts.headers);
    Response::from_parts(parts, body)
}
