//! What runs beside the requests, from its start to its end.

use crate::door::LiveFrontDoor;

impl<T: Send + Sync + 'static> LiveFrontDoor<T> {
    /// Begins what the file lets run beside the requests: the sweep and the deliveries of `[events]`, the sweep of policies
    /// with `[management]`, and the writing of digests by the current pepper of `[peppers]`. Call it when the program begins to serve, and not to check a file. A
    /// second call changes nothing. With the feature `tracing`, it logs a warning if management can set quotas that no
    /// `[limiter]` counts.
    ///
    /// Later files start theirs when they are taken over. Before this call, none does.
    ///
    /// ```no_run
    /// use tower_api_key_front_door::LiveFrontDoor;
    ///
    /// # async fn serve(_: tower_api_key::reload::ReloadableLayer) {}
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let door = LiveFrontDoor::open("gate.toml").await?;
    /// door.start().await;
    /// serve(door.layer()).await;
    /// door.flush_events().await?;
    /// door.stop().await; // another process delivers at once
    /// # Ok(()) }
    /// ```
    pub async fn start(&self) {
        let mut current = self.shared.current.lock().await;
        if !std::mem::replace(&mut current.is_started, true) {
            crate::failures::warn(&current.door);
        }
        current.opened.start();
    }

    /// Ends the sweeps and the deliveries, and gives up their leases, so that another process goes on at once. What is being
    /// delivered has a second to end, and is delivered again otherwise. Call it when the process ends, after
    /// [`flush_events`](Self::flush_events).
    pub async fn stop(&self) {
        let mut current = self.shared.current.lock().await;
        current.is_started = false;
        current.opened.end().await;
    }
}
