//! Polytomic through Basic: the deployment key, on premises only.

use tower_api_key::Profile;
use tower_api_key::vendors::POLYTOMIC_ON_PREMISES;

use super::case::Case;
use super::polytomic::{
    AMBIGUOUS, AS_DEPLOYMENT, AS_PARTNER, AS_USER, AUTHORIZATION, Deployment, KEYS, LISTED,
    MISSING, NO_VERSION, REQUEST, SERVICE, USERS,
};

const AS_PASSWORD: &[&str] = &["Basic OnBrX2xpdmVfNGY4YTliMmM3ZDNlNGYxYTliMGMyZDNlNGY1YTZiN2M="];
const WITH_ANY_USER: &[&str] =
    &["Basic YW55b25lOnBrX2xpdmVfNGY4YTliMmM3ZDNlNGYxYTliMGMyZDNlNGY1YTZiN2M="];
const TWO_SCHEMES: &[&str] = &[AUTHORIZATION, AS_USER[0]];

const PREMISES: Deployment = Deployment {
    profile: POLYTOMIC_ON_PREMISES,
    listing: Profile { required_headers: LISTED, ..POLYTOMIC_ON_PREMISES },
    bare: &[r#"Basic realm="Polytomic", charset="UTF-8""#, r#"Bearer realm="Polytomic""#],
    token: &[
        r#"Basic realm="Polytomic", charset="UTF-8""#,
        r#"Bearer realm="Polytomic", error="invalid_token""#,
    ],
};

const fn deployment(of: Deployment, name: &'static str, lines: &'static [&'static str]) -> Case {
    of.good(name).record(AS_DEPLOYMENT).authorization(lines)
}

pub(crate) const GOOD: Case = deployment(PREMISES, "a deployment key that serves", AS_USER);

/// What holds on premises as it does as a service.
pub(crate) const CASES: &[Case] = &PREMISES.common();

/// Basic does not authenticate, right or wrong.
#[rustfmt::skip] // A table reads best with a row on a line or two.
pub(crate) const AS_A_SERVICE: &[Case] = &[
    deployment(SERVICE, "the key as user name", AS_USER)
        .refused("scheme_unsupported", 401, MISSING, SERVICE.bare),
    deployment(SERVICE, "the key as password", AS_PASSWORD)
        .refused("scheme_unsupported", 401, MISSING, SERVICE.bare),
    SERVICE.missing("an API key through Basic", "scheme_unsupported").authorization(AS_USER),
    SERVICE.missing("malformed Basic", "scheme_unsupported").authorization(&["Basic ???"]),
];

/// Basic carries the deployment key, which may do everything, and no other.
#[rustfmt::skip] // As above.
pub(crate) const ON_PREMISES: &[Case] = &[
    deployment(PREMISES, "the key as user name", AS_USER),
    deployment(PREMISES, "the key as password", AS_PASSWORD),
    deployment(PREMISES, "the key under any user name", WITH_ANY_USER),
    deployment(PREMISES, "it lists organizations", AS_USER).request("GET", "/api/organizations"),
    deployment(PREMISES, "it lists users", AS_PASSWORD).request("GET", USERS),
    deployment(PREMISES, "it issues keys", AS_USER).request("POST", KEYS),
    deployment(PREMISES, "it asks whose it is", AS_USER).request("GET", "/api/me"),
    deployment(PREMISES, "it needs a version", AS_USER).headers(&[])
        .refused("header_refused", 400, NO_VERSION, REQUEST),
    PREMISES.invalid("an API key through Basic", "scheme_not_for_kind").authorization(AS_USER),
    PREMISES.invalid("a partner key through Basic", "scheme_not_for_kind").record(AS_PARTNER)
        .authorization(AS_PASSWORD),
    PREMISES.invalid("neither user name nor password", "credentials_malformed")
        .authorization(&["Basic Og=="]),
    PREMISES.invalid("no base64", "credentials_malformed").authorization(&["Basic ???"]),
    PREMISES.invalid("no colon", "credentials_malformed").authorization(&[
        "Basic cGtfbGl2ZV80ZjhhOWIyYzdkM2U0ZjFhOWIwYzJkM2U0ZjVhNmI3Yw==",
    ]),
    PREMISES.invalid("a word for a key", "key_malformed").authorization(&["Basic eDpzaG9ydA=="]),
    PREMISES.invalid("an unknown deployment key", "key_unknown").unknown().authorization(AS_USER),
    deployment(PREMISES, "Basic and Bearer", TWO_SCHEMES)
        .refused("credentials_ambiguous", 400, AMBIGUOUS, REQUEST),
];
