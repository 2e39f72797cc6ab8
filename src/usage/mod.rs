//! Usage: how many requests each key made, by route pattern, decision and hour.
//!
//! This module guards the way from a request to its count. A [`UsageRecorder`] is an observer of a gate: it counts each
//! request in memory and never waits. Every 5 seconds one task writes the counts as a [`UsageBatch`] to a [`UsageSink`],
//! such as the `SqlStore` of `tower-api-key-sqlx` (feature `usage`). A [`UsageReader`] answers questions about what was
//! written.
//!
//! # Contracts
//!
//! * **Memory.** The recorder holds at most 65,536 counts unless set: one for each key, route, decision and hour. Further
//!   requests are counted without their key and route, as [`OTHER_ROUTE`]. No request is left out of the totals.
//! * **Crash.** A process that ends without [`UsageRecorder::stop`] loses at most the requests of its last 10 seconds, if
//!   the sink writes a batch within 5 seconds. While the sink fails, the recorder keeps all counts within its bound.
//! * **Once.** A batch is counted once, even if the answer of its commit was lost: see [`UsageBatch`].
//!
//! # Deployment
//!
//! Call [`UsageRecorder::stop`] when the server has ended its last request. Prune old hours once a day. Usage holds ids of
//! keys and accounts, route patterns, and of a client only the network of its key's last use: an IPv4 `/24` or an IPv6
//! `/48`. It holds no path, no header and no secret.

mod batch;
mod cell;
mod cells;
mod count;
mod csv;
mod hour;
mod key_usage;
mod last_use;
mod query;
mod reader;
mod recorder;
mod recorder_builder;
mod sink;
mod top_keys;
mod writing;

pub use batch::UsageBatch;
pub use cell::{OTHER_ROUTE, UsageCell};
pub use count::UsageCount;
pub use csv::csv_line;
pub use hour::UsageHour;
pub use key_usage::KeyUsage;
pub use last_use::LastUse;
pub use query::{UsageGroup, UsageQuery};
pub use reader::{UsageFuture, UsageReader};
pub use recorder::UsageRecorder;
pub use recorder_builder::UsageRecorderBuilder;
pub use sink::UsageSink;
pub use top_keys::TopKeysQuery;
