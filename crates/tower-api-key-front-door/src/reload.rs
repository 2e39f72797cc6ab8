//! The step from one file to the next.

use std::sync::{Arc, PoisonError};

use tokio::sync::OwnedMutexGuard;
use tower_api_key::ApiKeyLayer;
use tower_api_key::config::FrontDoor;

use crate::door::{CurrentDoor, LiveFrontDoor};
use crate::error::OpenError;
#[cfg(feature = "management")]
use crate::management::ManagementDoor;
use crate::opened::Opened;

/// A file that was read, checked and opened. Nothing is taken over before [`take`](Self::take), and nothing if it is
/// dropped. Other reloads wait meanwhile, so do one of the two soon.
#[must_use = "nothing is taken over before `take`"]
pub struct PreparedReload<T = ()> {
    live: LiveFrontDoor<T>,
    current: OwnedMutexGuard<CurrentDoor>,
    door: FrontDoor,
    settings: Arc<T>,
    /// `None` if the front door is the same.
    next: Option<NextDoor>,
}

/// What takes the place of a front door that serves.
struct NextDoor {
    opened: Opened,
    layer: ApiKeyLayer,
    #[cfg(feature = "management")]
    management: Option<ManagementDoor>,
}

impl<T: Send + Sync + 'static> LiveFrontDoor<T> {
    /// Reads the file again, and takes its changes over between two requests. Returns false if nothing changed in the
    /// front door.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says why the front door that served before serves on.
    pub async fn reload(&self) -> Result<bool, OpenError> {
        Ok(self.prepare_reload().await?.take().await)
    }

    /// Reads the file again, and does all of a reload that can fail. For a program that has to check more before anything
    /// changes.
    ///
    /// ```no_run
    /// use tower_api_key_front_door::LiveFrontDoor;
    ///
    /// # async fn example(door: LiveFrontDoor) -> Result<(), Box<dyn std::error::Error>> {
    /// let next = door.prepare_reload().await?;
    /// if next.is_changed() {
    ///     next.take().await;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError`] says why the front door that served before serves on.
    pub async fn prepare_reload(&self) -> Result<PreparedReload<T>, OpenError> {
        let current = Arc::clone(&self.shared.current).lock_owned().await;
        let read = self.read().await?;
        self.prepare(current, read).await
    }

    /// Opens and builds what a file names that was read.
    pub(crate) async fn prepare(
        &self,
        current: OwnedMutexGuard<CurrentDoor>,
        (door, settings): (FrontDoor, T),
    ) -> Result<PreparedReload<T>, OpenError> {
        let next =
            if current.door == door { None } else { Some(self.next(&current, &door).await?) };
        Ok(PreparedReload { live: self.clone(), current, door, settings: Arc::new(settings), next })
    }

    async fn next(&self, current: &CurrentDoor, door: &FrontDoor) -> Result<NextDoor, OpenError> {
        let shared = &self.shared;
        let file = shared.path.display().to_string();
        let opened = Opened::of(door, Some(&current.opened), &file).await?;
        let builder = (shared.finish)(opened.observe(door.builder(&opened.backends())));
        // Only a reload replaces the layer, and this one has the lock of all.
        let layer = builder.build_after(&shared.handle.current());
        let layer = layer.map_err(|source| OpenError::Layer { file: file.clone(), source })?;
        #[cfg(feature = "management")]
        let management = self.management_after(&current.door, (door, &opened), &layer, &file)?;
        Ok(NextDoor {
            opened,
            layer,
            #[cfg(feature = "management")]
            management,
        })
    }
}

impl<T: Send + Sync + 'static> PreparedReload<T> {
    /// Returns your program's table of the file.
    pub fn settings(&self) -> &T {
        &self.settings
    }

    /// Returns the layer that decides after [`take`](Self::take).
    pub fn layer(&self) -> ApiKeyLayer {
        let serving = || self.live.current();
        self.next.as_ref().map_or_else(serving, |next| next.layer.clone())
    }

    /// Returns what serves the table `[management]` after [`take`](Self::take).
    #[cfg(feature = "management")]
    pub fn management(&self) -> Option<ManagementDoor> {
        let serving = || self.live.management();
        self.next.as_ref().map_or_else(serving, |next| next.management.clone())
    }

    /// Returns false if nothing changes in the front door.
    pub const fn is_changed(&self) -> bool {
        self.next.is_some()
    }

    /// Takes the file over between two requests, and returns whether something changed in the front door. This cannot
    /// fail. The events' deliveries and sweeps of the old file end before those of the new one begin, within seconds.
    pub async fn take(self) -> bool {
        let Self { live, mut current, door, settings, next } = self;
        let shared = &live.shared;
        current.door = door;
        *shared.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        let Some(next) = next else { return false };
        shared.handle.replace(next.layer);
        #[cfg(feature = "management")]
        {
            *shared.management.write().unwrap_or_else(PoisonError::into_inner) = next.management;
        }
        if current.is_started {
            crate::failures::warn(&current.door);
        }
        let before = std::mem::replace(&mut current.opened, next.opened);
        // A task of its own, so that a caller that is dropped leaves neither two deliveries nor none.
        let handing_over = tokio::spawn(async move {
            let CurrentDoor { opened, is_started, .. } = &*current;
            opened.follow(&before, *is_started).await;
        });
        let _ = handing_over.await;
        true
    }
}

impl<T> std::fmt::Debug for PreparedReload<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreparedReload")
            .field("is_changed", &self.next.is_some())
            .finish_non_exhaustive()
    }
}
