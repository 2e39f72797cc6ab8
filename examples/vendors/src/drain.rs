//! Reads the rest of a request's content after a refusal.
//!
//! A refused request has its content dropped. Over HTTP/2, the server then resets the stream with
//! `NO_ERROR` (RFC 9113 §8.1), and some clients, such as curl 7.88, lose the answer. So the rest is
//! read and discarded, up to 8 MiB and for at most 10 seconds.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Request;
use axum::http::header::EXPECT;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::timeout;

const MOST_BYTES: usize = 8 << 20;
const LONGEST: Duration = Duration::from_secs(10);

/// A request's content. Dropping it reads the rest in a task.
pub(crate) struct Drained {
    content: Option<Incoming>,
    drain: bool,
}

impl Drained {
    /// Wraps the content of a request. A client that waits for `100 Continue` sends no content after a
    /// refusal, so nothing is read then.
    pub(crate) fn wrap(request: Request<Incoming>) -> Request<Self> {
        let drain = !request.headers().contains_key(EXPECT);
        request.map(|content| Self { content: Some(content), drain })
    }
}

impl Body for Drained {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.get_mut().content {
            Some(incoming) => Pin::new(incoming).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.content.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.content.as_ref().map(Body::size_hint);
        hint.unwrap_or_default()
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let unread = self.content.take().filter(|content| !content.is_end_stream());
        if let Some(content) = unread.filter(|_| self.drain)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(LONGEST, drain(content)));
        }
    }
}

async fn drain(mut content: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = content.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MOST_BYTES {
            return;
        }
    }
}
