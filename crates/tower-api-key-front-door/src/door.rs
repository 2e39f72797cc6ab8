//! A front door that serves, and follows its file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::de::DeserializeOwned;
use tower_api_key::config::{FrontDoor, FrontDoorError, SectionMistake};
use tower_api_key::reload::{ReloadHandle, ReloadableLayer};
use tower_api_key::store::{KeyManager, KeyStore};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};

use crate::error::OpenError;
#[cfg(feature = "management")]
use crate::management::ManagementDoor;
use crate::opened::Opened;

/// A front door that serves as its file says, and can follow the file's changes. Clones are one front door.
///
/// `T` is the table of your program in the same file, if it has one: see [`open_with`](Self::open_with).
pub struct LiveFrontDoor<T = ()> {
    pub(crate) shared: Arc<LiveState<T>>,
}

/// Reads a file with the table of the program.
type Read<T> = Box<dyn Fn(&Path) -> Result<(FrontDoor, T), FrontDoorError> + Send + Sync>;

/// Finishes the builder of each layer.
type Finish = Box<dyn Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder + Send + Sync>;

pub(crate) struct LiveState<T> {
    path: PathBuf,
    read: Arc<Read<T>>,
    layer: ReloadableLayer,
    handle: ReloadHandle,
    pub(crate) finish: Finish,
    /// Locked while a reload reads and takes over, so that reloads run one after the other, and the last one has read
    /// last.
    pub(crate) current: tokio::sync::Mutex<(FrontDoor, Opened)>,
    #[cfg(feature = "management")]
    pub(crate) management: RwLock<Option<ManagementDoor>>,
    settings: RwLock<Arc<T>>,
}

impl LiveFrontDoor {
    /// Opens the front door of a file.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the file has mistakes, or its store or limiter does not open.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let read = Box::new(|path: &Path| Ok((FrontDoor::read(path)?, ())));
        Self::of(path.into(), read, Box::new(|builder| builder)).await
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> LiveFrontDoor<T> {
    /// Opens the front door of a file that has one table more, which belongs to your program.
    /// [`FrontDoor::read_with`] has an example.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the file has mistakes, or its store or limiter does not open.
    pub async fn open_with(
        path: impl Into<PathBuf>,
        table: &'static str,
        check: impl Fn(&T) -> Result<(), SectionMistake> + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        Self::open_finished(path, table, check, |builder| builder).await
    }

    /// Opens the front door of a file as [`open_with`](Self::open_with) does, and finishes the builder of each layer with
    /// what the file cannot say: an observer, or what your program needs of every front door.
    ///
    /// ```no_run
    /// use tower_api_key_front_door::LiveFrontDoor;
    ///
    /// # #[derive(serde::Deserialize)] struct Upstreams;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let accept = |_: &Upstreams| Ok(());
    /// // No upstream sees a key, whatever the file says.
    /// LiveFrontDoor::open_finished("gate.toml", "upstreams", accept, |builder| builder.strip_credential()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the file has mistakes, or its store or limiter does not open.
    pub async fn open_finished(
        path: impl Into<PathBuf>,
        table: &'static str,
        check: impl Fn(&T) -> Result<(), SectionMistake> + Send + Sync + 'static,
        finish: impl Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let read = Box::new(move |path: &Path| FrontDoor::read_with(path, table, &check));
        Self::of(path.into(), read, Box::new(finish)).await
    }
}

impl<T: Send + Sync + 'static> LiveFrontDoor<T> {
    async fn of(path: PathBuf, read: Read<T>, finish: Finish) -> Result<Self, OpenError> {
        let read = Arc::new(read);
        let (door, settings) = read_apart(Arc::clone(&read), &path).await?;
        let file = path.display().to_string();
        let opened = Opened::of(&door, None, &file).await?;
        let layer = finish(opened.observe(door.builder(&opened.backends()))).build();
        let layer = layer.map_err(|source| OpenError::Layer { file: file.clone(), source })?;
        #[cfg(feature = "management")]
        let management = ManagementDoor::of(&door, &opened, &layer, &finish, &file)?;
        opened.start_after(None);
        let (layer, handle) = ReloadableLayer::new(layer);
        let current = tokio::sync::Mutex::new((door, opened));
        let settings = RwLock::new(Arc::new(settings));
        let shared = LiveState {
            path,
            read,
            layer,
            handle,
            finish,
            current,
            #[cfg(feature = "management")]
            management: RwLock::new(management),
            settings,
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
        Arc::<dyn KeyManager>::clone(self.shared.current.lock().await.1.keys())
    }

    /// Reads the file again, and takes its changes over between two requests. Returns false if nothing changed in the
    /// front door.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says why the front door that served before serves on.
    pub async fn reload(&self) -> Result<bool, OpenError> {
        let mut current = self.shared.current.lock().await;
        let read = self.read().await?;
        self.take(&mut current, read).await
    }

    pub(crate) async fn read(&self) -> Result<(FrontDoor, T), OpenError> {
        read_apart(Arc::clone(&self.shared.read), &self.shared.path).await
    }

    /// Returns the fingerprint of the file as it is now.
    pub(crate) async fn look(&self) -> Result<[u8; 32], OpenError> {
        let look = |path: &Path| FrontDoor::fingerprint_of(path);
        apart(self.shared.path.clone(), look).await
    }

    pub(crate) async fn take(
        &self,
        current: &mut (FrontDoor, Opened),
        (door, settings): (FrontDoor, T),
    ) -> Result<bool, OpenError> {
        let shared = &self.shared;
        let is_changed = current.0 != door;
        if is_changed {
            let file = shared.path.display().to_string();
            let opened = Opened::of(&door, Some(&current.1), &file).await?;
            let backends = opened.backends();
            let builder = (shared.finish)(opened.observe(door.builder(&backends)));
            #[cfg(feature = "management")]
            let mut management = None;
            shared.handle.reload(|previous| {
                let layer = builder.build_after(previous);
                let layer =
                    layer.map_err(|source| OpenError::Layer { file: file.clone(), source })?;
                #[cfg(feature = "management")]
                {
                    management =
                        self.management_after(&current.0, (&door, &opened), &layer, &file)?;
                }
                Ok::<_, OpenError>(layer)
            })?;
            #[cfg(feature = "management")]
            {
                let mut serving = shared.management.write().unwrap_or_else(PoisonError::into_inner);
                *serving = management;
            }
            let before = std::mem::replace(&mut current.1, opened);
            current.1.start_after(Some(&before));
            if !before.has_limiter_of(&current.1) {
                // What a limiter does not take back is lost until its windows end, and no reason to serve by the old file.
                let _ = before.give_back_all().await;
            }
        }
        current.0 = door;
        *shared.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        Ok(is_changed)
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
