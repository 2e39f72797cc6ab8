//! The content of a request on its way to an upstream.

use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::idle::Idle;
use super::progress::{Progress, ProgressWatch};
use crate::drain::Drained;
use crate::forward::strip_request_trailers;

/// How long a request with `Expect: 100-continue` waits for the upstream's word (RFC 9110 §10.1.1 leaves the time
/// open; curl waits as long).
const LONGEST_HOLD: Duration = Duration::from_secs(1);

/// The content of a client's request, which at most one attempt reads.
pub(crate) struct Upload {
    slot: Arc<UploadSlot>,
    /// The least and the most bytes.
    length: (u64, Option<u64>),
    is_empty: bool,
}

struct UploadSlot {
    content: Mutex<Option<Drained>>,
    /// Trailers that are not forwarded.
    refused: Arc<[HeaderName]>,
    /// The most bytes of content.
    max_bytes: u64,
    /// True if the client broke its content off.
    is_broken: AtomicBool,
    /// True if the content has more bytes.
    is_too_large: AtomicBool,
}

impl Upload {
    pub(crate) fn new(content: Drained, refused: Arc<[HeaderName]>, max_bytes: u64) -> Self {
        let (hint, is_empty) = (content.size_hint(), content.is_end_stream());
        let length = (hint.lower(), hint.upper());
        let content = Mutex::new(Some(content));
        let (is_broken, is_too_large) = (false.into(), false.into());
        let slot = UploadSlot { content, refused, max_bytes, is_broken, is_too_large };
        Self { slot: Arc::new(slot), length, is_empty }
    }

    /// Returns true if the request has no content.
    pub(crate) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Returns true if no attempt has read any content, so that another one can.
    pub(super) fn is_untouched(&self) -> bool {
        self.slot.content.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns true if the client broke its content off.
    pub(super) fn is_broken(&self) -> bool {
        self.slot.is_broken.load(Ordering::Relaxed)
    }

    /// Returns true if the content has more bytes than the route takes.
    pub(super) fn is_too_large(&self) -> bool {
        self.slot.is_too_large.load(Ordering::Relaxed)
    }

    /// Returns the content for one attempt, and what hears how it goes on.
    pub(super) fn attempt(
        &self,
        idle: Duration,
        hold: Option<Hold>,
    ) -> (RequestBody, ProgressWatch) {
        let (progress, watch) = Progress::new();
        let body = RequestBody {
            slot: Arc::clone(&self.slot),
            content: None,
            bytes: 0,
            length: self.length,
            has_ended: self.is_empty,
            idle: Idle::new(idle),
            hold,
            progress: Some(progress),
        };
        (body, watch)
    }
}

/// The content of one attempt.
pub(super) struct RequestBody {
    slot: Arc<UploadSlot>,
    content: Option<Drained>,
    /// The bytes that have come.
    bytes: u64,
    length: (u64, Option<u64>),
    has_ended: bool,
    idle: Idle,
    hold: Option<Hold>,
    progress: Option<Progress>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if let Some(hold) = &mut this.hold {
            let is_free = ready!(hold.poll(context));
            this.hold = None;
            if !is_free {
                return Poll::Ready(Some(Err("the upstream has answered already".into())));
            }
        }
        if this.content.is_none() && !this.has_ended {
            this.content = this.slot.content.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        let Some(content) = &mut this.content else { return Poll::Ready(None) };
        let Poll::Ready(frame) = Pin::new(content).poll_frame(context) else {
            if this.idle.is_over(context) {
                this.slot.is_broken.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err("the client pauses for too long".into())));
            }
            if let Some(progress) = &this.progress {
                progress.awaits_client();
            }
            return Poll::Pending;
        };
        this.idle.moved();
        if let Some(progress) = &this.progress {
            progress.moved();
        }
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
        this.bytes = this.bytes.saturating_add(data.map_or(0, Bytes::len) as u64);
        if this.bytes > this.slot.max_bytes {
            this.slot.is_too_large.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err("the content is too large".into())));
        }
        Poll::Ready(match frame {
            Some(Ok(frame)) => Some(Ok(strip_request_trailers(frame, &this.slot.refused))),
            Some(Err(error)) => {
                this.slot.is_broken.store(true, Ordering::Relaxed);
                Some(Err(error.into()))
            }
            None => {
                (this.content, this.has_ended, this.progress) = (None, true, None);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }

    fn size_hint(&self) -> SizeHint {
        let (lower, upper) = self.length;
        let mut hint = SizeHint::new();
        hint.set_lower(lower);
        if let Some(upper) = upper {
            hint.set_upper(upper);
        }
        hint
    }
}

/// Holds content back until an upstream has said `100 Continue`, or for a second.
pub(super) struct Hold {
    said: oneshot::Receiver<()>,
    timer: Pin<Box<Sleep>>,
}

impl Hold {
    /// Waits for the word. Returns false if the upstream has given its final answer instead.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        match Pin::new(&mut self.said).poll(context) {
            Poll::Ready(said) => Poll::Ready(said.is_ok()),
            Poll::Pending => self.timer.as_mut().poll(context).map(|()| true),
        }
    }
}

/// Frees the content of a request that is held back. Dropped after the final answer, it gives the content up.
#[derive(Clone)]
pub(crate) struct Continue(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl Continue {
    pub(super) fn new() -> (Self, Hold) {
        let (sender, said) = oneshot::channel();
        let timer = Box::pin(tokio::time::sleep(LONGEST_HOLD));
        (Self(Arc::new(Mutex::new(Some(sender)))), Hold { said, timer })
    }

    /// Called when the upstream has said `100 Continue`.
    pub(super) fn free(&self) {
        if let Some(sender) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = sender.send(());
        }
    }

    /// Called when the final answer has been read. Content that is still held back is never sent, and its
    /// connection cannot be used again.
    pub(crate) fn give_up(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
