//! Facts that an attacker chose, in every kind of body and in headers: none ends the string, the line or the
//! element that it stands in.

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use proptest::prelude::*;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::Networks;
use tower_api_key::profile::{
    Answer, Answers, ErrorBody, Problem, ProblemMember, ProblemValue, RequestIdHeader,
};
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::{ApiKeyLayer, Denial, GateBody, HeaderProblem, Profile, refusal};

use super::extremes::block_on;
use super::support::{PROFILE, request, store, text};

type Made = Response<GateBody<Full<bytes::Bytes>>>;

fn profile<'a>(row: Answer<'a>, with_header: Answer<'a>) -> Profile<'a> {
    Profile {
        request_id: Some(RequestIdHeader::new("x-request-id")),
        answers: Answers { scope_missing: row, header_refused: with_header, ..PROFILE.answers },
        ..PROFILE
    }
}

/// Sends a request that the service behind the gate refuses with this denial.
fn answered(row: Answer<'_>, of_header: Answer<'_>, request: Request<()>, denial: &Denial) -> Made {
    let proxies = Networks::new(["10.0.0.0/8"]).unwrap();
    let proxies = TrustedProxies::new(proxies, ProxyHeaders::Forwarded);
    let layer = ApiKeyLayer::builder(profile(row, of_header), store(|key| key));
    let layer = layer.trusted_proxies(proxies).request_id_from_proxies().build().unwrap();
    let denial = denial.clone();
    let service = layer.layer(service_fn(move |_: Request<()>| {
        let response = refusal::<Full<bytes::Bytes>>(denial.clone());
        async move { Ok::<_, std::convert::Infallible>(response) }
    }));
    block_on(service.oneshot(request)).unwrap()
}

/// Characters that end strings, lines or elements somewhere, among others.
fn hostile() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        3 => prop::sample::select(&[
            '"', '\\', '<', '>', '&', '\'', '/', '{', '}', '\r', '\n', '\0', '\t', ' ', '%', ',', ';', '=',
            '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{e9}', '\u{1f600}',
        ][..]),
        1 => any::<char>(),
        1 => prop::char::range('a', 'z'),
    ];
    prop::collection::vec(sign, 0..40).prop_map(|signs| signs.into_iter().collect())
}

/// A request by way of a proxy, with as much of these texts as a request can have.
fn asked(method: &str, path: &str, id: &str) -> Option<Request<()>> {
    let fits = |sign: &char| http::Uri::try_from(format!("/{sign}")).is_ok();
    let path: String = path.chars().filter(fits).collect();
    let uri = http::Uri::try_from(format!("/{path}")).ok()?;
    let mut request = request(Method::from_bytes(method.as_bytes()).ok()?, "/");
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert("forwarded", HeaderValue::from_static("proto=https;for=192.0.2.1"));
    if let Ok(id) = HeaderValue::from_bytes(id.as_bytes()) {
        headers.insert("x-request-id", id);
    }
    request.extensions_mut().insert(Connection::plain("10.0.0.1:4711".parse().unwrap()));
    Some(request)
}

const NAMES: [&str; 3] = ["x-target", "x-fact", "x-request-id"];

proptest! {
    #[test]
    fn no_fact_ends_what_it_stands_in(
        method in prop_oneof![Just("GET".to_owned()), "[!#$%&'*+.^_`|~A-Za-z0-9-]{1,30}"],
        path in prop_oneof![hostile(), "[!-;=@-_a-z|~\"{}\u{80}-\u{ff}]{0,60}"],
        id in prop_oneof![hostile(), "[ -~]{1,140}"],
        scope in hostile(),
        name in "[!#$%&'*+.^_`|~a-z0-9-]{1,20}",
        by_scope in any::<bool>(),
    ) {
        let Some(request) = asked(&method, &path, &id) else { return Ok(()) };
        prop_assume!(request.method() != Method::HEAD);
        let denial = if by_scope {
            Denial::ScopeMissing { needed: scope.as_str().into() }
        } else {
            let header = HeaderName::from_bytes(name.as_bytes()).unwrap();
            Denial::HeaderRefused { header, problem: HeaderProblem::Missing }
        };
        let fact = if by_scope { "{scopes}" } else { "{header}" };
        let shape = format!(r#"{{"a":"<{{method}}>","b":["{{path}}","{{request_id}}"],"c":"{fact}"}}"#);
        let plain = format!("{{method}}|{{path}}|{{request_id}}|{fact}");
        let problem = Problem::new("about:blank", &plain, &plain);
        let members = [
            ProblemMember { name: "a", value: ProblemValue::Text(&plain) },
            ProblemMember { name: "others", value: ProblemValue::Json(r#"{"b":["{path}"]}"#) },
        ];
        let headers = [("x-target", "<{path}>; {method}"), ("x-fact", fact)];
        for body in [
            ErrorBody::Json { shape: &shape, values: &[] },
            ErrorBody::Text(&plain),
            ErrorBody::Error(&plain),
            ErrorBody::CodeAndMessage { code: &plain, message: &plain },
            ErrorBody::Problem(problem.instance("{path}?{request_id|none}")),
            ErrorBody::Problem(problem.instance("{path}").members(&members)),
        ] {
            let row = Answer::new(StatusCode::FORBIDDEN, body).headers(&headers);
            let (of_scope, of_header) = if by_scope {
                (row, PROFILE.answers.header_refused)
            } else {
                (PROFILE.answers.scope_missing, row)
            };
            let response = answered(of_scope, of_header, request.clone(), &denial);
            prop_assert_eq!(response.status(), 403);
            for name in NAMES {
                let lines: Vec<_> = response.headers().get_all(name).iter().collect();
                prop_assert!(lines.len() <= 1, "{name}: {lines:?}");
                for line in lines {
                    prop_assert!(line.as_bytes().iter().all(|b| matches!(b, b' '..=b'~')));
                    let brackets = line.as_bytes().iter().filter(|b| b"<>\"\\".contains(b)).count();
                    prop_assert_eq!(brackets, if name == "x-target" { 2 } else { 0 }, "{:?}", line);
                    if name == "x-target" {
                        let marks = line.as_bytes().iter().filter(|b| b",;".contains(b)).count();
                        prop_assert_eq!(marks, 1, "{:?}", line);
                    }
                }
            }
            let is_json = response.headers()["content-type"].as_bytes().ends_with(b"json");
            let text = block_on(text(response));
            if is_json {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                let instance = value.get("instance").and_then(serde_json::Value::as_str);
                prop_assert!(instance.is_none_or(|it| !it.starts_with("//")), "{text}");
                prop_assert!(!text.contains(['\r', '\n', '\u{2028}', '\u{2029}']), "{text}");
                let brackets = text.matches(['<', '>', '&', '\'']).count();
                let own = if value.get("b").is_some() { 2 } else { 0 };
                prop_assert_eq!(brackets, own, "{}", text);
                if by_scope && let Some(told) = value.get("c") {
                    // Nothing is lost.
                    let scopes: Vec<&str> = scope.split(' ').collect();
                    let mut once: Vec<&str> = Vec::new();
                    for scope in scopes {
                        if !once.contains(&scope) {
                            once.push(scope);
                        }
                    }
                    prop_assert_eq!(told, &once.join(", "));
                }
            } else {
                prop_assert!(!text.contains(['<', '>']) && !text.chars().any(char::is_control), "{text}");
            }
        }
    }
}
