//! A profile, its parts and its routes may come from anywhere: a gate owns all that it needs of them.

use std::time::Duration;

use http::{Method, StatusCode};
use tower_api_key::key::{Alphabet, IssuedKey, Issuer, KeyFormat, KeyHasher};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, ErrorBody, Expected, LimitHeaders,
    PrincipalHeader, PrincipalValue, RequestIdHeader, RequiredHeader,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Otherwise, Route, RouteRow, Routes};
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{PROFILE, account, anonymous, greeting, reason, send, text};

/// What an operator wrote.
const FILE: &str = "Acme acme.example x-acme-key acme_ live test api partner acme-version 7 8 \
    x-plan plan minute 3 orders.read orders.all acme No,_thanks /orgs/{org} org";

/// A gate and a key for it, described by texts that are gone when this returns.
fn read() -> (ApiKeyLayer, IssuedKey) {
    let words: Vec<String> = FILE.split_ascii_whitespace().map(str::to_owned).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [
        name,
        realm,
        own,
        prefix,
        live,
        test,
        user,
        partner,
        version,
        seven,
        eight,
        header,
        plan,
        ..,
    ] = words[..]
    else {
        panic!("a word is missing")
    };
    let [window, limit, read, all, code, message, pattern, parameter] = words[13..] else {
        panic!("a word is missing")
    };

    let (tags, kinds, versions) = ([live, test], [partner], [seven, eight]);
    let format = KeyFormat::new().literal(prefix).environment(&tags).literal("_");
    let formats = [format.characters(Alphabet::Base62, 24).checksum()];
    let credentials = [
        CredentialSource::header(own).only(&kinds),
        CredentialSource::basic(BasicKey::PasswordOf(user)).only(&kinds),
    ];
    let required_headers = [RequiredHeader { name: version, expected: Expected::OneOf(&versions) }];
    let principal_headers =
        [PrincipalHeader { name: header, value: PrincipalValue::Metadata(plan) }];
    let quotas = [Quota::named(window, limit.parse().unwrap(), Duration::from_secs(60))];
    let body = ErrorBody::CodeAndMessage { code, message };
    let headers = [(window, message)];
    let row = Answer::new(StatusCode::UNAUTHORIZED, body).challenge(Challenge::Bare);
    let row = row.headers(&headers).documentation_url(pattern);
    let profile = Profile {
        name,
        realm,
        credentials: &credentials,
        formats: &formats,
        required_headers: &required_headers,
        quotas: &quotas,
        limit_headers: LimitHeaders::STRUCTURED,
        principal_headers: &principal_headers,
        request_id: Some(RequestIdHeader::new(plan).prefix(live)),
        response_headers: &[],
        challenges: &[],
        answers_by_path: &[],
        answers: Answers { credentials_missing: row, key_unknown: row, ..PROFILE.answers },
    };

    let (read, all) = ([read], [all]);
    let methods = [Method::GET];
    let own_account = Route::new().all_of(&read).kinds(&kinds).account_parameter(parameter);
    let of_route = [Quota::named(format!("{window}-of-route"), 2, Duration::from_secs(60))];
    let route = own_account.quotas(&of_route);
    let rows = [RouteRow { methods: &methods, path: pattern, route }];
    let routes = Routes::new().rows(&rows).otherwise(Otherwise::Need(Route::new().any_of(&all)));

    let key = Issuer::new(formats[0], KeyHasher::sha256()).issue(Some(test)).unwrap();
    let store = tower_api_key::store::MemoryStore::new();
    let record = tower_api_key::key::KeyRecord::builder("key_1", account("acme"));
    let record = record.environment(test).kind(partner).scopes(read).metadata(plan, "gold");
    store.add_now(*key.digest(), record.build().unwrap());
    let builder = ApiKeyLayer::builder(profile, store).routes(routes);
    let gate = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build().unwrap();
    (gate, key)
}

#[tokio::test]
async fn a_gate_outlives_what_it_was_described_with() {
    let (gate, key) = read();
    assert_eq!(format!("{gate:?}"), r#"ApiKeyLayer { profile: "Acme", .. }"#);
    let service = greeting(&gate);

    let refused = send(&service, anonymous(Method::GET, "/orgs/acme")).await;
    let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().collect();
    let basic = r#"Basic realm="acme.example", charset="UTF-8""#;
    assert_eq!(refused.headers()["minute"], "No,_thanks");
    assert_eq!(refused.headers()["plan"].len(), "live".len() + 32);
    assert_eq!(challenges, [r#"ApiKey realm="acme.example", header="x-acme-key""#, basic]);
    assert_eq!(text(refused).await, r#"{"error":{"code":"acme","message":"No,_thanks"}}"#);

    let keyed = |path, version: &str| {
        let mut request = anonymous(Method::GET, path);
        let secret = key.expose();
        request.headers_mut().insert("x-acme-key", secret.parse().unwrap());
        request.headers_mut().insert("acme-version", version.parse().unwrap());
        request
    };
    for (path, version, expected) in [
        ("/orgs/acme", "7", "admitted"),
        ("/orgs/other", "7", "account_mismatch"),
        ("/orgs/acme", "9", "header_refused"),
        ("/elsewhere", "8", "scope_missing"),
        ("/orgs/acme", "8", "admitted"),
        ("/orgs/acme", "8", "rate_limited"),
    ] {
        let response = send(&service, keyed(path, version)).await;
        assert_eq!(reason(&response), expected, "{path} {version}");
        assert_eq!(response.headers()["x-plan"], "gold");
        if expected == "admitted" {
            let policy = r#""minute";q=3;w=60, "minute-of-route";q=2;w=60"#;
            assert_eq!(response.headers()["ratelimit-policy"], policy);
            assert_eq!(response.headers()["vary"], "x-acme-key");
            assert_eq!(text(response).await, "hello acme");
        }
    }
}
