//! The body of a response that went through the layer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that went through a [`ShapingLayer`](super::ShapingLayer): the inner service's body, or
    /// what the layer has made of it.
    #[project = ShapedProjection]
    pub struct ShapedBody<B: Body> {
        #[pin]
        part: BodyPart<B>,
    }
}

pin_project! {
    #[project = PartProjection]
    enum BodyPart<B: Body> {
        Untouched { #[pin] body: B },
        Shaped { text: Option<Bytes>, trailers: Option<HeaderMap> },
        // A body that is not collected to its end: what had come, and the rest.
        Resumed { held: Option<Bytes>, next: Option<B::Data>, rest: Pin<Box<B>> },
        Failed { error: Option<B::Error> },
        // The answer to HEAD, whose length is not known.
        Headless,
    }
}

impl<B: Body> ShapedBody<B> {
    pub(super) const fn untouched(body: B) -> Self {
        Self { part: BodyPart::Untouched { body } }
    }

    pub(super) fn shaped(text: Bytes, trailers: Option<HeaderMap>) -> Self {
        let text = Some(text).filter(|text| !text.is_empty());
        Self { part: BodyPart::Shaped { text, trailers } }
    }

    pub(super) fn resumed(held: Bytes, next: Option<B::Data>, rest: Pin<Box<B>>) -> Self {
        let held = Some(held).filter(|held| !held.is_empty());
        Self { part: BodyPart::Resumed { held, next, rest } }
    }

    pub(super) const fn failed(error: B::Error) -> Self {
        Self { part: BodyPart::Failed { error: Some(error) } }
    }

    pub(super) const fn headless() -> Self {
        Self { part: BodyPart::Headless }
    }
}

impl<B: Body> Default for ShapedBody<B> {
    /// Returns an empty body.
    fn default() -> Self {
        Self::shaped(Bytes::new(), None)
    }
}

impl<B> Body for ShapedBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = match self.project().part.project() {
            PartProjection::Untouched { body } => return body.poll_frame(context),
            PartProjection::Shaped { text, trailers } => {
                let data = text.take().map(|text| Frame::data(text.into()));
                data.or_else(|| trailers.take().map(Frame::trailers)).map(Ok)
            }
            PartProjection::Resumed { held, next, rest } => {
                let data = held.take().map(B::Data::from).or_else(|| next.take());
                match data {
                    Some(data) => Some(Ok(Frame::data(data))),
                    None => return rest.as_mut().poll_frame(context),
                }
            }
            PartProjection::Failed { error } => error.take().map(Err),
            PartProjection::Headless => None,
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.part {
            BodyPart::Untouched { body } => body.is_end_stream(),
            BodyPart::Shaped { text, trailers } => text.is_none() && trailers.is_none(),
            BodyPart::Resumed { held, next, rest } => {
                held.is_none() && next.is_none() && rest.is_end_stream()
            }
            BodyPart::Failed { error } => error.is_none(),
            BodyPart::Headless => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.part {
            BodyPart::Untouched { body } => body.size_hint(),
            BodyPart::Shaped { text, trailers } => {
                let bytes = text.as_ref().map_or(0, |text| length(text.len()));
                let mut hint = SizeHint::with_exact(bytes);
                if trailers.is_some() {
                    // With an exact size, a server would state the length and send no trailers.
                    hint = SizeHint::new();
                    hint.set_lower(bytes);
                }
                hint
            }
            BodyPart::Resumed { held, next, rest } => {
                let ahead = held.as_ref().map_or(0, |held| length(held.len()));
                let next = next.as_ref().map_or(0, |next| length(next.remaining()));
                let ahead = ahead.saturating_add(next);
                let rest = rest.size_hint();
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower().saturating_add(ahead));
                if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(ahead)) {
                    hint.set_upper(upper);
                }
                hint
            }
            // An exact size would become a `Content-Length`.
            BodyPart::Failed { .. } | BodyPart::Headless => SizeHint::default(),
        }
    }
}

impl<B: Body> fmt::Debug for ShapedBody<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ShapedBody")
    }
}

fn length(bytes: usize) -> u64 {
    bytes.try_into().unwrap_or(u64::MAX)
}
