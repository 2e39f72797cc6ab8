//! Opens a front door whose file has a table of the program.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tower_api_key::ApiKeyLayerBuilder;
use tower_api_key::config::{FrontDoor, SectionMistake};

use crate::door::{Finish, LiveFrontDoor};
use crate::error::OpenError;

/// Checks the table of the program.
type Check<T> = Box<dyn Fn(&T) -> Result<(), SectionMistake> + Send + Sync>;

/// Checks a file as a whole.
type CheckFile<T> = Box<dyn Fn(&FrontDoor, &T) -> Vec<SectionMistake> + Send + Sync>;

/// Opens a [`LiveFrontDoor`] whose file has one table more, which belongs to your program.
///
/// ```no_run
/// use tower_api_key::config::SectionMistake;
/// use tower_api_key_front_door::LiveFrontDoor;
///
/// # #[derive(serde::Deserialize)] struct Upstreams;
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let door = LiveFrontDoor::<Upstreams>::builder("gate.toml", "upstreams")
///     .check_file(|door, _| {
///         let unserved = || SectionMistake::new("management", "this program serves no management: remove the table");
///         door.management().map(|_| unserved()).into_iter().collect()
///     })
///     .finish(|layer| layer.strip_credential()) // no upstream sees a key, whatever the file says
///     .open()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "a builder does nothing until it opens"]
pub struct LiveFrontDoorBuilder<T> {
    path: PathBuf,
    table: &'static str,
    check: Check<T>,
    check_file: CheckFile<T>,
    finish: Finish,
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
        Self::builder(path, table).check(check).open().await
    }

    /// Starts to open the front door of a file with a table of your program, for one that checks more than its table, or
    /// finishes the builder of each layer.
    pub fn builder(path: impl Into<PathBuf>, table: &'static str) -> LiveFrontDoorBuilder<T> {
        LiveFrontDoorBuilder::new(path.into(), table)
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> LiveFrontDoorBuilder<T> {
    pub(crate) fn new(path: PathBuf, table: &'static str) -> Self {
        let check = Box::new(|_: &T| Ok(()));
        let check_file = Box::new(|_: &FrontDoor, _: &T| Vec::new());
        Self { path, table, check, check_file, finish: Box::new(|builder| builder) }
    }

    /// Checks your program's table, each time the file is read.
    pub fn check(
        self,
        check: impl Fn(&T) -> Result<(), SectionMistake> + Send + Sync + 'static,
    ) -> Self {
        Self { check: Box::new(check), ..self }
    }

    /// Checks a file without other mistakes as a whole, each time it is read and before anything is opened. Name each
    /// field by its path from the root of the file. A program refuses a table here that it does not serve.
    pub fn check_file(
        self,
        check: impl Fn(&FrontDoor, &T) -> Vec<SectionMistake> + Send + Sync + 'static,
    ) -> Self {
        Self { check_file: Box::new(check), ..self }
    }

    /// Finishes the builder of each layer with what the file cannot say: an observer, or what your program needs of every
    /// front door.
    pub fn finish(
        self,
        finish: impl Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder + Send + Sync + 'static,
    ) -> Self {
        Self { finish: Box::new(finish), ..self }
    }

    /// Opens the front door.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the file has mistakes, or its store or limiter does not open.
    pub async fn open(self) -> Result<LiveFrontDoor<T>, OpenError> {
        let Self { path, table, check, check_file, finish } = self;
        let read = move |path: &Path| {
            let further = |door: &FrontDoor, settings: &T| {
                let mut found = LiveFrontDoor::mistakes_of(door);
                found.extend(check_file(door, settings));
                found
            };
            FrontDoor::read_with_checked(path, table, &check, further)
        };
        LiveFrontDoor::of(path, Box::new(read), finish).await
    }
}

impl<T> std::fmt::Debug for LiveFrontDoorBuilder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveFrontDoorBuilder").field("path", &self.path).finish_non_exhaustive()
    }
}
