//! What is logged of the tasks beside the requests: no client learns that one of them fails.

use std::error::Error;

use tower_api_key::store::{ManageError, StoreError};
use tower_api_key_sqlx::DeliveryReport;

/// Logs what a delivery reports.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(crate) fn delivery(report: DeliveryReport<'_>) {
    match report {
        DeliveryReport::Failed { sink, error } => {
            #[cfg(feature = "tracing")]
            tracing::warn!(sink, cause = %cause(error), "events cannot be delivered");
        }
        DeliveryReport::Dead { sink, event, error } => {
            #[cfg(feature = "tracing")]
            tracing::warn!(
                sink,
                sequence = event.sequence,
                r#type = event.kind.name(),
                key_id = event.key,
                cause = error,
                "a sink took an event in none of its tries: it is a dead letter"
            );
        }
        _ => {}
    }
}

/// Logs that the last uses of keys could not be written.
pub(crate) fn uses(error: &ManageError) {
    failed("the last uses of keys cannot be written", error);
}

/// Logs that digests by the current pepper could not be written.
pub(crate) fn digests(error: &ManageError) {
    failed("digests by the current pepper cannot be written", error);
}

/// Logs that events of requests could not be written. They are tried again.
pub(crate) fn occurrences(error: &StoreError) {
    failed("events of requests cannot be written", error);
}

/// Logs that usage could not be written. It is tried again.
pub(crate) fn usage(error: &StoreError) {
    failed("usage cannot be written", error);
}

/// Logs a failure of a task.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(crate) fn failed(what: &str, error: &dyn Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(cause = %cause(error), "{what}");
}

/// Returns the last cause of a failure, which says most.
#[cfg_attr(not(feature = "tracing"), allow(dead_code))]
fn cause(error: &dyn Error) -> &dyn Error {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}
