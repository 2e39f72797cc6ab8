//! The one suite that every limiter passes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bounds;
mod suite;

use std::sync::Arc;

use tower_api_key::limits::{Limiter, MemoryLimiter};

#[tokio::test]
async fn the_memory_limiter_passes() {
    suite::run(&|| Arc::new(MemoryLimiter::new())).await;
    bounds::run(&|| Arc::new(MemoryLimiter::new()), 5).await;
}

/// Makes a fresh limiter for each case.
type Make<'a> = &'a dyn Fn() -> Arc<dyn Limiter>;
