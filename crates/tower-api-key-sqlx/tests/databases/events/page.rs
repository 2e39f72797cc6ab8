//! Every kind of event, made by real requests and changes, as `docs/events.md` shows it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::{EventKind, EventLog, EventRecorder};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::store::{Command, CommandOptions, KeyManager, NewKey};
use tower_api_key::{ApiKeyLayer, Profile};
use tower_api_key_sqlx::{EventSweep, PolicySweep, SqlStore};

use super::{Database, start, store};
use crate::{Folder, digest, sqlite};

const DAY: Duration = Duration::from_secs(86_400);

/// The text of a key that a gate takes, and its digest.
async fn issue(store: &SqlStore, id: &str, expires: Timestamp) -> String {
    let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test")).unwrap();
    let account = Account::builder("acme").quotas([Quota::by_day("day", 5)]).build().unwrap();
    let record = KeyRecord::builder(id, account)
        .environment("test")
        .networks(["192.0.2.0/24"])
        .expires(expires);
    store.add(NewKey::issued(&issued, record).unwrap(), "ada").await.unwrap();
    issued.expose().to_owned()
}

/// Sends a request with a key from an address, over TLS or not.
async fn send(layer: &ApiKeyLayer, key: &str, from: &str, https: bool) -> u16 {
    let inner = service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let peer = format!("{from}:4711").parse().unwrap();
    let connection = if https { Connection::tls(peer) } else { Connection::plain(peer) };
    let request = Request::get("/").header("authorization", format!("Bearer {key}"));
    let request = request.extension(connection).body(Empty::new()).unwrap();
    layer.layer(inner).oneshot(request).await.unwrap().status().as_u16()
}

/// The fields of an event, each with the type of its value.
fn shape(event: &Value) -> BTreeMap<String, &'static str> {
    let mut fields = BTreeMap::new();
    let all = event.as_object().unwrap().iter();
    let data = event["data"].as_object().unwrap().iter();
    let data = data.map(|(name, value)| (format!("data.{name}"), value));
    for (name, value) in all.map(|(name, value)| (name.clone(), value)).chain(data) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        };
        fields.insert(name, kind);
    }
    fields
}

#[tokio::test]
async fn every_kind_is_written_as_the_page_shows_it() {
    let (folder, clock) = (Folder::new(), ManualClock::starting_at(start()));
    let database = Database { url: sqlite(&folder), prefix: "t_" };
    let store = store(&database, &clock).await;
    let (recorder, writing) = EventRecorder::new(store.clone());
    let layer = ApiKeyLayer::builder(Profile::STANDARD, store.clone())
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .clock(clock.clone())
        .observer(recorder.with_clock(clock.clone()))
        .build()
        .unwrap();
    let key = issue(&store, "key_2", start().plus(8 * DAY)).await;
    for _ in 0..5 {
        assert_eq!(send(&layer, &key, "192.0.2.1", true).await, 200);
    }
    assert_eq!(send(&layer, &key, "192.0.2.1", true).await, 429);
    for _ in 0..2 {
        assert_eq!(send(&layer, &key, "203.0.113.7", true).await, 403);
        assert_ne!(send(&layer, &key, "192.0.2.1", false).await, 200);
    }
    drop(layer);
    // The recorder is gone, so all is written now.
    writing.await;
    let listed = super::written(&store).await;
    let of_requests = [
        "key.created key_2",
        "key.first_use key_2",
        "key.near_limit key_2",
        "key.near_limit key_2",
        "key.used_elsewhere key_2",
        "key.seen_in_clear key_2",
    ];
    assert_eq!(listed, of_requests);

    issue(&store, "key_1", start().plus(90 * DAY)).await;
    issue(&store, "key_3", start().plus(900 * DAY)).await;
    store.rotate("key_1", digest("other"), start(), "ada").await.unwrap();
    let leaked = CommandOptions::by("ada").because("leaked: seen in a public repository");
    store.apply(Command::Revoke { id: "key_1" }, leaked).await.unwrap();
    store.delete("key_1", "ada").await.unwrap();
    let key_3 = store.get("key_3").await.unwrap().unwrap().secrets[0].digest;
    store.note_uses(vec![(key_3, start())]).await.unwrap();
    for days in [1, 8, 90] {
        clock.set(start().plus(days * DAY));
        let sweep = EventSweep::new(store.clone()).unwrap().unused_days(90).keep(900 * DAY);
        sweep.sweep().await.unwrap();
        clock.advance(DAY / 2);
    }
    let policy = KeyPolicy::builder(PolicySubject::All).remind_of_rotation(30 * DAY);
    let policy = Command::SavePolicy(policy.build().unwrap());
    store.apply(policy, CommandOptions::by("ada")).await.unwrap();
    let outcome = PolicySweep::new(store.clone()).unwrap().sweep().await.unwrap();
    assert_eq!(outcome.reminders, 1, "{outcome:?}");
    let off = Command::Update { id: "key_3", change: Box::new(|key| key.disabled(true)) };
    let unused = CommandOptions::by("ada").because("not used since 2027-01-15T08:00:00Z");
    store.apply(off, unused).await.unwrap();

    let mut made = BTreeMap::new();
    for event in store.events(0, 100).await.unwrap() {
        let payload: Value = serde_json::from_str(&event.payload()).unwrap();
        made.entry(event.kind.name()).or_insert_with(|| shape(&payload));
    }
    let page = include_str!("../../../../../docs/events.md");
    let mut shown = BTreeMap::new();
    for block in page.split("```json\n").skip(1) {
        let event: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
        let kind: EventKind = event["type"].as_str().unwrap().parse().unwrap();
        shown.insert(kind.name(), shape(&event));
    }
    assert_eq!(made, shown);
    for kind in EventKind::ALL {
        assert!(shown.contains_key(kind.name()), "{kind} has no payload");
        assert!(page.contains(&format!("| `{kind}` |")), "{kind} is not in the table");
    }
}
