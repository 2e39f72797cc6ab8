//! The service behind every gate, and how it is called and timed.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, Response};
use tower::util::ServiceFn;
use tower::{Service, service_fn};
use tower_api_key::Reply;

/// Requests that are made before they are timed; few enough to stay in the cache, as one that was
/// just read from a socket does.
const BATCH: usize = 64;

pub(crate) type Served = Ready<Result<Response<Body>, Infallible>>;
pub(crate) type Nothing = ServiceFn<fn(Request<()>) -> Served>;

thread_local! {
    /// The requests that came through, so that freeing them is not timed.
    static SERVED: RefCell<Vec<Request<()>>> = RefCell::new(Vec::with_capacity(BATCH));
}

/// Frees the requests that came through.
pub(crate) fn free_served() {
    SERVED.with_borrow_mut(Vec::clear);
}

/// Puts the request away and answers without headers or content.
pub(crate) fn serve(request: Request<()>) -> Response<Body> {
    SERVED.with_borrow_mut(|served| served.push(request));
    Response::new(Body::empty())
}

/// The service behind every gate.
pub(crate) fn nothing() -> Nothing {
    service_fn(|request| ready(Ok(serve(request))))
}

/// Calls a service as a server would, and polls its future once: nothing here may wait.
pub(crate) fn call<S, B>(service: &mut S, request: Request<()>) -> Response<B>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Ready(Err(never)) => match never {},
        Poll::Pending => panic!("a service over memory had to wait"),
    }
}

/// Returns the answer of a store or a limiter in memory.
#[inline]
pub(crate) fn answer_now<T: Unpin>(reply: Reply<T>) -> T {
    match pin!(reply).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("an answer from memory had to wait"),
    }
}

/// Times a service: from the call to the response. Making and freeing requests and responses is left
/// out, as it is with and without a gate.
pub(crate) fn timed<S, B>(
    service: &mut S,
    expected: u16,
    operations: usize,
    mut next: impl FnMut() -> Request<()>,
) -> Duration
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut took = Duration::ZERO;
    let (mut batch, mut responses) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    for start in (0..operations).step_by(BATCH) {
        batch.extend((start..operations).take(BATCH).map(|_| next()));
        let began = Instant::now();
        for request in batch.drain(..) {
            responses.push(call(service, request));
        }
        took += began.elapsed();
        for response in responses.drain(..) {
            assert_eq!(black_box(response).status().as_u16(), expected);
        }
        free_served();
    }
    took
}
