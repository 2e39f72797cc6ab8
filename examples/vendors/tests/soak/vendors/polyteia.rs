//! Polyteia: Bearer, JSON demanded, permissions known in the handler alone.

use crate::case::Case;
use crate::case::Share::Weight;
use crate::expectation::Refusal;
use crate::server::Demo;

const LIST: &str = r#"{"command":"list_datasets","params":{}}"#;
const PLAIN: Refusal =
    Refusal::new(400, r#"{"error":{"code":"https_required","message":"HTTPS is required."}}"#)
        .challenge(r#"Bearer realm="Polyteia", error="invalid_request""#);
const MISSING: Refusal = Refusal::new(
    401,
    r#"{"error":{"code":"unauthorized","message":"Authentication is required."}}"#,
)
.challenge(r#"Bearer realm="Polyteia""#);
const INVALID: Refusal = Refusal::new(
    401,
    r#"{"error":{"code":"unauthorized","message":"The access key is invalid."}}"#,
)
.challenge(r#"Bearer realm="Polyteia", error="invalid_token""#);
const NO_WRITING: Refusal = Refusal::new(
    403,
    r#"{"error":{"code":"forbidden","message":"You do not have permission to perform this action."}}"#,
)
.challenge(r#"Bearer realm="Polyteia", error="insufficient_scope", scope="dataset.write""#);
const CONTENT_TYPE: Refusal = Refusal::new(
    400,
    r#"{"error":{"code":"invalid_content_type","message":"Content-Type must be application/json."}}"#,
)
.challenge(r#"Bearer realm="Polyteia", error="invalid_request""#);

/// Makes the vendor's rows.
pub(super) fn cases(demo: &Demo) -> Vec<Case> {
    const CREATE: &str = r#"{"command":"create_dataset","params":{"name":"Trees"}}"#;
    let key = |label| demo.key("polyteia", label);
    let post = |name, weight, content| Case::post(name, Weight(weight), "/api", content);
    let list = |name, weight| post(name, weight, LIST).header("content-type", "application/json");
    let editor = |case: Case| case.bearer(key("editor"));
    vec![
        editor(list("polyteia good", 12.0)).served(200, "Budget of polyteia-editor"),
        list("polyteia viewer", 6.0).bearer(key("viewer")).served(200, "of polyteia-viewer"),
        post("polyteia wrong scope", 3.0, CREATE)
            .header("content-type", "application/json; charset=utf-8")
            .bearer(key("viewer"))
            .refused(NO_WRITING),
        list("polyteia expired", 2.0).bearer(key("expired")).refused(INVALID),
        list("polyteia deleted", 2.0).bearer(key("deleted")).refused(INVALID),
        list("polyteia unknown", 2.0).bearer(key("unlisted")).refused(INVALID),
        editor(list("polyteia damaged", 4.0)).damaged().refused(INVALID),
        list("polyteia no credential", 2.0).refused(MISSING),
        editor(post("polyteia content type", 2.0, LIST))
            .header("content-type", "text/plain")
            .refused(CONTENT_TYPE),
        editor(list("polyteia plain", 2.0)).plain().refused(PLAIN),
        editor(list("polyteia hung up", 2.0)).served(200, "Budget").hangs_up(),
    ]
}
