//! The body of a gate's response.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::concurrency::Permit;

pin_project! {
    /// The body of a gate's response: the inner service's body, or the content of a refusal.
    ///
    /// The body holds the permit of the request until the body ends or is dropped. A handler can hold it longer, with
    /// [`Grant::permit`](crate::Grant::permit).
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::{BodyExt, Full};
    /// use tower::{Layer, ServiceExt, service_fn};
    /// use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let layer = ApiKeyLayer::builder(vendors::PERSONYZE, MemoryStore::new()).assume_https().build()?;
    /// let service = layer.layer(service_fn(|_: Request<()>| async {
    ///     Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    /// }));
    /// let refused = service.oneshot(Request::new(())).await?;
    /// assert_eq!(refused.into_body().collect().await?.to_bytes(), "Please, log in");
    /// # Ok(()) }
    /// ```
    #[derive(Debug)]
    #[project = Projection]
    pub struct GateBody<B> {
        #[pin]
        content: Content<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = ContentProjection]
    enum Content<B> {
        Inner { #[pin] body: B, permit: Option<Permit> },
        Refusal { bytes: Option<Bytes> },
    }
}

impl<B> GateBody<B> {
    pub(super) const fn inner(body: B, permit: Option<Permit>) -> Self {
        Self { content: Content::Inner { body, permit } }
    }

    pub(super) fn refusal(bytes: Bytes) -> Self {
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        Self { content: Content::Refusal { bytes } }
    }
}

impl<B: Default> Default for GateBody<B> {
    fn default() -> Self {
        Self::inner(B::default(), None)
    }
}

impl<B> Body for GateBody<B>
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
        match self.project().content.project() {
            ContentProjection::Inner { body, permit } => {
                let frame = ready!(body.poll_frame(context));
                if !matches!(frame, Some(Ok(_))) {
                    *permit = None;
                }
                Poll::Ready(frame)
            }
            ContentProjection::Refusal { bytes } => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Inner { body, .. } => body.is_end_stream(),
            Content::Refusal { bytes } => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Inner { body, .. } => body.size_hint(),
            Content::Refusal { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
        }
    }
}
