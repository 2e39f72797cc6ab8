//! What the observers of the feature `tracing` log, and what those of the feature `metrics` count.

#[cfg(feature = "cache")]
mod caches;
mod counted;
mod logged;
mod world;
