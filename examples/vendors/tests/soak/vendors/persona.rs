//! Persona: Bearer, permissions and networks per key, a leaky bucket per organization.

use crate::case::Case;
use crate::case::Share::{PerSecond, Weight};
use crate::expectation::Refusal;
use crate::journals::Journals;
use crate::server::Demo;

/// A key of nobody's.
const STRANGER: &str = "Bearer aaaaaaaaaaaaaaaaaaaaaaaa";
const PLAIN: Refusal =
    Refusal::new(400, r#"{"errors":[{"title":"Bad request","details":"HTTPS is required."}]}"#)
        .challenge(r#"Bearer realm="Persona", error="invalid_request""#);
const INVALID: Refusal = Refusal::new(
    401,
    r#"{"errors":[{"title":"Unauthorized","details":"The API key is invalid."}]}"#,
)
.challenge(r#"Bearer realm="Persona", error="invalid_token""#);
const NO_REPORTS: Refusal = Refusal::new(
    403,
    r#"{"errors":[{"title":"Forbidden","details":"The API key does not have permission to perform this action."}]}"#,
)
.challenge(r#"Bearer realm="Persona", error="insufficient_scope", scope="report.read""#);
const ELSEWHERE: Refusal = Refusal::new(
    403,
    r#"{"errors":[{"title":"Forbidden","details":"The API key may not be used from this IP address."}]}"#,
);
const LIMITED: Refusal = Refusal::new(
    429,
    r#"{"errors":[{"title":"Too many requests","details":"The rate limit was exceeded."}]}"#,
)
.retry();

/// Makes the vendor's rows.
pub(super) fn cases(demo: &Demo, journals: &Journals) -> Vec<Case> {
    const INQUIRIES: &str = "/api/v1/inquiries";
    const REPORTS: &str = "/api/v1/reports";
    let key = |label| demo.key("persona", label);
    let list = |name, weight| Case::get(name, Weight(weight), INQUIRIES);
    let counted = |name, rate, label, organization: &str, journal| {
        let case = Case::get(name, PerSecond(rate), INQUIRIES).bearer(key(label));
        case.served(200, &format!("{organization}-ada")).or_refused(LIMITED, journal)
    };
    let Journals { globex, initech, acme, umbrella, .. } = journals;
    let production = |case: Case| case.bearer(key("production"));
    vec![
        counted("persona production", 12.0, "production", "org_globex", globex),
        counted("persona sandbox", 40.0, "sandbox", "org_initech", initech),
        counted("persona sandbox, hung up", 2.0, "sandbox", "org_initech", initech).hangs_up(),
        counted("persona reader", 1.5, "inquiry_reader", "org_acme", acme),
        counted("persona admin", 1.5, "key_admin", "org_acme", acme),
        counted("persona local", 3.0, "local", "org_umbrella", umbrella),
        Case::get("persona rate limits", Weight(2.0), "/api/v1/rate-limits")
            .bearer(key("local"))
            .served(200, r#""limit":300"#),
        Case::get("persona wrong scope", Weight(3.0), REPORTS)
            .bearer(key("inquiry_reader"))
            .refused(NO_REPORTS),
        list("persona elsewhere", 2.0)
            .bearer(key("office"))
            .header("x-forwarded-for", "10.1.2.77")
            .refused(ELSEWHERE),
        list("persona unknown", 2.0).bearer(key("unlisted")).refused(INVALID),
        production(list("persona damaged", 4.0)).damaged().refused(INVALID),
        list("persona no prefix", 1.0).lines(&[STRANGER]).refused(INVALID),
        production(list("persona plain", 2.0))
            .plain()
            .header("forwarded", "for=127.0.0.1;proto=https")
            .refused(PLAIN),
    ]
}
