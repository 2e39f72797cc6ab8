//! Delays handlers on demand, to show time limits and concurrent requests.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::sleep;

use crate::app::Complain;

const HEADER: &str = "demo-delay";
const LONGEST: u64 = 15_000;

/// Sleeps for the milliseconds of the `Demo-Delay` header, 15,000 at most, before the handler runs.
pub(crate) async fn delay(
    State(complain): State<Complain>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(value) = request.headers().get(HEADER) {
        let text = value.to_str().unwrap_or_default();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            let complaint = "Demo-Delay must be a whole number of milliseconds";
            return complain(StatusCode::BAD_REQUEST, complaint);
        }
        // A number too large for a u64 is longer than the longest delay, too.
        let milliseconds = text.parse().unwrap_or(LONGEST).min(LONGEST);
        sleep(Duration::from_millis(milliseconds)).await;
    }
    next.run(request).await
}
