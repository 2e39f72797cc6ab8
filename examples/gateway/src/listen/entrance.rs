//! The way of each request: to management, or through the gate to its route.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body_util::Either;
use tower::{Layer, Service, ServiceExt};
use tower_api_key::GateBody;

use super::access_log::AccessLine;
use super::managed;
use crate::drain::{Drain, Drained};
use crate::forward::{Forward, ResponseBody};
use crate::in_force::Current;

/// Serves each request by what is in force when it comes.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) current: Current,
    pub(super) drain: Drain,
}

impl Service<Request<Drained>> for Entrance {
    type Response = Response<Either<GateBody<ResponseBody>, axum::body::Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Drained>) -> Self::Future {
        let in_force = self.current.load();
        let line = in_force.routing.has_access_log.then(|| AccessLine::of(&request));
        let management = in_force.management.as_ref();
        let managed = management.filter(|door| managed::takes(door, &request));
        let answer: Self::Future = if let Some(door) = managed {
            let answer = managed::answer(door.router(), request);
            Box::pin(async move { Ok(answer.await.map(Either::Right)) })
        } else {
            let forward = Forward::new(in_force.routing.clone(), self.drain.clone());
            let answer = in_force.gate.layer(forward).oneshot(request);
            Box::pin(async move { Ok(answer.await?.map(Either::Left)) })
        };
        let Some(line) = line else { return answer };
        Box::pin(async move {
            let answer = answer.await?;
            line.write(&answer);
            Ok(answer)
        })
    }
}
