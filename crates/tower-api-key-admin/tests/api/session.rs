//! Sessions, which keep a caller for longer than one request.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, KeyUpdate, MemoryStore};
use tower_api_key_admin::management::{Management, ManagementError};

use crate::world::{NOW, add, minute};

const HOUR: Duration = Duration::from_secs(3_600);

type Change = fn(Timestamp) -> KeyUpdate;

#[tokio::test]
async fn a_session_ends_when_its_key_changes() {
    let changes: [(&str, Change, bool); 9] = [
        ("nothing", |_| Box::new(|key| key.name("renamed")), true),
        ("disabled", |_| Box::new(|key| key.disabled(true)), false),
        ("revoked", |_| Box::new(|key| key.revoked(true)), false),
        ("scopes", |_| Box::new(|key| key.scopes(["keys.read"])), false),
        ("networks", |_| Box::new(|key| key.networks(["10.0.0.0/8"])), false),
        ("expired", |now| Box::new(move |key| key.expires(now)), false),
        ("expires earlier", |now| Box::new(move |key| key.expires(now.plus(HOUR))), false),
        ("owner", |_| Box::new(|key| key.owner("ada")), false),
        ("quotas", |_| Box::new(|key| key.quotas([minute()])), false),
    ];
    for (what, change, goes_on) in changes {
        let clock = ManualClock::starting_at(NOW);
        let store = MemoryStore::with_clock(clock.clone());
        add(&store, "operator", "staff", |key| key.scopes(["keys.read", "keys.write"])).await;
        let entry = store.get("operator").await.unwrap().unwrap();
        let hasher = KeyHasher::sha256();
        let issuer = Issuer::new(KeyFormat::STANDARD, hasher.clone());
        let management = Management::builder(Arc::new(store.clone()), issuer, hasher)
            .operators(["staff"])
            .clock(clock.clone())
            .build()
            .unwrap();
        let caller = management.caller(&tower_api_key::testing::grant_for(entry.record)).unwrap();
        management.check_session(&caller).await.unwrap();
        store.update("operator", change(NOW), "test").await.unwrap();
        let checked = management.check_session(&caller).await;
        assert_eq!(checked.is_ok(), goes_on, "{what}");
        if goes_on {
            clock.advance(Duration::from_secs(1));
            let secret = KeyHasher::sha256().digest(b"another secret");
            store.rotate("operator", secret, Timestamp::MAX, "test").await.unwrap();
            let rotated = management.check_session(&caller).await;
            assert!(matches!(rotated, Err(ManagementError::SessionEnded)), "{rotated:?}");
        }
    }
}

#[test]
fn a_management_without_callers_is_refused() {
    let manage = || {
        let hasher = KeyHasher::sha256();
        let issuer = Issuer::new(KeyFormat::STANDARD, hasher.clone());
        Management::builder(Arc::new(MemoryStore::new()), issuer, hasher)
    };
    assert!(manage().build().unwrap_err().to_string().contains("`operators`"));
    assert!(manage().operators(["a b"]).build().is_err());
    let management = manage().operators(["staff"]).build().unwrap();
    let acme = Account::builder("acme").build().unwrap();
    let customer = KeyRecord::builder("key_1", acme).build().unwrap();
    let refused = management.caller(&tower_api_key::testing::grant_for(customer));
    assert!(matches!(refused, Err(ManagementError::NoOwners)));
}
