//! Which requests are refused in gRPC's form, and what their refusals look like on the wire.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body::Body as _;
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::KeyRecord;
use tower_api_key::profile::{
    Answer, Answers, CustomBody, ErrorBody, Expected, GrpcCode, Refusal, RequiredHeader,
};
use tower_api_key::profile::{PrincipalHeader, PrincipalValue};
use tower_api_key::rules::Routes;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ConfigError, Denial, Profile, vendors};

use crate::support::{PROFILE, account, anonymous, greeting, reason, request, send, store, tls};

const SERVICE: &str = "vendors.v1.Users";
const PATH: &str = "/vendors.v1.Users/ListUsers";

fn gate(profile: Profile<'_>) -> ApiKeyLayer {
    let builder = ApiKeyLayer::builder(profile, store(|key| key)).without_limits();
    builder.grpc_services([SERVICE]).build().unwrap()
}

fn typed(mut request: Request<()>, media_type: &'static str) -> Request<()> {
    request.headers_mut().insert("content-type", HeaderValue::from_static(media_type));
    request
}

#[tokio::test]
async fn only_calls_are_refused_in_this_form() {
    let service = greeting(&gate(PROFILE));
    for (method, path, media_type, status) in [
        (Method::POST, PATH, "application/grpc", 200),
        (Method::POST, PATH, "application/grpc+proto", 200),
        (Method::POST, "/vendors.v1.Users/Unknown", "application/grpc", 200),
        // The client chooses the type of any request.
        (Method::POST, "/", "application/grpc", 401),
        (Method::POST, "/v1/users", "application/grpc", 401),
        (Method::POST, "/vendors.v1.Users", "application/grpc", 401),
        (Method::POST, "/vendors.v1.UsersToo/ListUsers", "application/grpc", 401),
        (Method::POST, "/api/vendors.v1.Users/ListUsers", "application/grpc", 401),
        (Method::POST, "/VENDORS.v1.Users/ListUsers", "application/grpc", 401),
        (Method::POST, PATH, "application/json", 401),
        (Method::POST, PATH, "application/grpc-web", 401),
        (Method::GET, PATH, "application/grpc", 401),
        (Method::HEAD, PATH, "application/grpc", 401),
    ] {
        let answer = send(&service, typed(anonymous(method.clone(), path), media_type)).await;
        assert_eq!(answer.status(), status, "{method} {path} {media_type}");
        assert_eq!(reason(&answer), "credentials_missing");
        let headers = answer.headers();
        assert_eq!(headers.contains_key("grpc-status"), status == 200);
        assert_eq!(headers.contains_key("content-length"), status != 200);
        assert_eq!(answer.body().is_end_stream(), status == 200 || method == Method::HEAD);
        if status == 200 {
            assert_eq!(headers["content-type"], "application/grpc");
            assert_eq!(
                (&headers["grpc-status"], &headers["grpc-message"]),
                (&"16".parse().unwrap(), &"Missing API key.".parse().unwrap())
            );
        }
    }
}

fn answered(profile: Profile<'_>, request: &Request<()>) -> HeaderMap {
    let builder = ApiKeyLayer::builder(profile, MemoryStore::new()).without_limits();
    let layer = builder.grpc_services([SERVICE]).build().unwrap();
    let explanation = layer.explain(request, tls(), None, Timestamp::default());
    let answer = explanation.answer().unwrap();
    assert_eq!((answer.status(), answer.body()), (StatusCode::OK, &Bytes::new()));
    answer.headers().clone()
}

/// Each vendor's sentence for people is the message, whatever its format is.
#[test]
fn every_vendors_words_are_the_message() {
    for (profile, expected) in [
        (vendors::PERSONYZE, "Please, log in"),
        (vendors::REST_INTEGRATIONS, "Missing API key."),
        (Profile::STANDARD, "An API key is required."),
    ] {
        let call = typed(anonymous(Method::POST, PATH), "application/grpc");
        let headers = answered(profile, &call);
        assert_eq!(
            (headers["grpc-status"].as_bytes(), headers["grpc-message"].to_str().unwrap()),
            (&b"16"[..], expected)
        );
    }
    for profile in [vendors::POLYTEIA, vendors::PERSONA, vendors::POLYTOMIC] {
        let call = typed(anonymous(Method::POST, PATH), "application/grpc");
        let headers = answered(profile, &call);
        let message = headers["grpc-message"].to_str().unwrap();
        assert!(message.len() > 5 && !message.starts_with('{'), "{message}");
    }
}

/// What HTTP does not tell apart, gRPC does not tell apart either.
#[test]
fn equal_rows_have_equal_codes() {
    let all = Answers::all(PROFILE.answers.key_unknown);
    let chosen = Answers { key_revoked: all.key_revoked.grpc(GrpcCode::NotFound), ..all };
    for (answers, key_unknown, credentials_missing, key_revoked) in [
        (PROFILE.answers, "16", "16", "16"),
        (all, "16", "16", "16"),
        (chosen, "16", "16", "5"),
        (Answers::all(PROFILE.answers.key_unknown.grpc(GrpcCode::NotFound)), "5", "5", "5"),
    ] {
        let layer = gate(Profile { answers, ..PROFILE });
        let code = |denial: Denial| {
            let missing = denial == Denial::CredentialsMissing;
            let request =
                if missing { anonymous(Method::POST, PATH) } else { request(Method::POST, PATH) };
            let record =
                KeyRecord::builder("key_1", account("acme")).revoked(true).build().unwrap();
            let record = (denial == Denial::KeyRevoked).then_some(&record);
            let call = typed(request, "application/grpc");
            let explanation = layer.explain(&call, tls(), record, Timestamp::default());
            assert_eq!(explanation.decision(), Err(&denial));
            explanation.answer().unwrap().headers()["grpc-status"].to_str().unwrap().to_owned()
        };
        assert_eq!(code(Denial::KeyUnknown), key_unknown);
        assert_eq!(code(Denial::CredentialsMissing), credentials_missing);
        assert_eq!(code(Denial::KeyRevoked), key_revoked);
    }
}

/// One vendor answers a key of another account as one that is not valid.
#[test]
fn a_401_is_unauthenticated_whatever_the_reason() {
    let row = PROFILE.answers.key_expired;
    let answers = Answers { route_unknown: row, scope_missing: row, ..PROFILE.answers };
    let gate = |answers| {
        let builder = ApiKeyLayer::builder(Profile { answers, ..PROFILE }, MemoryStore::new());
        let builder = builder.without_limits().grpc_services([SERVICE]);
        builder.routes(Routes::new()).build().unwrap()
    };
    let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
    for (answers, code) in [(PROFILE.answers, "7"), (answers, "16")] {
        let call = typed(request(Method::POST, PATH), "application/grpc");
        let explanation = gate(answers).explain(&call, tls(), Some(&record), Timestamp::default());
        assert_eq!(explanation.decision(), Err(&Denial::RouteUnknown));
        assert_eq!(explanation.answer().unwrap().headers()["grpc-status"], code);
    }
}

/// A vendor's rule about the media type is for its own API.
#[tokio::test]
async fn rules_about_the_media_type_spare_calls() {
    let json = Expected::MediaType("application/json");
    let grpc = Expected::MediaType("application/grpc+proto");
    let one = Expected::OneOf(&["application/json", "text/plain"]);
    for (expected, media_type, passes) in [
        (json, "application/grpc", true),
        (json, "application/grpc+proto", true),
        (json, "application/json", true),
        (json, "application/grpc-web", false),
        (json, "text/plain", false),
        (one, "application/grpc", true),
        (one, "application/xml", false),
        // A rule that names gRPC's types is about calls.
        (grpc, "application/grpc+proto", true),
        (grpc, "application/grpc+json", false),
    ] {
        let rule = [RequiredHeader { name: "content-type", expected }];
        let profile = Profile { required_headers: &rule, ..PROFILE };
        let (layer, call) = (gate(profile), typed(request(Method::POST, PATH), media_type));
        let record = KeyRecord::builder("key_1", account("acme"));
        let explanation =
            layer.explain(&call, tls(), Some(&record.build().unwrap()), Timestamp::default());
        let outcome = explanation.outcome(Check::RequiredHeaders);
        assert_eq!(*outcome == Outcome::Passed, passes, "{expected:?} {media_type}");
        let answer = send(&greeting(&layer), call).await;
        assert_eq!(reason(&answer) == "admitted", passes, "{expected:?} {media_type}");
    }
    // A request of another path is none, whatever its type says.
    let rule = [RequiredHeader { name: "content-type", expected: json }];
    let layer = gate(Profile { required_headers: &rule, ..PROFILE });
    let typed_as_call = typed(request(Method::POST, "/v1/users"), "application/grpc");
    assert_eq!(reason(&send(&greeting(&layer), typed_as_call).await), "header_refused");
    // Other rules hold for calls, too.
    let rule = [RequiredHeader { name: "x-version", expected: Expected::Present }];
    let layer = gate(Profile { required_headers: &rule, ..PROFILE });
    let answer =
        send(&greeting(&layer), typed(request(Method::POST, PATH), "application/grpc")).await;
    assert_eq!(answer.headers()["grpc-status"], "3");
}

/// Two lines, of which a service may read the other.
#[tokio::test]
async fn a_second_media_type_makes_no_call() {
    let rule = [RequiredHeader {
        name: "content-type",
        expected: Expected::MediaType("application/json"),
    }];
    let layer = gate(Profile { required_headers: &rule, ..PROFILE });
    let mut two = typed(request(Method::POST, PATH), "application/grpc");
    two.headers_mut().append("content-type", HeaderValue::from_static("text/plain"));
    let answer = send(&greeting(&layer), two).await;
    assert_eq!((answer.status(), reason(&answer)), (StatusCode::BAD_REQUEST, "header_refused"));
}

#[test]
fn a_custom_body_is_a_message_if_it_is_text() {
    fn text(_: &Refusal<'_>) -> CustomBody {
        CustomBody {
            content_type: HeaderValue::from_static("text/plain"),
            content: "Non, 100 %.".into(),
        }
    }
    fn json(_: &Refusal<'_>) -> CustomBody {
        CustomBody {
            content_type: HeaderValue::from_static("application/json"),
            content: "{}".into(),
        }
    }
    type Make = fn(&Refusal<'_>) -> CustomBody;
    for (make, message) in [(text as Make, "Non, 100 %25."), (json, "Forbidden")] {
        let row = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Custom(make));
        let answers = Answers { credentials_missing: row, ..PROFILE.answers };
        let call = typed(anonymous(Method::POST, PATH), "application/grpc");
        let headers = answered(Profile { answers, ..PROFILE }, &call);
        assert_eq!(headers["grpc-message"], message);
        assert!(!headers.contains_key("content-length"));
    }
}

#[test]
fn principal_headers_cannot_be_grpcs_own() {
    let taken = [PrincipalHeader { name: "grpc-status", value: PrincipalValue::Account }];
    let profile = Profile { principal_headers: &taken, ..PROFILE };
    let refused = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap_err();
    assert!(matches!(refused, ConfigError::Header { .. }), "{refused}");
}

#[test]
fn a_service_is_named_as_its_proto_file_names_it() {
    let built = |name: &str| {
        ApiKeyLayer::builder(PROFILE, MemoryStore::new()).grpc_services([name]).build()
    };
    for name in ["Users", "vendors.v1.Users", "grpc.health.v1.Health", "_a.b_2"] {
        assert!(built(name).is_ok(), "{name}");
    }
    for name in
        ["", "/vendors.v1.Users", "vendors.v1.Users/", "a..b", ".a", "a.", "1a", "a b", "*", "ä"]
    {
        assert!(matches!(built(name), Err(ConfigError::GrpcService { .. })), "{name}");
    }
}
