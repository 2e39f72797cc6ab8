//! Follows the file of a front door.

use std::sync::Arc;
use std::time::Duration;

use crate::door::LiveFrontDoor;
use crate::error::OpenError;
use crate::looks::Looks;

impl<T: Send + Sync + 'static> LiveFrontDoor<T> {
    /// Reads a file that two looks have found alike, and takes it over. Returns `None` if it has changed since.
    async fn take_settled(&self, found: [u8; 32]) -> Result<Option<()>, OpenError> {
        let current = Arc::clone(&self.shared.current).lock_owned().await;
        match self.read().await {
            Ok(read) if read.0.fingerprint() == found => {
                self.prepare(current, read).await?.take().await;
                Ok(Some(()))
            }
            Err(error) if self.look().await.is_ok_and(|now| now == found) => Err(error),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Looks at the file, and at all that it takes from elsewhere, again and again, and takes over what changed. Spawn
    /// the future. It ends when it is dropped.
    ///
    /// A change is taken over when two looks in a row find the same: a file that is being written may look whole, and
    /// lack its end. `report` hears of each change that was taken over, and of each new reason why one was not.
    pub fn watch(
        &self,
        every: Duration,
        mut report: impl FnMut(Result<(), OpenError>) + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let door = self.clone();
        async move {
            let mut looks = Looks::default();
            loop {
                tokio::time::sleep(every).await;
                // Most looks find nothing new, and cost no more than a hash.
                let found = door.look().await;
                let taken = door.shared.current.lock().await.door.fingerprint();
                if !looks.is_settled(found.as_ref().copied(), taken) {
                    continue;
                }
                let result = match found {
                    Ok(found) => door.take_settled(found).await,
                    Err(error) => Err(error),
                };
                let Some(result) = result.transpose() else { continue };
                looks.note(&result);
                if looks.is_news(&result) {
                    report(result);
                }
            }
        }
    }
}
