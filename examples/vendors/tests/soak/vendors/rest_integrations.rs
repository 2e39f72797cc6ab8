//! REST API Integrations: Bearer, scopes, 100 requests a minute and 5000 an hour.

use http::Method;

use crate::case::Case;
use crate::case::Share::{PerSecond, Weight};
use crate::expectation::Refusal;
use crate::journals::Journals;
use crate::server::Demo;

/// A key of nobody's.
const STRANGER: &str = "Bearer aaaaaaaaaaaaaaaaaaaaaaaa";
const PLAIN: Refusal = Refusal::new(400, r#"{"error":"HTTPS is required."}"#)
    .challenge(r#"Bearer realm="REST API Integrations", error="invalid_request""#);
const MISSING: Refusal = Refusal::new(401, r#"{"error":"Missing API key."}"#)
    .challenge(r#"Bearer realm="REST API Integrations""#);
const MALFORMED: Refusal = Refusal::new(400, r#"{"error":"Malformed Authorization header."}"#)
    .challenge(r#"Bearer realm="REST API Integrations", error="invalid_request""#);
const INVALID: Refusal = Refusal::new(401, r#"{"error":"Invalid API key provided."}"#)
    .challenge(r#"Bearer realm="REST API Integrations", error="invalid_token""#);
const NO_WRITING: Refusal = Refusal::new(
    403,
    r#"{"error":"You do not have permission to perform this action."}"#,
)
.challenge(
    r#"Bearer realm="REST API Integrations", error="insufficient_scope", scope="users.write""#,
);
const LIMITED: Refusal = Refusal::new(429, r#"{"error":"Rate limit exceeded."}"#).retry();

/// Makes the vendor's rows.
pub(super) fn cases(demo: &Demo, journals: &Journals) -> Vec<Case> {
    const USERS: &str = "/v1/users";
    const USER: &str = r#"{"name":"soak"}"#;
    let key = |label| demo.key("rest_integrations", label);
    let list = |name, weight| Case::get(name, Weight(weight), USERS);
    let paced = |name, rate| Case::get(name, PerSecond(rate), USERS);
    let limited = |case: Case| case.or_refused(LIMITED, &journals.rest);
    let active = |case: Case| case.bearer(key("active"));
    let mut put = Case::new("rest write", PerSecond(4.0), Method::PUT, "/v1/users/9");
    put = active(put).header("content-type", "application/json");
    vec![
        limited(active(paced("rest good", 14.0)).served(200, "ada@rest-acme.example")),
        limited(put.served(204, "")).content(USER),
        limited(
            paced("rest read only", 2.0)
                .bearer(key("read_only"))
                .served(200, "ada@rest-acme.example"),
        ),
        paced("rest tight", 0.5)
            .bearer(key("tight"))
            .served(200, "ada@rest-umbrella.example")
            .or_refused(LIMITED, &journals.tight),
        Case::post("rest wrong scope", Weight(3.0), USERS, USER)
            .bearer(key("read_only"))
            .refused(NO_WRITING),
        list("rest revoked", 2.0).bearer(key("revoked")).refused(INVALID),
        list("rest expired", 2.0).bearer(key("expired")).refused(INVALID),
        list("rest unknown", 2.0).bearer(key("unlisted")).refused(INVALID),
        active(list("rest damaged", 4.0)).damaged().refused(INVALID),
        list("rest no credential", 2.0).refused(MISSING),
        list("rest malformed", 1.0).lines(&["Bearer a b"]).refused(MALFORMED),
        list("rest two lines", 1.0).lines(&[STRANGER, STRANGER]).refused(MALFORMED),
        active(list("rest plain", 2.0)).plain().header("x-forwarded-proto", "https").refused(PLAIN),
        list("rest hung up", 1.0).bearer(key("unlisted")).refused(INVALID).hangs_up(),
    ]
}
