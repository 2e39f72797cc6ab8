//! The response: decided first, then the inner service's, with what the gate adds to it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method, Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use super::body::GateBody;
use super::flow::Flow;
use super::layer::Shared;
use super::outcome::{Admitted, Outcome, Passage};
use crate::denial::Denial;
use crate::limits::Permit;
use crate::request::Head;
use crate::response::{Asked, keep_private};

pin_project! {
    /// Resolves to the inner service's response, or to a refusal.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S::Future, S, B>,
        // A HEAD request gets a refusal without content.
        head: bool,
        shared: Arc<Shared>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S, B> {
        Deciding {
            flow: Flow,
            request: Option<Request<B>>,
            service: S,
        },
        Serving {
            #[pin]
            future: F,
            serving: Serving,
        },
        Done,
    }
}

/// What is left to do when the inner service has answered.
struct Serving {
    passage: Option<Passage>,
    permit: Option<Permit>,
    own_header: Option<HeaderName>,
    budget: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(super) fn new(flow: Flow, request: Request<B>, service: S) -> Self {
        Self {
            head: request.method() == Method::HEAD,
            shared: Arc::clone(flow.shared()),
            state: State::Deciding {
                flow,
                request: Some(request),
                service,
            },
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
    R::Data: From<Bytes>,
{
    type Output = Result<Response<GateBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Deciding {
                    flow,
                    request,
                    service,
                } => {
                    let Some(head) = request.as_ref().map(Head::of) else {
                        return Poll::Pending;
                    };
                    let outcome = ready!(flow.poll(context, head));
                    let Some(request) = request.take() else {
                        return Poll::Pending;
                    };
                    match outcome {
                        Outcome::Admitted(admitted) => {
                            let (request, serving) = prepare(this.shared, admitted, request);
                            State::Serving {
                                future: service.call(request),
                                serving,
                            }
                        }
                        Outcome::Refused { denial, passage } => {
                            let response =
                                refuse(this.shared, *this.head, &denial, passage.as_ref());
                            this.state.set(State::Done);
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                StateProjection::Serving { future, serving } => {
                    let finished = match future.poll(context) {
                        Poll::Ready(answered) => answered
                            .map(|response| finish(this.shared, *this.head, response, serving)),
                        Poll::Pending => {
                            let denial = ready!(serving.poll_budget(context));
                            Ok(refuse(
                                this.shared,
                                *this.head,
                                &denial,
                                serving.passage.as_ref(),
                            ))
                        }
                    };
                    this.state.set(State::Done);
                    return Poll::Ready(finished);
                }
                StateProjection::Done => return Poll::Pending,
            };
            this.state.set(next);
        }
    }
}

/// Makes an admitted request ready for the inner service.
fn prepare<B>(
    shared: &Shared,
    admitted: Admitted,
    mut request: Request<B>,
) -> (Request<B>, Serving) {
    if let Some(grant) = admitted.grant {
        if shared.strip_credential {
            for name in shared.policy.credentials.header_names() {
                request.headers_mut().remove(name);
            }
        }
        request.extensions_mut().insert(grant);
    }
    let timer = |budget: Duration| (budget, Box::pin(sleep(budget)));
    let serving = Serving {
        passage: admitted.passage,
        permit: admitted.permit,
        own_header: admitted.own_header,
        budget: admitted.budget.map(timer),
    };
    (request, serving)
}

/// Adds to the inner service's response, or renders the denial that it asks for.
fn finish<R>(
    shared: &Shared,
    head: bool,
    mut response: Response<R>,
    serving: &mut Serving,
) -> Response<GateBody<R>> {
    let passage = serving.passage.take();
    if let Some(Asked(denial)) = response.extensions_mut().remove::<Asked>() {
        let record = passage.as_ref().map(|passage| &*passage.record);
        shared.observer.refused(&denial, record);
        return refuse(shared, head, &denial, passage.as_ref());
    }
    if let Some(passage) = &passage {
        shared
            .renderer
            .mark(response.headers_mut(), passage.trail(shared));
    }
    if let Some(header) = &serving.own_header {
        keep_private(response.headers_mut(), header);
    }
    let permit = serving.permit.take();
    response.map(|body| GateBody::inner(body, permit))
}

fn refuse<R>(
    shared: &Shared,
    head: bool,
    denial: &Denial,
    passage: Option<&Passage>,
) -> Response<GateBody<R>> {
    let trail = passage.map(|passage| passage.trail(shared));
    shared
        .renderer
        .refuse(denial, head, trail)
        .map(GateBody::refusal)
}

impl Serving {
    /// Resolves when the time budget is spent; never, if there is none.
    fn poll_budget(&mut self, context: &mut Context<'_>) -> Poll<Denial> {
        let Some((budget, sleep)) = &mut self.budget else {
            return Poll::Pending;
        };
        let budget = *budget;
        sleep
            .as_mut()
            .poll(context)
            .map(|()| Denial::TimedOut { budget })
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ResponseFuture")
    }
}
