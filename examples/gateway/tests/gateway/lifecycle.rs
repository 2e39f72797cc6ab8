//! How the process starts, changes and ends.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Response;
use http_body_util::BodyExt;
use tokio::time::sleep;

use crate::process::{Folder, Process};
use crate::upstream::{serve, text};

/// An upstream that answers its name, the length of content, and the account if it is asked for; `/slow` after two seconds, `/endless` never.
async fn named(name: &'static str) -> std::net::SocketAddr {
    let (address, _) = serve(move |request| async move {
        let path = request.uri().path().to_owned();
        if path == "/account" {
            let account = request.headers().get("x-account-id");
            return Response::new(text(format!("{account:?}")));
        }
        let content = request.into_body().collect().await.unwrap().to_bytes();
        match path.as_str() {
            "/slow" => sleep(Duration::from_secs(2)).await,
            "/endless" => sleep(Duration::from_secs(60)).await,
            _ => {}
        }
        Response::new(text(format!("{name} {}", content.len())))
    })
    .await;
    address
}

/// curl over both versions, with an upload of some size.
#[tokio::test(flavor = "multi_thread")]
async fn curl_speaks_both_versions() {
    let process = Process::before("curl", named("one").await).await;
    // Whatever the file says of grants, upstreams read who called.
    let forged = ["-H", "X-Account-Id: forged"];
    let answer = process.curl("a.pem", "/account", &forged).unwrap();
    assert!(answer.ends_with(r#"Some("account_1")"#), "{answer}");
    for version in ["--http1.1", "--http2"] {
        let answer = process.curl("a.pem", "/a", &[version]).unwrap();
        assert!(answer.contains(" 200") && answer.ends_with("one 0"), "{answer}");
        let content = "x".repeat(3 << 20);
        let file = process.folder.file("content");
        fs::write(&file, &content).unwrap();
        let data = format!("@{file}");
        let answer = process.curl("a.pem", "/a", &[version, "--data-binary", &data]).unwrap();
        assert!(answer.ends_with(&format!("one {}", content.len())), "{answer}");
        // A refusal reaches a client that still sends.
        let refused = [version, "-H", "X-Api-Key: wrong", "--data-binary", &data];
        let answer = process.curl("a.pem", "/a", &refused).unwrap();
        assert!(answer.contains(" 40"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_tell_what_answers() {
    let process = Process::before("probes", named("one").await).await;
    assert_eq!(process.probe("/healthz"), "alive\n200");
    let ready = "store: answers\nupstream backend: 1 of 1 reachable\n200";
    assert_eq!(process.probe("/readyz"), ready);
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    process.configure(|file| file, nowhere);
    process.wait_for("the new file is in force");
    std::thread::sleep(Duration::from_millis(1100));
    let not_ready = "store: answers\nupstream backend: 0 of 1 reachable\n503";
    assert_eq!(process.probe("/readyz"), not_ready);
    assert_eq!(process.probe("/healthz"), "alive\n200");
    assert!(process.probe("/").ends_with("404"));
}

/// The admin listener serves metrics, once the file says what is counted. The log has refused requests.
#[tokio::test(flavor = "multi_thread")]
async fn prometheus_gets_metrics() {
    let upstream = named("one").await;
    let process = Process::before("metrics", upstream).await;
    assert!(!process.probe("/metrics").contains("tower_api_key_requests_total"));
    process.configure(|file| format!("{file}[telemetry]\nlog = true\nmetrics = true\n"), upstream);
    process.wait_for("the new file is in force");
    assert!(process.curl("a.pem", "/a", &[]).unwrap().contains(" 200"));
    assert!(process.curl("a.pem", "/a", &["-H", "X-Api-Key: wrong"]).unwrap().contains(" 40"));
    let line = process.wait_for("tower_api_key::request: request refused");
    assert!(line.contains("vendor=") && !line.contains(&process.key), "{line}");
    let text = process.probe("/metrics");
    assert!(text.ends_with("200"), "{text}");
    for line in ["decision=\"admitted\"} 1", "decision=\"refused\"} 1"] {
        let has = |it: &str| it.starts_with("tower_api_key_requests_total{") && it.ends_with(line);
        assert!(text.lines().any(has), "{line}\n{text}");
    }
    assert!(text.contains("# TYPE tower_api_key_decision_duration_seconds histogram"), "{text}");
    assert!(!text.contains(&process.key));
}

/// A pair that does not fit keeps the old certificate, and the log has the reason.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_change_while_it_serves() {
    let process = Process::before("certificates", named("one").await).await;
    process.folder.certify("b");
    fs::copy(process.folder.file("a.pem"), process.folder.file("old.pem")).unwrap();
    assert!(process.curl("b.pem", "/a", &[]).is_err(), "the new one is not served yet");

    // The certificate comes first, and its key later.
    fs::copy(process.folder.file("b.pem"), process.folder.file("a.pem")).unwrap();
    let line = process.wait_for("the old file stays in force");
    assert!(
        line.contains("gateway.listeners[0].tls.private_key") && line.contains("a.key"),
        "{line}"
    );
    process.curl("old.pem", "/a", &[]).unwrap();
    fs::copy(process.folder.file("b.key"), process.folder.file("a.key")).unwrap();
    process.wait_for("the new file is in force");
    process.curl("b.pem", "/a", &[]).unwrap();
    assert!(process.curl("old.pem", "/a", &[]).is_err());

    fs::write(process.folder.file("a.pem"), "no certificate").unwrap();
    let line = process.wait_for("the old file stays in force");
    assert!(line.contains("gateway.listeners[0].tls.certificate"), "{line}");
    process.curl("b.pem", "/a", &[]).unwrap();
}

/// A signal and a change of the file do the same. What is broken keeps the old file.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_again() {
    let (one, two) = (named("one").await, named("two").await);
    let process = Process::before("reload", one).await;
    let told = || process.curl("a.pem", "/a", &[]).unwrap();
    assert!(told().ends_with("one 0"));
    process.configure(|file| file, two);
    process.wait_for("the new file is in force");
    assert!(told().ends_with("two 0"));
    process.signal("HUP");
    process.wait_for("SIGHUP");
    process.wait_for("the new file is in force");
    for (from, to, expected) in [
        ("upstream = 'backend'", "upstream = 'backen'", "there is no such one; there are: backend"),
        ("path = '/'", "path = '/'\npaht = '/'", "paht"),
        ("timeout = '3s'", "timeout = '3 sheep'", "this is no length of time"),
        ("timeout = '3s'", "timeout = '0s'", "must be longer than zero"),
        ("[gateway]", "[gateway", "gateway.toml:"),
        ("addresses = ['127.0.0.1:", "addresses = ['me@127.0.0.1:", "write it as `host:port`"),
        ("a.pem", "none.pem", "none.pem"),
        ("address = '127.0.0.1:", "address = '127.0.0.2:", "only certificates can change"),
        ("base = 'standard'", "base = 'standrad'", "standrad"),
        ("[profile]\nbase = 'standard'", "", "profile"),
    ] {
        process.configure(|file| file.replacen(from, to, 1), one);
        let line = process.wait_for("the old file stays in force");
        if !line.contains(expected) {
            process.wait_for(expected);
        }
        assert!(told().ends_with("two 0"), "{expected}");
    }
    process.configure(|file| file, one);
    process.wait_for("the new file is in force");
    assert!(told().ends_with("one 0"));

    // The time between two looks is that of the file in force.
    process.configure(|file| file.replace("'100ms'", "'1h'"), one);
    process.wait_for("the new file is in force");
    process.configure(|file| file, two);
    sleep(Duration::from_millis(500)).await;
    assert!(told().ends_with("one 0"), "nobody looks for an hour");
    process.signal("HUP");
    process.wait_for("the new file is in force");
    assert!(told().ends_with("two 0"));
    process.configure(|file| file, one);
    process.wait_for("the new file is in force");
}

/// Requests that are under way while the file changes again and again are all answered.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_in_a_reload() {
    let (one, two) = (named("one").await, named("two").await);
    let process = Arc::new(Process::before("load", one).await);
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (process, stop, count) = (process.clone(), stop.clone(), count.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = process.curl("a.pem", "/a", &["--http2"]).unwrap();
                    assert!(answer.starts_with("HTTP/2 200"), "{answer}");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for at in 0..10 {
        process.configure(|file| file, if at % 2 == 0 { two } else { one });
        process.signal("HUP");
        std::thread::sleep(Duration::from_millis(100));
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    assert!(count.load(Ordering::Relaxed) > 10);
}

/// Requests in flight end, and further connections are not accepted.
#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_end_before_the_process() {
    for version in ["--http1.1", "--http2"] {
        let mut process = Process::before("drain", named("one").await).await;
        let slow = std::thread::scope(|scope| {
            let slow = scope.spawn(|| process.curl("a.pem", "/slow", &[version]));
            std::thread::sleep(Duration::from_secs(1));
            process.signal("TERM");
            process.wait_for("no more connections");
            assert!(process.curl("a.pem", "/a", &[]).is_err(), "it accepts no more");
            assert_eq!(process.probe("/readyz"), "ending\n503");
            slow.join().unwrap()
        });
        let slow = slow.unwrap();
        assert!(slow.contains(" 200") && slow.ends_with("one 0"), "{slow}");
        if version == "--http1.1" {
            assert!(slow.to_lowercase().contains("connection: close"), "{slow}");
        }
        assert!(process.end().success());
    }
}

/// What does not end in time is cut off, and the status of the process shows it.
#[tokio::test(flavor = "multi_thread")]
async fn the_drain_has_an_end() {
    let mut process = Process::before("cut", named("one").await).await;
    std::thread::scope(|scope| {
        let endless = scope.spawn(|| process.curl("a.pem", "/endless", &[]));
        std::thread::sleep(Duration::from_secs(1));
        let begin = Instant::now();
        process.signal("TERM");
        process.wait_for("is cut off");
        assert!(begin.elapsed() > Duration::from_secs(2), "{:?}", begin.elapsed());
        assert!(endless.join().unwrap().is_err());
    });
    assert_eq!(process.end().code(), Some(3));
}

/// A line has the route and whose key it was, and neither path nor key.
#[tokio::test(flavor = "multi_thread")]
async fn each_request_has_a_line_in_the_log() {
    let one = named("one").await;
    let process = Process::before("log", one).await;
    process.configure(|file| file.replacen("[gateway]", "[gateway]\naccess_log = true", 1), one);
    process.wait_for("the new file is in force");
    process.curl("a.pem", "/secret?token=secret", &[]).unwrap();
    let line = process.wait_for("gateway::access");
    for part in [
        "status=200",
        "decision=\"admitted\"",
        "account=account_1",
        "key=key_1",
        "route=\"/\"",
        "upstream=\"backend\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains("secret") && !line.contains(&process.key), "{line}");
    process.curl("a.pem", "/secret", &["-H", "X-Api-Key: wrong"]).unwrap();
    let line = process.wait_for("gateway::access");
    assert!(line.contains("status=40") && !line.contains("wrong"), "{line}");
}

/// The file of the documentation has no mistake.
#[test]
fn the_file_of_the_documentation_is_right() {
    let check = |file: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["--check", file])
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.toml");
    assert_eq!(check(example), (Some(0), String::new()));

    let output = Command::new(env!("CARGO_BIN_EXE_gateway")).arg("--schema").output().unwrap();
    let schema = String::from_utf8(output.stdout).unwrap();
    assert!(schema.contains("max_content_bytes") && schema.contains("trusted_proxies"));

    // The page's tables, with certificates that are there.
    let page = include_str!("../../../../docs/gateway.md");
    let tables = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = Folder::new("page");
    folder.certify("a");
    let mut file = tables.to_owned();
    for (name, pair) in [("cert.pem", "a.pem"), ("key.pem", "a.key"), ("ca.pem", "a.pem")] {
        file = file.replace(&format!("/etc/gateway/{name}"), &folder.file(pair));
    }
    let store =
        format!("[store]\nurl = 'sqlite:{}'\ncreate_if_missing = true\n", folder.file("keys.db"));
    fs::write(folder.file("page.toml"), format!("[profile]\nbase = 'standard'\n{store}{file}"))
        .unwrap();
    assert_eq!(check(&folder.file("page.toml")), (Some(0), String::new()));

    let (status, problem) = check(&folder.file("none.toml"));
    assert_eq!(status, Some(2));
    assert!(problem.contains("none.toml"), "{problem}");
}

/// A load balancer that asks `/readyz` has time to notice, and a second signal does not wait.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_accepted_for_a_while_and_a_second_signal_ends() {
    let one = named("one").await;
    let mut process = Process::before("delay", one).await;
    process.configure(
        |file| file.replacen("[gateway.drain]", "[gateway.drain]\ndelay = '30s'", 1),
        one,
    );
    process.wait_for("the new file is in force");
    process.signal("TERM");
    let deadline = Instant::now() + Duration::from_secs(5);
    while process.probe("/readyz") != "ending\n503" {
        assert!(Instant::now() < deadline, "/readyz does not fail");
    }
    assert!(process.curl("a.pem", "/a", &[]).unwrap().ends_with("one 0"));
    process.signal("TERM");
    assert_eq!(process.end().code(), Some(3));
}
