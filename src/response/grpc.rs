//! Refusals of gRPC calls: a response that has only trailers, which are sent as headers (gRPC over HTTP2,
//! "Responses").

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::escape::write_encoded;
use super::grpc_details;
use super::number;
use crate::profile::{CustomBody, ErrorBody, GrpcCode, Problem, reason_phrase};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// The most bytes of a message. Clients limit all headers of a response, some to 8 KiB, and each byte may
/// take three.
const LONGEST_MESSAGE: usize = 1_024;

/// The message of a refusal, as the vendor words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GrpcMessage {
    text: String,
    encoded: HeaderValue,
}

impl GrpcMessage {
    /// Takes a body of plain text as it is. Of another format only the function that made the body knows
    /// which part is for people, so the message is the reason phrase of the status.
    pub(super) fn of_custom(body: &CustomBody, status: StatusCode) -> Self {
        let is_text = body.content_type.as_bytes().starts_with(b"text/plain");
        let text = std::str::from_utf8(&body.content).ok().filter(|_| is_text);
        Self::new(text.unwrap_or(reason_phrase(status)))
    }

    pub(super) fn new(text: &str) -> Self {
        let ends = text.char_indices().map(|(start, letter)| start + letter.len_utf8());
        let end = ends.take_while(|end| *end <= LONGEST_MESSAGE).last().unwrap_or_default();
        let text = text.get(..end).unwrap_or_default().to_owned();
        // Visible ASCII always makes a valid value.
        let encoded = HeaderValue::try_from(percent_encoded(&text));
        Self { encoded: encoded.unwrap_or(HeaderValue::from_static("")), text }
    }
}

/// Returns the sentence for people of a body. Returns `None` if only the profile knows which part that is.
pub(super) fn sentence(body: ErrorBody<'_>) -> Option<&str> {
    Some(match body {
        ErrorBody::Empty | ErrorBody::Custom(_) => return None,
        ErrorBody::Json { values, .. } => values.iter().find(|(name, _)| *name == "message")?.1,
        ErrorBody::Text(text) | ErrorBody::Error(text) => text,
        ErrorBody::CodeAndMessage { message, .. } | ErrorBody::KeyAndMetadata { message, .. } => {
            message
        }
        ErrorBody::TitleAndDetails { details, .. } => details,
        ErrorBody::CodeAndContext { error } => error,
        ErrorBody::Problem(Problem { title, detail, .. }) => {
            if detail.is_empty() {
                title
            } else {
                detail
            }
        }
    })
}

/// Turns the headers of a refusal into the trailers of a call. `retry_after` is in seconds.
pub(super) fn write(headers: &mut HeaderMap, code: GrpcCode, message: &GrpcMessage) {
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(STATUS, number::value(code.number().into()));
    headers.insert(MESSAGE, message.encoded.clone());
}

/// Writes how long the client has to wait, in seconds.
pub(super) fn write_details(
    headers: &mut HeaderMap,
    code: GrpcCode,
    message: &GrpcMessage,
    retry_after: Option<u64>,
) {
    let details = retry_after.and_then(|wait| grpc_details::value(code, &message.text, wait));
    if let Some(details) = details {
        headers.insert(DETAILS, details);
    }
}

/// Encodes a message: all bytes but blanks and visible ASCII, and the percent sign itself.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let is_plain = |byte| matches!(byte, b' '..=b'~') && byte != b'%';
    write_encoded(text, is_plain, &mut encoded);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_percent_encoded() {
        for (text, expected) in [
            ("", ""),
            ("You do not have permission.", "You do not have permission."),
            ("100 %", "100 %25"),
            ("zu schnell: 1\u{b5}s\n", "zu schnell: 1%C2%B5s%0A"),
            ("~\u{7f}", "~%7F"),
        ] {
            assert_eq!(GrpcMessage::new(text).encoded, expected);
        }
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        let message = GrpcMessage::new(&"\u{20ac}".repeat(LONGEST_MESSAGE));
        assert_eq!(message.text, "\u{20ac}".repeat(LONGEST_MESSAGE / 3));
        assert_eq!(message.encoded.len(), LONGEST_MESSAGE / 3 * 9);
    }

    #[test]
    fn of_a_custom_body_only_plain_text_is_a_message() {
        for (content_type, content, expected) in [
            ("text/plain; charset=utf-8", &b"Go away"[..], "Go away"),
            ("text/plain", b"\xff", "Forbidden"),
            ("application/json", b"{}", "Forbidden"),
        ] {
            let content_type = HeaderValue::from_static(content_type);
            let body = CustomBody { content_type, content: content.into() };
            assert_eq!(GrpcMessage::of_custom(&body, StatusCode::FORBIDDEN).text, expected);
        }
    }
}
