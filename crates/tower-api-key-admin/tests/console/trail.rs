//! What the trail says of changes, over HTTP without a browser.

use std::sync::Arc;

use tower_api_key::clock::Clock;
use tower_api_key::key::{Account, KeyHasher};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{Command, CommandOptions, Difference, KeyManager, MemoryStore};
use tower_api_key_admin::management::OwnerPolicy;

use crate::doors::{House, text};
use crate::server::add;

/// Renames a key.
async fn rename(store: &dyn KeyManager, id: &str, name: &str, by: &str) {
    let (name, options) = (name.to_owned(), CommandOptions::by(by).because("ticket 4711"));
    let change = Box::new(|key: tower_api_key::key::KeyRecordBuilder| key.name(name));
    store.apply(Command::Update { id, change }, options).await.unwrap();
}

/// Returns who made the changes that a page shows, each with its reason.
fn authors(page: &str) -> Vec<String> {
    let lines = page.split(r#"<span class="soft">"#).skip(1);
    let lines = lines.filter_map(|line| line.split("</span>").next()?.split_once(" UTC"));
    lines.map(|(_, author)| author.trim().to_owned()).collect()
}

#[tokio::test]
async fn an_owner_learns_that_an_operator_made_a_change_and_not_which() {
    let settings = |all: tower_api_key_admin::management::ManagementBuilder| {
        all.owners(OwnerPolicy::at_most_keys(9))
    };
    let house = House::over(Arc::new(MemoryStore::new()), false, settings).await;
    let scopes = ["keys.read", "trail.read"];
    let owner = add(&*house.store, "owner", "acme", |key| key.scopes(scopes)).await;
    add(&*house.store, "key_1", "acme", |key| key).await;
    rename(&*house.store, "key_1", "Backup", "key_admin").await;
    rename(&*house.store, "key_1", "Export", "owner").await;
    let (owner, operator) = (house.session(&owner).await, house.session(&house.admin).await);
    for path in ["/console/key?id=key_1", "/console/trail"] {
        let page = text(house.get(path, &owner).await).await;
        let shown = authors(&page);
        assert_eq!(shown[..2], ["by owner because: ticket 4711", "by an operator"], "{path}");
        assert!(shown[2..].iter().all(|author| author == "by an operator"), "{path}: {shown:?}");
        assert!(!page.contains("key_admin"), "{path}: {page}");
        let page = text(house.get(path, &operator).await).await;
        assert_eq!(authors(&page)[1], "by key_admin because: ticket 4711", "{path}");
        assert!(!page.contains("an operator"), "{path}: {page}");
    }
}

#[tokio::test]
async fn the_end_of_old_secrets_is_named_and_other_changes_are_as_before() {
    let house = House::new(false).await;
    add(&*house.store, "key_1", "acme", |key| key).await;
    rename(&*house.store, "key_1", "Backup", "bob").await;
    let until = house.clock.now().plus(std::time::Duration::from_secs(3_600));
    let secret = KeyHasher::sha256().digest(b"another");
    house.store.rotate("key_1", secret, until, "bob").await.unwrap();
    let end = Command::EndEarlierSecrets { id: "key_1" };
    house.store.apply(end, CommandOptions::by("bob")).await.unwrap();
    let cookie = house.session(&house.admin).await;
    for path in ["/console/key?id=key_1", "/console/trail"] {
        let page = text(house.get(path, &cookie).await).await;
        let (_, trail) = page.split_once(r#"class="trail""#).unwrap();
        let actions = trail.split("<strong>").skip(1);
        let actions: Vec<_> = actions.filter_map(|line| line.split('<').next()).collect();
        let expected = ["old secrets ended", "key rotated", "key updated", "key added"];
        assert_eq!(actions[..4], expected, "{path}");
        assert!(trail.contains("1 valid"), "{trail}");
    }
}

#[tokio::test]
async fn a_conflict_says_who_made_the_last_change_to_those_who_may_read_the_trail() {
    let house = House::new(false).await;
    add(&*house.store, "key_1", "acme", |key| key).await;
    let by = |name| CommandOptions::by(name).because("ticket 4711");
    let policy = |most| KeyPolicy::builder(PolicySubject::All).most_keys(most).build().unwrap();
    let save = async |most, name| {
        house.store.apply(Command::SavePolicy(policy(most)), by(name)).await.unwrap();
    };
    save(3, "ada").await;
    let scopes = [
        "keys.read",
        "keys.write",
        "accounts.read",
        "accounts.write",
        "policies.read",
        "policies.write",
    ];
    let scopes = scopes.into_iter().chain(["keys.grant-any"]);
    let desk = add(&*house.store, "desk", "staff", |key| key.scopes(scopes)).await;
    // The last change of each, with changes of others before and afterwards.
    house.clock.advance(std::time::Duration::from_secs(60));
    rename(&*house.store, "key_1", "Backup", "bob").await;
    save(4, "cleo").await;
    let account = Account::builder("acme").scopes(["inquiry.read"]).build().unwrap();
    house.store.apply(Command::SaveAccount(account), by("dora")).await.unwrap();
    house.clock.advance(std::time::Duration::from_secs(60));
    let used =
        Difference::new("quota minute", Some("1 of 2 used".into()), Some("0 of 2 used".into()));
    house.store.apply(Command::NoteRefund { id: "key_1", used }, by("eve")).await.unwrap();
    rename(&*house.store, "desk", "Desk", "eve").await;
    for (key, reads) in [(&house.admin, true), (&desk, false)] {
        let cookie = house.session(key).await;
        let token = house.form_token(&cookie).await;
        for (page, body, author) in [
            ("edit-key", "id=key_1&name=Export&scopes_from=account", "bob"),
            ("edit-account", "id=acme&scopes=case.read", "dora"),
            ("edit-policy", "id=all&most_keys=9", "cleo"),
            // Nothing in the form was changed by both.
            ("edit-key", "id=key_1&name=Backup&scopes_from=account", "bob"),
        ] {
            let body = format!("form_token={token}&version={}&{body}", "0".repeat(32));
            let response = house.post(&format!("/console/{page}"), &cookie, &body).await;
            assert_eq!(response.status().as_u16(), 412, "{page}");
            let page = text(response).await;
            let said = format!("by {author} because: ticket 4711");
            assert_eq!(page.contains(&said), reads, "{author}: {page}");
            assert!(!page.contains("by ada") && !page.contains("by eve"), "{author}: {page}");
        }
    }
}

#[tokio::test]
async fn changes_are_filtered_by_account_key_and_author() {
    let house = House::new(false).await;
    for (id, account) in [("key_1", "acme"), ("key_2", "acme"), ("key_3", "other")] {
        add(&*house.store, id, account, |key| key).await;
        rename(&*house.store, id, id, if id == "key_2" { "bob" } else { "ada" }).await;
    }
    let cookie = house.session(&house.admin).await;
    for (filter, expected) in [
        ("account=acme&by=ada", &["by ada because: ticket 4711"][..]),
        ("key=key_2&by=bob", &["by bob because: ticket 4711"]),
        ("key=key_2&by=ada", &[]),
        ("by=bob", &["by bob because: ticket 4711"]),
        ("by=ada", &["by ada because: ticket 4711"; 2]),
    ] {
        let page = text(house.get(&format!("/console/trail?{filter}"), &cookie).await).await;
        assert_eq!(authors(&page), expected, "{filter}");
        for (name, value) in filter.split('&').filter_map(|field| field.split_once('=')) {
            let shown = format!(r#"name="{name}" value="{value}""#);
            assert!(page.contains(&shown), "{filter}: {page}");
        }
    }
}
