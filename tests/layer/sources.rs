//! Credentials besides Basic with a documented user, Bearer and one header.

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::{Check, Outcome};
use tower_api_key::key::{Alphabet, KeyFormat, KeyRecord};
use tower_api_key::profile::{BasicKey, CredentialSource};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile};

use crate::support::{
    Service, account, anonymous, digest, greeting, reason, send, store, text, tls,
};

/// A key with characters that Bearer does not have.
const KEY: &str = "12|0123456789abcdef:fx";

const OTHERS: Profile = Profile {
    formats: &[KeyFormat::new().literal("12|").characters(Alphabet::Hex, 16).literal(":fx")],
    ..crate::support::PROFILE
};

/// The profile of the other tests: its keys are letters and digits.
const PLAIN: Profile = crate::support::PROFILE;

fn gate(credentials: &[CredentialSource<'_>]) -> Service {
    let keys = MemoryStore::new();
    let record = KeyRecord::builder("key_1", account("acme")).build().unwrap();
    keys.add_now(digest(KEY), record);
    let profile = Profile { credentials, ..OTHERS };
    greeting(&ApiKeyLayer::builder(profile, keys).build().unwrap())
}

fn plain(credentials: &[CredentialSource<'_>]) -> Service {
    let profile = Profile { credentials, ..PLAIN };
    greeting(&ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap())
}

type Lines<'a> = &'a [(&'static str, &'a str)];

fn with(lines: Lines<'_>) -> Request<()> {
    let mut request = anonymous(Method::GET, "/");
    for (name, value) in lines {
        let name = HeaderName::from_static(name);
        request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    request
}

/// Sends each request, and compares why it is refused.
async fn expect(service: &Service, table: &[(Lines<'_>, &str)]) {
    for (lines, expected) in table {
        let response = send(service, with(lines)).await;
        assert_eq!(reason(&response), *expected, "{lines:?}");
    }
}

#[tokio::test]
async fn a_scheme_of_any_name_carries_a_key() {
    let auth = "authorization";
    let scheme = gate(&[CredentialSource::scheme("DeepL-Auth-Key")]);
    expect(
        &scheme,
        &[
            (&[(auth, "DeepL-Auth-Key 12|0123456789abcdef:fx")], "admitted"),
            (&[(auth, "deepl-auth-key   12|0123456789abcdef:fx")], "admitted"),
            (&[(auth, "DeepL-Auth-Key 12|0123456789abcdee:fx")], "key_unknown"),
            (&[(auth, "DeepL-Auth-Key 12|0123456789abcdef")], "key_malformed"),
            (&[(auth, "DeepL-Auth-Key 12|0123456789abcdef:fx ,")], "credentials_malformed"),
            (&[(auth, "DeepL-Auth-Key")], "credentials_malformed"),
            (&[(auth, "DeepL-Auth-Key:12|0123456789abcdef:fx")], "credentials_malformed"),
            (&[(auth, "Bearer 12|0123456789abcdef:fx")], "scheme_unsupported"),
            (&[(auth, "DeepL-Auth 12|0123456789abcdef:fx")], "scheme_unsupported"),
            (&[(auth, KEY)], "credentials_malformed"),
            (&[(auth, "DeepL-Auth-Key a"), (auth, "DeepL-Auth-Key a")], "credentials_ambiguous"),
            (&[], "credentials_missing"),
        ],
    )
    .await;
    let refused = send(&scheme, with(&[])).await;
    assert_eq!(refused.headers()["www-authenticate"], r#"DeepL-Auth-Key realm="test""#);
    let passed = send(&scheme, with(&[(auth, "DeepL-Auth-Key 12|0123456789abcdef:fx")])).await;
    assert!(passed.headers().is_empty(), "caches know Authorization: {:?}", passed.headers());
}

#[tokio::test]
async fn a_wide_bearer_token_has_any_visible_ascii() {
    let auth = "authorization";
    let wide = gate(&[CredentialSource::wide_bearer()]);
    expect(
        &wide,
        &[
            (&[(auth, "Bearer 12|0123456789abcdef:fx")], "admitted"),
            (&[(auth, "bearer  12|0123456789abcdef:fx")], "admitted"),
            (&[(auth, "Bearer 12|0123456789abcdef:fx ")], "credentials_malformed"),
            (&[(auth, "Bearer 12|0123456789abcdef:fx, Bearer a")], "credentials_malformed"),
            (&[(auth, "Bearer 12|0123456789abcdef:fé")], "credentials_malformed"),
            (&[(auth, "Bearer ")], "credentials_malformed"),
            (&[(auth, "Bearer 12|0123456789abcde:fx")], "key_malformed"),
        ],
    )
    .await;
    let refused = send(&wide, with(&[(auth, "Bearer 12|0123456789abcdee:fx")])).await;
    assert_eq!(
        refused.headers()["www-authenticate"],
        r#"Bearer realm="test", error="invalid_token""#
    );
}

fn encoded(scheme: &str, pair: &str) -> String {
    format!("{scheme} {}", STANDARD.encode(pair))
}

/// Sends each pair under a scheme, and compares why it is refused.
async fn expect_pairs(service: &Service, scheme: &str, table: &[(&str, &str)]) {
    for (pair, expected) in table {
        let line = encoded(scheme, pair);
        let response = send(service, with(&[("authorization", &line)])).await;
        assert_eq!(reason(&response), *expected, "{scheme} {pair:?}");
    }
}

const UNREADABLE: &str = "credentials_malformed";

#[tokio::test]
async fn a_user_name_is_a_key_with_any_password() {
    let user = plain(&[CredentialSource::basic(BasicKey::UserName)]);
    let rows = [
        ("key_0123456789abcdef:", "admitted"),
        ("key_0123456789abcdef:X", "admitted"),
        ("key_0123456789abcdef:a:b:", "admitted"),
        ("key_0123456789abcdef: é", "admitted"),
        ("key_0123456789abcdef", UNREADABLE),
        ("key_0123456789abcdef:\n", UNREADABLE),
        (":key_0123456789abcdef", UNREADABLE),
        ("X:key_0123456789abcdef", "key_malformed"),
        ("", UNREADABLE),
        (":", UNREADABLE),
    ];
    expect_pairs(&user, "Basic", &rows).await;
    let refused = send(&user, with(&[])).await;
    assert_eq!(refused.headers()["www-authenticate"], r#"Basic realm="test", charset="UTF-8""#);
}

#[tokio::test]
async fn an_id_beside_the_secret_is_the_keys() {
    let rows = [
        ("key_1:key_0123456789abcdef", "admitted"),
        ("key_2:key_0123456789abcdef", "key_unknown"),
        ("KEY_1:key_0123456789abcdef", "key_unknown"),
        ("key_1 :key_0123456789abcdef", "key_unknown"),
        ("acme:key_0123456789abcdef", "key_unknown"),
        ("key_1:key_0123456789abcdee", "key_unknown"),
        (":key_0123456789abcdef", UNREADABLE),
        ("key_0123456789abcdef:", UNREADABLE),
        ("key_1key_0123456789abcdef", UNREADABLE),
        ("key_1:", UNREADABLE),
        ("key_1::key_0123456789abcdef", "key_malformed"),
    ];
    let basic = plain(&[CredentialSource::basic(BasicKey::SecretOfId)]);
    expect_pairs(&basic, "Basic", &rows).await;
    let encoded = plain(&[CredentialSource::pair("ApiKey", BasicKey::SecretOfId)]);
    expect_pairs(&encoded, "ApiKey", &rows).await;
    expect_pairs(&encoded, "apikey ", &rows).await;
    expect_pairs(&encoded, "Basic", &[("key_1:key_0123456789abcdef", "scheme_unsupported")]).await;
    let refused = send(&encoded, with(&[])).await;
    assert_eq!(refused.headers()["www-authenticate"], r#"ApiKey realm="test""#);
}

#[tokio::test]
async fn an_id_and_a_secret_come_in_two_headers() {
    let (id, secret) = ("x-key-id", "x-key-secret");
    let two = plain(&[CredentialSource::id_and_secret("X-Key-Id", "X-Key-Secret")]);
    let own = "key_0123456789abcdef";
    expect(
        &two,
        &[
            (&[(id, "key_1"), (secret, own)], "admitted"),
            (&[(secret, own), (id, "key_1")], "admitted"),
            (&[(id, "key_2"), (secret, own)], "key_unknown"),
            (&[(id, "key_1"), (secret, "key_0123456789abcdee")], "key_unknown"),
            (&[(id, own), (secret, "key_1")], "key_malformed"),
            (&[(secret, own)], UNREADABLE),
            (&[(id, "key_1")], UNREADABLE),
            (&[(id, ""), (secret, own)], UNREADABLE),
            (&[(id, "key_1 "), (secret, own)], UNREADABLE),
            (&[(id, "key_1"), (secret, "")], UNREADABLE),
            (&[(id, "key_1"), (id, "key_1"), (secret, own)], "credentials_ambiguous"),
            (&[(id, "key_1"), (secret, own), (secret, own)], "credentials_ambiguous"),
            (&[], "credentials_missing"),
        ],
    )
    .await;
    let refused = send(&two, with(&[])).await;
    let challenge = r#"ApiKey realm="test", id-header="x-key-id", header="x-key-secret""#;
    assert_eq!(refused.headers()["www-authenticate"], challenge);
    let passed = send(&two, with(&[(id, "key_1"), (secret, own)])).await;
    assert_eq!(passed.headers()["cache-control"], "private");
    let vary: Vec<_> = passed.headers().get_all("vary").iter().collect();
    assert_eq!(vary, [secret, id]);
}

#[tokio::test]
async fn equal_keys_in_two_sources_count_once() {
    let (auth, own) = ("authorization", "x-api-key");
    let bearer = CredentialSource::bearer();
    let header = CredentialSource::header(own);
    let ambiguous = "credentials_ambiguous";
    let key = "key_0123456789abcdef";
    let both =
        plain(&[bearer.allow_equal(), header.allow_equal(), CredentialSource::header("x-third")]);
    let good = "Bearer key_0123456789abcdef";
    expect(
        &both,
        &[
            (&[(auth, good), (own, key)], "admitted"),
            (&[(own, key)], "admitted"),
            (&[(auth, good)], "admitted"),
            (&[("x-third", key)], "admitted"),
            (&[(auth, good), (own, "key_0123456789abcdee")], ambiguous),
            (&[(auth, "Bearer key_0123456789abcdee"), (own, key)], ambiguous),
            (&[(auth, good), (own, "")], ambiguous),
            (&[(auth, good), (own, "key_0123456789abcdef ")], ambiguous),
            (&[(auth, "Digest key_0123456789abcdef"), (own, key)], ambiguous),
            (&[(auth, ""), (own, key)], ambiguous),
            (&[(auth, good), (auth, good), (own, key)], ambiguous),
            (&[(auth, good), (own, key), (own, key)], ambiguous),
            (&[(own, key), (own, key)], ambiguous),
            (&[(auth, good), ("x-third", key)], ambiguous),
            (&[(own, key), ("x-third", key)], ambiguous),
            (&[(auth, good), (own, key), ("x-third", key)], ambiguous),
            (
                &[(auth, "Bearer key_0123456789abcdee"), (own, "key_0123456789abcdee")],
                "key_unknown",
            ),
        ],
    )
    .await;
    let passed = send(&both, with(&[(auth, good), (own, key)])).await;
    assert_eq!(passed.headers()["cache-control"], "private");
    assert_eq!(passed.headers()["vary"], own);
    let one = plain(&[bearer, header]);
    expect(&one, &[(&[(auth, good), (own, key)], ambiguous)]).await;
}

#[tokio::test]
async fn equal_pairs_have_equal_ids() {
    let (auth, id, secret) = ("authorization", "x-id", "x-secret");
    let pair = CredentialSource::basic(BasicKey::SecretOfId).allow_equal();
    let both = plain(&[pair, CredentialSource::id_and_secret(id, secret).allow_equal()]);
    let key = "key_0123456789abcdef";
    let own = encoded("Basic", "key_1:key_0123456789abcdef");
    let other = encoded("Basic", "key_2:key_0123456789abcdef");
    let ambiguous = "credentials_ambiguous";
    expect(
        &both,
        &[
            (&[(auth, &own), (id, "key_1"), (secret, key)], "admitted"),
            (&[(auth, &other), (id, "key_2"), (secret, key)], "key_unknown"),
            (&[(auth, &other), (id, "key_1"), (secret, key)], ambiguous),
            (&[(auth, &own), (id, "key_2"), (secret, key)], ambiguous),
            (&[(auth, &own), (id, "key_1")], ambiguous),
            (&[(auth, &own), (secret, key)], ambiguous),
        ],
    )
    .await;
}

#[tokio::test]
async fn both_headers_of_a_pair_are_sensitive_and_can_be_removed() {
    let credentials = &[CredentialSource::id_and_secret("x-key-id", "x-key-secret")];
    let build = || ApiKeyLayer::builder(Profile { credentials, ..PLAIN }, store(|key| key));
    for (layer, expected) in [
        (build().build().unwrap(), [Some(true); 2]),
        (build().strip_credential().build().unwrap(), [None; 2]),
    ] {
        let service = layer.layer(service_fn(move |request: Request<()>| async move {
            let seen = ["x-key-id", "x-key-secret"]
                .map(|name| request.headers().get(name).map(HeaderValue::is_sensitive));
            assert_eq!(seen, expected);
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let pair = with(&[("x-key-id", "key_1"), ("x-key-secret", "key_0123456789abcdef")]);
        assert_eq!(reason(&service.oneshot(pair).await.unwrap()), "admitted");
    }
}

/// A wrong id and an unknown key have one answer, also where the key is revoked.
#[tokio::test]
async fn a_wrong_id_says_nothing_of_the_key() {
    let keys = store(|key| key.revoked(true));
    let credentials = &[CredentialSource::basic(BasicKey::SecretOfId)];
    let layer = ApiKeyLayer::builder(Profile { credentials, ..PLAIN }, keys).build().unwrap();
    let service = greeting(&layer);
    let mut answers = Vec::new();
    for pair in ["key_2:key_0123456789abcdef", "key_1:key_0123456789abcdee"] {
        let response = send(&service, with(&[("authorization", &encoded("Basic", pair))])).await;
        assert_eq!(reason(&response), "key_unknown", "{pair}");
        answers.push((response.status(), response.headers().clone(), text(response).await));
    }
    assert_eq!(answers[0], answers[1]);
    let own =
        send(&service, with(&[("authorization", &encoded("Basic", "key_1:key_0123456789abcdef"))]));
    assert_eq!(reason(&own.await), "key_revoked");
}

#[test]
fn the_id_has_a_row_of_its_own() {
    let credentials = &[CredentialSource::basic(BasicKey::SecretOfId)];
    let keys = store(|key| key);
    let record = keys.records("acme").first().map(|record| (**record).clone()).unwrap();
    let layer = ApiKeyLayer::builder(Profile { credentials, ..PLAIN }, keys).build().unwrap();
    for (pair, outcome) in [
        ("key_1:key_0123456789abcdef", Outcome::Passed),
        ("key_2:key_0123456789abcdef", Outcome::Refused(Denial::KeyUnknown)),
    ] {
        let request = with(&[("authorization", &encoded("Basic", pair))]);
        let explanation = layer.explain(&request, tls(), Some(&record), Timestamp::default());
        assert_eq!(explanation.outcome(Check::KeyFound), &Outcome::Passed);
        assert_eq!(explanation.outcome(Check::PresentedId), &outcome);
    }
}

#[tokio::test]
async fn two_schemes_carry_one_key() {
    let auth = "authorization";
    let either = gate(&[CredentialSource::scheme("Token"), CredentialSource::scheme("ApiKey")]);
    expect(
        &either,
        &[
            (&[(auth, "token 12|0123456789abcdef:fx")], "admitted"),
            (&[(auth, "ApiKey 12|0123456789abcdef:fx")], "admitted"),
            (&[(auth, "ApiKey a"), (auth, "Token a")], "credentials_ambiguous"),
            (&[(auth, "ApiKey 12|0123456789abcdef:fx, Token a")], "credentials_malformed"),
        ],
    )
    .await;
}
