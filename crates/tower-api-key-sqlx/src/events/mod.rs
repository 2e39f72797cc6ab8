//! Events: an outbox in the database, and what delivers it.

mod changes;
mod dead;
mod delivery;
mod delivery_report;
mod event_row;
mod lease;
mod occasions;
mod outbox;
mod page;
mod prune;
mod queue;
mod retire;
mod run_end;
mod statements;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod stops;
mod sweep;
mod waiting;
#[cfg(feature = "postgres")]
mod wake;

pub use dead::DeadEvent;
pub use delivery::EventDelivery;
pub use delivery_report::DeliveryReport;
pub use sweep::EventSweep;
pub use waiting::WaitingEvent;

pub(super) use lease::new_holder;
pub(super) use outbox::cause;
pub(super) use run_end::sweep_until;
pub(super) use statements::EventQueries;
