//! Management, events and webhooks of a gateway's file, in a process of its own.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::quota::Quota;
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

use crate::inbox::{Inbox, SECRET};
use crate::process::{Folder, Process};
use crate::upstream::{serve, text};

/// All scopes of an operator, and one to give away.
const SCOPES: [&str; 6] =
    ["keys.read", "keys.write", "accounts.read", "accounts.write", "trail.read", "users.read"];

const JSON: [&str; 2] = ["-H", "Content-Type: application/json"];

const MANAGEMENT: &str = "[management]\npath = '/manage'\noperators = ['staff']\n\
     [management.owners]\npath = '/own'\nmost_keys = 2\n\
     [management.console]\n";

/// An upstream that says that it is one.
async fn upstream() -> std::net::SocketAddr {
    serve(|_| async { http::Response::new(text("the upstream")) }).await.0
}

/// Adds tables before those of the gateway. The gate is open to requests without a key.
fn with(tables: &str) -> impl Fn(String) -> String {
    move |file| {
        let open = "optional = true\notherwise = { need = {} }\n";
        format!("{open}{file}{tables}")
    }
}

/// Adds a key with scopes to an account.
async fn issue(process: &Process, account: &str, scopes: &[&str]) -> String {
    let url = format!("sqlite:{}", process.folder.file("keys.db"));
    let store = SqlStore::connect(&url).await.unwrap();
    let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
    let account = Account::builder(account).scopes(scopes.iter().copied()).build().unwrap();
    let record = KeyRecord::builder(format!("key_of_{}", account.id()), account);
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    issued.expose().to_owned()
}

/// Returns the JSON of an answer, after its status.
fn parts(answer: &str) -> (u16, Value) {
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, content) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(content).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_created_over_http_and_its_events_reach_a_webhook() {
    let inbox = Inbox::open().await;
    let tables = format!("{MANAGEMENT}[events]\nlog = true\n{}", inbox.webhook("billing"));
    let process = Process::with("managed", upstream().await, with(&tables)).await;
    let operator = issue(&process, "staff", &SCOPES).await;

    let (status, listed) =
        parts(&process.curl_as(&operator, "a.pem", "/manage/keys", &[]).unwrap());
    assert_eq!(status, 200, "{listed}");
    assert!(listed.to_string().contains("key_1"), "{listed}");

    let body = r#"{"account": "account_1", "environment": "live", "name": "backup", "scopes": ["users.read"]}"#;
    let create = [&JSON[..], &["-d", body]].concat();
    let answer = process.curl_as(&operator, "a.pem", "/manage/keys", &create).unwrap();
    let (status, created) = parts(&answer);
    assert_eq!(status, 201, "{created}");
    let (id, secret) =
        (created["key"]["id"].as_str().unwrap(), created["secret"].as_str().unwrap());

    let event = inbox.wait_for("key.created", id).await;
    assert_eq!(event["data"]["author"], "key_of_staff");
    process.wait_for("event of a key");

    // The new key calls the upstream, which is an event, too.
    let answer = process.curl_as(secret, "a.pem", "/a", &[]).unwrap();
    assert!(answer.ends_with("the upstream"), "{answer}");
    let used = inbox.wait_for("key.first_use", id).await;
    assert_eq!(used["data"]["account"], "account_1");
}

/// What a request without the right key gets, whatever the gate before the upstream allows.
#[tokio::test(flavor = "multi_thread")]
async fn management_is_behind_a_gate_and_never_at_the_address_of_probes() {
    let plain = "[[gateway.listeners]]\naddress = '127.0.0.1:0'\n";
    let tables = format!("{plain}{MANAGEMENT}");
    let process = Process::with("guarded", upstream().await, with(&tables)).await;
    let operator = issue(&process, "staff", &SCOPES).await;
    let customer = issue(&process, "account_2", &["keys.read", "keys.write"]).await;
    let status =
        |key: &str, path: &str| parts(&process.curl_as(key, "a.pem", path, &[]).unwrap()).0;
    for (key, path, expected) in [
        ("", "/a", 200),
        ("", "/manage/keys", 401),
        ("wrong", "/manage/keys", 401),
        ("", "/manage/openapi.json", 401),
        ("", "/own/keys", 401),
        (&customer, "/manage/keys", 403),
        (&customer, "/own/keys", 200),
        (&operator, "/own/keys", 200),
        (&operator, "/manage/keys", 200),
        (&operator, "/manage/nothing", 404),
        ("", "/console/sign-in", 200),
        ("", "/managed", 200),
    ] {
        assert_eq!(status(key, path), expected, "{path}");
    }
    // A customer's keys are those of its own account, and operators are customers there.
    let own = process.curl_as(&customer, "a.pem", "/own/keys", &[]).unwrap();
    assert!(own.contains("key_of_account_2") && !own.contains("key_1"), "{own}");
    assert!(process.probe("/manage/keys").ends_with("404"), "{}", process.probe("/manage/keys"));
    // Without TLS, no key is taken.
    let address = process.wait_for("listening on");
    let address = address.rsplit(' ').next().unwrap();
    let key = format!("X-Api-Key: {operator}");
    for path in ["/manage/keys", "/own/keys", "/console/keys", "/console/sign-in"] {
        let output = Command::new("curl")
            .args(["-q", "-sS", "-i", "--max-time", "15", "--noproxy", "*", "-H", &key])
            .arg(format!("http://{address}{path}"))
            .output()
            .unwrap();
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(answer.contains(" 400 "), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_moves_management_and_webhooks_without_a_restart() {
    let (first, second) = (Inbox::open().await, Inbox::open().await);
    let before = format!("[events]\n{}", first.webhook("billing"));
    let upstream = upstream().await;
    let process = Process::with("moved", upstream, with(&before)).await;
    let operator = issue(&process, "staff", &SCOPES).await;
    let answer = process.curl_as(&operator, "a.pem", "/manage/keys", &[]).unwrap();
    assert!(answer.ends_with("the upstream"), "{answer}");
    // An endpoint gets what happens after its first look at the events.
    let mut accounts = (0..10).map(|number| format!("early_{number}"));
    loop {
        let account = accounts.next().expect("no key that was created became an event");
        issue(&process, &account, &[]).await;
        if first.comes("key.created", &format!("key_of_{account}")).await {
            break;
        }
    }

    // The same name is the same endpoint: it goes on where it was, and waits for no lease.
    let after = format!("{MANAGEMENT}[events]\n{}", second.webhook("billing"));
    process.configure(with(&after), upstream);
    process.wait_for("the new file is in force");
    let (status, _) = parts(&process.curl_as(&operator, "a.pem", "/manage/keys", &[]).unwrap());
    assert_eq!(status, 200);
    let revoke = [&JSON[..], &["-d", r#"{"reason": "leaked"}"#]].concat();
    let answer = process.curl_as(&operator, "a.pem", "/manage/keys/key_1/revoke", &revoke).unwrap();
    assert_eq!(parts(&answer).0, 200, "{answer}");
    second.wait_for("key.leaked", "key_1").await;
    assert!(second.all().iter().all(|event| event["type"] != "key.created"), "{:?}", second.all());

    // A session of the console outlives a change of something else.
    let jar = process.folder.file("cookies");
    let key = format!("key={operator}");
    let sign_in = ["-c", &jar, "--data-urlencode", &key, "-H", "Sec-Fetch-Site: same-origin"];
    let answer = process.curl_as("", "a.pem", "/console/sign-in", &sign_in).unwrap();
    assert!(answer.contains(" 303"), "{answer}");
    let is_signed_in = || {
        let page = process.curl_as("", "a.pem", "/console/keys", &["-b", &jar]).unwrap();
        page.split(' ').nth(1).unwrap() == "200"
    };
    assert!(is_signed_in());
    let changed = format!("{after}kinds = ['key.created']\n");
    process.configure(with(&changed), upstream);
    process.wait_for("the new file is in force");
    assert!(is_signed_in());
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_these_tables_keep_the_gateway_from_starting() {
    let process = Process::before("mistaken", upstream().await).await;
    for (tables, expected) in [
        (
            "[management]\npath = '/manage'\n[[gateway.routes]]\npath = '/manage/x'\nupstream = 'backend'\n",
            "`operators`",
        ),
        (
            "[management]\npath = '/manage'\noperators = ['staff']\n\
             [[gateway.routes]]\npath = '/manage/x'\nupstream = 'backend'\n",
            "`gateway.routes[1].path`: no request would reach this route",
        ),
        (
            "[management]\npath = '/manage'\noperators = ['staff']\nhost = 'keys.example.com'\n\
             [[gateway.routes]]\nhost = 'Keys.example.com'\npath = '/'\nupstream = 'backend'\n",
            "`gateway.routes[1].host`: no request would reach this route",
        ),
        (
            "[events]\n[[webhooks]]\nname = 'a'\nurl = 'https://10.0.0.1'\nsecret = 'whsec_x'\n",
            "`webhooks[0].url`: `url` names a private",
        ),
        (
            "[events]\n[[webhooks]]\nname = 'a'\nurl = 'https://hooks.example.com'\nsecret = 'hunter2'\n",
            "`webhooks[0].secret`: `secret` is not valid",
        ),
    ] {
        let file = process.folder.file("mistaken.toml");
        let right = fs::read_to_string(process.folder.file("gateway.toml")).unwrap();
        fs::write(&file, format!("{right}{tables}")).unwrap();
        for arguments in [&["--check", &*file][..], &[&*file]] {
            let output =
                Command::new(env!("CARGO_BIN_EXE_gateway")).args(arguments).output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(text.contains(expected) && !text.contains("hunter2"), "{tables}: {text}");
            assert!(text.contains("mistaken.toml:"), "it has no line: {text}");
        }
    }
}

#[test]
fn the_example_has_no_mistake() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/managed.toml");
    let folder = Folder::new("example");
    let output = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["--check", example])
        .envs([("BILLING_URL", "https://hooks.example.com/keys"), ("BILLING_SECRET", SECRET)])
        .current_dir(folder.file(""))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
}

/// Without `[telemetry]`, too: an operator can give quotas to an account while nothing counts them.
#[tokio::test(flavor = "multi_thread")]
async fn quotas_that_nothing_counts_are_told_at_the_start_and_with_each_503() {
    let upstream = upstream().await;
    let process = Process::with("uncounted", upstream, with(MANAGEMENT)).await;
    process.wait_for("the file has no `[limiter]` that counts them");
    let url = format!("sqlite:{}", process.folder.file("keys.db"));
    let store = SqlStore::connect(&url).await.unwrap();
    let quota = Quota::named("minute", 5, Duration::from_secs(60));
    let limited = Account::builder("account_1").quotas([quota]).build().unwrap();
    store.save_account(limited, "test").await.unwrap();
    let status = || {
        let answer = process.curl_as(&process.key, "a.pem", "/a", &[]).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status(), "503");
    let line = process.wait_for("the limiter could not answer");
    assert!(line.contains("WARN") && line.contains("no limiter is configured"), "{line}");
    assert!(!line.contains(&process.key), "{line}");

    let counted = format!("{MANAGEMENT}[limiter]\nurl = 'memory:'\n");
    process.configure(with(&counted), upstream);
    process.wait_for("the new file is in force");
    assert_eq!(status(), "200");
    process.configure(with(MANAGEMENT), upstream);
    process.wait_for("the file has no `[limiter]` that counts them");
}

/// A host of its own serves management only, and no other host has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_management_serves_nothing_else() {
    let tables = MANAGEMENT.replace("operators", "host = 'keys.localhost'\noperators");
    let process = Process::with("host", upstream().await, with(&tables)).await;
    let operator = issue(&process, "staff", &SCOPES).await;
    let at = |host: &str, path: &str| {
        let host = format!("Host: {host}");
        process.curl_as(&operator, "a.pem", path, &["--http1.1", "-H", &host]).unwrap()
    };
    for (host, path, status, is_upstream) in [
        ("keys.localhost", "/manage/keys", 200, false),
        ("KEYS.localhost.:8443", "/manage/keys", 200, false),
        ("keys.localhost", "/a", 404, false),
        ("localhost", "/manage/keys", 200, true),
        ("localhost", "/a", 200, true),
    ] {
        let answer = at(host, path);
        assert_eq!(parts(&answer).0, status, "{host} {path}: {answer}");
        assert_eq!(answer.ends_with("the upstream"), is_upstream, "{host} {path}: {answer}");
    }
}

/// What `--check` opens sends no event, and neither does a gateway that cannot start. The first sends of its life are those
/// after its start.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_checked_or_cannot_be_served_sends_nothing() {
    let inbox = Inbox::open().await;
    let process = Process::before("checked", upstream().await).await;
    let right = fs::read_to_string(process.folder.file("gateway.toml")).unwrap();
    let (file, address) = (process.folder.file("checked.toml"), process.address);
    let tables = format!("[events]\ninterval = '1s'\n{}", inbox.webhook("billing"));
    fs::write(&file, format!("{right}{tables}")).unwrap();
    for (arguments, expected) in [(&["--check", &*file][..], 0), (&[&*file], 2)] {
        let run = Command::new(env!("CARGO_BIN_EXE_gateway")).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&run.stderr).into_owned();
        // The other gateway has the address.
        assert_eq!(run.status.code(), Some(expected), "{address}: {text}");
    }
    // A sink gets what is written from its first run on, so an event shows whether it had one.
    issue(&process, "staff", &SCOPES).await;
    process.configure(|file| format!("{file}{tables}"), upstream().await);
    process.wait_for("the new file is in force");
    let customer = issue(&process, "account_2", &["keys.read"]).await;
    inbox.wait_for("key.created", "key_of_account_2").await;
    assert!(!customer.is_empty());
    let all = inbox.all();
    assert!(all.iter().all(|event| event["data"]["key"] != "key_of_staff"), "{all:?}");
}

/// A reload that the gateway refuses leaves events and webhooks as they were, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reload_changes_no_webhook_and_no_management() {
    let (first, second) = (Inbox::open().await, Inbox::open().await);
    let upstream = upstream().await;
    let before = format!("{MANAGEMENT}[events]\n{}", first.webhook("billing"));
    let process = Process::with("refused", upstream, with(&before)).await;
    let operator = issue(&process, "staff", &SCOPES).await;
    let after = format!(
        "{}[events]\nalarms_only = true\n{}",
        MANAGEMENT.replace("/manage", "/moved"),
        second.webhook("billing")
    );
    let route = "[[gateway.routes]]\nupstream = 'backend'\n";
    for (number, (more, words)) in [
        (format!("{route}path = '/moved/x'\n"), "no request would reach this route"),
        (format!("{route}path = '/own'\n"), "no request would reach this route"),
        (format!("{route}path = 'x'\n"), "begin it with a slash"),
        ("[[gateway.listeners]]\naddress = '127.0.0.1:0'\n".to_owned(), "without a restart"),
    ]
    .into_iter()
    .enumerate()
    {
        process.configure(with(&format!("{after}{more}")), upstream);
        process.wait_for(words);
        let id = format!("account_{}", number + 5);
        issue(&process, &id, &["keys.read"]).await;
        first.wait_for("key.created", &format!("key_of_{id}")).await;
        let answer = process.curl_as(&operator, "a.pem", "/manage/keys", &[]).unwrap();
        assert_eq!(parts(&answer).0, 200, "{words}: {answer}");
    }
    assert!(second.all().is_empty(), "{:?}", second.all());
}

/// A proxy of this machine, and a page whose name leads here, ask for somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn probes_show_upstreams_and_metrics_to_nobody_elsewhere() {
    let process = Process::before("direct", upstream().await).await;
    for (path, field, status) in [
        ("/healthz", "Host: evil.example", "200"),
        ("/readyz", "Accept: */*", "200"),
        ("/readyz", "Host: localhost:9901", "200"),
        ("/metrics", "Accept: */*", "200"),
        ("/readyz", "Host: evil.example:9901", "403"),
        ("/metrics", "Host: evil.example:9901", "403"),
        ("/metrics", "Host: 192.0.2.1", "403"),
        ("/metrics", "X-Forwarded-For: 127.0.0.1", "403"),
        ("/readyz", "Via: 1.1 proxy", "403"),
        ("/nothing", "Host: evil.example", "404"),
    ] {
        let answer = process.probe_with(path, &["-H", field]);
        assert!(answer.ends_with(status), "{path} {field}: {answer}");
        assert!(status == "200" || !answer.contains("backend"), "{answer}");
    }
}
