//! Opens the front door that a file describes: the store and the limiter by their URLs, and reload while it serves.
//!
//! [`tower_api_key::config`] reads and checks the file. This crate opens what the file names, with the features
//! `sqlite`, `postgres` and `redis`.
//!
//! ```no_run
//! use std::time::Duration;
//! use tower::{Layer, service_fn};
//! use tower_api_key_front_door::LiveFrontDoor;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let door = LiveFrontDoor::open("gate.toml").await?;
//! let layer = door.layer(); // Router::new().route(…).layer(layer)
//! door.start().await; // begins to deliver the events of the file, if it has any
//!
//! // Takes changes of the file over within two seconds. A broken file keeps the door that serves, and says why.
//! tokio::spawn(door.watch(Duration::from_secs(1), |reload| match reload {
//!     Ok(()) => println!("reloaded"),
//!     Err(error) => eprintln!("{error}"),
//! }));
//! # Ok(()) }
//! ```
//!
//! This crate guards the step from one file to the next. A changed file is taken over if
//!
//! 1. it has no mistake, and this build knows the schemes of its URLs;
//! 2. its store and its limiter open;
//! 3. the layer builds.
//!
//! Otherwise the old front door serves on. Each request is decided by one of the two, from its begin to its end.
//!
//! A reload that is refused changes nothing. To check more before anything changes, use
//! [`prepare_reload`](LiveFrontDoor::prepare_reload).
//!
//! # What runs beside the requests
//!
//! [`open`](LiveFrontDoor::open) starts nothing that acts by itself: a file can be opened only to check it. These tasks
//! begin with [`start`](LiveFrontDoor::start): the sweep and the deliveries of `[events]`, the sweep of policies with
//! `[management]`, and the writing of digests by the current pepper of `[peppers]`. A reload ends the old ones before the new ones begin.
//!
//! # What survives a reload
//!
//! The store with its cache, if the table `[store]` is the same. The limiter with its counts and permits, if
//! `[limiter]` is the same, `on_failure` and `simultaneous` aside. All else as
//! [`tower_api_key::reload`] says: failed attempts, refused requests, permits in memory. A new store or limiter is
//! opened before the old one is left, and the old one is closed when its last request has ended.
//!
//! In a deployment, replace the file in one step: write another one, then rename it. A file that is read while it is
//! written may lack its end. [`watch`](LiveFrontDoor::watch) waits until two looks find the same;
//! [`reload`](LiveFrontDoor::reload) takes what it finds.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod background_log;
mod builder;
mod built;
#[cfg(feature = "console")]
mod console;
mod door;
mod ending;
mod error;
#[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
mod events;
mod failures;
mod limiter;
mod looks;
#[cfg(feature = "management")]
mod management;
#[cfg(feature = "management")]
mod managing;
mod mistakes;
mod opened;
#[cfg(all(feature = "management", any(feature = "sqlite", feature = "postgres")))]
mod policies;
#[cfg(feature = "redis")]
mod redis_servers;
mod reload;
mod running;
mod store;
#[cfg(all(
    any(feature = "events", feature = "management"),
    any(feature = "sqlite", feature = "postgres")
))]
mod tasks;
mod watch;

pub use builder::LiveFrontDoorBuilder;
pub use door::LiveFrontDoor;
pub use error::OpenError;
#[cfg(feature = "management")]
pub use management::ManagementDoor;
pub use reload::PreparedReload;

/// The README's code is compiled as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
