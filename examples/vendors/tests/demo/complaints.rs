//! What the services behind the gates answer by themselves, in the words of their vendors all the
//! same.

use crate::curl::{bearer, curl};
use crate::server::Demo;

const VERSION: &str = "X-Polytomic-Version: 2024-02-08";
const JSON: &str = "Content-Type: application/json";

/// Says how a vendor writes a failure.
type Words = fn(u16, &str) -> String;

#[test]
fn what_no_gate_refuses_is_refused_in_the_vendors_words() {
    let demo = Demo::start(&[]);
    let plain: Words = |_, text| text.to_owned();
    let rest: Words = |_, text| format!(r#"{{"error":"{text}"}}"#);
    let polyteia: Words = |status, text| {
        let code = if status == 405 { "method_not_allowed" } else { "invalid_request" };
        format!(r#"{{"error":{{"code":"{code}","message":"{text}"}}}}"#)
    };
    let persona: Words =
        |_, text| format!(r#"{{"errors":[{{"details":"{text}","title":"Bad request"}}]}}"#);
    let polytomic: Words = |status, text| {
        format!(r#"{{"key":"bad_request","message":"{text}","metadata":{{}},"status":{status}}}"#)
    };
    let basic = format!("api:{}", demo.key("personyze", "active"));
    let basic = ["-u".to_owned(), basic];
    let of = |vendor, label| ["-H".to_owned(), bearer(&demo, vendor, label)];
    for ([option, key], path, kind, words, not_served) in [
        (basic, "/rest/tracker", "text/plain; charset=utf-8", plain, Some("DELETE")),
        (of("rest_integrations", "active"), "/v1/users/1", "application/json", rest, Some("GET")),
        (of("polyteia", "editor"), "/api", "application/json", polyteia, Some("GET")),
        // Their tables list the methods of every path, so the gate refuses all others.
        (of("persona", "production"), "/api/v1/inquiries", "application/json", persona, None),
        (of("polytomic", "organization"), "/api/me", "application/json", polytomic, None),
    ] {
        let url = format!("{}{path}", demo.https());
        let call = |arguments: &[&str]| {
            curl(&demo, &[&[&option, &key, "-H", JSON, "-H", VERSION, &url], arguments].concat())
        };
        if let Some(method) = not_served {
            let answer = call(&["-X", method]);
            let complaint = words(405, "Method not allowed");
            assert_eq!((answer.status, &*answer.body), (405, &*complaint), "{path}");
            assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        }
        let answer = call(&["-H", "Demo-Delay: soon"]);
        let complaint = words(400, "Demo-Delay must be a whole number of milliseconds");
        assert_eq!((answer.status, &*answer.body), (400, &*complaint), "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
    }
}
