//! The status with which a request ends, as far as a rule about refunds asks for it.

use http::{HeaderMap, Response, StatusCode};

use super::asked_refusal::asked_refusal;
use super::exchange::Exchange;
use crate::response::AnswerForm;

impl Exchange {
    /// Returns the status that the client gets for the inner service's result.
    pub(super) fn end_status<R, E>(&self, answered: &Result<Response<R>, E>) -> StatusCode {
        let Ok(response) = answered else {
            return StatusCode::INTERNAL_SERVER_ERROR;
        };
        if let Some(denial) = asked_refusal(response) {
            return self.shared().renderer.status(self.table(), &denial);
        }
        if self.form() == AnswerForm::Grpc {
            return grpc_status(response.headers()).unwrap_or(response.status());
        }
        response.status()
    }
}

/// Returns the HTTP status of a gRPC call that ended without a message, as `google.rpc.Code` maps its code. `None`
/// for a call that goes on, and for one that went well.
fn grpc_status(headers: &HeaderMap) -> Option<StatusCode> {
    let status = match headers.get("grpc-status")?.as_bytes() {
        b"1" => 499,
        b"2" | b"13" | b"15" => 500,
        b"3" | b"9" | b"11" => 400,
        b"4" => 504,
        b"5" => 404,
        b"6" | b"10" => 409,
        b"7" => 403,
        b"8" => 429,
        b"12" => 501,
        b"14" => 503,
        b"16" => 401,
        _ => return None,
    };
    StatusCode::from_u16(status).ok()
}
