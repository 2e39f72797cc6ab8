//! Challenges that a profile or a row lists itself.

use http::Method;
use tower_api_key::profile::{
    Answer, Answers, Challenge, CredentialSource, ErrorBody, SchemeChallenge,
};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile};

use crate::support::{PROFILE, greeting, request, send, store};

const BASIC: SchemeChallenge = SchemeChallenge::new("Basic").parameters(&[("charset", "UTF-8")]);
const BEARER: SchemeChallenge = SchemeChallenge::new("Bearer");
const BARE: SchemeChallenge = SchemeChallenge::new("ApiKey").without_realm();
const DETAILS: SchemeChallenge = SchemeChallenge::new("bearer").parameters(&[
    ("error_description", "No such key."),
    ("error_uri", "https://example.com/errors#key"),
    ("resource_metadata", "https://example.com/.well-known/oauth-protected-resource"),
]);

fn lines(layer: &ApiKeyLayer, denial: &Denial) -> Vec<String> {
    let answer = layer.answer(denial);
    let lines = answer.headers().get_all("www-authenticate").iter();
    lines.map(|line| line.to_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_replaces_the_challenges_of_the_sources() {
    let no = ErrorBody::Error("No.");
    let invalid = Answer::of_code(401, no).challenge(Challenge::InvalidToken);
    let described = r#"bearer realm="test", error="invalid_token", error_description="No such key.", error_uri="https://example.com/errors#key", resource_metadata="https://example.com/.well-known/oauth-protected-resource""#;
    let basic = r#"Basic realm="test", charset="UTF-8""#;
    for (listed, answer, expected) in [
        (
            &[][..],
            invalid,
            &[
                r#"Bearer realm="test", error="invalid_token""#,
                r#"ApiKey realm="test", header="x-api-key""#,
            ][..],
        ),
        (
            &[BASIC, BEARER, BARE],
            invalid,
            &[basic, r#"Bearer realm="test", error="invalid_token""#, "ApiKey"],
        ),
        (&[DETAILS], invalid, &[described]),
        // Of a row, with and without an error.
        (&[BASIC], invalid.challenges(&[DETAILS, BARE]), &[described, "ApiKey"]),
        (&[], Answer::of_code(401, no).challenges(&[BASIC]), &[basic]),
        // Other statuses: the Bearer lines of the profile, and all lines of a row.
        (&[BASIC, BEARER], Answer::of_code(403, no), &[]),
        (
            &[BASIC, BEARER],
            Answer::of_code(403, no).challenge(Challenge::InvalidToken),
            &[r#"Bearer realm="test", error="invalid_token""#],
        ),
        (&[BEARER], Answer::of_code(403, no).challenges(&[BARE]), &["ApiKey"]),
    ] {
        let answers = Answers { key_unknown: answer, ..PROFILE.answers };
        let profile = Profile { challenges: listed, answers, ..PROFILE };
        let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap();
        assert_eq!(lines(&layer, &Denial::KeyUnknown), expected, "{answer:?}");
    }
}

/// The scopes go to each challenge for Bearer, other challenges stay, and a scope of the vendor's own stays alone.
#[tokio::test]
async fn rfc6750_3_scopes_are_added_to_the_listed_challenges() {
    const OWN: SchemeChallenge = BEARER.parameters(&[("scope", "all")]);
    let plain = BEARER.without_realm();
    for (status, listed, expected) in [
        (
            403,
            &[BASIC, plain][..],
            &[r#"Bearer error="insufficient_scope", scope="users.read users.write""#][..],
        ),
        (
            401,
            &[BARE, BEARER],
            &[
                "ApiKey",
                r#"Bearer realm="test", error="insufficient_scope", scope="users.read users.write""#,
            ],
        ),
        (403, &[OWN], &[r#"Bearer realm="test", error="insufficient_scope", scope="all""#]),
    ] {
        let row = Answer::of_code(status, ErrorBody::Error("No."))
            .challenge(Challenge::InsufficientScope);
        let answers = Answers { scope_missing: row, ..PROFILE.answers };
        let profile = Profile { challenges: listed, answers, ..PROFILE };
        let routes = Routes::new().get("/", Route::new().all_of(&["users.read", "users.write"]));
        let builder = ApiKeyLayer::builder(profile, store(|key| key)).routes(routes);
        let response = send(&greeting(&builder.build().unwrap()), request(Method::GET, "/")).await;
        assert_eq!(response.status(), status);
        let found: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
        assert_eq!(found, expected);
    }
}

/// A vendor whose only source is Basic may still answer 401 to a missing scope, with all of its challenges.
#[tokio::test]
async fn a_401_keeps_every_challenge_when_it_names_scopes() {
    let row = Answer::of_code(401, ErrorBody::Error("No.")).challenge(Challenge::InsufficientScope);
    let answers = Answers { scope_missing: row, ..PROFILE.answers };
    let sources = [CredentialSource::bearer(), CredentialSource::header("x-api-key")];
    let profile = Profile { credentials: &sources, answers, ..PROFILE };
    let routes = Routes::new().get("/", Route::new().all_of(&["users.read"]));
    let layer = ApiKeyLayer::builder(profile, store(|key| key)).routes(routes).build().unwrap();
    let response = send(&greeting(&layer), request(Method::GET, "/")).await;
    let found: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
    let bearer = r#"Bearer realm="test", error="insufficient_scope", scope="users.read""#;
    assert_eq!(found, [bearer, r#"ApiKey realm="test", header="x-api-key""#]);
}

#[test]
fn challenges_that_break_a_grammar_are_refused() {
    const fn with(parameters: &'static [(&'static str, &'static str)]) -> SchemeChallenge<'static> {
        SchemeChallenge::new("Bearer").parameters(parameters)
    }
    for (challenge, words) in [
        (with(&[("title", "a \"b\" \\ c"), ("empty", "")]), &[][..]),
        (with(&[("error", "invalid_target")]), &["error", "Challenge::Bare"]),
        (with(&[("scope", "a b")]), &[]),
        (SchemeChallenge::new(""), &["scheme"]),
        (SchemeChallenge::new("Api Key"), &["Api Key", "token"]),
        (SchemeChallenge::new("Basic,"), &["Basic,"]),
        (SchemeChallenge::new("a\r\nb"), &["a\\r\\nb"]),
        (with(&[("", "x")]), &["token"]),
        (with(&[("a b", "x")]), &["Bearer a b", "token"]),
        (with(&[("a", "x"), ("A", "y")]), &["Bearer A", "twice"]),
        (with(&[("a", "x\ny")]), &["Bearer a", "header"]),
        (with(&[("a", "caf\u{e9}")]), &["Bearer a", "visible ASCII"]),
        (with(&[("realm", "x")]), &["`realm`"]),
        (with(&[("error_description", "a \"b\"")]), &["error_description", "RFC 6750"]),
        (with(&[("error_description", "")]), &["error_description"]),
        (with(&[("error_uri", "a b")]), &["error_uri", "URI"]),
        (with(&[("scope", "a  b")]), &["scope", "blank"]),
        (with(&[("scope", "")]), &["scope"]),
        (with(&[("resource_metadata", "http://example.com")]), &["https", "RFC 9728"]),
        (with(&[("Resource_Metadata", "https://a b")]), &["RFC 9728"]),
    ] {
        let row = Answer::of_code(401, ErrorBody::Error("No.")).challenge(Challenge::InvalidToken);
        let listed = [challenge];
        let answers = Answers { key_expired: row.challenges(&listed), ..PROFILE.answers };
        let of_row = Profile { answers, ..PROFILE };
        let of_profile = Profile { challenges: &listed, ..PROFILE };
        for (profile, row) in [(of_row, Some(&"`key_expired`")), (of_profile, None)] {
            let built = ApiKeyLayer::builder(profile, MemoryStore::new()).build();
            let complaint = built.err().map(|error| error.to_string());
            assert_eq!(complaint.is_none(), words.is_empty(), "{challenge:?}: {complaint:?}");
            let row = row.filter(|_| complaint.is_some());
            for word in words.iter().chain(row) {
                let complaint = complaint.as_deref().unwrap();
                assert!(complaint.contains(word), "`{complaint}` says nothing of `{word}`");
            }
        }
    }
    let twice = Profile { challenges: &[BEARER, BEARER], ..PROFILE };
    let error = ApiKeyLayer::builder(twice, MemoryStore::new()).build().unwrap_err().to_string();
    assert!(error.contains("`Bearer`: it is listed twice"), "{error}");
}
