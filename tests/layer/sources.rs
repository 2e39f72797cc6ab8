//! Credentials besides Basic with a documented user, Bearer and one header.

use http::{HeaderName, HeaderValue, Method, Request};
use tower_api_key::key::{Alphabet, KeyFormat};
use tower_api_key::profile::CredentialSource;
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{Service, anonymous, digest, greeting, reason, send, store};

/// A key with characters that Bearer does not have.
const KEY: &str = "12|0123456789abcdef:fx";

const OTHERS: Profile = Profile {
    formats: &[KeyFormat::new().literal("12|").characters(Alphabet::Hex, 16).literal(":fx")],
    ..crate::support::PROFILE
};

fn gate(credentials: &[CredentialSource<'_>]) -> Service {
    let keys = store(|key| key);
    let record = keys.records("acme").first().map(|record| (**record).clone()).unwrap();
    keys.add_now(digest(KEY), record.edit().build().unwrap());
    let profile = Profile { credentials, ..OTHERS };
    greeting(&ApiKeyLayer::builder(profile, keys).build().unwrap())
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
