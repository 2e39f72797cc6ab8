//! Which pages a key gets: those whose form it may send, and links to no others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::{StatusCode, header};
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::quota::Quota;
use tower_api_key::store::{Command, CommandOptions, MemoryStore};
use tower_api_key_admin::management::{OwnerPolicy, scopes};

use crate::doors::{House, text};
use crate::server::add;

/// The pages with a form that changes something.
const PAGES: [&str; 15] = [
    "new-key",
    "edit-key?id=key_1",
    "rotate-key?id=key_1",
    "end-earlier-secrets?id=key_1",
    "revoke-key?id=key_1",
    "delete-key?id=key_1",
    "edit-key?id=key_admin",
    "revoke-key?id=key_admin",
    "give-back?id=key_1&quota=minute",
    "new-account",
    "edit-account?id=acme",
    "new-policy",
    "edit-policy?id=account:acme",
    "delete-policy?id=account:acme",
    "delete-policy?id=all",
];

/// A console with a key of a customer, two policies, counters and a plan of which only operators know the name.
async fn house() -> House {
    let plans = Plans::new();
    let minute = || Quota::new("minute", 100, Duration::from_secs(60));
    plans.set("gold", [minute()]).unwrap();
    plans.set("secret-plan", [minute()]).unwrap();
    let settings = |all: tower_api_key_admin::management::ManagementBuilder| {
        all.owners(OwnerPolicy::at_most_keys(9)).plans(plans).limiter(MemoryLimiter::new(), [])
    };
    let house = House::over(Arc::new(MemoryStore::new()), false, settings).await;
    add(&*house.store, "key_1", "acme", |key| key.scopes(["inquiry.read"])).await;
    for subject in ["all", "account:acme"] {
        let subject: PolicySubject = subject.parse().unwrap();
        let policy = KeyPolicy::builder(subject).most_keys(90).build().unwrap();
        let command = Command::SavePolicy(policy);
        house.store.apply(command, CommandOptions::by("bob")).await.unwrap();
    }
    house
}

/// The keys, each with its account, its scopes and the pages that it gets, by their first words.
fn keys() -> Vec<(&'static str, &'static str, Vec<&'static str>, Vec<&'static str>)> {
    let reads = ["keys.read", "accounts.read", "policies.read", "trail.read", "usage.read"];
    let with = |more: &[&'static str]| reads.iter().chain(more).copied().collect::<Vec<_>>();
    let edits = ["edit-key?id=key_1", "end-earlier", "revoke-key?id=key_1", "delete-key"];
    let keys = |more: &[&'static str]| edits.iter().chain(more).copied().collect::<Vec<_>>();
    let policies = vec!["new-policy", "edit-policy", "delete-policy?id=account"];
    vec![
        (
            "all",
            "staff",
            scopes::ALL.to_vec().into_iter().chain(["inquiry.read"]).collect(),
            PAGES.to_vec(),
        ),
        ("reader", "staff", with(&[]), vec![]),
        ("nothing", "staff", vec!["inquiry.read"], vec![]),
        // It may not have the secret of a key that may do more, and not change one of operators that may do more.
        ("desk", "staff", with(&["keys.write"]), keys(&["new-key"])),
        ("issuer", "staff", with(&["keys.write", "inquiry.read"]), keys(&["new-key", "rotate"])),
        ("blind", "staff", vec!["keys.write"], vec!["new-key"]),
        ("accounts", "staff", with(&["accounts.write"]), vec!["new-account", "edit-account"]),
        ("policies", "staff", with(&["policies.write"]), policies),
        ("unread", "staff", vec!["policies.write"], vec![]),
        ("books", "staff", vec!["accounts.read", "trail.read", "policies.read"], vec![]),
        ("refunds", "staff", with(&["usage.write"]), vec!["give-back"]),
        (
            "owner",
            "acme",
            scopes::ALL.to_vec().into_iter().chain(["inquiry.read"]).collect(),
            keys(&["new-key", "rotate"]),
        ),
        ("watcher", "acme", with(&[]), vec![]),
    ]
}

#[tokio::test]
async fn a_key_gets_only_the_pages_whose_form_it_may_send() {
    let house = house().await;
    for (name, account, scopes, gets) in keys() {
        let describe = |key: KeyRecordBuilder| key.scopes(scopes);
        let cookie = house.session(&add(&*house.store, name, account, describe).await).await;
        let token = token(&house, &cookie).await;
        for page in PAGES {
            let may = gets.iter().any(|gets| page.starts_with(gets));
            let path = format!("/console/{page}");
            let shown = house.get(&path, &cookie).await;
            let (path, query) = path.split_once('?').unwrap_or((&path, ""));
            let form = format!(r#"action="{path}""#);
            if may {
                assert_eq!(shown.status(), StatusCode::OK, "{name}: {page}");
                assert!(text(shown).await.contains(&form), "{name}: {page}");
                continue;
            }
            // An owner does not learn that a key of another account exists.
            let hidden = account == "acme" && page.ends_with("key_admin");
            let refused = if hidden { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
            assert_eq!(shown.status(), refused, "{name}: {page}");
            let body =
                format!("form_token={token}&version={}&{query}&reason=x&once=a", "0".repeat(32));
            let sent = house.post(path, &cookie, &body).await;
            assert_eq!(sent.status(), refused, "{name}: {page}");
            for answer in [text(shown).await, text(sent).await] {
                assert!(!answer.contains(&form), "{name}: {page}: {answer}");
                assert!(!answer.contains("secret-plan"), "{name}: {page}: {answer}");
                assert!(answer.contains(r#"role="alert""#), "{name}: {page}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn no_link_leads_to_a_page_that_the_key_may_not_see() {
    let house = house().await;
    for (name, account, scopes, gets) in keys() {
        let describe = |key: KeyRecordBuilder| key.scopes(scopes);
        let cookie = house.session(&add(&*house.store, name, account, describe).await).await;
        let first = ["keys", "accounts", "policies", "trail", "expiring"];
        let mut next: Vec<String> = Vec::new();
        for page in first {
            let path = format!("/console/{page}");
            if house.get(&path, &cookie).await.status() == StatusCode::OK {
                next.push(path);
            }
        }
        let mut seen: BTreeSet<String> = next.iter().cloned().collect();
        while let Some(path) = next.pop() {
            let response = house.get(&path, &cookie).await;
            let is_file = response.headers()[header::CONTENT_TYPE] == "text/csv; charset=utf-8";
            assert!(response.status().is_success(), "{name}: {path}: {}", response.status());
            if is_file {
                continue;
            }
            let page = text(response).await;
            for link in page.split(r#"href="/console/"#).skip(1) {
                let link = link.split('"').next().unwrap().replace("&#38;", "&");
                let link = format!("/console/{link}");
                if !link.contains("/assets/") && seen.insert(link.clone()) {
                    next.push(link);
                }
            }
        }
        // What it may do is found, except what is done to a key with nothing to do.
        for page in PAGES {
            let may = gets.iter().any(|gets| page.starts_with(gets));
            let absent = page.starts_with("end-earlier") || page.starts_with("give-back");
            if may && name != "blind" && !absent {
                let page = page.replace(':', "%3A");
                assert!(seen.contains(&format!("/console/{page}")), "{name}: {page}: {seen:?}");
            }
        }
    }
}

/// Returns the text that every form of a session has, from a page that every key gets.
async fn token(house: &House, cookie: &str) -> String {
    let page = text(house.get("/console/nothing", cookie).await).await;
    let (_, rest) = page.split_once(r#"name="form_token" value=""#).unwrap();
    rest.split('"').next().unwrap().to_owned()
}
