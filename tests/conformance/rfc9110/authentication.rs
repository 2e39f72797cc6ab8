//! RFC 9110 §11 and §15.5: challenges, credentials, and the statuses of a refusal.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Response};
use http_body_util::Full;
use tower_api_key::{Denial, HeaderProblem, Malformation, Profile, refusal, vendors};

use crate::conformance::answers::{HTTPS, MALFORMED, MISSING, SERVED};
use crate::conformance::challenge::{challenge, parameter};
use crate::conformance::gates::{HEX, UUID, basic, gate, on_premises, personyze, rest, shipped};
use crate::conformance::server::Server;
use crate::conformance::wire::{Answer, get};
use crate::support::{KEY, PROFILE};

/// §11.1: the name of a scheme is case-insensitive.
#[tokio::test]
async fn rfc9110_11_1_scheme_is_case_insensitive() {
    let (bearer, api) = (Server::start(&rest()).await, Server::start(&personyze()).await);
    let pair = basic(format!("api:{HEX}"));
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let answer = get(&bearer, format!("Authorization: {scheme} {KEY}")).await;
        assert_eq!(answer, Answer::of(SERVED), "{scheme}");
    }
    for scheme in ["Basic", "basic", "BASIC", "bAsIc"] {
        let answer = get(&api, pair.replace("Basic", scheme)).await;
        assert_eq!(answer, Answer::of(SERVED), "{scheme}");
    }
    for scheme in ["Bear", "Bearers", "Bearer-", "X-Bearer", "Token", "Basic"] {
        let answer = get(&bearer, format!("Authorization: {scheme} {KEY}")).await;
        assert_eq!(answer, Answer::of(MISSING), "{scheme}");
    }
}

/// §11.4: `credentials = auth-scheme [ 1*SP ( token68 / … ) ]`.
#[tokio::test]
async fn rfc9110_11_4_credentials_follow_the_grammar() {
    let server = Server::start(&rest()).await;
    for (value, answer) in [
        (format!("Bearer     {KEY}"), SERVED),
        ("Bearer".to_owned(), MALFORMED),
        (format!("Bearer{KEY}"), MISSING), // a scheme of that name
        (format!("Bearer:{KEY}"), MALFORMED),
        (format!("Bearer={KEY}"), MALFORMED),
        (format!("Bearer, {KEY}"), MALFORMED),
        (format!("\"Bearer\" {KEY}"), MALFORMED),
        (format!(", Bearer {KEY}"), MALFORMED),
        (format!("Bearer \t{KEY}"), MALFORMED),
        (format!("Basic YTpi, Bearer {KEY}"), MISSING),
        (KEY.to_owned(), MISSING),
        (String::new(), MALFORMED),
    ] {
        let answered = get(&server, format!("Authorization: {value}")).await;
        assert_eq!(answered, Answer::of(answer), "{value:?}");
    }
}

/// §11.5: a realm is a quoted string, whatever stands in it.
#[tokio::test]
async fn rfc9110_11_5_realms_are_quoted() {
    const REALM: &str = "a \"quoted\" realm, with \\ and error=\"x\"";
    for profile in [vendors::REST_INTEGRATIONS, vendors::POLYTOMIC_ON_PREMISES, PROFILE] {
        let profile = Profile { realm: REALM, ..profile };
        let server = Server::start(&gate(profile, KEY, |key| key).build().unwrap()).await;
        let answer = get(&server, "").await;
        for line in answer.lines("www-authenticate") {
            let challenge = challenge(line);
            assert_eq!(parameter(&challenge, "realm"), Some(REALM), "{line}");
            assert_eq!(parameter(&challenge, "error"), None, "{line}");
        }
    }
}

/// §11.6.1: one challenge for each scheme that would do, and each readable by itself.
#[tokio::test]
async fn rfc9110_11_6_1_there_is_a_challenge_for_each_scheme() {
    let own = gate(PROFILE, KEY, |key| key).build().unwrap();
    for (layer, expected) in [
        (personyze(), &["Basic"][..]),
        (rest(), &["Bearer"]),
        (on_premises(), &["Basic", "Bearer"]),
        (own, &["ApiKey", "Bearer"]),
    ] {
        let server = Server::start(&layer).await;
        for lines in ["", "Authorization: Digest x", "Authorization: Bearer 0123456789abcdef0"] {
            let answer = get(&server, lines).await;
            let schemes =
                answer.lines("www-authenticate").into_iter().map(|line| challenge(line).0);
            assert_eq!(schemes.collect::<Vec<_>>(), expected, "{lines}");
        }
    }
}

/// §11.6.2: what serves is one of the schemes that were challenged for.
#[tokio::test]
async fn rfc9110_11_6_2_only_what_was_challenged_for_serves() {
    let deployment = |key: tower_api_key::key::KeyRecordBuilder| key.kind("deployment");
    let profile = Profile { required_headers: &[], ..vendors::POLYTOMIC };
    let hosted = gate(profile, UUID, deployment).build().unwrap();
    let (hosted, own) = (Server::start(&hosted).await, Server::start(&on_premises()).await);
    let line = basic(format!("{UUID}:"));
    assert_eq!(get(&hosted, &line).await.status(), 401);
    assert_eq!(get(&own, &line).await, Answer::of(SERVED));
    // A key of this kind is not carried by Bearer.
    assert_eq!(get(&own, format!("Authorization: Bearer {UUID}")).await.status(), 401);
    assert_eq!((hosted.reached(), own.reached()), (0, 1));
}

/// One of every kind of denial.
fn denials() -> Vec<Denial> {
    use Denial::*;
    let version = HeaderName::from_static("x-polytomic-version");
    vec![
        InsecureTransport,
        CredentialsMissing,
        SchemeUnsupported,
        CredentialsAmbiguous,
        CredentialsMalformed(Malformation::Base64),
        KeyMalformed,
        KeyUnknown,
        KeyRevoked,
        KeyDisabled,
        KeyNotYetValid,
        KeyExpired,
        EnvironmentMismatch,
        NetworkNotAllowed,
        SchemeNotForKind,
        RouteUnknown,
        KindNotAllowed,
        AccountMismatch,
        HeaderRefused { header: version, problem: HeaderProblem::Missing },
        ScopeMissing { needed: "users.read".into() },
        RateLimited { retry_after: Duration::from_millis(1_001) },
        ConcurrencyExceeded,
        TimedOut { budget: Duration::from_secs(1) },
        InternalError,
        StoreUnavailable,
        LimiterUnavailable,
    ]
}

/// Refuses with the denial that a request asks for.
fn refuse(parts: &Parts, _: &Bytes) -> Response<Full<Bytes>> {
    let wanted = parts.headers["denial"].to_str().unwrap();
    refusal(denials().into_iter().find(|denial| denial.name() == wanted).unwrap())
}

/// §15.5.2: a 401 must have a challenge. §15.5.4: a 403 says that other credentials may do, not
/// that some are missing. §15.4: and no refusal sends the key elsewhere.
#[tokio::test]
async fn rfc9110_15_5_2_every_401_challenges_and_no_denial_redirects() {
    let names: BTreeSet<_> = denials().iter().map(Denial::name).collect();
    assert_eq!(names.len(), 25, "each once");
    for vendor in shipped() {
        let profile = vendor.profile;
        let server = Server::serving(&vendor.gate().build().unwrap(), refuse).await;
        for name in &names {
            let answer = get(&server, format!("{}\r\nDenial: {name}", vendor.line)).await;
            let what = format!("{} {name}: {answer:?}", profile.name);
            let challenges = answer.lines("www-authenticate");
            assert!((400..600).contains(&answer.status()), "{what}");
            assert_eq!(answer.field("location"), None, "{what}");
            if answer.status() == 401 {
                assert_eq!(challenges.len(), profile.credentials.len(), "{what}");
            }
            for line in challenges {
                let challenge = challenge(line);
                assert_eq!(parameter(&challenge, "realm"), Some(profile.realm), "{what}");
                let error = parameter(&challenge, "error");
                let fits = match answer.status() {
                    400 => error == Some("invalid_request"),
                    401 => matches!(error, None | Some("invalid_token")),
                    403 => error == Some("insufficient_scope"),
                    _ => false,
                };
                assert!(fits, "{what}");
            }
        }
        assert_eq!(server.reached(), names.len());
    }
}

/// §15.5.1 and §15.5.22: plain HTTP is refused with 400, neither redirected nor told to upgrade.
#[tokio::test]
async fn rfc9110_15_5_22_plain_http_is_not_told_to_upgrade() {
    let server = Server::plain(&rest()).await;
    for lines in ["", "Upgrade-Insecure-Requests: 1", "Upgrade: TLS/1.2\r\nConnection: Upgrade"] {
        let answer = get(&server, lines).await.without_connection();
        assert_eq!(answer, Answer::of(HTTPS), "{lines}");
    }
    assert_eq!(server.reached(), 0);
}
