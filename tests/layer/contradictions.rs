//! What can never serve fails in `build()`, with an error that names the field, the value and the remedy.

use std::time::Duration;

use http::Method;
use tower_api_key::key::{Alphabet, KeyFormat};
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::profile::{
    BasicKey, CredentialSource, Expected, LimitHeaders, PrincipalHeader, PrincipalValue,
    RequiredHeader,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Preflight, Profile, vendors};

use crate::support::{KEY, PROFILE, greeting, reason, request, send, store};

fn builder(profile: &Profile) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(*profile, MemoryStore::new())
}

/// Returns what `build` complains of; nothing if it builds.
fn complaint(builder: ApiKeyLayerBuilder) -> Option<String> {
    builder.build().err().map(|error| error.to_string())
}

fn of_profile(profile: &Profile) -> Option<String> {
    complaint(builder(profile))
}

fn of_route(pattern: &str, route: Route) -> Option<String> {
    complaint(builder(&PROFILE).routes(Routes::new().on(&[], pattern, route)))
}

/// Holds a complaint to all the words that it has to name; without words it must build.
fn expect(case: &str, complaint: Option<&str>, words: &[&str]) {
    match (complaint, words) {
        (None, []) => {}
        (None, _) => panic!("{case} builds"),
        (Some(complaint), []) => panic!("{case} does not build: {complaint}"),
        (Some(complaint), words) => {
            for word in words {
                assert!(complaint.contains(word), "{case}: `{complaint}` says nothing of `{word}`");
            }
        }
    }
}

const BEARER: &[CredentialSource] = &[CredentialSource::bearer()];
const WIDE: &[CredentialSource] = &[CredentialSource::wide_bearer()];
const OWN: &[CredentialSource] = &[CredentialSource::header("x-api-key")];
const API: &[CredentialSource] = &[CredentialSource::basic(BasicKey::PasswordOf("api"))];
const COLON: &[CredentialSource] = &[CredentialSource::basic(BasicKey::PasswordOf("a:b"))];
const USER: &[CredentialSource] = &[CredentialSource::basic(BasicKey::UserName)];
const ID_AND_SECRET: &[CredentialSource] =
    &[CredentialSource::pair("ApiKey", BasicKey::SecretOfId)];
const EITHER: &[CredentialSource] = &[CredentialSource::basic(BasicKey::UserOrPassword)];
const BEARER_OR_OWN: &[CredentialSource] =
    &[CredentialSource::bearer(), CredentialSource::header("x-api-key")];

const fn after(literal: &'static str) -> KeyFormat<'static> {
    KeyFormat::new().literal(literal).characters(Alphabet::Base62, 40)
}

#[test]
fn a_source_that_no_client_can_use_is_refused() {
    const SCHEME: CredentialSource = CredentialSource::scheme("Token");
    for (credentials, words) in [
        (&[SCHEME][..], &[][..]),
        (&[CredentialSource::scheme("")], &["CredentialSource::scheme", "name of a scheme"]),
        (&[CredentialSource::scheme("Api Key")], &["Api Key", "name of a scheme"]),
        (&[CredentialSource::scheme("Token:")], &["Token:", "without spaces"]),
        (&[CredentialSource::scheme("basic")], &["CredentialSource::basic"]),
        (&[CredentialSource::scheme("bearer")], &["CredentialSource::bearer"]),
        (&[CredentialSource::id_and_secret("x-id", "x-key")], &[]),
        (&[CredentialSource::id_and_secret("x-key", "X-Key")], &["x-key", "twice"]),
        (&[CredentialSource::id_and_secret("host", "x-key")], &["host", "x-api-key"]),
        (&[CredentialSource::id_and_secret("x id", "x-key")], &["x id"]),
        (
            &[CredentialSource::id_and_secret("x-id", "x-key"), CredentialSource::header("x-id")],
            &["x-id", "twice"],
        ),
        (&[SCHEME.allow_equal(), OWN[0].allow_equal()], &[]),
        (&[SCHEME.allow_equal(), OWN[0]], &["allow_equal", "scheme(\"Token\")", "Authorization"]),
        (&[SCHEME.allow_equal(), BEARER[0].allow_equal()], &["allow_equal", "Authorization"]),
        (&[SCHEME.allow_equal(), OWN[0].only(&["partner"]).allow_equal()], &["kinds", "only"]),
        (
            &[SCHEME.allow_equal(), CredentialSource::id_and_secret("x", "y").allow_equal()],
            &["id_and_secret", "allow_equal"],
        ),
        (&[CredentialSource::pair("b c", BasicKey::UserName)], &["CredentialSource::pair", "b c"]),
        (&[CredentialSource::pair("Basic", BasicKey::UserName)], &["CredentialSource::basic"]),
        (&[SCHEME, CredentialSource::pair("token", BasicKey::UserName)], &["token", "twice"]),
        (&[SCHEME, CredentialSource::scheme("TOKEN")], &["TOKEN", "twice"]),
        (&[CredentialSource::bearer(), CredentialSource::wide_bearer()], &["Bearer", "twice"]),
        (&[SCHEME, CredentialSource::header("authorization")], &["authorization", "twice"]),
    ] {
        let found = of_profile(&Profile { credentials, ..PROFILE });
        expect(&format!("{credentials:?}"), found.as_deref(), words);
    }
}

#[test]
fn a_format_that_no_source_carries_is_refused() {
    const HEX: &[KeyFormat] = &[KeyFormat::hex(40)];
    const PIPE: &[KeyFormat] = &[after("12|")];
    const AND_PIPE: &[KeyFormat] = &[KeyFormat::hex(40), after("12|")];
    const SCHEME: &[KeyFormat] = &[after("secret-token:")];
    const TAG: &[KeyFormat] = &[KeyFormat::new()
        .literal("k_")
        .environment(&["live", "te$t"])
        .characters(Alphabet::Hex, 40)];
    const PADDED: &[KeyFormat] = &[KeyFormat::new().characters(Alphabet::Base62, 40).literal("==")];
    const PADDED_WITHIN: &[KeyFormat] = &[after("a=")];
    const PADDED_PERHAPS: &[KeyFormat] =
        &[KeyFormat::new().literal("abc=").between(Alphabet::Base62, 0, 9)];
    const LONG: &[KeyFormat] = &[KeyFormat::new().between(Alphabet::Token, 600, 800)];
    const LONGER_THAN_MOST: &[KeyFormat] = &[KeyFormat::new().between(Alphabet::Token, 16, 800)];
    const TO_THE_BYTE: &[KeyFormat] = &[KeyFormat::hex(512)];
    const BEYOND: &[KeyFormat] = &[KeyFormat::hex(513)];
    // `api:` and 380 digits are 384 bytes, 512 in base64.
    const BASIC_TO_THE_BYTE: &[KeyFormat] = &[KeyFormat::hex(380)];
    const BASIC_BEYOND: &[KeyFormat] = &[KeyFormat::hex(381)];
    const HEX_383: &[KeyFormat] = &[KeyFormat::hex(383)];
    const VARYING: &[KeyFormat] = &[KeyFormat::new().between(Alphabet::Hex, 20, 40).checksum()];
    const NOTHING: &[KeyFormat] = &[KeyFormat::new().literal("")];
    const LINE: &[CredentialSource] = &[CredentialSource::basic(BasicKey::PasswordOf("a\nb"))];
    const COLON_TOO: &[CredentialSource] =
        &[CredentialSource::bearer(), CredentialSource::basic(BasicKey::PasswordOf("a:b"))];
    let beyond = "512 bytes";
    for (credentials, formats, words) in [
        (BEARER, HEX, &[][..]),
        (BEARER, PIPE, &["formats", r"12\|[0-9A-Za-z]{40}", "Bearer", "`=`", "header"]),
        (WIDE, PIPE, &[]),
        (BEARER, AND_PIPE, &[r"12\|"]),
        (OWN, PIPE, &[]),
        (API, PIPE, &[]),
        (BEARER_OR_OWN, PIPE, &[]),
        (BEARER, SCHEME, &["secret-token"]),
        (API, SCHEME, &[]),
        (EITHER, SCHEME, &["`:`", "PasswordOf"]),
        (EITHER, PIPE, &[]),
        (USER, SCHEME, &["BasicKey::UserName", "`:`", "PasswordOf"]),
        (USER, PIPE, &[]),
        (ID_AND_SECRET, SCHEME, &[]),
        (ID_AND_SECRET, BASIC_BEYOND, &[]),
        (ID_AND_SECRET, HEX_383, &[beyond, "ApiKey", "SecretOfId"]),
        (BEARER, TAG, &[r"te\$t"]),
        (OWN, TAG, &[]),
        (BEARER, PADDED, &[]),
        (BEARER, PADDED_WITHIN, &["`=`"]),
        (BEARER, PADDED_PERHAPS, &[]),
        (BEARER, LONG, &["[0-9A-Za-z._~+/-]{600,800}", beyond]),
        (OWN, LONG, &[beyond]),
        (BEARER, LONGER_THAN_MOST, &[]),
        (BEARER, TO_THE_BYTE, &[]),
        (OWN, TO_THE_BYTE, &[]),
        (BEARER, BEYOND, &[beyond]),
        (API, BASIC_TO_THE_BYTE, &[]),
        (API, BASIC_BEYOND, &[beyond, "base64"]),
        (BEARER, NOTHING, &["formats"]),
        (BEARER, VARYING, &["formats", "[0-9A-Fa-f]{20,40}", "only the last segment"]),
        (COLON, HEX, &["a:b", "`:`", "PasswordOf"]),
        (COLON_TOO, HEX, &["a:b", "`:`"]),
        (LINE, HEX, &[r"a\nb", "control"]),
    ] {
        let found = of_profile(&Profile { credentials, formats, ..PROFILE });
        expect(&format!("{credentials:?} {formats:?}"), found.as_deref(), words);
    }
}

#[test]
fn sources_that_read_the_same_field_are_refused() {
    const TWICE: &[CredentialSource] = &[CredentialSource::bearer(), CredentialSource::bearer()];
    const BASICS: &[CredentialSource] = &[
        CredentialSource::basic(BasicKey::PasswordOf("api")),
        CredentialSource::basic(BasicKey::UserOrPassword),
    ];
    const BOTH: &[CredentialSource] =
        &[CredentialSource::bearer(), CredentialSource::basic(BasicKey::UserOrPassword)];
    const WHOLE: &[CredentialSource] =
        &[CredentialSource::bearer(), CredentialSource::header("authorization")];
    const WHOLE_BASIC: &[CredentialSource] = &[
        CredentialSource::header("Authorization"),
        CredentialSource::basic(BasicKey::UserOrPassword),
    ];
    const ALONE: &[CredentialSource] = &[CredentialSource::header("AUTHORIZATION")];
    const CASES: &[CredentialSource] =
        &[CredentialSource::header("X-Key"), CredentialSource::header("x-key")];
    const FRAMING: &[CredentialSource] = &[CredentialSource::header("Content-Length")];
    const SPACE: &[CredentialSource] = &[CredentialSource::header("x key")];
    const KIND: &[CredentialSource] = &[CredentialSource::bearer().only(&["two words"])];
    for (credentials, words) in [
        (TWICE, &["credentials", "Bearer"][..]),
        (BASICS, &["credentials", "Basic"]),
        (BOTH, &[]),
        (WHOLE, &["credentials", "authorization"]),
        (WHOLE_BASIC, &["credentials", "authorization"]),
        (ALONE, &[]),
        (CASES, &["credentials", "x-key"]),
        (FRAMING, &["credentials", "content-length"]),
        (SPACE, &["credentials", "x key"]),
        (KIND, &["credentials", "two words"]),
    ] {
        let found = of_profile(&Profile { credentials, ..PROFILE });
        expect(&format!("{credentials:?}"), found.as_deref(), words);
    }
}

#[tokio::test]
async fn header_names_are_taken_in_any_case() {
    const KEYS: &[CredentialSource] = &[CredentialSource::header("X-Api-KEY")];
    const NEEDED: &[RequiredHeader] =
        &[RequiredHeader { name: "Api-Version", expected: Expected::OneOf(&["1"]) }];
    const SAID: &[PrincipalHeader] =
        &[PrincipalHeader { name: "X-Account", value: PrincipalValue::Account }];
    let profile =
        Profile { credentials: KEYS, required_headers: NEEDED, principal_headers: SAID, ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap();
    let mut asked = request(Method::GET, "/");
    asked.headers_mut().remove("authorization");
    asked.headers_mut().insert("x-api-key", KEY.parse().unwrap());
    asked.headers_mut().insert("api-version", "1".parse().unwrap());
    let response = send(&greeting(&layer), asked).await;
    assert_eq!(reason(&response), "admitted");
    assert_eq!(response.headers()["x-account"], "acme");
}

#[test]
fn required_headers_that_nobody_can_send_are_refused() {
    use Expected::{Date, MediaType, OneOf, Present};
    const fn x(expected: Expected<'static>) -> RequiredHeader<'static> {
        RequiredHeader { name: "x-version", expected }
    }
    const fn named(name: &'static str, expected: Expected<'static>) -> RequiredHeader<'static> {
        RequiredHeader { name, expected }
    }
    const JSON: Expected = MediaType("application/json");
    const DEMANDED: &[RequiredHeader] = &[named("x-api-key", Present)];
    for (headers, words) in [
        (&[x(OneOf(&["1"])), x(OneOf(&["1", "2"]))][..], &[][..]),
        (&[x(OneOf(&["1"])), x(OneOf(&["2"]))], &["required_headers", "x-version", "2"]),
        (&[x(OneOf(&["1"])), named("X-Version", OneOf(&["2"]))], &["x-version"]),
        (&[x(OneOf(&["1", "2"])), x(OneOf(&["2", "3"])), x(OneOf(&["1", "3"]))], &["x-version"]),
        (&[x(OneOf(&[]))], &["x-version", "Present"]),
        (&[x(OneOf(&["1 "]))], &["x-version", "`1 `", "white space"]),
        (&[x(OneOf(&["2", "\t1"]))], &["x-version", r"`\t1`"]),
        (&[x(OneOf(&[""]))], &["x-version", "empty"]),
        (&[x(OneOf(&["a\nb"]))], &["x-version", r"a\nb"]),
        (&[x(OneOf(&["a\u{7f}b"]))], &["x-version", r"a\u{7f}b"]),
        (&[x(OneOf(&["é"]))], &[]),
        (&[x(JSON), x(MediaType("Application/JSON"))], &[]),
        (&[x(JSON), x(MediaType("text/plain"))], &["x-version", "text/plain"]),
        (&[x(JSON), x(Date)], &["x-version"]),
        (&[x(JSON), x(Present)], &[]),
        (&[x(Date), x(OneOf(&["2024-02-08"]))], &[]),
        (&[x(Date), x(OneOf(&["latest"]))], &["x-version"]),
        (&[x(OneOf(&["text/plain; a=b"])), x(MediaType("text/plain"))], &[]),
        (&[x(MediaType("application/json; charset=utf-8"))], &["x-version", "charset", "without"]),
        (&[x(MediaType("json"))], &["x-version", "`json`", "type/subtype"]),
        (&[x(MediaType("application/*"))], &["x-version", "application/*"]),
        (&[x(MediaType(""))], &["x-version"]),
        (&[named("x version", Present)], &["required_headers", "x version"]),
        (&[named("", Present)], &["required_headers"]),
        (&[named("X-Api-Key", Present)], &["required_headers", "x-api-key", "credential"]),
        (&[named("authorization", OneOf(&["1"]))], &["required_headers", "authorization"]),
    ] {
        let found = of_profile(&Profile { required_headers: headers, ..PROFILE });
        expect(&format!("{headers:?}"), found.as_deref(), words);
    }
    // The only source may be demanded, too: it is there.
    let profile = Profile { credentials: OWN, required_headers: DEMANDED, ..PROFILE };
    expect("the credential", of_profile(&profile).as_deref(), &[]);
}

#[test]
fn principal_headers_that_cannot_be_written_are_refused() {
    use PrincipalValue::{Account, KeyId, Metadata, RequestId};
    const fn x(value: PrincipalValue) -> PrincipalHeader {
        PrincipalHeader { name: "x-said", value }
    }
    const fn named(name: &'static str) -> PrincipalHeader<'static> {
        PrincipalHeader { name, value: Account }
    }
    for (headers, words) in [
        (&[x(Account), named("x-other")][..], &[][..]),
        (
            &[x(Account), PrincipalHeader { name: "X-Said", value: KeyId }],
            &["principal_headers", "x-said"],
        ),
        (&[x(RequestId("req\n"))], &["principal_headers", "x-said", r"req\n"]),
        (&[x(Metadata(""))], &["principal_headers", "x-said"]),
        (&[named("a b")], &["principal_headers", "a b"]),
        (&[named("Content-Length")], &["principal_headers", "content-length"]),
        (&[named("www-authenticate")], &["principal_headers", "www-authenticate"]),
    ] {
        let found = of_profile(&Profile { principal_headers: headers, ..PROFILE });
        expect(&format!("{headers:?}"), found.as_deref(), words);
    }
}

#[test]
fn principal_headers_that_the_limits_write_are_refused() {
    const fn named(name: &'static str) -> PrincipalHeader<'static> {
        PrincipalHeader { name, value: PrincipalValue::Account }
    }
    const LIMIT: &[PrincipalHeader] = &[named("RateLimit-Limit")];
    const POLICY: &[PrincipalHeader] = &[named("ratelimit-policy")];
    const WITHOUT: LimitHeaders = LimitHeaders { limit: false, ..LimitHeaders::RATE_LIMIT };
    let taken = &["principal_headers", "ratelimit-", "limit_headers"][..];
    for (principal_headers, limit_headers, words) in [
        (LIMIT, LimitHeaders::RATE_LIMIT, taken),
        (POLICY, LimitHeaders::STRUCTURED, taken),
        (LIMIT, WITHOUT, &[]),
        (LIMIT, LimitHeaders::X_RATE_LIMIT, &[]),
        (LIMIT, LimitHeaders::NONE, &[]),
        (POLICY, LimitHeaders::RATE_LIMIT, &[]),
    ] {
        let found = of_profile(&Profile { principal_headers, limit_headers, ..PROFILE });
        expect(&format!("{principal_headers:?} {limit_headers:?}"), found.as_deref(), words);
    }
}

#[test]
fn patterns_that_no_path_matches_are_refused() {
    for (pattern, words) in [
        ("/", &[][..]),
        ("/users/", &[]),
        ("/users/{id}", &[]),
        ("/v{n}/users", &[]),
        ("/files/{*rest}", &[]),
        ("/files/x{*rest}", &[]),
        ("/users:batch", &[]),
        ("/a%20b", &[]),
        ("/caf%C3%A9", &[]),
        ("/where/id={n}", &[]),
        ("/{{literal}}", &[]),
        ("/...", &[]),
        ("/.well-known/x", &[]),
        ("/a*b", &[]),
        ("/admin/:id", &["`/admin/:id`", "{id}"]),
        ("/:id", &["{id}"]),
        ("/files/*", &["{*rest}"]),
        ("/files/*path", &["{*path}"]),
        ("users", &["`users`", "`/users`"]),
        ("", &["`/`"]),
        ("*", &["`/"]),
        ("/users?active", &["`?`"]),
        ("/users#top", &["`#`"]),
        ("/a/./b", &["dot"]),
        ("/a/../b", &["dot"]),
        ("/a/..", &["dot"]),
        ("/a//b", &["empty"]),
        ("//", &["empty"]),
        ("/{a}//{b}", &["empty"]),
        ("/a;b", &["`;`"]),
        ("/a\\b", &["`\\\\`"]),
        ("/a b", &["%20"]),
        ("/café", &["caf", "%C3%A9"]),
        ("/a\nb", &[r"a\nb", "control"]),
        ("/a%0Ab", &["%0A"]),
        ("/%2e%2e/x", &["%2e"]),
        ("/%75sers", &["%75"]),
        ("/a%2Fb", &["%2F"]),
        ("/a%zz", &["%zz"]),
        ("/a%", &["%"]),
        ("/%ff", &["%ff"]),
        ("/a<b", &["%3C"]),
        ("/%{x}", &["%"]),
        ("/{id", &["{name}", "brace"]),
        ("/id}", &["brace"]),
        ("/{}", &["name"]),
        ("/{*}", &["name"]),
        ("/{a}{b}", &["segment"]),
        ("/{a}.json", &["segment"]),
        ("/{*rest}/x", &["end"]),
        ("/{a}/{a}", &["`a`", "twice"]),
        ("/{a}/{*a}", &["`a`", "twice"]),
    ] {
        let found = of_route(pattern, Route::new());
        if !words.is_empty() {
            expect(pattern, found.as_deref(), &["route pattern"]);
        }
        expect(pattern, found.as_deref(), words);
    }
    // No request's target is as long.
    expect(
        "long",
        of_route(&format!("/{}", "a".repeat(70_000)), Route::new()).as_deref(),
        &["no path"],
    );
    let clash = Routes::new().on(&[], "/{a}", Route::new()).on(&[], "/{b}", Route::new());
    let found = complaint(builder(&PROFILE).routes(clash));
    expect("a clash", found.as_deref(), &["`/{b}`", "/{a}", "same name"]);
    // It says so of itself: a table that refuses all is a choice.
    expect("no line", complaint(builder(&PROFILE).routes(Routes::new())).as_deref(), &[]);
}

#[test]
fn routes_that_serve_nobody_are_refused() {
    let zero = Route::new().budget(Duration::ZERO);
    expect("no time", of_route("/a", zero).as_deref(), &["`/a`", "budget"]);
    let kind = Route::new().kinds(&["two words"]);
    expect("no kind", of_route("/a", kind).as_deref(), &["`/a`", "two words"]);
    let empty = Route::new().kinds(&[]);
    expect("empty kinds", of_route("/a", empty).as_deref(), &["`/a`", "kinds"]);
    let escaped = Route::new().account_parameter("org");
    expect("a literal", of_route("/{{org}}", escaped).as_deref(), &["org"]);
    expect("a scope", of_route("/a", Route::new().all_of(&["a b"])).as_deref(), &["`/a`", "a b"]);
}

#[test]
fn a_quota_of_a_route_that_cannot_be_counted_names_the_route() {
    const NONE: &[Quota] = &[Quota::by_day("none", 0)];
    let found = of_route("/a", Route::new().quotas(NONE));
    expect("no request", found.as_deref(), &["`/a`", "quotas", "`none`", "at least 1"]);
}

#[test]
fn an_origin_that_no_browser_sends_is_refused() {
    for (origin, words) in [
        ("https://app.example.com:8443", &[][..]),
        ("chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", &[]),
        ("https://app.example.com:443", &["https://app.example.com:443", "port"]),
        ("https://app.example.com/", &["no path"]),
    ] {
        let found =
            complaint(builder(&PROFILE).answer_preflight(Preflight::from_origins([origin])));
        expect(origin, found.as_deref(), words);
    }
}

/// A complaint ends up in a log and on a terminal.
#[test]
fn complaints_hold_no_control_characters() {
    for text in ["a\nb", "\u{1b}[31m", "a\u{202e}b", "\u{85}"] {
        let one = &[text];
        let quotas = &[Quota::named(text, 1, Duration::from_secs(60))];
        let header = &[RequiredHeader { name: "x-a", expected: Expected::OneOf(one) }];
        let formats = [KeyFormat::new().literal(text), KeyFormat::new().environment(one)];
        let formats = formats.map(|format| [format.characters(Alphabet::Hex, 20)]);
        let route = |route| builder(&PROFILE).routes(Routes::new().on(&[], "/{a}", route));
        let only = &[CredentialSource::bearer().only(one)];
        let cases = vec![
            builder(&Profile { formats: &formats[0], ..PROFILE }),
            builder(&Profile { formats: &formats[1], ..PROFILE }),
            builder(&Profile { quotas, ..PROFILE }).without_limits(),
            builder(&Profile { required_headers: header, ..PROFILE }),
            builder(&Profile { credentials: only, ..PROFILE }),
            builder(&PROFILE).environment(text),
            builder(&PROFILE).audience(text),
            builder(&PROFILE).answer_preflight(Preflight::from_origins([text])),
            builder(&PROFILE).answer_preflight(Preflight::from_any_origin().headers([text])),
            builder(&PROFILE).routes(Routes::new().on(&[], format!("/{text}"), Route::new())),
            route(Route::new().account_parameter(text)),
            route(Route::new().quotas(quotas)),
            route(Route::new().all_of(one)),
            route(Route::new().kinds(one)),
        ];
        for case in cases {
            let Some(complaint) = complaint(case) else { continue };
            let harmless = |c: char| !c.is_control() && c != '\u{202e}';
            assert!(complaint.chars().all(harmless), "{complaint:?}");
        }
    }
}

#[test]
fn a_cost_that_no_quota_bears_is_refused() {
    const TEN: &[Quota] = &[Quota::by_day("ten", 10)];
    const DARK: &[Quota] = &[Quota::by_day("ten", 10).in_shadow()];
    let built = |quotas: &'static [Quota], cost: u32, plans: Option<&[(&str, u32)]>| {
        let routes = Routes::new().on(&[], "/a", Route::new().cost(cost));
        let mut builder = builder(&Profile { quotas, ..PROFILE }).routes(routes);
        if let Some(named) = plans {
            let plans = Plans::new();
            for (name, limit) in named {
                plans.set(name, [Quota::by_day("plan", *limit)]).unwrap();
            }
            builder = builder.plans(plans);
        }
        builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
    };
    for (quotas, cost, plans, words) in [
        (TEN, 10, None, &[][..]),
        (TEN, 11, None, &["`/a`", "11", "`ten`", "10"]),
        (DARK, 11, None, &[]),
        (TEN, 11, Some(&[("gold", 20)][..]), &[]),
        (TEN, 11, Some(&[("free", 5)]), &["`/a`", "11", "`ten`"]),
        // Which plans there will be, nobody knows.
        (TEN, 11, Some(&[]), &[]),
        (&[], 11, Some(&[("free", 5)]), &[]),
    ] {
        let found = complaint(built(quotas, cost, plans));
        expect(&format!("{quotas:?} {cost} {plans:?}"), found.as_deref(), words);
    }
    let unlimited = built(TEN, 11, None).without_limits();
    expect("nobody counts", complaint(unlimited).as_deref(), &[]);
    let otherwise = Otherwise::Need(Route::new().cost(11));
    let routes = Routes::new().otherwise(otherwise);
    let found = complaint(built(TEN, 1, None).routes(routes));
    expect("the rest", found.as_deref(), &["11", "`ten`"]);
    let own = Route::new().quotas(TEN).cost(11);
    expect("its own", of_route("/a", own).as_deref(), &["`/a`", "11", "`ten`", "10"]);
}

#[test]
fn an_environment_that_no_format_has_is_refused() {
    const LIVE: KeyFormat = KeyFormat::new().environment(&["live"]).characters(Alphabet::Hex, 40);
    const BOTH: &[KeyFormat] =
        &[LIVE, KeyFormat::new().environment(&["test"]).characters(Alphabet::Hex, 40)];
    const ANY: &[KeyFormat] = &[LIVE, KeyFormat::hex(40)];
    for (formats, environment, words) in [
        (BOTH, "live", &[][..]),
        (BOTH, "test", &[]),
        (BOTH, "production", &["production", "live", "test", "formats"]),
        (ANY, "production", &[]),
    ] {
        let pinned = builder(&Profile { formats, ..PROFILE }).environment(environment);
        expect(environment, complaint(pinned).as_deref(), words);
    }
    let persona = builder(&vendors::PERSONA).without_limits().environment("prod");
    expect("a vendor", complaint(persona).as_deref(), &["prod", "production"]);
}
