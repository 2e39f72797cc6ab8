//! What a program does with its front door in the end.

use std::time::Duration;

use tower_api_key::limits::LimiterError;
use tower_api_key::store::StoreError;

use crate::door::LiveFrontDoor;

/// How long the events of requests may take to be written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

impl<T: Send + Sync + 'static> LiveFrontDoor<T> {
    /// Gives back what the limiter has taken in advance, and no request has used. Call it when the process ends, after
    /// the last request.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if something could not be given back. It then stays taken until its windows end.
    ///
    /// ```no_run
    /// # async fn serve(_: tower_api_key::reload::ReloadableLayer) {}
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_api_key_front_door::LiveFrontDoor;
    ///
    /// let door = LiveFrontDoor::open("gate.toml").await?;
    /// serve(door.layer()).await;
    /// door.give_back_all().await?;
    /// # Ok(()) }
    /// ```
    pub async fn give_back_all(&self) -> Result<(), LimiterError> {
        let opened = self.shared.current.lock().await.opened.clone();
        opened.give_back_all().await
    }

    /// Writes the usage that waits in memory, if the file has a table `[store.usage]`. Call it when the process ends,
    /// after the last request.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database cannot answer. What waits is lost when the process ends.
    pub async fn flush_usage(&self) -> Result<(), StoreError> {
        let opened = self.shared.current.lock().await.opened.clone();
        opened.flush_usage().await
    }

    /// Writes the events of requests that wait in memory, if the file has a table `[events]`. This takes about a second,
    /// and at most 5 seconds. Call it when the process ends, after the last request.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer. What waits is lost when the process ends, and recorded at the next
    /// request that does the same.
    pub async fn flush_events(&self) -> Result<(), StoreError> {
        let opened = self.shared.current.lock().await.opened.clone();
        let flushed = tokio::time::timeout(WRITTEN_WITHIN, opened.flush_events()).await;
        flushed.map_err(|_| StoreError::new("the database did not take the events in time"))
    }
}
