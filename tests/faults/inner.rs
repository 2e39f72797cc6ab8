//! A service behind the gate that goes wrong as planned, and tells what reached it.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use tokio::time::sleep;
use tower::Service;
use tower_api_key::Grant;

use super::faulty::{Fault, LATE, Place, Plan};

#[derive(Debug, Clone, Default)]
pub(crate) struct Inner {
    pub(crate) plan: Plan,
    /// Calls, and calls with a grant of the account that sent them.
    pub(crate) reached: Arc<AtomicUsize>,
    pub(crate) granted: Arc<AtomicUsize>,
    hangs: bool,
}

type Answering = Pin<Box<dyn Future<Output = io::Result<Response<Halves>>> + Send>>;

impl<B> Service<Request<B>> for Inner {
    type Response = Response<Halves>;
    type Error = io::Error;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.plan.take(Place::Ready) {
            Some(Fault::Hangs) => {
                self.hangs = true;
                Poll::Pending
            }
            None if self.hangs => Poll::Pending,
            None => Poll::Ready(Ok(())),
            Some(Fault::FailsNow) => Poll::Ready(Err(io::Error::other("planned"))),
            Some(fault) => panic!("planned {fault:?}"),
        }
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        self.reached.fetch_add(1, Ordering::SeqCst);
        let grant = request.extensions().get::<Grant>();
        if grant.is_some_and(|grant| grant.account().as_str() == "acme") {
            self.granted.fetch_add(1, Ordering::SeqCst);
        }
        let answer = Response::new(Halves { read: 0, hangs: false, plan: self.plan.clone() });
        match self.plan.take(Place::Call) {
            None => Box::pin(async { Ok(answer) }),
            Some(Fault::Hangs) => Box::pin(pending()),
            Some(Fault::PanicsNow) => panic!("planned"),
            Some(fault) => Box::pin(async move {
                sleep(LATE).await;
                match fault {
                    Fault::FailsLater => Err(io::Error::other("planned")),
                    Fault::PanicsLater => panic!("planned"),
                    _ => Ok(answer),
                }
            }),
        }
    }
}

/// A body of two frames; what is planned happens between them.
#[derive(Debug)]
pub(crate) struct Halves {
    read: u8,
    hangs: bool,
    plan: Plan,
}

impl Body for Halves {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.hangs {
            return Poll::Pending;
        }
        let fault = if self.read == 1 { self.plan.take(Place::Body) } else { None };
        self.read += 1;
        match fault {
            None if self.read > 2 => Poll::Ready(None),
            None => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"half"))))),
            Some(Fault::Hangs) => {
                self.hangs = true;
                Poll::Pending
            }
            Some(Fault::FailsNow) => Poll::Ready(Some(Err(io::Error::other("planned")))),
            Some(fault) => panic!("planned {fault:?}"),
        }
    }
}
