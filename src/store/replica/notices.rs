//! Notices of the store, which wake the task that follows it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::super::invalidation::{Invalidation, Invalidations};
use super::progress::Wake;

/// The first pause after notices fail. Each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Wakes the follower at each notice of the store.
pub(super) async fn listen(notices: Option<Box<dyn Invalidations>>, wake: Arc<Wake>) {
    let Some(mut notices) = notices else { return pending().await };
    let mut pause = FIRST_PAUSE;
    loop {
        match notices.next().await {
            // The replica's own questions are its proofs.
            Ok(Invalidation::UpToDate(_)) => pause = FIRST_PAUSE,
            Ok(_) => {
                pause = FIRST_PAUSE;
                wake.hint();
            }
            Err(_) => {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
