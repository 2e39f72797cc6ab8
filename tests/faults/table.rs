//! Each fault at each place where it can occur.

use http::Method;
use tokio::runtime::Handle;
use tower_api_key::quota::OnLimiterFailure::{Allow, Deny};

use super::faulty::Fault::{
    FailsAfterwards, FailsLater, FailsNow, Hangs, Late, Orphaned, PanicsLater, PanicsNow,
};
use super::faulty::Place::{Body, Call, Cost, QuotaStatus, Ready, Room, Store};
use super::world::Outcome::{self, Answered, Failed, Nothing, Panicked};
use super::world::World;
use crate::support::request;

const SERVED: Outcome = Answered("admitted");
const NO_STORE: Outcome = Answered("store_unavailable");
const NO_LIMITER: Outcome = Answered("limiter_unavailable");
const NO_SCOPE: Outcome = Answered("scope_missing");

/// Place, fault, what is to be done while the limiter fails, path; what the client sees, whether
/// the service was reached, how often the counter was charged.
#[tokio::test(start_paused = true)]
#[rustfmt::skip]
async fn every_fault_at_every_place() {
    let cases = [
        (Store, FailsNow,    Deny, "/", NO_STORE, 0, 0),
        (Store, FailsLater,  Deny, "/", NO_STORE, 0, 0),
        (Store, FailsAfterwards, Allow, "/", NO_STORE, 0, 0),
        (Store, Hangs,       Deny, "/", Nothing,  0, 0),
        (Store, PanicsNow,   Deny, "/", Panicked, 0, 0),
        (Store, PanicsLater, Deny, "/", Panicked, 0, 0),
        (Store, Late,        Deny, "/", SERVED,   1, 1),
        (Store, Orphaned,    Deny, "/", Nothing,  0, 0),

        (Room, FailsNow,    Deny,  "/", NO_LIMITER, 0, 0),
        (Room, FailsLater,  Deny,  "/", NO_LIMITER, 0, 0),
        (Room, FailsAfterwards, Deny, "/", NO_LIMITER, 0, 0),
        (Room, FailsNow,    Allow, "/", SERVED,     1, 1),
        (Room, FailsLater,  Allow, "/", SERVED,     1, 1),
        (Room, Hangs,       Deny,  "/", Nothing,    0, 0),
        (Room, PanicsNow,   Deny,  "/", Panicked,   0, 0),
        (Room, PanicsLater, Deny,  "/", Panicked,   0, 0),
        (Room, Late,        Deny,  "/", SERVED,     1, 1),
        (Room, Orphaned,    Deny,  "/", Nothing,    0, 0),

        (Cost, FailsNow,    Deny,  "/", NO_LIMITER, 0, 0),
        (Cost, FailsLater,  Deny,  "/", NO_LIMITER, 0, 0),
        (Cost, FailsAfterwards, Deny, "/", NO_LIMITER, 0, 1),
        (Cost, FailsNow,    Allow, "/", SERVED,     1, 0),
        (Cost, FailsLater,  Allow, "/", SERVED,     1, 0),
        (Cost, FailsAfterwards, Allow, "/", SERVED, 1, 1),
        (Cost, Hangs,       Deny,  "/", Nothing,    0, 0),
        (Cost, Hangs,       Allow, "/", Nothing,    0, 0),
        (Cost, PanicsNow,   Deny,  "/", Panicked,   0, 0),
        (Cost, PanicsNow,   Allow, "/", Panicked,   0, 0),
        (Cost, PanicsLater, Deny,  "/", Panicked,   0, 0),
        (Cost, Late,        Deny,  "/", SERVED,     1, 1),
        (Cost, Orphaned,    Deny,  "/", Nothing,    0, 1),

        (QuotaStatus, FailsNow,    Deny,  "/scope", NO_SCOPE, 0, 0),
        (QuotaStatus, FailsLater,  Deny,  "/scope", NO_SCOPE, 0, 0),
        (QuotaStatus, FailsNow,    Allow, "/scope", NO_SCOPE, 0, 0),
        (QuotaStatus, FailsAfterwards, Allow, "/scope", NO_SCOPE, 0, 0),
        (QuotaStatus, Hangs,       Deny,  "/scope", Nothing,  0, 0),
        (QuotaStatus, PanicsNow,   Deny,  "/scope", Panicked, 0, 0),
        (QuotaStatus, PanicsLater, Deny,  "/scope", Panicked, 0, 0),
        (QuotaStatus, Late,        Deny,  "/scope", NO_SCOPE, 0, 0),
        (QuotaStatus, Orphaned,    Deny,  "/scope", Nothing,  0, 0),

        (Ready, FailsNow,  Deny, "/", Failed,   0, 0),
        (Ready, Hangs,     Deny, "/", Nothing,  0, 0),
        (Ready, PanicsNow, Deny, "/", Panicked, 0, 0),

        (Call, FailsLater,  Deny, "/", Failed,   1, 1),
        (Call, Hangs,       Deny, "/", Nothing,  1, 1),
        (Call, PanicsNow,   Deny, "/", Panicked, 1, 1),
        (Call, PanicsLater, Deny, "/", Panicked, 1, 1),
        (Call, Late,        Deny, "/", SERVED,   1, 1),
        (Call, Hangs,       Deny, "/budget", Answered("timed_out"), 1, 1),
        (Call, PanicsLater, Deny, "/budget", Panicked, 1, 1),

        (Body, FailsNow,  Deny, "/", Failed,   1, 1),
        (Body, Hangs,     Deny, "/", Nothing,  1, 1),
        (Body, PanicsNow, Deny, "/", Panicked, 1, 1),
    ];
    let tasks = Handle::current().metrics().num_alive_tasks();
    for (place, fault, on_failure, path, outcome, reached, charged) in cases {
        let what = format!("{place:?} {fault:?} {on_failure:?} {path}");
        let world = World::faulty(on_failure);
        world.inner.plan.set(place, fault);
        assert_eq!(world.outcome(request(Method::POST, path)).await, outcome, "{what}");
        assert_eq!(world.reached(), reached, "{what}");
        assert_eq!(world.check(tasks, 0, &what).await, charged, "{what}");
    }
}

/// The table itself: what is sound leaves the world as a check expects it.
#[tokio::test(start_paused = true)]
async fn a_sound_request_is_charged_once() {
    let tasks = Handle::current().metrics().num_alive_tasks();
    let world = World::faulty(Deny);
    assert_eq!(world.outcome(request(Method::POST, "/")).await, SERVED);
    assert_eq!(world.check(tasks, 0, "sound").await, 1);
}
