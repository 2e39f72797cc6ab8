//! Polytomic on premises: kinds of keys, a demanded version, and Basic for the deployment.

use crate::case::Case;
use crate::case::Share::Weight;
use crate::expectation::Refusal;
use crate::server::Demo;

pub(crate) const VERSION: (&str, &str) = ("x-polytomic-version", "2024-02-08");
const PLAIN: Refusal = Refusal::new(
    400,
    r#"{"key":"https_required","message":"HTTPS is required","metadata":{},"status":400}"#,
)
.challenge(r#"Bearer realm="Polytomic", error="invalid_request""#);
const MISSING: Refusal = Refusal::new(
    401,
    r#"{"code":401,"context":{},"error":"No API key was provided","status":"Unauthorized"}"#,
)
.challenge(r#"Basic realm="Polytomic", charset="UTF-8", Bearer realm="Polytomic""#);
pub(crate) const INVALID: Refusal = Refusal::new(
    401,
    r#"{"code":401,"context":{},"error":"The API key is invalid","status":"Unauthorized"}"#,
)
.challenge(
    r#"Basic realm="Polytomic", charset="UTF-8", Bearer realm="Polytomic", error="invalid_token""#,
);
pub(crate) const FORBIDDEN: Refusal = Refusal::new(
    403,
    r#"{"key":"forbidden","message":"Permission denied","metadata":{},"status":403}"#,
);
const NOT_FOUND: Refusal =
    Refusal::new(404, r#"{"key":"not_found","message":"Not found","metadata":{},"status":404}"#);
const NO_VERSION: Refusal = Refusal::new(
    400,
    r#"{"key":"invalid_version","message":"The X-Polytomic-Version header is missing or invalid","metadata":{},"status":400}"#,
)
.challenge(r#"Bearer realm="Polytomic", error="invalid_request""#);

/// Makes the vendor's rows.
pub(super) fn cases(demo: &Demo) -> Vec<Case> {
    const ME: &str = "/api/me";
    const SYNCS: &str = "/api/bulk/syncs";
    const ORGANIZATIONS: &str = "/api/organizations";
    const STRANGERS: &str = "/api/organizations/503c712e-9f46-4da0-b183-2c4e6f80ad32/users/d7fb4185-926e-403a-91cd-4e5062738495/keys";
    let key = |label| demo.key("polytomic", label);
    let get =
        |name, weight, path| Case::get(name, Weight(weight), path).header(VERSION.0, VERSION.1);
    let organization = |case: Case| case.bearer(key("organization"));
    let partner = |case: Case| case.bearer(key("partner"));
    vec![
        organization(get("polytomic good", 8.0, ME)).served(200, "key_polytomic_organization"),
        organization(get("polytomic syncs", 4.0, SYNCS)).served(200, "Warehouse of Acme"),
        partner(get("polytomic partner", 4.0, ORGANIZATIONS)).served(200, "Globex"),
        get("polytomic deployment", 4.0, SYNCS)
            .basic("any", key("deployment"))
            .served(200, "Warehouse of Initech"),
        organization(get("polytomic wrong kind", 2.0, ORGANIZATIONS)).refused(FORBIDDEN),
        partner(get("polytomic wrong kind too", 2.0, SYNCS)).refused(FORBIDDEN),
        partner(Case::post("polytomic not the partner's", Weight(1.0), STRANGERS, ""))
            .header(VERSION.0, VERSION.1)
            .refused(NOT_FOUND),
        get("polytomic deployment, Bearer", 1.0, ME).bearer(key("deployment")).refused(INVALID),
        get("polytomic unknown", 2.0, ME).bearer(key("unlisted")).refused(INVALID),
        organization(get("polytomic damaged", 4.0, ME)).damaged().refused(INVALID),
        get("polytomic no credential", 2.0, ME).refused(MISSING),
        organization(Case::get("polytomic no version", Weight(2.0), ME)).refused(NO_VERSION),
        organization(get("polytomic plain", 2.0, ME)).plain().refused(PLAIN),
        organization(get("polytomic hung up", 1.0, ME)).served(200, "key_").hangs_up(),
    ]
}
