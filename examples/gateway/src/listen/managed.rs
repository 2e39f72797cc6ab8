//! Requests that manage keys, which the gateway answers itself.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::{Request, Response, StatusCode};
use tokio::time::timeout;
use tower::ServiceExt;
use tower_api_key_front_door::ManagementDoor;

use crate::drain::Drained;
use crate::forward::host;

/// The longest time of an answer, the content of the request included, which has at most 64 KiB.
const LONGEST: Duration = Duration::from_secs(30);

/// Returns true if a request is for management. One without a clear host is not: the gateway refuses it.
pub(super) fn takes(door: &ManagementDoor, request: &Request<Drained>) -> bool {
    host(request.version(), request.uri(), request.headers())
        .is_ok_and(|host| door.takes(host.to_str().unwrap_or_default(), request.uri().path()))
}

/// Lets management answer, behind its own gates.
pub(super) async fn answer(router: Router, request: Request<Drained>) -> Response<Body> {
    let answer = timeout(LONGEST, router.oneshot(request.map(Body::new))).await;
    match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(never)) => match never {},
        Err(_) => {
            (StatusCode::REQUEST_TIMEOUT, "the content did not come in time\n").into_response()
        }
    }
}
