//! Rows that are equal over HTTP have equal codes.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::profile::{
    Answer, Answers, Challenge, CredentialSource, CustomBody, ErrorBody, GrpcCode, Refusal,
};
use tower_api_key::rules::Routes;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Profile};

use crate::support::{KEY, PROFILE, account, anonymous, store, tls};

const GONE: Answer<'static> = Answer::new(StatusCode::NOT_FOUND, ErrorBody::Text("Not found."));

fn builder(profile: Profile<'_>) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(profile, store(|key| key))
        .environment("live")
        .routes(Routes::new())
        .without_limits()
        .only_grpc()
}

/// Returns the headers of the answers to a key of another environment, and to a request of no route.
fn answered(profile: Profile<'_>, builder: ApiKeyLayerBuilder, form: &str) -> [HeaderMap; 2] {
    let layer = builder.build().unwrap();
    [("test", Denial::EnvironmentMismatch), ("live", Denial::RouteUnknown)].map(
        |(environment, denial)| {
            let mut request: Request<()> = anonymous(Method::POST, "/none");
            let headers = request.headers_mut();
            headers.insert("content-type", HeaderValue::from_str(form).unwrap());
            if profile.credentials.len() == 1 {
                headers.insert("x-api-key", HeaderValue::from_static(KEY));
            } else {
                let token = format!("Bearer {KEY}").parse().unwrap();
                headers.insert("authorization", token);
            }
            let record = KeyRecord::builder("key_1", account("acme")).environment(environment);
            let record = record.build().unwrap();
            let explanation = layer.explain(&request, tls(), Some(&record), Timestamp::default());
            assert_eq!(explanation.decision(), Err(&denial));
            explanation.answer().unwrap().headers().clone()
        },
    )
}

fn codes(profile: Profile<'_>) -> [String; 2] {
    codes_of(profile, builder(profile))
}

fn codes_of(profile: Profile<'_>, builder: ApiKeyLayerBuilder) -> [String; 2] {
    let of_call = answered(profile, builder, "application/grpc");
    of_call.map(|headers| headers["grpc-status"].to_str().unwrap().to_owned())
}

#[test]
fn no_code_tells_equal_rows_apart() {
    fn one(_: &Refusal<'_>) -> CustomBody {
        CustomBody { content_type: HeaderValue::from_static("a/b"), content: Bytes::new() }
    }
    fn other(refusal: &Refusal<'_>) -> CustomBody {
        let content = Bytes::from(refusal.denial().name());
        CustomBody { content_type: HeaderValue::from_static("a/b"), content }
    }
    let made = |make| Answer::new(StatusCode::NOT_FOUND, ErrorBody::Custom(make));
    let text = |text| Answer::new(StatusCode::NOT_FOUND, ErrorBody::Text(text));
    for (environment, route, unknown, expected) in [
        (GONE, GONE, None, ["16", "16"]),
        (GONE, text("No."), None, ["16", "7"]),
        // A row that names its code keeps it.
        (GONE, GONE.grpc(GrpcCode::NotFound), None, ["16", "5"]),
        (GONE.grpc(GrpcCode::NotFound), GONE, None, ["5", "16"]),
        // The row of an unknown key names a code for all that equal it.
        (GONE, GONE, Some(GONE.grpc(GrpcCode::NotFound)), ["5", "5"]),
        (GONE, text("No."), Some(GONE.grpc(GrpcCode::NotFound)), ["5", "7"]),
        // What a function makes may equal anything.
        (made(one), made(other), None, ["16", "16"]),
        (made(one), GONE, None, ["16", "16"]),
        // A 429 without `retry_after` has one second.
        (
            Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text("a")).retry_after(1),
            Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Text("a")),
            None,
            ["16", "16"],
        ),
        (GONE.retry_after(1), GONE, None, ["16", "7"]),
        // With Bearer, the challenges tell the rows apart.
        (GONE.challenge(Challenge::InvalidToken), GONE, None, ["16", "7"]),
    ] {
        let answers = Answers {
            environment_mismatch: environment,
            route_unknown: route,
            key_unknown: unknown.unwrap_or(PROFILE.answers.key_unknown),
            ..PROFILE.answers
        };
        let profile = Profile { answers, ..PROFILE };
        assert_eq!(codes(profile), expected, "{environment:?} {route:?}");
    }
}

/// All rows with status 401 have one code, also those that equal a row whose code is named.
#[test]
fn an_equal_401_has_the_code_that_the_row_of_an_unknown_key_names() {
    let unknown = PROFILE.answers.key_unknown;
    let named = Answers::all(unknown);
    let named = Answers { key_unknown: unknown.grpc(GrpcCode::NotFound), ..named };
    assert_eq!(codes(Profile { answers: named, ..PROFILE }), ["5", "5"]);
    let answers = Answers { route_unknown: unknown, ..PROFILE.answers };
    assert_eq!(codes(Profile { answers, ..PROFILE }), ["16", "16"]);
}

/// Only Bearer has a challenge on other statuses than 401.
#[test]
fn a_challenge_that_is_not_written_tells_nothing_apart() {
    let answers = Answers {
        environment_mismatch: GONE.challenge(Challenge::InvalidToken),
        route_unknown: GONE,
        ..PROFILE.answers
    };
    let credentials = &[CredentialSource::header("x-api-key")];
    let profile = Profile { answers, credentials, ..PROFILE };
    let [one, other] = answered(profile, builder(profile), "application/json");
    assert_eq!(one, other, "over HTTP");
    assert_eq!(codes(profile), ["16", "16"]);
}

/// The function may make all bodies equal, or none: only it knows.
#[test]
fn a_gates_own_function_makes_bodies_that_tell_nothing_apart() {
    let text = |text| Answer::new(StatusCode::NOT_FOUND, ErrorBody::Text(text));
    for (environment, route, without, with) in [
        (GONE, text("No."), ["16", "7"], ["16", "16"]),
        (GONE, Answer::new(StatusCode::NOT_FOUND, ErrorBody::Empty), ["16", "7"], ["16", "16"]),
        (GONE, text("No.").grpc(GrpcCode::NotFound), ["16", "5"], ["16", "5"]),
        // The rest of the answer tells these apart.
        (GONE, text("No.").retry_after(1), ["16", "7"], ["16", "7"]),
        (GONE, text("No.").headers(&[("x-a", "1")]), ["16", "7"], ["16", "7"]),
        (GONE, text("No.").headers(&[("x-a", "{path}")]), ["16", "7"], ["16", "16"]),
    ] {
        let (environment_mismatch, route_unknown) = (environment, route);
        let answers = Answers { environment_mismatch, route_unknown, ..PROFILE.answers };
        let profile = Profile { answers, ..PROFILE };
        assert_eq!(codes(profile), without, "{route:?}");
        let builder = builder(profile).body_from(|_: &Refusal<'_>| None);
        assert_eq!(codes_of(profile, builder), with, "{route:?}");
    }
}
