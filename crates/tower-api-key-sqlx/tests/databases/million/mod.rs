//! Measures what reads or writes a million keys. They take minutes, so they are run by hand:
//! `cargo test --release -p tower-api-key-sqlx --all-features --test databases million:: -- --ignored --nocapture`

mod import;
mod lists;
mod peppers;
mod store;
mod sweeps;
