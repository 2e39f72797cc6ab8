//! The status of an answer, and answers without content.

use http::{Method, Request, StatusCode};
use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile};

use crate::support::{PROFILE, anonymous, greeting, reason, request, send, store, text};

const NO: ErrorBody = ErrorBody::Error("No.");

/// A profile with one answer for everything.
fn profile(answer: Answer<'_>) -> Profile<'_> {
    Profile { answers: Answers::all(answer), ..PROFILE }
}

#[test]
fn an_answer_has_an_error_status_or_says_that_it_has_none() {
    for (answer, words) in [
        (Answer::of_code(400, NO), &[][..]),
        (Answer::of_code(420, NO), &[]),
        (Answer::of_code(456, NO), &[]),
        (Answer::of_code(499, NO), &[]),
        (Answer::of_code(529, NO), &[]),
        (Answer::of_code(599, ErrorBody::Empty), &[]),
        (Answer::new(StatusCode::from_u16(430).unwrap(), NO), &[]),
        (Answer::insecure_success(NO), &[]),
        (Answer::of_code(200, NO), &["status 200", "400", "599", "`Answer::insecure_success`"]),
        (Answer::new(StatusCode::OK, NO), &["status 200"]),
        (Answer::new(StatusCode::NO_CONTENT, ErrorBody::Empty), &["status 204"]),
        (Answer::new(StatusCode::FOUND, NO), &["status 302"]),
        (Answer::of_code(101, NO), &["status 101"]),
        (Answer::of_code(399, NO), &["status 399"]),
        (Answer::of_code(600, NO), &["status 600"]),
        (Answer::of_code(0, NO), &["status 0"]),
        (Answer::of_code(u16::MAX, NO), &["status 65535"]),
        (Answer::insecure_success(ErrorBody::Empty), &["status 200", "without a body"]),
        (Answer::insecure_success(ErrorBody::Text("")), &["status 200", "without a body"]),
        (Answer::of_code(401, NO), &["401", "`Answer::challenge`"]),
        (Answer::of_code(400, ErrorBody::CodeAndContext { error: "No." }), &[]),
        (
            Answer::of_code(456, ErrorBody::CodeAndContext { error: "No." }),
            &["status 456", "not registered"],
        ),
    ] {
        let answers = Answers { timed_out: answer, ..PROFILE.answers };
        let built =
            ApiKeyLayer::builder(Profile { answers, ..PROFILE }, MemoryStore::new()).build();
        let complaint = built.err().map(|error| error.to_string());
        assert_eq!(complaint.is_none(), words.is_empty(), "{answer:?}: {complaint:?}");
        for word in words.iter().chain(complaint.iter().map(|_| &"`timed_out`")) {
            let complaint = complaint.as_deref().unwrap();
            assert!(complaint.contains(word), "`{complaint}` says nothing of `{word}`");
        }
    }
}

/// The inner service is never called, and no cache keeps what looks like a success.
#[tokio::test]
async fn a_refusal_with_status_200_is_a_refusal() {
    let profile = profile(Answer::insecure_success(ErrorBody::Error("REQUEST_DENIED")));
    let layer = ApiKeyLayer::builder(profile, store(|key| key.revoked(true))).build().unwrap();
    let service = greeting(&layer);
    for (method, body) in [(Method::GET, r#"{"error":"REQUEST_DENIED"}"#), (Method::HEAD, "")] {
        for request in [anonymous(method.clone(), "/"), request(method.clone(), "/")] {
            let response = send(&service, request).await;
            assert_ne!(reason(&response), "admitted");
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(text(response).await, body);
        }
    }
}

#[tokio::test]
async fn an_empty_answer_has_no_type_and_the_length_0() {
    let answer = Answer::of_code(401, ErrorBody::Empty).challenge(Challenge::Bare);
    let layer = ApiKeyLayer::builder(profile(answer), MemoryStore::new()).build().unwrap();
    for method in [Method::GET, Method::HEAD, Method::POST] {
        let response = send(&greeting(&layer), anonymous(method, "/")).await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["content-length"], "0");
        assert!(!response.headers().contains_key("content-type"));
        assert_eq!(text(response).await, "");
    }
}

/// A client of gRPC gets the reason phrase of the status, or of its class.
#[tokio::test]
async fn a_grpc_call_has_a_message_in_any_case() {
    for (answer, code, message) in [
        (Answer::of_code(456, ErrorBody::Empty), "16", "Bad Request"),
        (Answer::of_code(529, ErrorBody::Empty), "16", "Internal Server Error"),
        (Answer::of_code(404, ErrorBody::Empty), "16", "Not Found"),
        (Answer::insecure_success(NO), "16", "No."),
    ] {
        let builder = ApiKeyLayer::builder(profile(answer), MemoryStore::new());
        let layer = builder.only_grpc().build().unwrap();
        let mut call: Request<()> = anonymous(Method::POST, "/a.B/C");
        call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        let response = send(&greeting(&layer), call).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/grpc");
        assert_eq!(response.headers()["grpc-status"], code);
        assert_eq!(response.headers()["grpc-message"], message);
        assert_eq!(response.extensions().get::<Denial>(), Some(&Denial::CredentialsMissing));
    }
}
