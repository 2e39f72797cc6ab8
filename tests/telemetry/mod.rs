//! What the observers of the feature `tracing` log, and what those of the feature `metrics` count.

mod counted;
mod logged;
mod world;
