//! Sends one message, and judges the answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::dial::ReceiverStream;
use super::endpoint::Endpoint;
use super::failure::broken;
use tower_api_key::events::DeliveryError;

/// The most bytes of a response's head. The body is not read.
const LONGEST_HEAD: usize = 16 * 1024;

/// The name of the program, for the receiver's log.
const AGENT: &str = concat!("tower-api-key/", env!("CARGO_PKG_VERSION"));

/// A message to send: its id, the present time in seconds, its signatures and its body.
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) seconds: u64,
    pub(crate) signatures: String,
    pub(crate) body: String,
}

/// Sends a message over a connection, which is closed then.
pub(crate) async fn send(
    stream: ReceiverStream,
    endpoint: &Endpoint,
    message: Message,
) -> Result<(), DeliveryError> {
    let mut client = http1::Builder::new();
    client.max_buf_size(LONGEST_HEAD);
    let (mut sender, connection) =
        client.handshake(TokioIo::new(stream)).await.map_err(|_| broken())?;
    // The set ends the connection when it is dropped, whatever the receiver still sends.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let request = Request::post(&endpoint.target)
        .header(HOST, &endpoint.authority)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.seconds)
        .header("webhook-signature", message.signatures)
        .body(Full::new(Bytes::from(message.body)))
        .map_err(|_| broken())?;
    let response = sender.send_request(request).await.map_err(|_| broken())?;
    judge(response.status(), response.headers())
}

/// Returns what a status means for the delivery.
fn judge(status: StatusCode, headers: &HeaderMap) -> Result<(), DeliveryError> {
    if status.is_success() {
        return Ok(());
    }
    let number = status.as_u16();
    let refused = match status {
        StatusCode::GONE => {
            let text = "the receiver answered 410: it takes no more events";
            return Err(DeliveryError::new(text).without_retry());
        }
        _ if status.is_redirection() => {
            format!(
                "the receiver answered {number}: redirects are not followed, write the final URL"
            )
        }
        _ => format!("the receiver answered {number}"),
    };
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let error = DeliveryError::new(refused);
    Err(match asked {
        Some(seconds) => error.with_retry_after(Duration::from_secs(seconds)),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_is_delivered() {
        for (status, retried) in [
            (200, None),
            (202, None),
            (204, None),
            (301, Some(true)),
            (307, Some(true)),
            (400, Some(true)),
            (404, Some(true)),
            (410, Some(false)),
            (429, Some(true)),
            (500, Some(true)),
        ] {
            let judged = judge(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
            assert_eq!(judged.err().map(|error| !error.is_final()), retried, "{status}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_a_wait() {
        let headers = [(RETRY_AFTER, "120".parse().unwrap())].into_iter().collect();
        let asked = judge(StatusCode::SERVICE_UNAVAILABLE, &headers).unwrap_err();
        assert_eq!(asked.retry_after(), Some(Duration::from_secs(120)));
    }
}
