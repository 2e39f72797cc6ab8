//! The content of an answer, which keeps its connection open.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

use super::place::Place;

/// The content of an answer, which holds the place of its connection until it is sent.
pub(super) struct PlacedBody<B> {
    content: Pin<Box<B>>,
    _place: Place,
}

impl<B> PlacedBody<B> {
    pub(super) fn new(content: B, place: Place) -> Self {
        Self { content: Box::pin(content), _place: place }
    }
}

impl<B: Body> Body for PlacedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.content.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
