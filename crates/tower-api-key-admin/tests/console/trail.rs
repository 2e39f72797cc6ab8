//! What the trail says of changes, over HTTP without a browser.

use std::sync::Arc;

use tower_api_key::clock::Clock;
use tower_api_key::key::KeyHasher;
use tower_api_key::store::{Command, CommandOptions, KeyManager, MemoryStore};
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
