//! Placeholders and headers of rows that `build` refuses, and what a text without placeholders stays.

use http::{HeaderMap, Method, StatusCode};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::profile::{
    Answer, Answers, Challenge, ErrorBody, LimitHeaders, PrincipalHeader, PrincipalValue, Problem,
    Refusal, RequestIdHeader,
};
use tower_api_key::rules::Routes;
use tower_api_key::{ApiKeyLayer, ConfigError, Denial, Profile};

use crate::support::{PROFILE, account, request, store, tls};

fn build(profile: Profile<'_>) -> Result<ApiKeyLayer, ConfigError> {
    ApiKeyLayer::builder(profile, store(|key| key)).build()
}

/// Builds a gate whose row has this answer, and returns the error.
fn error(row: fn(&mut Answers<'_>, Answer<'static>), answer: Answer<'static>) -> Option<String> {
    let mut answers = PROFILE.answers;
    row(&mut answers, answer.challenge(Challenge::Bare));
    let error = build(Profile { answers, ..PROFILE }).err()?;
    assert!(matches!(error, ConfigError::Answer { .. }), "{error}");
    Some(error.to_string())
}

const fn text(text: &'static str) -> Answer<'static> {
    Answer::new(StatusCode::BAD_REQUEST, ErrorBody::Text(text))
}

#[test]
fn a_placeholder_that_the_row_never_fills_is_refused() {
    type Row = fn(&mut Answers<'_>, Answer<'static>);
    const UNKNOWN: Row = |answers, answer| answers.key_unknown = answer;
    const SCOPE: Row = |answers, answer| answers.scope_missing = answer;
    const LIMITED: Row = |answers, answer| answers.rate_limited = answer;
    const EXPIRED: Row = |answers, answer| answers.key_expired = answer;
    const TIMED_OUT: Row = |answers, answer| answers.timed_out = answer;
    for (row, answer, expected) in [
        (UNKNOWN, "{}", &["`key_unknown`", "`{}`", "no such placeholder", "`{status}`"][..]),
        (UNKNOWN, "{nme}", &["`{nme}`", "no such placeholder", "`{{` for a brace"]),
        (UNKNOWN, "{ path }", &["`{ path }`", "no such placeholder"]),
        (UNKNOWN, "{Path}", &["no such placeholder"]),
        (UNKNOWN, "a { b", &["`a { b`", "write `{{` and `}}`"]),
        (UNKNOWN, "a } b", &["write `{{` and `}}`"]),
        (UNKNOWN, "{path{path}}", &["write `{{` and `}}`"]),
        (UNKNOWN, "{scope}", &["`key_unknown`", "`{scope}`", "`scope_missing`"]),
        (UNKNOWN, "{account}", &["`{account}`", "`scope_missing`, `rate_limited`"]),
        (UNKNOWN, "{insecure_expired_at}", &["`key_expired`"]),
        (UNKNOWN, "{retry_after}", &["`Answer::retry_after`"]),
        (UNKNOWN, "{request_id}", &["`request_id`"]),
        (UNKNOWN, "{documentation_url}", &["`Answer::documentation_url`"]),
        (SCOPE, "{quota}", &["`scope_missing`", "`rate_limited`"]),
        (SCOPE, "{limit}", &["`rate_limited`, `concurrency_exceeded`"]),
        (SCOPE, "{scope} {scopes} {needed_scopes} {account} {key_id} {environment}", &[]),
        (LIMITED, "{quota} {limit} {remaining} {window} {retry_after} {account}", &[]),
        (EXPIRED, "{insecure_expired_at} {method} {path} {status}", &[]),
        (EXPIRED, "{account}", &["`key_expired`", "leave it out here"]),
        (TIMED_OUT, "{budget} {{budget}} {{{budget}}}", &[]),
        (TIMED_OUT, "{quota|all}", &["`{quota}`"]),
    ] {
        let error = error(row, text(answer)).unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{answer}: {error}");
        assert!(expected.iter().all(|part| error.contains(part)), "{answer}: {error}");
    }
}

#[test]
fn every_text_of_a_body_is_checked() {
    let bad = "{scope}";
    for body in [
        ErrorBody::Text(bad),
        ErrorBody::Error(bad),
        ErrorBody::CodeAndMessage { code: bad, message: "" },
        ErrorBody::CodeAndMessage { code: "", message: bad },
        ErrorBody::TitleAndDetails { title: bad, details: "" },
        ErrorBody::TitleAndDetails { title: "", details: bad },
        ErrorBody::CodeAndContext { error: bad },
        ErrorBody::KeyAndMetadata { key: bad, message: "" },
        ErrorBody::KeyAndMetadata { key: "", message: bad },
        ErrorBody::Problem(Problem::new(bad, "", "")),
        ErrorBody::Problem(Problem::new("about:blank", bad, "")),
        ErrorBody::Problem(Problem::new("about:blank", "", bad)),
        ErrorBody::Problem(Problem::new("about:blank", "", "").instance(bad)),
        ErrorBody::Json { shape: r#"["{scope}"]"#, values: &[] },
        ErrorBody::Json { shape: r#"{"{scope}":1}"#, values: &[] },
        ErrorBody::Json { shape: r#"["{a}"]"#, values: &[("a", "{scope}")] },
    ] {
        let answer = Answer::new(StatusCode::BAD_REQUEST, body);
        let error = error(|answers, answer| answers.route_unknown = answer, answer);
        assert!(error.as_ref().is_some_and(|error| error.contains("`{scope}`")), "{body:?}");
    }
}

#[test]
fn a_shape_is_json_and_has_a_place_for_each_value() {
    type Values = &'static [(&'static str, &'static str)];
    for (shape, values, expected) in [
        ("{}", &[] as Values, ""),
        (r#" { "a" : "{a}\n\"{{" , "b": [ null , "{#status}" ] } "#, &[("a", "x\"{path}")], ""),
        (r#"{"a":"{a}"}"#, &[], "no such placeholder"),
        ("{", &[], "is not JSON"),
        ("{} {}", &[], "is not JSON"),
        (r#"{"a":{#status}}"#, &[], "is not JSON"),
        (r#"{"a":"{#path}"}"#, &[], "it is not a number"),
        (r#"{"a":"{#retry_after}"}"#, &[], "`Answer::retry_after`"),
        (r#"{"a":"x {#status}"}"#, &[], "no such placeholder"),
        (r#"{"{#status}":"x"}"#, &[], "a name is a string"),
        ("[{\"a\": 1, \"{#status}\" \n\t: [1]}]", &[], "a name is a string"),
        (r#"{"{status}":"{#status}","b":["{#status}"]}"#, &[], ""),
        ("{}", &[("a", "x")], "write `{a}` into one"),
        (r#"["{a}", "{b}"]"#, &[("a", "{b}"), ("b", "")], "no such placeholder"),
    ] {
        let answer = Answer::new(StatusCode::BAD_REQUEST, ErrorBody::Json { shape, values });
        let error = error(|answers, answer| answers.route_unknown = answer, answer);
        let error = error.unwrap_or_default();
        assert!(
            error.contains(expected) && error.is_empty() == expected.is_empty(),
            "{shape} {error}"
        );
    }
}

#[test]
fn a_header_of_a_row_has_a_name_of_its_own_and_a_value_that_fits() {
    fn none(_: &Refusal<'_>) -> HeaderMap {
        HeaderMap::new()
    }
    const OURS: Profile = Profile {
        limit_headers: LimitHeaders::X_RATE_LIMIT,
        principal_headers: &[PrincipalHeader { name: "x-account", value: PrincipalValue::Account }],
        request_id: Some(RequestIdHeader::new("x-request-id")),
        ..PROFILE
    };
    type Headers = &'static [(&'static str, &'static str)];
    for (headers, expected) in [
        (&[("x-own", "v"), ("Link", "</errors/{status}>; rel=\"help\"")] as Headers, ""),
        (&[("x-a", ""), ("X-B", "{path|none}")], ""),
        (&[("x a", "v")], "a header name may have"),
        (&[("", "v")], "a header name may have"),
        (&[("Content-Length", "0")], "choose another name"),
        (&[("content-type", "text/html")], "choose another name"),
        (&[("Transfer-Encoding", "chunked")], "choose another name"),
        (&[("Connection", "close")], "choose another name"),
        (&[("Keep-Alive", "1")], "choose another name"),
        (&[("WWW-Authenticate", "Basic")], "choose another name"),
        (&[("Retry-After", "1")], "choose another name"),
        (&[("Cache-Control", "public")], "choose another name"),
        (&[("Vary", "*")], "choose another name"),
        (&[("grpc-status", "0")], "choose another name"),
        (&[("X-RateLimit-Limit", "1")], "`limit_headers`"),
        (&[("X-Account", "1")], "`principal_headers`"),
        (&[("X-Request-Id", "1")], "`request_id`"),
        (&[("x-own", "a"), ("X-Own", "b")], "listed twice"),
        (&[("x-own", "a\r\nb: c")], "does not fit"),
        (&[("x-own", " a")], "does not fit"),
        (&[("x-own", "\u{e9}")], "does not fit"),
        (&[("x-own", "{scope}")], "`{scope}`"),
    ] {
        let answer = text("").headers(headers).headers_from(none);
        let answers = Answers { route_unknown: answer, ..PROFILE.answers };
        let error = build(Profile { answers, ..OURS }).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        let is_fine = error.contains(expected) && error.is_empty() == expected.is_empty();
        assert!(
            is_fine && (error.is_empty() || error.contains("`route_unknown`")),
            "{headers:?} {error}"
        );
    }
}

#[test]
fn headers_are_written_as_the_row_has_them() {
    let row = text("").headers(&[
        ("X-Fixed", "a {{b}}"),
        ("x-status", "{status} of {documentation_url}"),
        ("x-unknown", "{path}"),
        ("x-else", "{path|no path}"),
    ]);
    let row = row.documentation_url("https://docs.example.com");
    let layer = build(Profile { answers: Answers::all(row), ..PROFILE }).unwrap();
    let answer = layer.answer(&Denial::RouteUnknown);
    for (name, expected) in [
        ("x-fixed", Some("a {b}")),
        ("x-status", Some("400 of https://docs.example.com")),
        ("x-unknown", None),
        ("x-else", Some("no path")),
    ] {
        let value = answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(value, expected, "{name}");
    }
}

/// HTTP does not tell such rows apart, so gRPC does not either. With other headers HTTP does.
#[test]
fn rows_with_equal_templates_have_equal_codes() {
    let row = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Text("{path} {{"));
    for (route_unknown, code) in [
        (row, "16"),
        (row.headers(&[("x-own", "1")]), "7"),
        // A header whose fact is not known is left out.
        (row.headers(&[("x-own", "{path}")]), "16"),
        (row.documentation_url("/"), "16"),
    ] {
        let answers = Answers { key_unknown: row, route_unknown, ..PROFILE.answers };
        let builder = ApiKeyLayer::builder(Profile { answers, ..PROFILE }, store(|key| key));
        let layer = builder.routes(Routes::new()).only_grpc().build().unwrap();
        let mut call = request(Method::POST, "/");
        call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
        let explanation = layer.explain(&call, tls(), Some(&record), Timestamp::default());
        assert_eq!(explanation.answer().unwrap().headers()["grpc-status"], code);
    }
}
