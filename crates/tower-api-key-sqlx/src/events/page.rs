//! A page of deliveries: events of different keys, at the same time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
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

/// Delivers events of different keys at the same time. Dropping the set ends the deliveries, and its `shutdown` waits for
/// the end of each.
pub(super) fn deliver(
    sink: &Arc<dyn EventSink>,
    due: Vec<DueEvent>,
    deliveries: &mut JoinSet<Ended>,
) {
    for due in due {
        let sink = Arc::clone(sink);
        deliveries.spawn(async move {
            if !sink.wants(&due.event) {
                return (due, Ok(()));
            }
            // No task of its own: the end of this one is the end of the delivery.
            let delivery = async { timeout(LONGEST, sink.deliver(&due.event)).await };
            let result = match AssertUnwindSafe(delivery).catch_unwind().await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(DeliveryError::new("the delivery took over 20 seconds")),
                Err(_) => Err(DeliveryError::new("the sink panicked")),
            };
            (due, result)
        });
    }
}
