//! What a person does with the console, in Chromium over HTTPS and SQLite.

use std::time::Duration;

use serde_json::json;
use tower_api_key::quota::{OnLimiterFailure, Per, Quota};

use crate::driver::Browser;
use crate::server::Server;

/// Signs in with a key.
pub(crate) fn sign_in(browser: &Browser, server: &Server, key: &str) {
    browser.go(&server.url("keys"));
    browser.fill("#key", key);
    browser.click("main button");
    // Without waiting, the answer could replace the page that a test opens next.
    browser.expect("header form button", "Sign out");
}

#[test]
fn a_key_is_created_and_its_secret_is_shown_once_and_copied() {
    let server = Server::start("create");
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    browser.expect("h1", "Keys");
    browser.click("a[href='/console/new-key']");
    browser.fill("#account", "acme");
    browser.fill("#name", "Nightly export");
    browser.click("input[name=scopes_from][value=key]");
    browser.click("input[name=scopes][value='inquiry.read']");
    browser.click("main form button");
    browser.expect("h1", "The key was created");
    let secret = browser.text("#secret");
    assert!(secret.starts_with("acme_"), "{secret}");
    let origin = server.url("").replace("/console/", "");
    let permissions = json!({ "origin": origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.devtools("Browser.grantPermissions", &permissions);
    browser.click("button[data-copy]");
    browser.expect("#announcements", "Copied.");
    assert_eq!(browser.script("return navigator.clipboard.readText()"), json!(secret));
}

#[test]
fn a_key_is_found_by_the_last_characters_of_its_secret() {
    let server = Server::start("tail");
    let secret = server.add("key_1", "acme", "Backup", None);
    server.add("key_2", "acme", "Nightly export", None);
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    let tail = &secret[secret.len() - 4..];
    // The customer shows more of it.
    for shown in [tail, &secret[secret.len() - 6..]] {
        browser.go(&server.url("keys"));
        browser.fill("#tail", shown);
        browser.click("main form button");
        browser.expect("#found", "1 key on this page");
        browser.expect("main table", "Backup");
        assert!(
            browser.url().ends_with(&format!("/console/keys?tail={tail}")),
            "{}",
            browser.url()
        );
    }
    browser.fill("#tail", "abc");
    browser.click("main form button");
    browser.expect("#tail-problem", "write the last 4 characters");
    accessible(&browser);
    browser.go(&server.url("key?id=key_1"));
    browser.expect("main table", &format!("…{tail}"));
}

#[test]
fn two_editors_see_the_conflict_and_both_states() {
    let server = Server::start("conflict");
    server.add("key_1", "acme", "Backup", None);
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    browser.go(&server.url("edit-key?id=key_1"));
    let rename = server.store.update("key_1", Box::new(|key| key.name("Backup of Bob")), "bob");
    server.runtime.block_on(rename).unwrap();
    browser.fill("#name", "Backup of Ada");
    browser.click("main form button");
    browser.expect("#conflict", "Someone else has changed this");
    browser.expect("#last-change", "UTC by bob.");
    browser.expect("main table", "Backup of Bob");
    browser.expect("main table", "Backup of Ada");
    picture(&browser, "conflict");
    accessible(&browser);
    browser.fill("#reason", "agreed with Bob");
    browser.click("main form button");
    browser.expect("h1", "Backup of Ada");
    browser.expect("main", "The key was saved.");
    browser.expect("ol.trail", "agreed with Bob");
    browser.expect("del", "Backup of Bob");
}

#[test]
fn a_key_is_rotated_with_a_countdown_and_revoked_with_a_reason() {
    let server = Server::start("endings");
    server.add("key_1", "acme", "Backup", None);
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    browser.go(&server.url("rotate-key?id=key_1"));
    accessible(&browser);
    browser.click("main form button");
    browser.expect("h1", "The key was rotated");
    browser.expect("[data-until]", "23 h 59 min left");
    picture(&browser, "secret");
    accessible(&browser);
    browser.go(&server.url("key?id=key_1"));
    browser.expect("[data-until]", "23 h 59 min left");
    picture(&browser, "key");
    accessible(&browser);
    browser.click("a[href*=end-earlier-secrets]");
    accessible(&browser);
    browser.fill("#reason", "the customer has moved");
    browser.click("main form button");
    browser.expect("main", "The old secrets have ended.");
    browser.expect("ol.trail", "the customer has moved");
    let left = "return document.querySelectorAll('[data-until], a[href*=end-earlier]').length";
    assert_eq!(browser.script(left), json!(0));
    browser.click("a[href*=revoke-key]");
    accessible(&browser);
    browser.fill("#reason", "leaked in a log");
    browser.click("main form button");
    browser.expect("main", "The key was revoked.");
    browser.expect("ol.trail", "leaked in a log");
    browser.click("a[href*=delete-key]");
    browser.fill("#reason", "no longer needed");
    browser.click("main form button");
    browser.expect("h1", "Keys");
    browser.go(&server.url("trail"));
    browser.expect("ol.trail", "no longer needed");
    accessible(&browser);
}

#[test]
fn pages_fit_a_phone_are_dark_if_wanted_and_hold_no_one_elses_markup() {
    let server = Server::start("phone");
    let hostile = "<img src=x onerror=document.title=1>\"'><script>document.title=2</script>";
    server.add("key_1", "acme", hostile, Some(12));
    server.add("key_2/../?&#\"<b>", "acme", "{{7*7}}", None);
    for number in 0..60 {
        server.add(&format!("key_n{number:02}"), "acme", &format!("Worker {number}"), Some(200));
    }
    let Some(browser) = Browser::open(360, 740) else { return };
    browser.go(&server.url("keys"));
    let pages = [
        "keys",
        "expiring",
        "accounts",
        "account?id=acme",
        "new-account",
        "edit-account?id=acme",
        "policies",
        "new-policy",
        "policy-review",
        "trail",
        "new-key",
        "key?id=key_1",
        "edit-key?id=key_1",
        "key?id=key_2%2F..%2F%3F%26%23%22%3Cb%3E",
        "nothing",
        "keys?name=%22%3E%3Cb%3E&account=%3Ci%3E",
    ];
    sign_in(&browser, &server, &server.admin);
    let dark = ["keys", "trail", "new-key", "key?id=key_1"];
    for scheme in ["light", "dark"] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", &features);
        for page in pages {
            browser.go(&server.url(page));
            let width = browser.script("return document.documentElement.scrollWidth");
            assert!(width.as_u64() <= Some(360), "{page}: {width}");
            let foreign = browser.script(
                "return document.querySelectorAll('main img, main script, main b, main i').length",
            );
            assert_eq!(foreign, json!(0), "{page}");
            let title = browser.script("return document.title");
            assert!(title.as_str().unwrap().ends_with(" · API keys"), "{page}: {title}");
            // Colours are all that differs in the dark.
            if scheme == "light" || dark.contains(&page) {
                accessible(&browser);
            }
        }
        browser.go(&server.url("key?id=key_n00"));
        if scheme == "dark" {
            picture(&browser, "key-phone-dark");
        }
    }
    let back = browser.script("return getComputedStyle(document.body).backgroundColor");
    assert_eq!(back, json!("rgb(20, 23, 27)"));
}

#[test]
fn pages_work_without_their_script() {
    let server = Server::start("plain");
    server.add("key_1", "acme", "Backup", None);
    let Some(browser) = Browser::open(1_000, 750) else { return };
    browser.devtools("Network.enable", &json!({}));
    browser.devtools("Network.setBlockedURLs", &json!({ "urls": ["*.js"] }));
    sign_in(&browser, &server, &server.admin);
    browser.go(&server.url("edit-key?id=key_1"));
    browser.fill("#name", "Renamed");
    browser.click("main form button");
    browser.expect("main", "The key was saved.");
    browser.click("a[href*=rotate-key]");
    browser.click("main form button");
    browser.expect("h1", "The key was rotated");
    // The button that copies needs the script, and the countdown is a date without it.
    assert_eq!(browser.script("return document.querySelector('[data-copy]').hidden"), json!(true));
    browser.expect("main", "The old secret is valid until 2");
    browser.expect("[data-until]", "still valid");
    browser.click("header form button");
    browser.expect("h1", "Sign in");
}

#[test]
fn an_accounts_own_quotas_are_added_edited_and_removed() {
    let server = Server::start("quotas");
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    browser.go(&server.url("edit-account?id=acme"));
    accessible(&browser);
    // Those of the plan.
    let names =
        "return [...document.querySelectorAll('[name=quota_name]')].map(one => one.value).join()";
    assert_eq!(browser.script(names), json!("minute,month,,"));
    browser.click("input[name=quotas_from][value=account]");
    browser.fill("#quota_name_1", "hour");
    browser.fill("#quota_limit_1", "many");
    browser.fill("#quota_window_1", "3600");
    browser.click("#quota_per_1 option[value=key]");
    browser.fill("#quota_name_2", "day");
    browser.fill("#quota_limit_2", "500");
    browser.click("#quota_algorithm_2 option[value=calendar_day]");
    browser.fill("#quota_failure_2", "deny");
    browser.click("main form button");
    // The rules of the API, and what was typed stays.
    browser.expect("[role=alert]", "write a whole number");
    assert_eq!(
        browser.script("return document.querySelector('#quota_name_2').value"),
        json!("day")
    );
    accessible(&browser);
    browser.fill("#quota_limit_1", "0");
    browser.click("main form button");
    // The text of the page before is another.
    browser.expect("[role=alert]", "the limit must be at least 1");
    browser.fill("#quota_limit_1", "20");
    browser.fill("#reason", "ticket 4711");
    browser.click("main form button");
    browser.expect("main", "0 of 500 used");
    let own = || {
        let account = server.runtime.block_on(server.store.find_account("acme")).unwrap().unwrap();
        account.quotas().map(|own| own.as_slice().to_vec())
    };
    let hour = Quota::new("hour", 20, Duration::from_secs(3_600)).with_per(Per::Key);
    let day = Quota::by_day("day", 500).with_failure_choice(OnLimiterFailure::Deny);
    assert_eq!(own(), Some(vec![hour, day.clone()]));
    // One is removed, and the other one stays as it is.
    browser.go(&server.url("edit-account?id=acme"));
    for field in ["name", "limit", "window"] {
        browser.fill(&format!("#quota_{field}_1"), "");
    }
    browser.click("main form button");
    browser.expect("h1", "Account acme");
    assert_eq!(own(), Some(vec![day]));
    browser.go(&server.url("trail?account=acme"));
    browser.expect("ol.trail", "ticket 4711");
    browser.go(&server.url("edit-account?id=acme"));
    browser.click("input[name=quotas_from][value=plan]");
    browser.click("main form button");
    browser.expect("main", "0 of 10000 used");
    assert_eq!(own(), None);
    browser.go(&server.url("new-account"));
    browser.fill("#id", "new");
    browser.click("input[name=quotas_from][value=account]");
    browser.fill("#quota_name_1", "minute");
    browser.fill("#quota_limit_1", "7");
    browser.fill("#quota_window_1", "60");
    browser.click("main form button");
    browser.expect("main", "0 of 7 used");
}

/// Enter, tab and space, as WebDriver names them.
const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";
const SPACE: &str = " ";

#[test]
fn the_keyboard_is_enough() {
    let server = Server::start("keyboard");
    let key = server.add("key_1", "acme", "Backup", Some(12));
    let Some(browser) = Browser::open(1_000, 750) else { return };
    browser.go(&server.url("keys"));
    accessible(&browser);
    browser.press(&format!("{}{ENTER}", server.admin));
    browser.expect("h1", "Keys");
    picture(&browser, "keys");
    browser.press(TAB);
    let focus = || browser.script("return document.activeElement.innerText");
    assert_eq!(focus(), json!("Skip to content"));
    browser.press(ENTER);
    assert_eq!(browser.script("return document.activeElement.id"), json!("main"));
    browser.press(&format!("{TAB}{ENTER}"));
    browser.expect("h1", "Create a key");
    // The field of the account is the first one after the link that skips.
    browser.press(&format!("{TAB}{ENTER}{TAB}acme{TAB}From the keyboard"));
    for _ in 0..30 {
        if browser.script("return document.activeElement.name") == json!("scopes_from") {
            break;
        }
        browser.press(TAB);
    }
    // The arrow chooses the next one of two.
    browser.press(&format!("\u{e015}{TAB}{SPACE}"));
    picture(&browser, "create");
    browser.press(ENTER);
    browser.expect("h1", "The key was created");
    accessible(&browser);
    browser.go(&server.url("keys"));
    browser.fill("#secret", &key);
    browser.press(ENTER);
    browser.expect("h1", "Backup");
    assert!(!browser.url().contains(&key));
    assert!(browser.url().ends_with("/console/key?id=key_1"), "{}", browser.url());
    browser.go(&server.url("account?id=acme"));
    browser.expect("main", "0 of 10000 used");
    picture(&browser, "account");
    browser.click("header form button");
    browser.expect("h1", "Sign in");
    browser.go(&server.url("keys"));
    browser.expect("h1", "Sign in");
}

/// Fails if axe finds something serious on the page. Without axe, which `tests/run` installs, it says so.
pub(crate) fn accessible(browser: &Browser) {
    let Some(axe) = std::env::var_os("AXE_CORE") else {
        println!("SKIPPED: there is no axe-core");
        return;
    };
    let axe = std::fs::read_to_string(axe).unwrap();
    let found = browser.script(&format!(
        "{axe}; return axe.run().then(found => found.violations.map(({{ id, impact, nodes }}) =>
            ({{ id, impact, nodes: nodes.map(node => node.html + node.failureSummary) }})))"
    ));
    let serious = found.as_array().unwrap().iter();
    let serious: Vec<_> = serious.filter(|found| found["impact"] != "minor").collect();
    assert!(serious.is_empty(), "{}: {serious:#?}", browser.url());
}

/// Writes a picture for the documentation, if `UPDATE_FILES` is set.
pub(crate) fn picture(browser: &Browser, name: &str) {
    if std::env::var_os("UPDATE_FILES").is_none() {
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images");
    std::fs::create_dir_all(folder).unwrap();
    let picture = browser.picture();
    assert!(picture.len() < 100_000, "{name}: {} bytes", picture.len());
    std::fs::write(format!("{folder}/console-{name}.png"), picture).unwrap();
}
