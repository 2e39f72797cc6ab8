//! `grpc-status-details-bin`: a `google.rpc.Status` with a `google.rpc.RetryInfo`, for clients that wait by
//! themselves.
//!
//! These are three messages of protocol buffers with four fields. So they are written here, and no gate without
//! gRPC depends on a library for them. The tests read them with one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::HeaderValue;

use crate::profile::GrpcCode;

const RETRY_INFO: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";

/// Returns the value of the header. `retry_after` is in seconds. Metadata whose name ends in `-bin` is
/// base64 without padding (gRPC over HTTP2).
pub(super) fn value(code: GrpcCode, message: &str, retry_after: u64) -> Option<HeaderValue> {
    let status = status(code, message, retry_after);
    let mut text = vec![0; base64::encoded_len(status.len(), false)?];
    let length = STANDARD_NO_PAD.encode_slice(&status, &mut text).ok()?;
    HeaderValue::from_bytes(text.get(..length)?).ok()
}

/// Writes `google.rpc.Status`: `code = 1`, `message = 2`, `details = 3`.
fn status(code: GrpcCode, message: &str, retry_after: u64) -> Vec<u8> {
    // `google.protobuf.Duration`: `seconds = 1`.
    let mut delay = Vec::new();
    number(&mut delay, 1, retry_after);
    // `google.rpc.RetryInfo`: `retry_delay = 1`.
    let mut retry = Vec::new();
    bytes(&mut retry, 1, &delay);
    // `google.protobuf.Any`: `type_url = 1`, `value = 2`.
    let mut any = Vec::new();
    bytes(&mut any, 1, RETRY_INFO);
    bytes(&mut any, 2, &retry);
    let mut status = Vec::new();
    number(&mut status, 1, code.number().into());
    bytes(&mut status, 2, message.as_bytes());
    bytes(&mut status, 3, &any);
    status
}

/// Writes a field of wire type 0.
fn number(message: &mut Vec<u8>, field: u8, value: u64) {
    message.push(field << 3);
    varint(message, value);
}

/// Writes a field of wire type 2.
fn bytes(message: &mut Vec<u8>, field: u8, value: &[u8]) {
    message.push(field << 3 | 2);
    varint(message, value.len() as u64);
    message.extend_from_slice(value);
}

/// Writes seven bits in each byte, the lowest first.
fn varint(message: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return message.push(low & 0x7f);
        }
        message.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_protocol_buffers_have_them() {
        for (value, expected) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (150, &[0x96, 1]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut written = Vec::new();
            varint(&mut written, value);
            assert_eq!(written, expected);
        }
    }
}
