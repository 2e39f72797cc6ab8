//! Events: what happens to keys, for programs that react to it.
//!
//! A store that keeps events writes each one in the transaction that causes it. `SqlStore` of
//! [`tower-api-key-sqlx`](https://docs.rs/tower-api-key-sqlx) does; [`MemoryStore`](crate::store::MemoryStore) keeps
//! none. An event reaches every [`EventSink`] at least once, and the events of one key in their order.
//!
//! | cause | who writes the event |
//! |---|---|
//! | a change of a key | the store, in the transaction of the change |
//! | a request | an [`EventRecorder`], which is an observer of the gate |
//! | time | a sweep, which one of many processes runs |
//!
//! No event holds a secret, a digest or a header. Events have names of keys, accounts and authors, and addresses of
//! clients. Send to a customer only the events of the customer's own account.

mod event;
mod kind;
mod log;
mod near_limit;
mod occurrence;
mod recent;
mod recorder;
mod retry;
mod sink;
#[cfg(feature = "tracing")]
mod tracing_sink;
mod writer;

pub use event::Event;
pub use kind::EventKind;
pub use log::{EventFuture, EventLog};
pub use occurrence::{EventSubject, Occurrence};
pub use recorder::EventRecorder;
pub use retry::RetrySchedule;
pub use sink::{DeliveryError, EventSink};
#[cfg(feature = "tracing")]
pub use tracing_sink::TracingSink;
pub use writer::EventWriter;
