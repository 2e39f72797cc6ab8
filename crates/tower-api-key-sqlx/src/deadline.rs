//! The instant at which a timeout ends.

use std::time::Duration;

use tokio::time::Instant;

/// The longest timeout: an `Instant` cannot hold every `Duration`.
const FAR: Duration = Duration::from_secs(86_400);

/// Returns the instant at which a timeout that begins now ends.
pub(super) fn after(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_limit_ends_in_the_future() {
        for limit in [Duration::from_secs(1), Duration::MAX] {
            assert!(after(limit) > Instant::now(), "{limit:?}");
        }
    }
}
