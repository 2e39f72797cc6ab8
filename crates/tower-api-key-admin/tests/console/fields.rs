//! What the fields of forms take: texts that are longer than a value may be, over HTTP without a browser.

use std::sync::Arc;
use std::time::Duration;

use http::{StatusCode, header};
use tower_api_key::clock::Timestamp;
use tower_api_key::store::MemoryStore;
use tower_api_key_admin::management::{ManagementBuilder, OwnerPolicy};

use crate::doors::{House, text};
use crate::server::add;

#[test]
fn no_field_cuts_what_is_pasted() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/console");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let template = std::fs::read_to_string(&path).unwrap();
        // A browser cuts a text that is pasted to `maxlength` characters, without a word.
        assert!(!template.contains("maxlength"), "{}", path.display());
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_is_a_clear_answer() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let before = house.store.changes(0, 100).await.unwrap().len();
    let (name, most, form) = ("n".repeat(256), "q".repeat(10_000), "f".repeat(70_000));
    let reason = "r".repeat(16 * 1_024 + 1);
    let key = "account=acme&environment=live&scopes_from=account";
    let quota = "quota_limit=5&quota_window=60";
    for (page, body, status, problem) in [
        ("new-key", format!("once=a&account={name}&environment=live"), 422, "no such account"),
        ("new-key", format!("once=b&{key}&name={name}"), 422, "at most 255 characters"),
        ("new-key", format!("once=c&{key}&owner={name}"), 422, "1 to 255"),
        ("new-key", format!("once=d&{key}&kind={name}"), 422, "1 to 255"),
        ("new-key", format!("once=e&{key}&description={most}"), 422, "at most 2000 characters"),
        ("new-key", format!("once=f&{key}&name={form}"), 413, "larger than 64 KiB"),
        ("new-account", format!("id={name}"), 422, "1 to 255"),
        ("new-account", format!("id=a&reason={reason}"), 422, "reason"),
        (
            "new-account",
            format!("id=a&quotas_from=account&quota_name={name}&{quota}"),
            422,
            "quota 1",
        ),
        ("new-policy", format!("most_keys=1&subject=account&account={name}"), 422, "1 to 255"),
        ("new-policy", format!("most_keys=1&subject=kind&kind={name}"), 422, "1 to 255"),
        ("whose-key", format!("secret={most}"), 404, "No key that you may see has this secret"),
        ("whose-key", format!("secret={form}"), 413, "larger than 64 KiB"),
        ("keys", format!("tail=%20&name={form}"), 413, "larger than 64 KiB"),
        ("sign-in", format!("key={most}"), 400, "This key is not valid here"),
        ("sign-in", format!("key={form}"), 413, "larger than 64 KiB"),
    ] {
        let body = format!("form_token={token}&{body}");
        let response = house.post(&format!("/console/{page}"), &cookie, &body).await;
        assert_eq!(response.status().as_u16(), status, "{page} {problem}");
        let page = text(response).await;
        assert!(page.contains(problem), "{problem}: {page:.2000}");
    }
    assert_eq!(house.store.changes(0, 100).await.unwrap().len(), before);
}

#[tokio::test]
async fn a_longer_end_of_a_secret_finds_the_key_by_its_last_4_characters() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let secret = add(&*house.store, "key_1", "acme", |key| key.name("Backup")).await;
    add(&*house.store, "key_2", "acme", |key| key.name("Export")).await;
    let tail = &secret[secret.len() - 4..];
    for typed in [tail, &secret[secret.len() - 6..], &secret, &format!("%E2%80%A6{tail}+")] {
        let body = format!("form_token={token}&account=acme&owner=&tail={typed}");
        let response = house.post("/console/keys", &cookie, &body).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{typed}");
        let to = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        // The address has neither the rest of a secret nor the text of the session.
        assert_eq!(to, format!("/console/keys?account=acme&tail={tail}"));
        let page = text(house.get(&to, &cookie).await).await;
        assert!(page.contains("1 key on this page") && page.contains("Backup"), "{page}");
    }
    let body = format!("form_token={token}&name=&tail=");
    let response = house.post("/console/keys", &cookie, &body).await;
    assert_eq!(response.headers()[header::LOCATION], "/console/keys");
}

#[tokio::test]
async fn what_is_no_end_of_a_secret_is_named_beside_its_field() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let secret = add(&*house.store, "key_1", "acme", |key| key.name("Backup")).await;
    for typed in ["abc", "%C3%A97Qa", "ab+c", "%20a", &format!("{secret}%E2%80%A6")] {
        let body = format!("form_token={token}&account=acme&tail={typed}");
        let response = house.post("/console/keys", &cookie, &body).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        let page = text(response).await;
        assert!(
            beside(&page, "tail").contains("the last 4 characters")
                && page.contains(r#"value="acme""#),
            "{typed}: {page}"
        );
        assert!(!page.contains("No keys found"), "nothing was looked for");
        assert!(!page.contains(&secret), "a secret on a page");
    }
    for (address, field, problem) in [
        ("keys?tail=abc", "tail", "the last 4 characters"),
        ("expiring?days=0", "days", "from 1 to 3650"),
        ("expiring?days=x", "days", "from 1 to 3650"),
        ("keys?state=lost", "state", "there is no such state"),
    ] {
        let response = house.get(&format!("/console/{address}"), &cookie).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        let page = text(response).await;
        assert!(beside(&page, field).contains(problem), "{address}: {page}");
    }
    // A whole secret in an address is refused, and not repeated.
    let response = house.get(&format!("/console/keys?tail={secret}"), &cookie).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!text(response).await.contains(&secret));
}

#[tokio::test]
async fn an_error_names_the_field_as_its_form_does() {
    let settings = |all: ManagementBuilder| {
        all.owners(
            OwnerPolicy::at_most_keys(9).longest_life(Duration::from_nanos(86_400_000_000_007)),
        )
    };
    let house = House::over(Arc::new(MemoryStore::new()), false, settings).await;
    let ends = Timestamp::from_unix_nanoseconds(1_800_604_800_872_786_652);
    let scopes = ["keys.read", "keys.write", "inquiry.read"];
    let short = add(&*house.store, "short", "acme", |key| key.scopes(scopes).expires(ends)).await;
    let owner = add(&*house.store, "owner", "acme", |key| key.scopes(scopes)).await;
    let key = "environment=live&scopes_from=key";
    let quota = "id=a&quotas_from=account&quota_name=day&quota_limit=5";
    for (visitor, page, body, problem) in [
        (
            &owner,
            "new-key",
            format!("once=a&{key}&more_scopes=case.read"),
            "Permissions: your key lacks",
        ),
        (
            &short,
            "new-key",
            format!("once=b&{key}"),
            "Expires on: your key expires at 2027-01-22T08:00:00Z, so",
        ),
        (
            &owner,
            "new-key",
            format!("once=c&{key}"),
            "Expires on: a key must expire here, by 2027-01-16T08:00:00Z at",
        ),
        (&owner, "new-key", format!("once=d&{key}&owner=bob"), "Owner: your key may only"),
        (
            &house.admin,
            "new-key",
            format!("once=e&account=acme&{key}&expires=soon"),
            "Expires on: write a date",
        ),
        (
            &house.admin,
            "new-key",
            format!("once=f&account=none&{key}"),
            "Account: there is no such",
        ),
        (&house.admin, "new-key", "account=acme".to_owned(), "Open the page again."),
        (&house.admin, "new-account", "id=a&plan=a+b".to_owned(), "Plan: "),
        (&house.admin, "new-account", "id=a&scopes=a%22".to_owned(), "Permissions: "),
        (
            &house.admin,
            "new-account",
            format!("{quota}&quota_algorithm=fixed_window"),
            "Quotas: “Window” is required",
        ),
        (
            &house.admin,
            "new-policy",
            "subject=all&longest_life=x".to_owned(),
            "Longest life: write a time",
        ),
        (
            &house.admin,
            "new-policy",
            "subject=all&switch_off_unused=x".to_owned(),
            "Switch off keys that are unused for: write",
        ),
        (
            &house.admin,
            "new-policy",
            "subject=all&most_keys=x".to_owned(),
            "Most keys of one account: write",
        ),
        (
            &house.admin,
            "new-policy",
            "most_keys=1".to_owned(),
            "Which keys the policy covers: choose",
        ),
        (
            &house.admin,
            "rotate-key",
            format!("id=owner&version={}&overlap=5", "0".repeat(32)),
            "The old secret stays valid for: choose",
        ),
        (
            &house.admin,
            "revoke-key",
            format!("id=owner&version={}", "0".repeat(32)),
            "Reason: it is required.",
        ),
        (&house.admin, "keys", "tail=abc".to_owned(), "Secret ends with: write the last 4"),
    ] {
        let alert = alert(&house, visitor, page, &body).await;
        assert!(alert.starts_with(problem), "{page} {body}: {alert}");
    }
}

/// Sends a form that is refused, and returns why.
async fn alert(house: &House, visitor: &str, page: &str, body: &str) -> String {
    let cookie = house.session(visitor).await;
    let token = house.form_token(&cookie).await;
    let sent = format!("form_token={token}&{body}");
    let response = house.post(&format!("/console/{page}"), &cookie, &sent).await;
    assert!(response.status().is_client_error(), "{page} {body}: {}", response.status());
    let shown = text(response).await;
    let (_, alert) = shown.split_once(r#"role="alert">"#).expect(body);
    alert.split('<').next().unwrap().to_owned()
}

/// Returns what a page says beside a field.
fn beside<'a>(page: &'a str, field: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!(r#"id="{field}-problem">"#)).expect("a place for it");
    rest.split('<').next().unwrap()
}
