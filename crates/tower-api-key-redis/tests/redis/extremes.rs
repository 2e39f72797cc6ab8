//! Settings at their ends: a limiter is built, or its builder says why not; nothing panics.

use std::num::NonZeroU32;
use std::time::Duration;

#[test]
fn limits_in_redis_are_built_or_refused() {
    use tower_api_key_redis::{Lease, RedisLimiter};
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX] {
        for size in [0, 1, 1 << 40, usize::MAX] {
            for prefix in ["", "a", "{", "\n"] {
                let lease = Lease::new().at_most(NonZeroU32::MAX).lasting(time).accounts(size);
                let limiter = RedisLimiter::builder("redis://127.0.0.1:1")
                    .prefix(prefix)
                    .timeout(time)
                    .patience(u32::MAX)
                    .lease(lease)
                    .permit_lease(time);
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    if let Ok(limiter) = limiter.build() {
                        let _ = limiter.concurrency();
                    }
                });
            }
        }
    }
}
