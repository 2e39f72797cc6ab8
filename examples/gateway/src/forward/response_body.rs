//! The content of an answer on its way to the client.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

use super::trailers::strip_response_trailers;
use crate::upstream::{Continue, Idle, InFlight};

type BoxError = Box<dyn Error + Send + Sync>;

/// The content of an answer: of an upstream as it comes, or of the gateway.
pub(crate) struct ResponseBody(Kind);

enum Kind {
    Own(Full<Bytes>),
    Upstream(Box<Forwarded>),
}

struct Forwarded {
    content: Incoming,
    idle: Idle,
    /// Trailers that stay on the upstream's connection.
    refused: Vec<HeaderName>,
    hold: Option<Continue>,
    _in_flight: InFlight,
}

impl ResponseBody {
    pub(super) fn own(text: Bytes) -> Self {
        Self(Kind::Own(Full::new(text)))
    }

    pub(super) fn forwarded(
        content: Incoming,
        idle: Duration,
        refused: Vec<HeaderName>,
        in_flight: InFlight,
        hold: Option<Continue>,
    ) -> Self {
        let idle = Idle::new(idle);
        Self(Kind::Upstream(Box::new(Forwarded {
            content,
            idle,
            refused,
            hold,
            _in_flight: in_flight,
        })))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.get_mut().0 {
            Kind::Own(text) => Pin::new(text).poll_frame(context).map_err(|never| match never {}),
            Kind::Upstream(forwarded) => forwarded.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(text) => text.is_end_stream(),
            Kind::Upstream(forwarded) => forwarded.content.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(text) => text.size_hint(),
            Kind::Upstream(forwarded) => forwarded.content.size_hint(),
        }
    }
}

impl Forwarded {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.content).poll_frame(context) else {
            if self.idle.is_over(context) {
                return Poll::Ready(Some(Err("the upstream pauses for too long".into())));
            }
            return Poll::Pending;
        };
        self.idle.moved();
        Poll::Ready(frame.map(|frame| Ok(strip_response_trailers(frame?, &self.refused))))
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        if let Some(hold) = &self.hold {
            hold.give_up();
        }
    }
}
