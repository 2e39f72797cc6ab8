//! HTTPS, plain HTTP and proxies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::curl::{bearer, curl};
use crate::personyze::url;
use crate::server::Demo;

const VERSION: &str = "X-Polytomic-Version: 2024-02-08";

/// Lists, for each vendor, a path, curl's arguments for a key that serves, and the refusal of plain
/// HTTP.
fn vendors(demo: &Demo) -> [(&'static str, [String; 2], u16, &'static str); 5] {
    let basic = format!("api:{}", demo.key("personyze", "active"));
    let basic = ["-u".to_owned(), basic];
    let of = |vendor, label| ["-H".to_owned(), bearer(demo, vendor, label)];
    [
        ("/rest/users", basic, 401, "HTTPS is required"),
        ("/v1/users", of("rest_integrations", "active"), 400, r#"{"error":"HTTPS is required."}"#),
        (
            "/api",
            of("polyteia", "editor"),
            400,
            r#"{"error":{"code":"https_required","message":"HTTPS is required."}}"#,
        ),
        (
            "/api/v1/inquiries",
            of("persona", "production"),
            400,
            r#"{"errors":[{"title":"Bad request","details":"HTTPS is required."}]}"#,
        ),
        (
            "/api/me",
            of("polytomic", "organization"),
            400,
            r#"{"key":"https_required","message":"HTTPS is required","metadata":{},"status":400}"#,
        ),
    ]
}

#[test]
fn plain_http_is_refused_whatever_it_says_of_itself() {
    let demo = Demo::start(&[]);
    for (path, [option, key], status, body) in vendors(&demo) {
        let plain = format!("{}{path}", demo.http());
        // The absolute form of the request target; its scheme is the client's word.
        let absolute = plain.replace("http:", "https:");
        for lies in [
            &[][..],
            &["-H", "X-Forwarded-Proto: https"],
            &["-H", "Forwarded: for=127.0.0.1;proto=https"],
            &["--request-target", &absolute],
        ] {
            for credentials in [&[][..], &[&*option, &*key]] {
                let answer = curl(&demo, &[credentials, lies, &[&plain]].concat());
                let told = (answer.status, &*answer.body);
                assert_eq!(told, (status, body), "{path} {answer:?}");
                assert_eq!(answer.header("location"), None, "never a redirect");
            }
        }
    }
    let answer = curl(&demo, &[&format!("{}/healthz", demo.http())]);
    assert_eq!((answer.status, &*answer.body), (200, "ok"));
}

#[test]
fn personyze_refuses_everything_over_plain_http() {
    let demo = Demo::start(&[]);
    for path in ["/rest", "/rest/", "/rest/users", "/rest/tracker", "/rest/no/such"] {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = curl(&demo, &["-X", method, &format!("{}{path}", demo.http())]);
            assert_eq!(
                (answer.status, &*answer.body),
                (401, "HTTPS is required"),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn trusted_proxies_are_believed_and_others_are_not() {
    let demo = Demo::start(&["--trust", "127.0.0.0/8", "--trust", "::1/128"]);
    let [https, plain] = ["https", "http"].map(|scheme| {
        [
            format!("X-Forwarded-Proto: {scheme}"),
            format!("Forwarded: for=198.51.100.7;proto={scheme}"),
        ]
    });
    for (path, [option, key], status, _) in vendors(&demo) {
        let url = format!("{}{path}", demo.http());
        let json = ["-H", "Content-Type: application/json", "-H", VERSION, &option, &key];
        let content: &[&str] =
            if path == "/api" { &["-d", r#"{"command":"list_datasets"}"#] } else { &[] };
        for header in &https {
            let answer = curl(&demo, &[&json, content, &["-H", header, &url]].concat());
            assert_eq!(answer.status, 200, "{path} {header} {answer:?}");
        }
        for header in &plain {
            let answer = curl(&demo, &[&json, content, &["-H", header, &url]].concat());
            assert_eq!(answer.status, status, "{path} {header} {answer:?}");
        }
    }
    let office = bearer(&demo, "persona", "office");
    let url = format!("{}/api/v1/inquiries", demo.http());
    for (headers, status) in [
        (&["X-Forwarded-Proto: https", "X-Forwarded-For: 10.1.2.77"][..], 200),
        (&["Forwarded: for=10.1.2.77;proto=https"], 200),
        (&["X-Forwarded-Proto: https", "X-Forwarded-For: 10.1.3.77"], 403),
        (&["Forwarded: for=10.1.3.77;proto=https"], 403),
        // What a client put there itself stands to the left of what the proxy saw.
        (&["X-Forwarded-Proto: https", "X-Forwarded-For: 10.1.2.77, 203.0.113.9"], 403),
        (&["X-Forwarded-Proto: https"], 403),
        (&["X-Forwarded-For: 10.1.2.77"], 400),
    ] {
        let headers: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
        let answer = curl(&demo, &[&headers[..], &["-H", &office, &url]].concat());
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
    }
}

#[test]
fn both_versions_of_http_are_spoken() {
    let demo = Demo::start(&[]);
    let url = url(&demo, "active", "/rest/users/where/internal_id=1");
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let answer = curl(&demo, &[option, &url]);
        assert_eq!((answer.status, &*answer.version), (200, version), "{answer:?}");
    }
    let lines = ["-H", "Authorization: Basic YTpi", "-H", "Authorization: Basic YTpi"];
    let users = format!("{}/v1/users", demo.https());
    for option in ["--http1.1", "--http2"] {
        let answer = curl(&demo, &[&[option][..], &lines, &[&users]].concat());
        assert_eq!(answer.status, 400, "two lines are ambiguous over {option}: {answer:?}");
    }
}

#[test]
fn a_refusal_outlives_the_content_that_it_left_unread() {
    let demo = Demo::start(&[]);
    let url = format!("{}/v1/users", demo.https());
    let content = "x".repeat(100_000);
    for option in ["--http1.1", "--http2"] {
        for _ in 0..20 {
            let answer = curl(&demo, &[option, "-H", "Expect:", "--data", &content, &url]);
            let missing = r#"{"error":"Missing API key."}"#;
            assert_eq!((answer.status, &*answer.body), (401, missing), "{option}");
        }
    }
}

#[test]
fn a_silent_stranger_keeps_nobody_waiting() {
    let demo = Demo::start(&[]);
    let address = demo.https().trim_start_matches("https://localhost");
    let address = format!("127.0.0.1{address}");
    let silent: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let mut rude = TcpStream::connect(&address).unwrap();
    rude.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    rude.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut told = Vec::new();
    let _ = rude.read_to_end(&mut told);
    assert!(!told.starts_with(b"HTTP"), "no plain HTTP on the TLS port");
    let start = Instant::now();
    let answer = curl(&demo, &[&format!("{}/healthz", demo.https())]);
    assert_eq!((answer.status, &*answer.body), (200, "ok"));
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(silent);
}
