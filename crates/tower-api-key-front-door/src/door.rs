//! A front door that serves, and follows its file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tower_api_key::config::{FrontDoor, FrontDoorError};
use tower_api_key::reload::{ReloadHandle, ReloadableLayer};
use tower_api_key::store::{KeyManager, KeyStore};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};

use crate::error::OpenError;
#[cfg(feature = "management")]
use crate::management::ManagementDoor;
use crate::opened::Opened;

/// A front door that serves as its file says, and can follow the file's changes. Clones are one front door.
///
/// Opening it serves requests, and starts nothing else. Call [`start`](Self::start) when the program begins to serve.
///
/// `T` is the table of your program in the same file, if it has one: see [`open_with`](Self::open_with).
pub struct LiveFrontDoor<T = ()> {
    pub(crate) shared: Arc<LiveState<T>>,
}

/// Reads a file with the table of the program.
pub(crate) type Read<T> =
    Box<dyn Fn(&Path) -> Result<(FrontDoor, T), FrontDoorError> + Send + Sync>;

/// Finishes the builder of each layer.
pub(crate) type Finish = Box<dyn Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder + Send + Sync>;

pub(crate) struct LiveState<T> {
    pub(crate) path: PathBuf,
    read: Arc<Read<T>>,
    layer: ReloadableLayer,
    pub(crate) handle: ReloadHandle,
    pub(crate) finish: Finish,
    /// Locked while a reload reads and takes over, so that reloads run one after the other, and the last one has read
    /// last.
    pub(crate) current: Arc<tokio::sync::Mutex<CurrentDoor>>,
    #[cfg(feature = "management")]
    pub(crate) management: RwLock<Option<ManagementDoor>>,
    pub(crate) settings: RwLock<Arc<T>>,
}

/// The file that is in force, and what was opened for it.
pub(crate) struct CurrentDoor {
    pub(crate) door: FrontDoor,
    pub(crate) opened: Opened,
    /// Whether the program has started what runs beside the requests.
    pub(crate) is_started: bool,
}

impl LiveFrontDoor {
    /// Opens the front door of a file.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the file has mistakes, or its store or limiter does not open.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let read =
            Box::new(|path: &Path| Ok((FrontDoor::read_checked(path, Self::mistakes_of)?, ())));
        Self::of(path.into(), read, Box::new(|builder| builder)).await
    }
}

impl<T: Send + Sync + 'static> LiveFrontDoor<T> {
    pub(crate) async fn of(
        path: PathBuf,
        read: Read<T>,
        finish: Finish,
    ) -> Result<Self, OpenError> {
        let read = Arc::new(read);
        let (door, settings) = read_apart(Arc::clone(&read), &path).await?;
        let file = path.display().to_string();
        let opened = Opened::of(&door, None, &file).await?;
        let layer = finish(opened.observe(door.builder(&opened.backends()))).build();
        let layer = layer.map_err(|source| OpenError::Layer { file: file.clone(), source })?;
        #[cfg(feature = "management")]
        let management = ManagementDoor::of((&door, &opened), &layer, &finish, None, &file)?;
        let (layer, handle) = ReloadableLayer::new(layer);
        let current = CurrentDoor { door, opened, is_started: false };
        let shared = LiveState {
            path,
            read,
            layer,
            handle,
            finish,
            current: Arc::new(tokio::sync::Mutex::new(current)),
            #[cfg(feature = "management")]
            management: RwLock::new(management),
            settings: RwLock::new(Arc::new(settings)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns the layer for your router. Its gates follow every reload.
    pub fn layer(&self) -> ReloadableLayer {
        self.shared.layer.clone()
    }

    /// Returns the layer that decides now, for example to explain its decisions.
    pub fn current(&self) -> ApiKeyLayer {
        self.shared.handle.current()
    }

    /// Returns your program's table, as it stood in the file that was last taken over.
    pub fn settings(&self) -> Arc<T> {
        Arc::clone(&self.shared.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the store that is asked now, for example to see whether it answers.
    pub async fn store(&self) -> Arc<dyn KeyStore> {
        Arc::<dyn KeyManager>::clone(self.shared.current.lock().await.opened.keys())
    }

    pub(crate) async fn read(&self) -> Result<(FrontDoor, T), OpenError> {
        read_apart(Arc::clone(&self.shared.read), &self.shared.path).await
    }

    /// Returns the fingerprint of the file as it is now.
    pub(crate) async fn look(&self) -> Result<[u8; 32], OpenError> {
        let look = |path: &Path| FrontDoor::fingerprint_of(path);
        apart(self.shared.path.clone(), look).await
    }
}

/// Reads a file as [`apart`] does.
async fn read_apart<T: Send + 'static>(
    read: Arc<Read<T>>,
    path: &Path,
) -> Result<(FrontDoor, T), OpenError> {
    apart(path.to_owned(), move |path: &Path| read(path)).await
}

/// Calls what reads files on a thread where it blocks no request.
async fn apart<R: Send + 'static>(
    path: PathBuf,
    read: impl FnOnce(&Path) -> Result<R, FrontDoorError> + Send + 'static,
) -> Result<R, OpenError> {
    let file = path.display().to_string();
    match tokio::task::spawn_blocking(move || read(&path)).await {
        Ok(read) => Ok(read?),
        Err(_) => Err(OpenError::Interrupted { file }),
    }
}

impl<T> Clone for LiveFrontDoor<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> std::fmt::Debug for LiveFrontDoor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveFrontDoor").field("path", &self.shared.path).finish_non_exhaustive()
    }
}
