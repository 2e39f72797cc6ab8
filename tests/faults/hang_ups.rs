//! A client that hangs up at each point at which its request waits.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use tokio::runtime::Handle;
use tower::{Layer, Service, ServiceExt};
use tower_api_key::Reply;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::quota::Verdict;
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};

use super::faulty::charge_later;
use super::inner::{Halves, Inner};
use super::world::{World, counted};
use crate::support::request;

/// How often each thing is asked before it answers.
const PAUSES: usize = 2;

/// Is pending a few times, and then done.
fn pauses() -> impl Future<Output = ()> + Send {
    let mut left = PAUSES;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

struct Hesitant(MemoryStore);

impl KeyStore for Hesitant {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, digest) = (self.0.clone(), *digest);
        Reply::later(async move {
            pauses().await;
            store.find(&digest).await
        })
    }
}

/// Hesitates before it charges, and again before it says so.
struct Reluctant(Arc<MemoryLimiter>);

impl Limiter for Reluctant {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let charging = charge_later(Arc::clone(&self.0), &charge);
        Reply::later(async move {
            pauses().await;
            let verdict = charging.await;
            pauses().await;
            verdict
        })
    }
}

/// The service, hesitating before its answer and before each frame of it.
#[derive(Clone)]
struct Slow(Inner);

impl Service<Request<()>> for Slow {
    type Response = Response<SlowBody>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Response<SlowBody>>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Service::<Request<()>>::poll_ready(&mut self.0, context)
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let answering = self.0.call(request);
        Box::pin(async move {
            pauses().await;
            Ok(answering.await?.map(|body| SlowBody { body, asked: false }))
        })
    }
}

struct SlowBody {
    body: Halves,
    asked: bool,
}

impl Body for SlowBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.asked = !self.asked;
        if self.asked {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.body).poll_frame(context)
    }
}

/// Sends a request, and reads its answer to its end.
async fn serve(world: &World) {
    let gate = world.layer.layer(Slow(world.inner.clone()));
    let answer = gate.oneshot(request(Method::POST, "/")).await.unwrap();
    let mut body = pin!(answer.into_body());
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        frame.unwrap();
    }
}

/// Hangs up after every number of polls, until the request comes to its end before that. Where
/// `released` says so, another request holds the place until that poll.
async fn hang_up_everywhere(released: Option<usize>) -> Vec<usize> {
    let tasks = Handle::current().metrics().num_alive_tasks();
    let mut charges = Vec::new();
    for polls in 0..100 {
        let world = World::of(Hesitant(counted()), Reluctant(Arc::new(MemoryLimiter::new())));
        let mut holder = None;
        if released.is_some() {
            let holding = world.gate().oneshot(request(Method::POST, "/")).await;
            holder = Some(holding.unwrap());
        }
        let before = usize::from(holder.is_some());
        let ended = {
            let mut served = pin!(serve(&world));
            let mut context = Context::from_waker(Waker::noop());
            let ended = (0..polls).any(|poll| {
                holder.take_if(|_| released == Some(poll));
                served.as_mut().poll(&mut context).is_ready()
            });
            // It may hang up with the place granted to it, and not told of it yet.
            holder.take_if(|_| released == Some(polls));
            ended
        };
        drop(holder);
        let what = format!("after {polls} polls");
        let reached = world.reached() - before;
        let charged = world.check(tasks, before, &what).await;
        assert!(reached <= charged, "{what}: it passed uncounted");
        charges.push(charged);
        if ended {
            assert_eq!((reached, charged), (1, 1), "{what}: it was served");
            return charges;
        }
    }
    panic!("it never ends")
}

/// A charge stands from the poll on that made it; before that, nothing is taken.
fn is_charged_once_and_stays(charges: &[usize]) {
    let free = charges.iter().take_while(|charged| **charged == 0).count();
    assert!(charges[free..].iter().all(|charged| *charged == 1), "{charges:?}");
    assert!(free >= 2 * PAUSES && charges.len() > 7 * PAUSES, "{charges:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_may_hang_up_at_each_poll() {
    is_charged_once_and_stays(&hang_up_everywhere(None).await);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_hang_up_at_each_poll_of_its_wait_for_a_place() {
    // The store takes three polls and the question for room two more, so it queues at the latter.
    for released in [4 * PAUSES, 5 * PAUSES, 8 * PAUSES] {
        let charges = hang_up_everywhere(Some(released)).await;
        assert!(charges.len() > released, "it has waited: {charges:?}");
        is_charged_once_and_stays(&charges);
    }
}
