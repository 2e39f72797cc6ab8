//! Personyze: Basic, plain text, one insert in flight per account.

use std::time::Duration;

use crate::case::Case;
use crate::case::Share::{PerSecond, Weight};
use crate::expectation::Refusal;
use crate::journals::Journals;
use crate::server::Demo;

const BASIC: &str = r#"Basic realm="Personyze", charset="UTF-8""#;
const LOG_IN: Refusal = Refusal::new(401, "Please, log in").challenge(BASIC);
const PLAIN: Refusal = Refusal::new(401, "HTTPS is required").challenge(BASIC);
const NO_KEY: Refusal = Refusal::new(401, "Unknown API key").challenge(BASIC);
const INVALID: Refusal = Refusal::new(400, "Invalid API key");
const SIMULTANEOUS: Refusal = Refusal::new(400, "Too many simultaneous requests");
const TOO_LONG: Refusal = Refusal::new(503, "Request took too long");

/// Makes the vendor's rows.
pub(super) fn cases(demo: &Demo, journals: &Journals) -> Vec<Case> {
    const FIRST: &str = "/rest/users/where/internal_id=1";
    const USERS: &str = "/rest/users";
    const TRACKER: &str = "/rest/tracker";
    const USER: &str = r#"{"internal_id":7,"email":"soak@example.org"}"#;
    let milliseconds = Duration::from_millis;
    let key = |label| demo.key("personyze", label);
    let active = |case: Case| case.basic("api", key("active"));
    let other = |case: Case| case.basic("api", key("other_account"));
    let find = |name, weight| Case::get(name, Weight(weight), FIRST);
    let insert = |name, share| Case::post(name, share, USERS, USER);
    let held = |case: Case, time| {
        let case = other(case).runs(milliseconds(time)).served(200, "soak@example.org");
        case.or_refused(SIMULTANEOUS, &journals.slow_inserts)
    };
    vec![
        active(find("personyze good", 10.0)).served(200, "ada@personyze-acme.example"),
        other(find("personyze other account", 10.0)).served(200, "ada@personyze-globex.example"),
        active(insert("personyze insert", PerSecond(4.0)))
            .served(200, "soak@example.org")
            .or_refused(SIMULTANEOUS, &journals.inserts),
        held(insert("personyze insert, 0.3 s", PerSecond(1.2)), 300),
        held(insert("personyze insert, 1.5 s", PerSecond(0.25)), 1_500),
        held(insert("personyze insert, hung up", PerSecond(0.3)), 400).hangs_up(),
        active(Case::get("personyze tracker", Weight(3.0), TRACKER)).served(200, "tracked"),
        active(Case::get("personyze tracker, 10.5 s", PerSecond(0.1), TRACKER))
            .runs(milliseconds(10_500))
            .refused(TOO_LONG),
        find("personyze revoked", 2.0).basic("api", key("revoked")).refused(NO_KEY),
        find("personyze unknown", 2.0).basic("api", key("unlisted")).refused(INVALID),
        active(find("personyze damaged", 4.0)).damaged().refused(INVALID),
        find("personyze no key", 2.0).basic("api", "not-a-key").refused(NO_KEY),
        find("personyze no credential", 2.0).refused(LOG_IN),
        find("personyze another user", 1.0).basic("admin", key("active")).refused(LOG_IN),
        find("personyze Bearer", 1.0).bearer(key("active")).refused(LOG_IN),
        active(find("personyze plain", 2.0)).plain().refused(PLAIN),
        active(find("personyze hung up", 2.0)).served(200, "ada").hangs_up(),
    ]
}
