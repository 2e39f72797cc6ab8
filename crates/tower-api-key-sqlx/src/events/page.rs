//! A page of deliveries: events of different keys, at the same time.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::queue::DueEvent;
use tower_api_key::events::{DeliveryError, EventSink};

/// The deliveries of a sink at the same time.
pub(super) const SIZE: i64 = 8;

/// After this time, a delivery is given up. A lease lasts longer.
const LONGEST: Duration = Duration::from_secs(20);

/// A delivery that has ended.
pub(super) type Ended = (DueEvent, Result<(), DeliveryError>);

/// Delivers events of different keys at the same time. Dropping the set ends the deliveries.
pub(super) fn deliver(sink: &Arc<dyn EventSink>, due: Vec<DueEvent>) -> JoinSet<Ended> {
    let mut deliveries = JoinSet::new();
    for due in due {
        let sink = Arc::clone(sink);
        deliveries.spawn(async move {
            if !sink.wants(&due.event) {
                return (due, Ok(()));
            }
            let event = due.event.clone();
            // A set of its own: a sink that panics ends this task alone, and a dropped set ends the task.
            let mut delivery = JoinSet::new();
            delivery.spawn(async move { timeout(LONGEST, sink.deliver(&event)).await });
            let result = match delivery.join_next().await {
                Some(Ok(Ok(result))) => result,
                Some(Ok(Err(_))) => Err(DeliveryError::new("the delivery took over 20 seconds")),
                Some(Err(_)) | None => Err(DeliveryError::new("the sink panicked")),
            };
            (due, result)
        });
    }
    deliveries
}
