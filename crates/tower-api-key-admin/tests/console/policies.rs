//! Policies in Chromium over HTTPS and SQLite: their own pages, and what they mean for the form of a key.

use std::time::Duration;

use serde_json::json;
use tower_api_key::policy::{KeyPolicy, KeyPolicyBuilder, PolicySubject};
use tower_api_key::store::Command;

use crate::driver::Browser;
use crate::pages::{accessible, picture, sign_in};
use crate::server::{Server, after};

const DAY: Duration = Duration::from_secs(86_400);

const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";

fn save(server: &Server, subject: &str, rules: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder) {
    let subject: PolicySubject = subject.parse().unwrap();
    let policy = rules(KeyPolicy::builder(subject)).build().unwrap();
    server.apply(Command::SavePolicy(policy));
}

#[test]
fn a_policy_is_added_edited_by_one_at_a_time_and_deleted_with_a_reason() {
    let server = Server::start("policies");
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    browser.click("nav a[href$=policies]");
    browser.expect("h2", "No policies");
    accessible(&browser);
    browser.click("a[href$=new-policy]");
    browser.expect("h1", "Add a policy");
    accessible(&browser);
    browser.click("input[name=subject][value=account]");
    browser.fill("#account", "acme");
    browser.fill("#longest_life", "7 weeks");
    browser.fill("#most_keys", "20");
    browser.click("input[name=scopes_from][value=key]");
    browser.click("input[name=scopes][value='inquiry.read']");
    browser.click("main form button");
    browser.expect("#longest_life-problem", "write a time such as 90 days");
    accessible(&browser);
    let kept =
        "return [...document.querySelectorAll('input[type=text]')].map(one => one.value).join()";
    assert_eq!(browser.script(kept), json!("acme,,7 weeks,,,,20,"));
    let checked = "return [...document.querySelectorAll(':checked')].map(one => one.value).join()";
    assert_eq!(browser.script(checked), json!("account,key,inquiry.read"));
    assert_eq!(
        browser.script("return document.querySelector('[aria-invalid=true]').id"),
        json!("longest_life")
    );
    browser.fill("#longest_life", "90 days");
    browser.fill("#reason", "contract of 2027");
    browser.click("main form button");
    browser.expect("main", "The policy was saved.");
    browser.expect("td", "A key expires at most 90 days after its newest secret was made.");
    browser.expect("td", "A key has no permissions but these: inquiry.read.");

    // Two editors.
    browser.click("a[href*=edit-policy]");
    browser.expect("h1", "Edit the policy for the account acme");
    save(&server, "account:acme", |policy| policy.longest_life(30 * DAY).most_keys(20));
    browser.fill("#longest_life", "60 days");
    browser.click("main form button");
    browser.expect("#conflict", "Someone else has changed this");
    browser.expect("main table", "30 days");
    browser.expect("main table", "60 days");
    accessible(&browser);
    browser.click("main form button");
    browser.expect("td", "A key expires at most 60 days after its newest secret was made.");

    browser.click("a[href*=delete-policy]");
    browser.expect("#consequence", "bind no key from now on");
    accessible(&browser);
    browser.fill("#reason", "contract has ended");
    browser.click("main form button");
    browser.expect("main", "The policy was deleted.");
    browser.expect("h2", "No policies");
    browser.go(&server.url("trail"));
    browser.expect("ol.trail", "contract of 2027");
    browser.expect("ol.trail", "90 days");
    browser.expect("ol.trail", "contract has ended");
    browser.expect("ol.trail", "policy: account:acme");
    accessible(&browser);
}

#[test]
fn the_form_of_a_key_shows_the_rules_and_what_breaks_them_beside_the_field() {
    let server = Server::start("key-rules");
    save(&server, "all", |policy| policy.longest_life(90 * DAY));
    save(&server, "account:acme", |policy| policy.scopes(["inquiry.read"]).most_keys(1));
    save(&server, "kind:personal", |policy| policy.switch_off_unused(30 * DAY));
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    browser.go(&server.url("policies"));
    browser.expect("td", "A key that is not used for 30 days is switched off.");
    picture(&browser, "policies");
    accessible(&browser);
    browser.go(&server.url("account?id=acme"));
    browser.click("a[href*=edit-policy]");
    browser.expect("h1", "Edit the policy for the account acme");
    browser.go(&server.url("new-key?account=acme"));
    browser.expect("#rules ~ dl", "For all keys");
    browser
        .expect("#rules ~ dl", "A key expires at most 90 days after its newest secret was made.");
    browser.expect("#expires-hint", "Policies require a day until 2");
    let closed = |scope: &str| {
        let script = format!("return document.querySelector('[value=\"{scope}\"]').disabled");
        browser.script(&script)
    };
    assert_eq!((closed("case.read"), closed("inquiry.read")), (json!(true), json!(false)));
    assert_eq!(closed("account"), json!(true), "the policy demands permissions of the key's own");
    browser.expect("#scopes-hint", "Bounded by the policy for the account acme.");
    browser.expect(".choices", "not allowed");
    browser.fill("#name", "Nightly export");
    browser.click("input[name=scopes][value='inquiry.read']");
    browser.click("main form button");
    browser.expect("#expires-problem", "requires an expiry: choose a day.");
    accessible(&browser);
    assert_eq!(
        browser.script("return document.querySelector('#name').value"),
        json!("Nightly export")
    );
    let checked = "return document.querySelector('[value=\"inquiry.read\"]').checked";
    assert_eq!(browser.script(checked), json!(true));
    let date = |days| after(days).to_string()[..10].to_owned();
    let choose = |days| {
        browser.script(&format!("document.querySelector('#expires').value = '{}'", date(days)))
    };
    choose(120);
    browser.click("main form button");
    browser.expect("#expires-problem", "or an earlier day");
    browser.script("document.querySelector('#expires').scrollIntoView({ block: 'center' })");
    picture(&browser, "key-policies");
    assert_eq!(browser.script("return document.querySelector('#expires').value"), json!(date(120)));
    choose(80);
    browser.fill("#more_scopes", "case.read");
    browser.click("main form button");
    browser.expect("#scopes-problem", "does not allow the permission case.read: leave it out.");
    browser.fill("#more_scopes", "");
    browser.click("main form button");
    browser.expect("h1", "The key was created");
    browser.go(&server.url("keys?account=acme"));
    browser.click("td a");
    browser.expect("h1", "Nightly export");
    browser.expect("dl.rules", "The account has at most 1 key.");
    accessible(&browser);
    // The policy allows one key.
    browser.go(&server.url("new-key?account=acme"));
    choose(80);
    browser.click("main form button");
    browser.expect(
        "[role=alert]",
        "The policy for the account acme allows an account 1 key: revoke one first.",
    );
}

#[test]
fn an_edit_keeps_what_a_later_policy_does_not_allow() {
    let server = Server::start("later-policy");
    server.add("key_1", "acme", "Backup", None);
    save(&server, "account:acme", |policy| policy.scopes(["case.read"]).require_expiry());
    let Some(browser) = Browser::open(1_000, 750) else { return };
    sign_in(&browser, &server, &server.admin);
    browser.go(&server.url("policy-review"));
    browser.expect("td", "The policy for the account acme requires an expiry");
    browser.expect("td", "The next sweep lets the key expire at 2");
    accessible(&browser);
    browser.click("td a");
    browser.expect(".notice", "requires an expiry");
    browser.click("a[href*=edit-key]");
    browser.fill("#name", "Renamed");
    browser.click("main form button");
    browser.expect("main", "The key was saved.");
    browser.expect("main dl", "inquiry.read");
    browser.click("a[href*=edit-key]");
    browser.click("input[name=scopes][value='case.read']");
    browser.click("main form button");
    browser.expect("#scopes-problem", "does not allow the permission inquiry.read: leave it out.");
    browser.click("input[name=scopes][value='inquiry.read']");
    browser.click("main form button");
    browser.expect("main", "The key was saved.");
}

#[test]
fn pages_of_policies_fit_a_phone_are_dark_if_wanted_and_need_no_mouse_and_no_script() {
    let server = Server::start("policies-phone");
    save(&server, "kind:<b>{{7*7}}</b>", |policy| policy.scopes(["<i>x</i>", "case.read"]));
    save(&server, "all", |policy| policy.remind_of_rotation(60 * DAY).most_keys(0));
    let Some(browser) = Browser::open(360, 740) else { return };
    browser.devtools("Network.enable", &json!({}));
    browser.devtools("Network.setBlockedURLs", &json!({ "urls": ["*.js"] }));
    sign_in(&browser, &server, &server.admin);
    let kind = "kind%3A%3Cb%3E%7B%7B7*7%7D%7D%3C%2Fb%3E";
    for scheme in ["light", "dark"] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", &features);
        for page in ["policies", "new-policy", "policy-review", "new-key", "key?id=key_admin"]
            .map(str::to_owned)
            .into_iter()
            .chain(["edit", "delete"].map(|verb| format!("{verb}-policy?id={kind}")))
        {
            browser.go(&server.url(&page));
            let width = browser.script("return document.documentElement.scrollWidth");
            assert!(width.as_u64() <= Some(360), "{page}: {width}");
            let foreign =
                browser.script("return document.querySelectorAll('main b, main i').length");
            assert_eq!(foreign, json!(0), "{page}");
            accessible(&browser);
        }
    }
    browser.go(&server.url("new-policy"));
    browser.press(&format!("{TAB}{ENTER}"));
    browser.press(&format!("{TAB}\u{e015}{TAB}acme"));
    for _ in 0..10 {
        if browser.script("return document.activeElement.name") == json!("longest_life") {
            break;
        }
        browser.press(TAB);
    }
    browser.press(&format!("12 hours{ENTER}"));
    browser.expect("main", "The policy was saved.");
    browser.expect("td", "A key expires at most 12 hours after its newest secret was made.");
    browser.expect("th", "the account acme");
}
